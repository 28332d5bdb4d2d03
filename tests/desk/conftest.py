"""A host with lcm-plugin, a sandbox LCM on a real socket, and a dialer that does as it is told."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import define, field

from cti_hooks import (
    Agent,
    Attempt,
    AttemptState,
    Call,
    CallEvent,
    CallEventKind,
    ConnectionState,
    Dial,
    Host,
    hookimpl,
)
from lcm_plugin.sandbox import Sandbox, SandboxContact
from lcm_plugin.sandbox.virtual_time import LoopClock

GROUP = "AD Dev Manual Group"


@define(eq=False)
class Dialer:
    """Places calls in its head, and keeps an account of them."""

    host: Host | None = None
    dialed: list[tuple[Attempt, Dial]] = field(factory=list)
    fails: list[Exception] = field(factory=list)
    found: dict[str, Call] = field(factory=dict)

    @hookimpl
    def on_startup(self, host: Host) -> None:
        self.host = host

    @hookimpl
    async def make_call(self, attempt: Attempt, dial: Dial) -> Call:
        self.dialed.append((attempt, dial))
        if self.fails:
            raise self.fails.pop(0)
        return Call(id=f"call-{attempt.id}", attempt_id=attempt.id, state=ConnectionState.INITIATED)

    @hookimpl
    def find_call(self, attempt_id: str) -> Call | None:
        return self.found.get(attempt_id)

    async def event(self, kind: CallEventKind, attempt: Attempt, **facts: Any) -> None:
        assert self.host is not None
        event = CallEvent(
            kind=kind,
            call_id=f"call-{attempt.id}",
            attempt_id=attempt.id,
            at=self.host.clock.now(),
            **facts,
        )
        await self.host.hooks.all("on_call_event", event=event)

    @property
    def numbers(self) -> list[str]:
        return [dial.to for _, dial in self.dialed]


@define(eq=False)
class Records:
    """What a desktop hears of attempts."""

    attempts: list[Attempt] = field(factory=list)

    @hookimpl
    def on_attempt_changed(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)

    def states(self, *states: AttemptState) -> list[Attempt]:
        return [attempt for attempt in self.attempts if attempt.state in states]


@define(eq=False)
class Centre:
    lcm: Sandbox
    host: Host
    dialer: Dialer
    records: Records

    async def ready(self, agent: Agent) -> None:
        await self.host.hooks.all("on_agent_ready", agent=agent)

    async def not_ready(self, agent: Agent) -> None:
        await self.host.hooks.all("on_agent_not_ready", agent=agent, reason=None)


OpenCentre = Callable[..., Awaitable[Centre]]


def people(count: int, **facts: Any) -> list[SandboxContact]:
    return [
        SandboxContact(
            **{
                "key": f"0|0|000|0|0|00|{n}",
                "phone_number": f"+1212555{n:04}",
                "campaign_group": GROUP,
                "consent": "Yes",
                **facts,
            }
        )
        for n in range(1, count + 1)
    ]


@pytest.fixture
async def open_centre(clock: LoopClock, tmp_path: Path) -> AsyncIterator[OpenCentre]:
    """Opens a contact centre; `plugins` are registered too, further settings of lcm by keyword."""
    async with AsyncExitStack() as stack:

        async def opened(
            contacts: int | list[SandboxContact] = 5, *, plugins: tuple[object, ...] = (), **table: Any
        ) -> Centre:
            given = people(contacts) if isinstance(contacts, int) else contacts
            lcm = await stack.enter_async_context(Sandbox(contacts=given, clock=clock, random=Random(1)))
            settings = {
                "url": lcm.url,
                "source": "tests",
                "timezone": "America/New_York",
                "campaign_groups": [GROUP],
                "ledger": f"sqlite:///{tmp_path}/ledger.db",
                "preview": {"seconds": 0},
                "reserved_first": False,
                "auto_dispose": {"*": "0"},
                **table,
            }
            config = {"cti": {"plugins": ["lcm"]}, "plugins": {"lcm": settings}}
            host = Host.from_config(config, clock=clock, random=Random(1))
            dialer, records = Dialer(), Records()
            for plugin in (dialer, records, *plugins):
                host.register(plugin)
            await stack.enter_async_context(host)
            return Centre(lcm, host, dialer, records)

        yield opened
