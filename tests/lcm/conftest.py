"""A sandbox LCM on a real socket, and a client of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cti_hooks import Agent, Contact
from cti_hooks import settings as plugin_settings
from lcm_plugin.attempt.transitions import FETCHED, NOTHING, REFUSED
from lcm_plugin.config import LcmSettings
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.lcm.transports import transport_for
from lcm_plugin.ledger import Ledger
from lcm_plugin.sandbox import Sandbox, SandboxContact
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.people import GROUP


class Fetching(LcmClient):
    """A client whose contacts are recorded, as a desk records them, and at once put down again."""

    async def next_contact(
        self, agent: Agent, campaign_group: str, attempt_id: str = "", *, until: float | None = None
    ) -> Contact | None:
        attempt = await self.ledger.open(agent, campaign_group)
        contact = None
        try:
            contact = await super().next_contact(agent, campaign_group, attempt_id or attempt.id, until=until)
        finally:
            if contact:
                attempt = self.ledger.change(attempt, FETCHED, contact=contact)
                self.recorded(agent)
            self.ledger.change(attempt, REFUSED if contact else NOTHING)
        return contact


OpenLcm = Callable[..., Awaitable[tuple[Sandbox, Fetching]]]


def people(count: int) -> list[SandboxContact]:
    return [
        SandboxContact(
            key=f"0|0|000|0|0|00|{n}", phone_number=f"+1212555{n:04}", campaign_group=GROUP, consent="Yes"
        )
        for n in range(1, count + 1)
    ]


@pytest.fixture(params=["http", "websocket"])
def wire(request: pytest.FixtureRequest) -> str:
    """Each way to an LCM."""
    return str(request.param)


@pytest.fixture
async def open_lcm(clock: LoopClock, ledger: Ledger) -> AsyncIterator[OpenLcm]:
    """Opens a sandbox and a client of it; further settings by keyword."""
    async with AsyncExitStack() as stack:

        async def opened(
            contacts: int | list[SandboxContact] = 5, *, wire: str = "http", at_once: int = 1, **table: Any
        ) -> tuple[Sandbox, Fetching]:
            given = people(contacts) if isinstance(contacts, int) else contacts
            lcm = await stack.enter_async_context(
                Sandbox(contacts=given, clock=clock, random=Random(1), at_once=at_once)
            )
            url = lcm.url if wire == "http" else lcm.ws_url
            settings = plugin_settings.read(
                LcmSettings, {"url": url, "source": "tests", "timezone": "America/New_York", **table}
            )
            transport = transport_for(settings, Path.cwd(), clock)
            stack.push_async_callback(transport.close)
            return lcm, Fetching(settings=settings, transport=transport, random=Random(1), ledger=ledger)

        yield opened
