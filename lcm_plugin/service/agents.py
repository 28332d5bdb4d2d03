"""The agents of an embedded host, which owns their states; and what is seen of their attempts."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import asdict, define, evolve, field, frozen

from cti_hooks import (
    Activity,
    ActivityKind,
    Agent,
    AgentState,
    Attempt,
    AttemptPlace,
    AttemptState,
    CallEvent,
    ConfigError,
    Host,
    hookimpl,
)
from cti_hooks.masking import masked_repr
from lcm_plugin.ledger import OPEN, LedgerError
from lcm_plugin.plugin import lcm_of
from lcm_plugin.service.events import Feed
from lcm_plugin.service.happenings import (
    AgentActivityTold,
    AgentStateTold,
    AttemptChanged,
    CallbackDue,
    CallHeard,
    ContactOffered,
)
from lcm_plugin.service.kept import Kept

AGENTS: Final = 20_000
"""Agents of one host; each costs memory for as long as it is known."""
FORGOTTEN: Final = 3600.0
"""Seconds after its log-off at which an agent with nothing open is forgotten."""
LOOKED_FOR: Final = 2.0
"""Seconds after which a person whom another process had the ledger forget is shown no more."""
_SHOWN: Final = OPEN - {AttemptState.REQUESTED}
"""States shown to the agent; `requested` is not shown."""


@frozen(kw_only=True)
class AgentShown(Agent):
    """An agent, the state told last, and what is before them."""

    state: AgentState
    reason: str | None
    attempt: Attempt | None
    """The open one; what is open at another host is before the agent there."""
    last_attempt: Attempt | None
    """The last that was refused, skipped, expired or disposed of."""
    activity: ActivityKind | None
    """What they are doing; None in a host without an LCM."""
    since: datetime | None
    """Since when they do that."""
    wants: bool
    """Whether they want a contact now."""
    waits_for: str = field(repr=masked_repr)
    """Why they get none, in one sentence; empty if they have one, or nobody can say."""
    note: str = field(repr=masked_repr)
    """Why there is no contact, and what to do for one; else what was heard last: why one was refused, how a
    call stands."""


@define(kw_only=True)
class Seat:
    """One agent: state as told, and the attempts seen last."""

    agent: Agent
    state: AgentState
    reason: str | None = None
    attempt: Attempt | None = None
    last: Attempt | None = None
    note: str = ""
    leaving: asyncio.TimerHandle | None = None
    """Since it logged off."""

    def shown(self, activity: Activity | None) -> AgentShown:
        """The seat as the API shows it; what the agent waits for is told before what was heard."""
        waits_for = activity.waits_for if activity else ""
        return AgentShown(
            **asdict(self.agent, recurse=False),
            state=self.state,
            reason=self.reason,
            attempt=self.attempt,
            last_attempt=self.last,
            activity=activity.kind if activity else None,
            since=activity.since if activity else None,
            wants=activity is not None and activity.wants,
            waits_for=waits_for,
            note=waits_for or self.note,
        )


@define(kw_only=True, eq=False)
class Agents:
    """Registered in the host as its plugin `service`."""

    host: Host
    feed: Feed
    seats: dict[str, Seat] = field(factory=dict, init=False)
    _telling: set[asyncio.Task[None]] = field(factory=set, init=False)
    _erased: Kept[bool] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._erased = Kept(self._drop_erased, LOOKED_FOR)

    async def put(self, agent: Agent, state: AgentState, reason: str | None) -> Seat:
        """Note an agent's state, and tell the plugins. The same state again is told again."""
        seat = self.seats.setdefault(agent.id, Seat(agent=agent, state=state))
        seat.agent, seat.state, seat.reason = agent, state, reason
        self._leave(seat)
        told = AgentStateTold(agent=agent.id, state=state, reason=reason)
        self.feed.publish(told, of=agent.id)
        await self._told(agent, state, reason)
        return seat

    async def _told(self, agent: Agent, state: AgentState, reason: str | None) -> None:
        hook = self.host.hook
        match state:
            case AgentState.LOGGED_ON:
                await hook.on_agent_logged_on(agent=agent)
            case AgentState.READY:
                await hook.on_agent_ready(agent=agent)
            case AgentState.NOT_READY:
                await hook.on_agent_not_ready(agent=agent, reason=reason)
            case AgentState.BUSY:
                await hook.on_agent_busy(agent=agent, call=None)
            case AgentState.WORKING_AFTER_CALL:
                await hook.on_agent_working_after_call(agent=agent)
            case AgentState.LOGGED_OFF:
                await hook.on_agent_logged_off(agent=agent)

    def known(self, agent_id: str) -> Agent:
        """The agent as told before, or a new one."""
        seat = self.seats.get(agent_id)
        return seat.agent if seat else Agent(id=agent_id)

    async def shown(self, seats: Sequence[Seat]) -> list[AgentShown]:
        """These seats as the API shows them, without people whom another process had the ledger forget."""
        is_known = await self._erased.get()
        shown = [seat.shown(self._activity(seat)) for seat in seats]
        return shown if is_known else [evolve(one, last_attempt=None) for one in shown]

    async def _drop_erased(self) -> bool:
        """Let go of those the ledger has forgotten; whether that can be told now."""
        last = {seat.last.id: seat for seat in self.seats.values() if seat.last}
        try:
            erased = await lcm_of(self.host).desks.ledger.erased(last) if last else set()
        except ConfigError:  # a host without attempts
            return True
        except LedgerError:
            return False
        for seat in map(last.__getitem__, erased):
            if seat.last and seat.last.id in erased:  # it has no other meanwhile
                seat.last, seat.note = None, ""
        return True

    def _activity(self, seat: Seat) -> Activity | None:
        """What the agent is doing; None in a host without an LCM, or if it has not heard of them."""
        try:
            return lcm_of(self.host).desks.activity(seat.agent.id)
        except ConfigError:
            return None

    async def close(self) -> None:
        """Wait for what is being told."""
        await self._erased.close()
        for seat in self.seats.values():
            if seat.leaving:
                seat.leaving.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    def _leave(self, seat: Seat) -> None:
        """Forget who logged off, in an hour; who comes back meanwhile stays."""
        if seat.leaving:
            seat.leaving.cancel()
        is_off = seat.state is AgentState.LOGGED_OFF
        loop = asyncio.get_running_loop()
        seat.leaving = loop.call_later(FORGOTTEN, self._forget, seat) if is_off else None

    def _forget(self, seat: Seat) -> None:
        if seat.attempt:
            self._leave(seat)
        else:
            self.seats.pop(seat.agent.id, None)

    @hookimpl
    def request_agent_state(self, agent: Agent, state: AgentState, reason: str | None) -> bool:
        """Grant a plugin's wish; the plugins are told in a task of their own, as for any change."""
        task = asyncio.create_task(self._grant(agent, state, reason))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
        return True

    async def _grant(self, agent: Agent, state: AgentState, reason: str | None) -> None:
        await self.put(self.known(agent.id), state, reason)

    @hookimpl
    def on_contact_offered(self, attempt: Attempt) -> None:
        """Pass it on."""
        self.feed.publish(ContactOffered(attempt=attempt), of=attempt.agent.id)

    @hookimpl
    def on_agent_activity(self, agent: Agent, activity: Activity) -> None:
        """Pass it on."""
        told = AgentActivityTold(
            agent=agent.id,
            activity=activity.kind,
            since=activity.since,
            wants=activity.wants,
            waits_for=activity.waits_for,
        )
        self.feed.publish(told, of=agent.id)

    @hookimpl
    def on_callback_due(self, agent: Agent, at: datetime) -> None:
        """Tell that an agent's own callback starts now."""
        self.feed.publish(CallbackDue(agent=agent.id, at=at), of=agent.id)

    @hookimpl
    def on_attempt_changed(self, attempt: Attempt) -> None:
        """Keep the agent's open attempt, and pass it on."""
        seat = self.seats.get(attempt.agent.id)
        if seat:
            _note(seat, attempt, here=attempt.host in {"", self.host.name})
        self.feed.publish(AttemptChanged(attempt=attempt), of=attempt.agent.id)

    @hookimpl
    def on_call_event(self, event: CallEvent) -> None:
        """Pass it on."""
        self.feed.publish(CallHeard(call=event), of=self._agent_of(event))

    def _agent_of(self, event: CallEvent) -> str | None:
        """Whose call an event is of, if this host has its attempt open."""
        try:
            attempt = lcm_of(self.host).desks.ledger.get_open(event.attempt_id, event.call_id)
        except ConfigError:  # a host without attempts
            return None
        return attempt.agent.id if attempt else None


def _note(seat: Seat, attempt: Attempt, *, here: bool) -> None:
    """An attempt that is open at another host is on its agent's screen there; the next one is on none."""
    if attempt.place is AttemptPlace.NEXT:
        return
    if not here:
        seat.note = f"at host {attempt.host}: {attempt.reason}"
    elif attempt.state is not AttemptState.CLOSED:
        seat.note = attempt.reason or seat.note
    shown = here and attempt.state in _SHOWN
    if shown:
        seat.attempt = attempt
    elif attempt.contact and attempt.state not in OPEN:
        seat.last = attempt
    if not shown and seat.attempt and seat.attempt.id == attempt.id:
        seat.attempt = None


def changed(agent: Agent, facts: Mapping[str, Any]) -> Agent:
    """The agent with these facts; what is not told stays as it was."""
    return evolve(agent, **facts)
