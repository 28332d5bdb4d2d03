"""All agents' desks, and what they share."""

import asyncio
import logging
from datetime import datetime
from functools import partial
from typing import Final

from attrs import define, evolve, field

from cti_hooks import Activity, Agent, Attempt, AttemptState, CallEvent, Disposition, Health, Host
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.announcements import Announcements
from lcm_plugin.desk.bulletin import Bulletin
from lcm_plugin.desk.callbacks_due import CallbacksDue
from lcm_plugin.desk.desk import Desk
from lcm_plugin.desk.details import Details
from lcm_plugin.desk.dialer_wanted import dialer_health
from lcm_plugin.desk.disposing import Disposing
from lcm_plugin.desk.fetch_stops import FetchStops
from lcm_plugin.desk.inbox import Inbox
from lcm_plugin.desk.logged import say
from lcm_plugin.desk.on_refusal import OnRefusal
from lcm_plugin.desk.outage import Outage
from lcm_plugin.desk.parts import Shared
from lcm_plugin.desk.rules import supply_rules
from lcm_plugin.desk.said import Said
from lcm_plugin.desk.site import Site
from lcm_plugin.desk.verdicts import Verdicts
from lcm_plugin.errors import ConflictError
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.ledger import IN_DOUBT, OPEN, Ledger, LedgerError, Stop
from lcm_plugin.ledger.stops import StopKind
from lcm_plugin.supply import Supply

log = logging.getLogger("lcm_plugin.desk")

SPARE: Final = 100
"""So many desks are kept, whoever has left theirs."""


