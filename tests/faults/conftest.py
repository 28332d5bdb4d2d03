"""Two hosts on one ledger, one of which can be frozen; and what the fault tests have to show, at the end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Self

import pytest
from attrs import define, field

from cti_hooks import (
    Agent,
    Attempt,
    AttemptState,
    Call,
    CallEvent,
    CallEventKind,
    CannotTellError,
    Clock,
    ConnectionState,
    Dial,
    Host,
    hookimpl,
)
from lcm_plugin.ledger import AttemptLostError, Ledger
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import Sandbox, SandboxContact
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.people import ALICE, GROUP


@define(eq=False)
class Dialer:
    """Takes every call and says nothing about it, unless told."""

    dialed: list[Attempt] = field(factory=list)
    error: Exception | None = None
    unreachable: bool = False
    engines: tuple[str, ...] = ()
    """Where it has several, by agent."""
    down: str | None = None
    """The engine among them that cannot be asked."""
    talks: bool = False
    """Whether its engine has every call, and customers talk; it knows once it has started."""
    connected: bool = False

    @hookimpl(trylast=True)
    async def on_startup(self) -> None:
        await asyncio.sleep(0.1)  # of virtual time: engines are not connected at once
        self.connected = True

    def engine_of(self, agent: Agent) -> str | None:
        return next((engine for engine in self.engines if engine == agent.id), None)

    @hookimpl
    async def make_call(self, attempt: Attempt, dial: Dial) -> Call:
        self.dialed.append(attempt)
        if self.error:
            raise self.error
        return Call(
            id=f"{attempt.id}-c",
            attempt_id=attempt.id,
            state=ConnectionState.INITIATED,
            engine=self.engine_of(attempt.agent),
        )

    @hookimpl
    def find_call(self, attempt_id: str) -> Call | None:
        if self.unreachable:
            raise ConnectionError("its engine cannot be reached")
        if self.down:
            raise CannotTellError({self.down: ConnectionError("switched off")})
        if not self.talks or not self.connected:
            return None
        return Call(id=f"{attempt_id}-c", attempt_id=attempt_id, state=ConnectionState.CONNECTED)


@define(eq=False)
class Running:
    """One of the hosts."""

    host: Host
    dialer: Dialer

    @property
    def ledger(self) -> Ledger:
        return lcm_of(self.host).desks.ledger

    @property
    def keys(self) -> list[str]:
        return [attempt.contact.key for attempt in self.dialer.dialed if attempt.contact]

    async def ready(self, agent: Agent = ALICE) -> None:
        await self.host.hooks.all("on_agent_ready", agent=agent)

    async def sees(self, kind: CallEventKind, attempt: Attempt, **facts: Any) -> None:
        at = self.host.clock.now()
        event = CallEvent(kind=kind, call_id=f"{attempt.id}-c", attempt_id=attempt.id, at=at, **facts)
        await self.host.hooks.all("on_call_event", event=event)

    def freeze_lease(self) -> None:
        """As a process that is stopped: its lease is not renewed."""
        self.ledger.freeze()

    async def resume(self) -> None:
        """As a process that is continued, and has noticed."""
        with pytest.raises(AttemptLostError):
            await self.ledger.held_for(1)
        self.ledger.thaw()

    async def state(self, attempt: Attempt) -> AttemptState:
        recorded = await self.ledger._read(_recorded, attempt_id=attempt.id)
        return AttemptState(recorded)


def _recorded(connection: Any, attempt_id: str) -> str:
    query = "SELECT state FROM attempts WHERE id = ?"
    return str(connection.exec_driver_sql(query, (attempt_id,)).scalar())


@define(eq=False)
class Site:
    """The LCM and the hosts."""

    lcm: Sandbox
    clock: Clock
    directory: Path
    stack: AsyncExitStack

    @classmethod
    @asynccontextmanager
    async def open(
        cls, directory: Path, clock: Clock, people: int = 9, **sandbox: Any
    ) -> AsyncIterator[Self]:
        contacts = [
            SandboxContact(key=f"0|0|0|0|0|0|{n}", phone_number=f"+1212555{n:04}", campaign_group=GROUP)
            for n in range(people)
        ]
        async with AsyncExitStack() as stack:
            lcm = Sandbox(contacts=contacts, clock=clock, random=Random(1), timezone="UTC", **sandbox)
            yield cls(await stack.enter_async_context(lcm), clock, directory, stack)

    async def start(
        self,
        name: str,
        *,
        talks: bool = False,
        observes: bool = False,
        dialer_name: str = "Dialer",
        clock: Clock | None = None,
        plugins: Sequence[object] = (),
        **lcm: Any,
    ) -> Running:
        settings = {
            "url": self.lcm.url,
            "source": name,
            "timezone": "UTC",
            "campaign_groups": [GROUP],
            "ledger": f"sqlite:///{self.directory}/ledger.db",
            "lease_seconds": 30,
            "dial_seconds": 10,
            "preview": {"seconds": 0},
            "reserved_first": False,
            "auto_dispose": {"*": "0"},
            "after_disposition": "ready",  # one attempt at a time is looked at
            **lcm,
        }
        config = {"cti": {"name": name, "plugins": ["lcm"]}, "plugins": {"lcm": settings}}
        host = Host.from_config(config, clock=clock or self.clock, random=Random(name), observes=observes)
        dialer = Dialer(talks=talks)
        host.register(dialer, name=dialer_name)
        for plugin in plugins:
            host.register(plugin)
        await self.stack.enter_async_context(host)
        return Running(host, dialer)


@define(eq=False)
class SetBack:
    """A clock that somebody sets."""

    offset: timedelta = timedelta(0)

    def now(self) -> datetime:
        return LoopClock().now() + self.offset


@pytest.fixture
def set_back() -> SetBack:
    return SetBack()


@pytest.fixture
async def site(tmp_path: Path, clock: LoopClock) -> AsyncIterator[Site]:
    """A sandbox LCM, and as many hosts as are started."""
    async with Site.open(tmp_path, clock) as site:
        yield site


@pytest.fixture
def open_site(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Site]]:
    """Opens one with a clock of the test's own; further facts of the sandbox by keyword."""
    return partial(Site.open, tmp_path)


_TABLE = "table"


@pytest.fixture
def show(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Adds a text to the end of the run, whichever process the test runs in."""
    return lambda text: record_property(_TABLE, text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "call":
                for name, text in report.user_properties:
                    if name == _TABLE:
                        terminalreporter.write_line(str(text))
