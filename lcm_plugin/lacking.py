"""What a site wants that its settings, or its LCM, do not give: `check` says it."""

from contextlib import suppress

from cti_hooks import Agent, Health
from lcm_plugin.config import LcmSettings
from lcm_plugin.errors import LcmError
from lcm_plugin.lcm.client import LcmClient


def callid(settings: LcmSettings) -> str:
    """Why no contact gets its business fields, where no callid goes with the question for them; else empty.

    A site that adds one to the request itself (`lcm_adjust_request`) means it so.
    """
    if not settings.screen_pop or settings.callid:
        return ""
    return (
        "GetScreenPopData is refused without a callid, so no contact has business fields: set callid, which "
        "the LCM's workspace has, or screen_pop = false"
    )


async def reserved_message(client: LcmClient, agent: Agent) -> list[Health]:
    """The reserved contacts, where the LCM does not know the question; it is asked, and reserves nothing.

    A download is no question that may be asked for nobody's sake: where a site has it asked instead, the
    first agent's shift tells.
    """
    if not client.reserved.one_at_a_time:
        with suppress(LcmError):
            await client.reserved.all(agent)
    return list(client.reserved.health())
