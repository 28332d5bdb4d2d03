"""A host with one dialer, and what is heard of its calls."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any

from attrs import define, field

from cti_hooks import (
    Agent,
    Attempt,
    AttemptState,
    Call,
    CallEvent,
    Clock,
    Dial,
    Health,
    Host,
    health_of,
    hookimpl,
)

NUMBER = "+12125550101"


@define(eq=False)
class Listener:
    events: list[CallEvent] = field(factory=list)
    on_event: Callable[[CallEvent], object] = field(default=lambda event: None)
    _news: asyncio.Event = field(factory=asyncio.Event)

    @hookimpl
    def on_call_event(self, event: CallEvent) -> None:
        self.events.append(event)
        self.on_event(event)
        self._news.set()

    async def until(self, kind: str) -> None:
        """Wait for a kind, as `told` has it or bare."""
        while not any(kind in {told, told.removeprefix("agent ")} for told in self.told()):
            self._news.clear()
            await self._news.wait()

    def told(self) -> list[str]:
        """Kinds in order, the agent's marked."""
        marks = {"agent": "agent ", "customer": ""}
        return [f"{marks[event.party]}{event.kind.value}" for event in self.events]

    @property
    def last(self) -> CallEvent:
        return self.events[-1]


@define(eq=False)
class Site:
    """A started host; `call` places, and `ended` waits for the last word."""

    host: Host
    clock: Clock
    listener: Listener
    quiet_seconds: float = 5.0
    agent: str = "alice"

    async def call(self, name: int | str = 1, *, agent: Agent | None = None, **facts: Any) -> Call | None:
        facts = {"to": NUMBER, "not_after": self.clock.now() + timedelta(seconds=60), **facts}
        attempt = Attempt(
            id=_id(name),
            agent=agent or Agent(id=self.agent),
            contact=None,
            state=AttemptState.DIALING,
            campaign_group="G",
            opened_at=self.clock.now(),
        )
        made = await self.host.hooks.first("make_call", attempt=attempt, dial=Dial(**facts))
        assert made is None or isinstance(made, Call)
        return made

    async def placed(self, name: int | str = 1, **facts: Any) -> Call:
        made = await self.call(name, **facts)
        assert made is not None
        return made

    async def found(self, name: int | str = 1) -> Call | None:
        (answer,) = await self.host.hooks.all("find_call", attempt_id=_id(name))
        if answer.error:
            raise answer.error
        assert answer.value is None or isinstance(answer.value, Call)
        return answer.value

    async def clear(self, call: Call) -> bool | None:
        cleared = await self.host.hooks.first("clear_call", call=call)
        assert cleared is None or isinstance(cleared, bool)
        return cleared

    async def heard(self, kind: str, seconds: float = 120) -> None:
        async with asyncio.timeout(seconds):
            await self.listener.until(kind)

    async def ended(self, seconds: float = 300) -> CallEvent:
        """The last word; and nothing comes after it."""
        async with asyncio.timeout(seconds):
            await self.listener.until("call_cleared")
        await asyncio.sleep(self.quiet_seconds)
        assert [event.kind.value for event in self.listener.events].count("call_cleared") == 1
        assert self.listener.last.kind.value == "call_cleared"
        return self.listener.last

    async def health(self) -> Health:
        (health,) = health_of(await self.host.hooks.all("report_health"))
        return health

    async def healthy(self, *, good: bool = True, seconds: float = 30) -> Health:
        async with asyncio.timeout(seconds):
            while (health := await self.health()).good is not good:  # noqa: ASYNC110  (it is asked, not told)
                await asyncio.sleep(0.05)
        return health


@asynccontextmanager
async def site(
    clock: Clock, plugin: str, *, quiet_seconds: float = 5.0, agent: str = "alice", **table: Any
) -> AsyncIterator[Site]:
    """A host with this dialer alone."""
    config = {"cti": {"plugins": [plugin]}, "plugins": {plugin: table}}
    async with site_of(clock, config, quiet_seconds=quiet_seconds, agent=agent) as one:
        yield one


@asynccontextmanager
async def site_of(clock: Clock, config: dict[str, Any], **facts: Any) -> AsyncIterator[Site]:
    """A host with several."""
    host = Host.from_config(config, clock=clock, random=Random(1))
    listener = Listener()
    host.register(listener)
    async with host:
        yield Site(host, clock, listener, **facts)


def _id(name: int | str) -> str:
    return name if isinstance(name, str) else f"attempt-{name}"
