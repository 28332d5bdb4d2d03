"""One agent's flow: ready, next contact, review, offer, call, outcome, disposition, the next.

A task works while the agent wants a contact and nothing is in hand. Agent states say when to look; what
forbids a second contact is the open attempt.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from attrs import define, field

from cti_hooks import (
    Agent,
    AgentState,
    Attempt,
    AttemptState,
    Call,
    CallEvent,
    CallEventKind,
    Outcome,
)
from lcm_plugin.attempt.calls import calls_after, heard_with
from lcm_plugin.attempt.outcomes import end_of, events_before, outcome_of
from lcm_plugin.attempt.transitions import ENDED, HEARD
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.answering import Answering
from lcm_plugin.desk.auto_disposing import AUTO, AutoDisposing
from lcm_plugin.desk.calling import Calling
from lcm_plugin.desk.dialing import Dialing
from lcm_plugin.desk.disposing import Disposing
from lcm_plugin.desk.fetch_stops import FetchStops
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.intake import Intake
from lcm_plugin.desk.offering import Offering
from lcm_plugin.desk.on_refusal import OnRefusal
from lcm_plugin.desk.pauses import Pauses, waited
from lcm_plugin.desk.readiness import Readiness
from lcm_plugin.desk.refusing import Refusing
from lcm_plugin.desk.reviewing import Reviewing
from lcm_plugin.desk.said import Said
from lcm_plugin.desk.screen import Screen
from lcm_plugin.desk.site import Site
from lcm_plugin.desk.steps import DONE, HELD, Hold, Step, Wait
from lcm_plugin.desk.stopping import Stopping
from lcm_plugin.desk.tasks import Tasks
from lcm_plugin.desk.verdicts import Verdicts
from lcm_plugin.desk.waiting import waits_for
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.ledger import (
    IN_DOUBT,
    OPEN,
    Ledger,
    LedgerError,
)

log = logging.getLogger("lcm_plugin.desk")


@define(kw_only=True, eq=False)
class Desk:
    """The desk of one agent."""

    agent: Agent
    settings: LcmSettings
    site: Site
    client: LcmClient
    ledger: Ledger
    verdicts: Verdicts
    disposing: Disposing
    stops: FetchStops
    show: Callable[[Attempt], None]
    readiness: Readiness = field(init=False)
    hand: Hand = field(init=False)
    intake: Intake = field(init=False)
    screen: Screen = field(init=False)
    _refusing: Refusing = field(init=False)
    _reviewing: Reviewing = field(init=False)
    _calling: Calling = field(init=False)
    _offering: Offering = field(init=False)
    _answering: Answering = field(init=False)
    _stopping: Stopping = field(init=False)
    _automatic: AutoDisposing = field(init=False)
    _pauses: Pauses = field(init=False)
    _heard: dict[str, list[CallEvent]] = field(factory=dict, init=False)
    """The events of calls that are not over, by attempt: one lost to another host may go on here."""
    _acting: asyncio.Lock = field(factory=asyncio.Lock, init=False)
    _wake: asyncio.Event = field(factory=asyncio.Event, init=False)
    _closed: asyncio.Event = field(factory=asyncio.Event, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _tasks: Tasks = field(factory=Tasks, init=False)

    def __attrs_post_init__(self) -> None:
        settings, ledger, site = self.settings, self.ledger, self.site
        self.readiness = Readiness(settings=settings)
        self.screen = Screen(readiness=self.readiness)
        hand = self.hand = Hand(agent=self.agent, ledger=ledger)
        self.intake = Intake(hand=hand, settings=settings, site=site, client=self.client, stops=self.stops)
        reviewing = self._reviewing = Reviewing(site=site, ledger=ledger, rejected=self.intake.rejected)
        pauses = self._pauses = Pauses(settings, self.client.random)
        stopping = self._stopping = Stopping(
            readiness=self.readiness, hand=hand, site=site, tasks=self._tasks
        )
        refusing = self._refusing = Refusing(
            hand=hand,
            pauses=pauses,
            on_refusal=OnRefusal(wishes=settings.on_refusal, disposing=self.disposing),
            stopping=stopping,
            offer_seconds=settings.offer_seconds,
        )
        self._calling = Calling(
            readiness=self.readiness,
            reviewing=reviewing,
            dialing=Dialing(hand=hand, settings=settings, site=site),
            refusing=refusing,
            stopping=stopping,
            pauses=pauses,
            tasks=self._tasks,
            wants=lambda: self.wants,
            offer=self._offer,
        )
        self._offering = Offering(
            settings=settings,
            hand=hand,
            screen=self.screen,
            calling=self._calling,
            refusing=refusing,
            reviewing=reviewing,
            stopping=stopping,
            wants=lambda: self.wants,
            show=self.show,
            preview_over=lambda one: self._tasks.spawn(self._preview_over(one), "a preview is over"),
            offer_over=lambda one: self._tasks.spawn(self._offer_over(one), "an offer is over"),
        )
        self._answering = Answering(
            hand=hand, calling=self._calling, disposing=self.disposing, rejected=self.intake.rejected
        )
        self._automatic = AutoDisposing(
            wanted=settings.auto_dispose,
            ledger=ledger,
            disposing=self.disposing,
            after_error=refusing.after_error,
            closed=self._closed,
        )

    # -- what the host and the dialers tell -----------------------------------------------------------------

    def on_ready(self, agent: Agent) -> None:
        """Look for a contact, from now on for the agent as given."""
        self._hear(agent, AgentState.READY)

    def on_not_ready(self, agent: Agent, reason: str | None) -> None:
        """Stop looking, but where the site dials by hand in this very state.

        A request under way is awaited, lest its contact be lost; what it brings is held.
        """
        self._hear(agent, AgentState.NOT_READY, reason)

    def on_busy(self, agent: Agent, call: Call | None) -> None:
        """Another call came: an offer stays, its time stands still, and nothing is looked for or dialed.

        A host that does not say which call it is means the attempt's own while there is one.
        """
        own_call = self.hand.has(call.attempt_id) if call else self.hand.is_called
        self._hear(agent, AgentState.BUSY, own_call=own_call)

    def on_working_after_call(self, agent: Agent) -> None:
        """Nothing is looked for, and time that stands still does so until the agent is ready."""
        self._hear(agent, AgentState.WORKING_AFTER_CALL)

    def on_logged_on(self, agent: Agent) -> None:
        """A login begins."""
        self._hear(agent, AgentState.LOGGED_ON)
        self.intake.begin_login()

    def on_logged_off(self, agent: Agent) -> None:
        """Let go of what waits for the agent; a call in progress goes on."""
        self._hear(agent, AgentState.LOGGED_OFF)
        self.intake.begin_login()
        self.leave("the agent logged off")

    def leave(self, reason: str) -> None:
        """Let go of what waits for a person: any host the agent comes to takes it up."""
        self.screen.clear()
        self.hand.let_go(reason)

    @property
    def wants(self) -> bool:
        """Whether the agent wants a contact."""
        return self.readiness.wants and not self._closed.is_set()

    @property
    def waits_for(self) -> str:
        """Why the agent gets no contact, in words; empty where nothing but a contact is missing."""
        return waits_for(self.readiness, self.hand.attempt, self._refusing.trouble)

    def close(self) -> None:
        """Look for nothing more, and try nothing again."""
        self._closed.set()
        self._wake.set()

    def on_call_event(self, attempt: Attempt, event: CallEvent) -> None:
        """Keep the attempt's call up to date; `call_cleared` ends it."""
        heard = self._heard.get(attempt.id) or events_before(attempt)
        if attempt.state in IN_DOUBT:
            self._heard[attempt.id] = heard = heard_with(heard, event)
        ended = event.kind is CallEventKind.CALL_CLEARED and attempt.state in IN_DOUBT
        calls = calls_after(attempt, event)
        if ended:
            facts = {"outcome": outcome_of(heard), "reason": end_of(heard)}
            self.ledger.change(attempt, ENDED, calls=calls, **facts)
        elif calls != attempt.calls and attempt.state in HEARD.sources:
            self.ledger.change(attempt, HEARD, calls=calls, reason=f"{event.kind}")

    def on_changed(self, attempt: Attempt) -> None:
        """Keep what is in hand as it is in the ledger; whatever closes it frees the agent."""
        if attempt.state not in IN_DOUBT:
            self._heard.pop(attempt.id, None)
        if attempt.state not in OPEN:
            self._reviewing.for_a_person.discard(attempt.id)
        if self.screen.shows(attempt.id) and attempt.state is not AttemptState.OFFERED:
            self.screen.clear()
        was_offered = self.hand.held_before(attempt)
        if self.hand.has(attempt.id):
            self.hand.keep(attempt)
        elif attempt.state in OPEN:
            return
        if attempt.state is AttemptState.DISPOSED:
            self.intake.reserved.booked()
            self.readiness.disposed(by_person=attempt.actor != AUTO, offered=was_offered)
        if attempt.state is AttemptState.UNKNOWN:
            self.verdicts.seek(attempt)
        elif attempt.state is AttemptState.ENDED:
            self._tasks.spawn(self._after_call(attempt), f"disposing of attempt {attempt.id}")
        elif self.hand.attempt is None:
            self._work_on()

    def lose(self, attempt: Attempt) -> None:
        """Another host has it; an agent who wants a contact gets this one again, or the next."""
        if self.ledger.get_open(attempt.id) is None:  # its call is not watched any more
            self._heard.pop(attempt.id, None)
        if self.screen.shows(attempt.id):
            self.screen.clear()
        self.hand.lose(attempt)
        if self.hand.attempt is None:
            if attempt.state in IN_DOUBT:  # what becomes of its call is told elsewhere
                self.readiness.freed()
            self._work_on()

    def leave_to(self, host: str) -> None:
        """The agent is at another host now: nothing is looked for here before they are ready here again."""
        self.readiness.left(host)
        self._wake.set()
        log.info("agent %s is ready at host %s: nothing is looked for here", self.hand.agent.id, host)

    def adopt(self, attempt: Attempt) -> None:
        """Take what a host that ended has left behind: its call has to be looked up before anything else."""
        if attempt.state is AttemptState.ENDED:
            self._tasks.spawn(self._dispose_or_release(attempt), f"disposing of attempt {attempt.id}")
            return
        if self.hand.attempt is None:
            self.hand.attempt, self.hand.fetched = attempt, attempt.contact
        self.verdicts.seek(attempt)

    @property
    def tasks(self) -> list[asyncio.Task[object]]:
        """What is under way, for whoever has to wait for it."""
        working = [] if self._task is None or self._task.done() else [self._task]
        return [*working, *self._tasks]

    # -- the agent's task -----------------------------------------------------------------------------------

    def _hear(self, agent: Agent, state: AgentState, reason: str | None = None, **facts: bool) -> None:
        self.hand.agent = agent
        if self.settings.relay_agent_states:
            self._tasks.spawn(self.disposing.tell_state(agent, state), f"telling {agent.id}'s state")
        news = self.readiness.told(state, reason, **facts)
        self.hand.arrived = self.readiness.ready or state is AgentState.READY
        if news:
            self._wake.set()
            self._pauses.reset()
            self.screen.keep_time()
        elif self.wants and self.hand.attempt is None:
            self._tasks.spawn(self._take_along(), f"what waits for {agent.id}")
        self._work_on()

    async def _take_along(self) -> None:
        """Ready once more: what waits elsewhere is looked for now or never, as the agent may leave again."""
        async with self._acting:
            if self.wants and self.hand.arrived and self.hand.attempt is None:
                with suppress(LedgerError):  # the next turn meets it, and says so
                    await self.hand.take_up()
                    self.hand.arrived = False
                    if self.hand.attempt:
                        self._wake.set()

    def _work_on(self) -> None:
        if self.wants and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._work(), name=f"desk of agent {self.hand.agent.id}")

    async def _work(self) -> None:
        self._wake.clear()
        await self._rest(self._pauses.owed)
        while self.wants:
            self._wake.clear()
            step = await self._looked()
            if isinstance(step, Hold) and self.hand.attempt:
                self.hand.arrived = False
                return
            await self._rest(step.seconds if isinstance(step, Wait) else 0)
        self._leave_if_gone()

    async def _looked(self) -> Step:
        try:
            async with self._acting:
                return await self._turn()
        except Exception as error:  # noqa: BLE001  (a source of contacts or a site's hook may raise anything)
            return Wait(self._refusing.after_error(error))

    def _leave_if_gone(self) -> None:
        """Let go of what came, or ended, when the agent was gone already."""
        if not self.readiness.here:
            self.leave(self.readiness.gone)

    async def _rest(self, seconds: float) -> None:
        if self.wants and seconds > 0:
            await waited(self._wake, seconds)
        self._pauses.owed = 0.0

    async def _turn(self) -> Step:
        """One contact offered or dialed, or why not."""
        if await self._is_occupied():
            return HELD
        attempt = await self.intake.offered()
        self._refusing.trouble = ""
        if attempt is None:
            pause = self._pauses.after_no_contact()
            return DONE if self.hand.busy else Wait(self.intake.reserved.until_next(pause))
        at_once = self.settings.preview.seconds == 0 and self._calling.may_dial_itself(attempt)
        if refusals := await self._reviewing.refusals(attempt, keys=not at_once):
            return await self._refusing.refuse(attempt, refusals)
        if not self.wants:
            return DONE
        if at_once:
            return await self._calling.dial(attempt)
        self._offering.put(attempt)
        return HELD

    def _offer(self, attempt: Attempt) -> None:
        self._offering.put(attempt)

    async def _is_occupied(self) -> bool:
        """Whether the hand is full; what is found in it is what the agent's arrival here stood for.

        What a person disposed of, or took up, at another host is in hand no more.
        """
        attempt = self.hand.attempt
        if attempt and attempt.state is AttemptState.ENDED and await self.ledger.still_has(attempt):
            await self._automatic.dispose(attempt)
        held = self.hand.held()
        if held and await self.ledger.still_has(held):
            self.hand.arrived = False
            if self.screen.shows(held.id):
                return self.hand.attempt is not None
        return self.hand.busy

    # -- what timers and people tell ------------------------------------------------------------------------

    async def _preview_over(self, attempt_id: str) -> None:
        async with self._acting:
            await self._offering.after_preview(attempt_id)
            self._leave_if_gone()

    async def _offer_over(self, attempt_id: str) -> None:
        async with self._acting:
            await self._offering.after_offer(attempt_id)

    async def answer(self, attempt_id: str, said: Said) -> Attempt:
        """What a person says to an offer, or of an ended call that is to be made once more.

        Raises:
            ConflictError: it is not this agent's offer any more, or rules say no.
            InvalidError: the answer cannot be right.
            LedgerError: it cannot be recorded now.
        """
        async with self._acting:
            try:
                answered = await self._answering.answer(attempt_id, said)
                self.readiness.answered()
                self._work_on()
                return answered
            finally:
                self._leave_if_gone()

    async def _after_call(self, attempt: Attempt) -> None:
        """A call that outlives its agent's login waits for a disposition wherever its agent comes to."""
        if attempt.outcome is Outcome.AGENT_UNAVAILABLE:
            self._stopping.stop("the agent's phone was not reached")
        await self._automatic.dispose_in_time(attempt)
        self._leave_if_gone()

    async def _dispose_or_release(self, attempt: Attempt) -> None:
        """What ended at a host that is gone waits for a person, wherever its agent is."""
        await self._automatic.dispose_in_time(attempt)
        left = self.ledger.get_open(attempt.id)
        if left and (self.hand.attempt is None or self.hand.attempt.id != left.id):
            self.ledger.release(left)