@define(kw_only=True, eq=False)
class Desks:
    """One desk for each agent the host told of."""

    settings: LcmSettings
    client: LcmClient
    host: Host
    ledger: Ledger
    inbox: Inbox
    site: Site
    disposing: Disposing = field(init=False)
    _announcements: Announcements = field(factory=Announcements, init=False)
    _verdicts: Verdicts = field(init=False)
    _shared: Shared = field(init=False)
    supply: Supply = field(init=False)
    _bulletin: Bulletin = field(init=False)
    _callbacks: CallbacksDue = field(init=False)
    _closed: asyncio.Event = field(factory=asyncio.Event, init=False)
    _desks: dict[str, Desk] = field(factory=dict, init=False)
    _clear_away_at: int = field(default=SPARE, init=False)

    def __attrs_post_init__(self) -> None:
        self._verdicts = Verdicts(
            ledger=self.ledger,
            site=self.site,
            dial_seconds=self.settings.dial_seconds,
            host=self.host,
        )
        self.disposing = Disposing(settings=self.settings, client=self.client, ledger=self.ledger)
        stops = FetchStops(ledger=self.ledger, client=self.client, lists_seconds=self.settings.lists_seconds)
        self._bulletin = Bulletin(ledger=self.ledger, stops=stops)
        self._callbacks = CallbacksDue(
            ledger=self.ledger, here=lambda: list(self._desks), tell=self._callback_due
        )
        self.supply = Supply(
            rules=supply_rules(self.settings),
            random=self.client.random,
            now=self.ledger.now,
            hosts=lambda: self.ledger.living,
            held_up=self.client.gate.breaker.holds_up,
        )
        self._shared = Shared(
            settings=self.settings,
            site=self.site,
            client=self.client,
            ledger=self.ledger,
            verdicts=self._verdicts,
            disposing=self.disposing,
            stops=stops,
            supply=self.supply,
            bulletin=self._bulletin,
            outage=Outage(),
            details=Details(settings=self.settings, client=self.client),
            on_refusal=OnRefusal(wishes=self.settings.on_refusal, disposing=self.disposing),
            closed=self._closed,
            show=self._show,
            tell=self._tell,
            tell_activity=self._tell_activity,
        )
        self.inbox.reader = self

    def start(self) -> None:
        """Send what waits for the LCM, and tell agents of their callbacks."""
        self.disposing.outbox.start()
        self._callbacks.start()

    @property
    def count(self) -> int:
        """How many desks there are."""
        return len(self._desks)

    def of(self, agent: Agent) -> Desk:
        """The agent's desk."""
        if agent.id not in self._desks:
            self._clear_away()
            self._desks[agent.id] = Desk(agent=agent, shared=self._shared)
        return self._desks[agent.id]

    def _clear_away(self) -> None:
        """Forget the desks of who has left, each time that there are twice as many as were needed then."""
        if len(self._desks) >= self._clear_away_at:
            self._desks = {name: desk for name, desk in self._desks.items() if not desk.is_left}
            self._clear_away_at = max(SPARE, 2 * len(self._desks))

    def health(self) -> list[Health]:
        """The health of what desks need. A running host beside this one reports on LCM and dialers."""
        own = [self.ledger.health(), self.ledger.timeline.health()]
        if self.host.observes:
            return own
        dialer = dialer_health(self.site, self.settings)
        lcm = [self.client.gate.breaker.health(), *self.client.reserved.health()]
        return [*own, *lcm, *([dialer] if dialer else [])]

    async def stop_dialing(self, order: Stop) -> None:
        """Dial nothing there, and fetch nothing, at any host.

        Raises:
            LedgerUnavailable: it cannot be recorded now.
        """
        await self.ledger.stop_dialing(order)
        self._shared.stops.forget()

    async def resume_dialing(self, kind: StopKind, name: str) -> bool:
        """Dial there again; whether it had been stopped.

        Raises:
            LedgerUnavailable: it cannot be recorded now.
        """
        resumed = await self.ledger.resume_dialing(kind, name)
        self._shared.stops.forget()
        return resumed

    def activity(self, agent_id: str) -> Activity | None:
        """What the agent is doing; None if nothing was heard of them."""
        desk = self._desks.get(agent_id)
        return desk.activity if desk else None

    def waits_for(self, agent_id: str) -> str:
        """Why the agent gets no contact, in words; empty if they have one, or nobody can say."""
        desk = self._desks.get(agent_id)
        return desk.waits_for if desk else ""

    def on_call_event(self, event: CallEvent) -> None:
        """Pass a call event on to the desk of its attempt; leave events of other attempts alone."""
        attempt = self.ledger.get_open(event.attempt_id, event.call_id)
        if attempt:
            self.of(attempt.agent).on_call_event(attempt, event)

    async def answer(self, agent: Agent, attempt_id: str, said: Said) -> Attempt | None:
        """What a person says to an offer; None if the ledger has no such attempt.

        Raises:
            ConflictError: another agent has it, it is no offer any more, or rules say no.
            InvalidError: the answer cannot be right.
            LedgerError: it cannot be recorded now.
        """
        attempt = await self._of_agent(agent, attempt_id)
        if attempt is None:
            return None
        return await self.of(attempt.agent).answer(attempt_id, said)

    async def keep(self, agent: Agent, attempt_id: str, actor: str) -> Attempt | None:
        """Let the agent look at an offer for another preview; None if the ledger has no such attempt.

        Raises:
            ConflictError: another agent has it, it is no offer any more, or no preview of it runs.
            LedgerError: it cannot be told now.
        """
        attempt = await self._of_agent(agent, attempt_id)
        return None if attempt is None else await self.of(attempt.agent).keep(attempt_id, actor)

    def as_shown(self, attempt: Attempt) -> Attempt:
        """The attempt with how long it stays on its agent's screen, or may be written up, if it is here."""
        desk = self._desks.get(attempt.agent.id)
        if desk is None:
            return attempt
        times, ends_at = desk.parts.screen.times(attempt.id), desk.parts.wrap_up.ends_at(attempt.id)
        return evolve(attempt, offer=times, wrap_up_ends_at=ends_at) if times or ends_at else attempt

    async def dispose(
        self, agent: Agent, attempt_id: str, disposition: Disposition, actor: str
    ) -> Attempt | None:
        """What came of a call; None if the ledger has no such attempt. The agent need not be there.

        Raises:
            ConflictError: another agent has it, or it cannot be disposed of now.
            InvalidError: the disposition cannot be right.
            LedgerError: it cannot be recorded now, so nothing was sent.
        """
        attempt = await self._of_agent(agent, attempt_id)
        return None if attempt is None else await self.disposing.dispose(attempt, disposition, actor)

    async def _of_agent(self, agent: Agent, attempt_id: str) -> Attempt | None:
        attempt = await self.ledger.get(attempt_id)
        if attempt and attempt.agent.id != agent.id:
            raise ConflictError(f"attempt {attempt_id} is agent {attempt.agent.id}'s, not {agent.id}'s")
        return attempt

    async def close(self) -> None:
        """Stop looking for contacts, and wait for what is under way; cancelled, it cancels that."""
        self._closed.set()
        self.supply.close()
        await self._bulletin.close()
        await self._callbacks.close()
        for desk in self._desks.values():
            desk.close()
        tasks = [task for desk in self._desks.values() for task in desk.tasks]
        try:
            if tasks:
                await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._verdicts.close()
            await self.disposing.outbox.close()
            for desk in self._desks.values():
                desk.leave("the host stops")
            self.inbox.deal()
            self.inbox.reader = None
            await self._announcements.close()

    def changed(self, attempt: Attempt) -> None:
        """Its desk goes on with it, and whoever listens is told."""
        desk = self._desks.get(attempt.agent.id)
        if desk:
            desk.on_changed(attempt)
        self._tell(attempt)
        say(attempt)
        if desk:
            desk.note_activity()

    def _show(self, attempt: Attempt) -> None:
        shown = self.as_shown(attempt)
        self._announcements.add(attempt.agent.id, partial(self.site.tell_offered, shown))

    def _tell(self, attempt: Attempt) -> None:
        shown = self.as_shown(attempt)
        self._announcements.add(attempt.agent.id, partial(self.site.tell_changed, shown))

    def _tell_activity(self, agent: Agent, activity: Activity) -> None:
        self._announcements.add(agent.id, partial(self.site.tell_activity, agent, activity))

    def lost(self, attempt: Attempt) -> None:
        """Another host has it: its agent is there, unless they were told ready here since."""
        desk = self._desks.get(attempt.agent.id)
        is_back = desk is not None and desk.hand.arrived
        if desk:
            desk.lose(attempt)
            desk.note_activity()
        self._announcements.add(attempt.agent.id, partial(self._tell_lost, attempt, is_back=is_back))

    async def _tell_lost(self, attempt: Attempt, *, is_back: bool) -> None:
        """Tell how it is now. If its agent has gone to another host, nothing more is fetched here."""
        try:
            now = await self.ledger.get(attempt.id)
        except LedgerError:
            now = None
        waited = attempt.state not in IN_DOUBT | {AttemptState.REQUESTED}
        desk = self.of(attempt.agent)
        has_left = waited and not is_back and not desk.hand.arrived
        if has_left and now and now.state in OPEN and now.host != self.host.name:
            desk.leave_to(now.host)
            log.info("agent %s is ready at host %s: nothing is looked for here", now.agent.id, now.host)
        await self.site.tell_changed(now or evolve(attempt, host="?", reason="another host has it"))

    def adopted(self, attempt: Attempt) -> None:
        """Its call is looked up."""
        self.of(attempt.agent).adopt(attempt)
        self.of(attempt.agent).note_activity()

    def _callback_due(self, agent_id: str, at: datetime) -> None:
        if desk := self._desks.get(agent_id):
            desk.callback_due(at)
