"""What a site wants that its settings, or its LCM, do not give: `check` says it."""

from contextlib import suppress

from cti_hooks import Agent, Health
from lcm_plugin.config import LcmSettings
from lcm_plugin.errors import LcmError
from lcm_plugin.lcm.client import LcmClient


def callid(settings: LcmSettings) -> str:
    """Why no contact gets its business fields: no callid goes with the question. Empty if they can be had.

    It is a warning only: a site may add a callid to the request itself (`lcm_adjust_request`).
    """
    if not settings.screen_pop or settings.callid:
        return ""
    return (
        "GetScreenPopData is refused without a callid, so no contact has business fields: set callid, which "
        "the LCM's workspace has, or screen_pop = false"
    )


async def reserved_message(client: LcmClient, agent: Agent) -> list[Health]:
    """Health of the question for reserved contacts. The LCM is asked it, which reserves nothing.

    If the site has a download asked instead, it is not asked: nobody would take what it reserves.
    """
    if not client.reserved.one_at_a_time:
        with suppress(LcmError):
            await client.reserved.all(agent)
    return list(client.reserved.health())
