"""A host with a dialer, no LCM: calls are placed by its hooks, and their events are collected."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import define, field

from cti_hooks import Agent, Attempt, AttemptState, Call, CallEvent, Dial, Host, hookimpl
from tests.telephony.bench.asterisk import Asterisk


@define(eq=False)
class Listener:
    """Every event of every call, in the order they were told."""

    events: list[CallEvent] = field(factory=list)
    _by_attempt: defaultdict[str | None, list[CallEvent]] = field(factory=lambda: defaultdict(list))
    _told: defaultdict[tuple[str | None, str], asyncio.Event] = field(
        factory=lambda: defaultdict(asyncio.Event)
    )

    @hookimpl
    def on_call_event(self, event: CallEvent) -> None:
        self.events.append(event)
        self._by_attempt[event.attempt_id].append(event)
        self._told[event.attempt_id, event.kind].set()

    def of(self, attempt_id: str) -> list[CallEvent]:
        """One attempt's events."""
        return self._by_attempt[attempt_id]

    def kinds(self, attempt_id: str) -> list[str]:
        """What was told of one attempt, the agent's marked."""
        return [f"{'agent ' if event.party == 'agent' else ''}{event.kind}" for event in self.of(attempt_id)]

    async def told(self, attempt_id: str, kind: str, seconds: float = 20) -> None:
        """Wait until this was told of an attempt."""
        async with asyncio.timeout(seconds):
            await self._told[attempt_id, kind].wait()


@define(kw_only=True, eq=False)
class Centre:
    """A running host and what it heard."""

    host: Host
    listener: Listener

    async def dial(
        self, attempt_id: str, to: str, *, agent: str = "PJSIP/1001", seconds: float = 20, **facts: Any
    ) -> Call | None:
        """Ask the host's dialers to place a call."""
        attempt = Attempt(
            id=attempt_id,
            agent=Agent(id=agent.rpartition("/")[2], endpoint=agent),
            contact=None,
            state=AttemptState.DIALING,
            campaign_group="G",
            opened_at=datetime.now(UTC),
        )
        dial = Dial(to=to, not_after=datetime.now(UTC) + timedelta(seconds=seconds), **facts)
        call: Call | None = await self.host.hooks.first("make_call", attempt=attempt, dial=dial)
        return call

    async def ready(self, seconds: float = 10) -> None:
        """Wait until all the host's dialers say that they are good."""
        async with asyncio.timeout(seconds):
            while not await self.good():  # noqa: ASYNC110  (nobody tells)
                await asyncio.sleep(0.02)

    async def good(self) -> bool:
        """Whether all the host's dialers say that they are good."""
        return all(one.good for one in await self.health())

    async def health(self) -> list[Any]:
        """What the dialers report."""
        answers = await self.host.hooks.all("report_health")
        return [one for answer in answers for one in answer.value or ()]

    async def find(self, attempt_id: str) -> Any:
        """What the first dialer answers to `find_call`: an Answer."""
        return (await self.host.hooks.all("find_call", attempt_id=attempt_id))[0]


@asynccontextmanager
async def centre(plugins: Mapping[str, Mapping[str, Any]], *others: object) -> AsyncIterator[Centre]:
    """A running host with these plugins and their settings, and other plugin objects in front."""
    host = Host.from_config({"cti": {"plugins": list(plugins)}, "plugins": plugins})
    listener = Listener()
    for plugin in (listener, *others):
        host.register(plugin)
    async with host:
        yield Centre(host=host, listener=listener)


def ari_settings(asterisk: Asterisk, **others: Any) -> dict[str, Any]:
    """The settings of the asterisk dialer for an Asterisk of the bench; ARI_PASSWORD has to be set."""
    return {
        "url": asterisk.ari_url,
        "password_env": "ARI_PASSWORD",
        "agent_endpoints": ["Local/*@agents", "Local/*@agents/n"],
        **others,
    }
