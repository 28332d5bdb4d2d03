"""A contact centre of the tests: a host with lcm-plugin, a sandbox LCM, a dialer that does as it is told."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from attrs import define, field

from cti_hooks import (
    Agent,
    Attempt,
    AttemptState,
    Call,
    CallEvent,
    CallEventKind,
    ConnectionState,
    Contact,
    Dial,
    Disposition,
    Host,
    hookimpl,
)
from lcm_plugin.ledger import OPEN, Ledger
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import Sandbox, SandboxContact
from tests.people import GROUP


@define(eq=False)
class Dialer:
    """Places calls in its head, and keeps an account of them."""

    host: Host | None = None
    dialed: list[tuple[Attempt, Dial]] = field(factory=list)
    fails: list[Exception] = field(factory=list)
    found: dict[str, Call] = field(factory=dict)
    tells_first: tuple[CallEventKind, ...] = ()
    """What is told of a call before `make_call` returns."""
    tells_of: str = "customer"
    """Whose leg that is about."""
    engine: str | None = None

    @hookimpl
    def on_startup(self, host: Host) -> None:
        self.host = host

    @hookimpl
    async def make_call(self, attempt: Attempt, dial: Dial) -> Call:
        self.dialed.append((attempt, dial))
        if self.fails:
            raise self.fails.pop(0)
        for kind in self.tells_first:
            await self.event(kind, attempt, party=self.tells_of)
        state = ConnectionState.INITIATED
        return Call(id=f"call-{attempt.id}", attempt_id=attempt.id, state=state, engine=self.engine)

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
    """What a desktop hears of attempts, and what the host is asked for."""

    attempts: list[Attempt] = field(factory=list)
    shown: list[Attempt] = field(factory=list)
    asked: list[tuple[str, str]] = field(factory=list)

    @hookimpl
    def on_contact_offered(self, attempt: Attempt) -> None:
        self.shown.append(attempt)

    @hookimpl
    def request_agent_state(self, state: str, reason: str) -> None:
        self.asked.append((state, reason))

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
    another: "Callable[..., Awaitable[Centre]]"
    """Starts another host on the same ledger and LCM; further settings of lcm by keyword."""

    @property
    def ledger(self) -> Ledger:
        return lcm_of(self.host).desks.ledger

    async def answer(self, agent: Agent, answer: str, **facts: Any) -> Attempt:
        """What the agent says to the open attempt, or another actor for them."""
        open_now = await self.ledger.attempts(agent_id=agent.id, states=OPEN)
        asked = {"attempt_id": open_now[0].id, "answer": answer, "reason": None, "actor": agent.id, **facts}
        attempt: Attempt = await self.host.hooks.first("answer_contact", agent=agent, **asked)
        return attempt

    async def call(self, agent: Agent, *kinds: CallEventKind, **facts: Any) -> Attempt:
        """Let the agent's call go on; the attempt as it is then."""
        attempt = next(one for one, _ in reversed(self.dialer.dialed) if one.agent.id == agent.id)
        for kind in kinds:
            await self.dialer.event(kind, attempt, **facts)
        await asyncio.sleep(0.1)  # of virtual time
        return await self.recorded(attempt)

    async def ready(self, agent: Agent) -> None:
        await self.host.hooks.all("on_agent_ready", agent=agent)

    async def not_ready(self, agent: Agent, reason: str | None = None) -> None:
        await self.host.hooks.all("on_agent_not_ready", agent=agent, reason=reason)

    async def busy(self, agent: Agent) -> None:
        await self.host.hooks.all("on_agent_busy", agent=agent, call=None)

    async def logs_on(self, agent: Agent) -> None:
        await self.host.hooks.all("on_agent_logged_on", agent=agent)

    async def logs_off(self, agent: Agent) -> None:
        await self.host.hooks.all("on_agent_logged_off", agent=agent)

    async def answers(self, agent: Agent, attempt: Attempt, answer: str, **said: Any) -> Attempt:
        """An answer by the hook, or with `mode_id` by the plugin's own method; a second later."""
        told: dict[str, Any] = {"agent": agent, "attempt_id": attempt.id, "answer": answer, "reason": None}
        told = {**told, "actor": agent.id, **said}
        answered: Attempt | None
        if "mode_id" in told:
            answered = await lcm_of(self.host).answer(**told)
        else:
            answered = await self.host.hooks.first("answer_contact", **told)
        assert answered
        await asyncio.sleep(1)
        return answered

    async def disposes(self, attempt: Attempt, disposition: Disposition, actor: str = "alice") -> Attempt:
        facts = {"agent": attempt.agent, "attempt_id": attempt.id, "disposition": disposition}
        disposed: Attempt = await self.host.hooks.first("dispose_attempt", actor=actor, **facts)
        await asyncio.sleep(1)
        return disposed

    async def recorded(self, attempt: Attempt) -> Attempt:
        """The attempt as the ledger has it now."""
        found = await self.ledger.get(attempt.id)
        assert found
        return found

    def sent(self, subtopic: str = "") -> list[Any]:
        """What the LCM got: this message, or each that tells what came of a contact."""
        return [
            one
            for one in self.lcm.requests
            if (one.subtopic == subtopic if subtopic else _tells(one.subtopic))
        ]

    def die(self) -> None:
        """As a process that was killed: its lease is not renewed any more."""
        self.ledger.freeze()


def _tells(subtopic: str) -> bool:
    return subtopic.startswith(("Set", "Skip")) and subtopic != "SetCallOutComeOffline"


OpenCentre = Callable[..., Awaitable[Centre]]


def contact_of(attempt: Attempt) -> Contact:
    """The attempt's contact, which it has."""
    assert attempt.contact is not None
    return attempt.contact


def changed_at(attempt: Attempt) -> datetime:
    """When the attempt was changed, which it was."""
    assert attempt.changed_at is not None
    return attempt.changed_at


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
