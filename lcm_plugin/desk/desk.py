"""One agent's flow: ready, next contact, review, offer, call, outcome, disposition, the next.

A task works while the agent wants a contact and nothing is in hand. Agent states say when to look; what
forbids a second contact is the open attempt.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from attrs import define, field

from cti_hooks import (
    Agent,
    AgentState,
    AnswerKind,
    Attempt,
    AttemptState,
    Call,
    CallEvent,
    CallEventKind,
    Consent,
    Dial,
    Disposition,
    Outcome,
    Refusal,
    described,
)
from lcm_plugin.attempt.calls import calls_after, heard_with
from lcm_plugin.attempt.expiry import seconds_left
from lcm_plugin.attempt.outcomes import end_of, events_before, outcome_of
from lcm_plugin.attempt.transitions import AMENDED, ENDED, HEARD, REFUSED, SKIPPED
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.auto_disposing import AUTO, AutoDisposing
from lcm_plugin.desk.barred import BARRED, bar_refusal
from lcm_plugin.desk.dialing import Dialing, key_taken
from lcm_plugin.desk.disposing import Disposing
from lcm_plugin.desk.fetch_stops import FetchStops
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.intake import Intake
from lcm_plugin.desk.numbers import with_number
from lcm_plugin.desk.offer import Offer
from lcm_plugin.desk.on_refusal import HOLD, REFUSE, OnRefusal
from lcm_plugin.desk.pauses import Pauses, waited
from lcm_plugin.desk.readiness import Readiness
from lcm_plugin.desk.reviewing import Reviewing
from lcm_plugin.desk.said import Said
from lcm_plugin.desk.screen import Screen
from lcm_plugin.desk.site import Site, is_foreign
from lcm_plugin.desk.verdicts import Verdicts
from lcm_plugin.desk.waiting import waits_for
from lcm_plugin.errors import ConflictError, InvalidError
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.ledger import (
    IN_DOUBT,
    OPEN,
    BarredError,
    CalledMeanwhileError,
    DialingStoppedError,
    KeyTakenError,
    Ledger,
    LedgerError,
    LedgerUnavailable,
    key_of,
    stops,
)

log = logging.getLogger("lcm_plugin.desk")

LOOK_AGAIN: float = 5.0
"""Seconds after which it is looked again at a contact held back by a rule, or whether dialing is resumed."""


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
    trouble: str = field(default="", init=False)
    """What kept it from fetching when it tried last."""
    _reviewing: Reviewing = field(init=False)
    _dialing: Dialing = field(init=False)
    _pauses: Pauses = field(init=False)
    _automatic: AutoDisposing = field(init=False)
    _on_refusal: OnRefusal = field(init=False)
    _heard: dict[str, list[CallEvent]] = field(factory=dict, init=False)
    """The events of calls that are not over, by attempt: one lost to another host may go on here."""
    _acting: asyncio.Lock = field(factory=asyncio.Lock, init=False)
    _wake: asyncio.Event = field(factory=asyncio.Event, init=False)
    _closed: asyncio.Event = field(factory=asyncio.Event, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _tasks: set[asyncio.Task[object]] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self.readiness = Readiness(settings=self.settings)
        self.screen = Screen(readiness=self.readiness)
        self.hand = Hand(agent=self.agent, ledger=self.ledger)
        self.intake = Intake(
            hand=self.hand, settings=self.settings, site=self.site, client=self.client, stops=self.stops
        )
        self._reviewing = Reviewing(site=self.site, ledger=self.ledger, rejected=self.intake.rejected)
        self._dialing = Dialing(hand=self.hand, settings=self.settings, site=self.site)
        self._pauses = Pauses(self.settings, self.client.random)
        self._on_refusal = OnRefusal(wishes=self.settings.on_refusal, disposing=self.disposing)
        self._automatic = AutoDisposing(
            wanted=self.settings.auto_dispose,
            ledger=self.ledger,
            disposing=self.disposing,
            after_error=self._after_error,
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
        return waits_for(self.readiness, self.hand.attempt, self.trouble)

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
            self._spawn(self._after_call(attempt), f"disposing of attempt {attempt.id}")
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
            self._spawn(self._dispose_or_release(attempt), f"disposing of attempt {attempt.id}")
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
            self._spawn(self.disposing.tell_state(agent, state), f"telling {agent.id}'s state")
        news = self.readiness.told(state, reason, **facts)
        self.hand.arrived = self.readiness.ready or state is AgentState.READY
        if news:
            self._wake.set()
            self._pauses.reset()
            self.screen.keep_time()
        elif self.wants and self.hand.attempt is None:
            self._spawn(self._take_along(), f"what waits for {agent.id}")
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

    def _spawn(self, work: Coroutine[Any, Any, object], name: str) -> None:
        task = asyncio.create_task(_logged(work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        self._wake.clear()
        await self._rest(self._pauses.owed)
        while self.wants:
            self._wake.clear()
            try:
                async with self._acting:
                    pause = await self._turn()
            except Exception as error:  # noqa: BLE001  (a source of contacts or a site's hook may raise anything)
                pause = self._after_error(error)
            if pause is None and self.hand.attempt:
                self.hand.arrived = False
                return
            await self._rest(pause or 0)
        self._leave_if_gone()

    def _leave_if_gone(self) -> None:
        """Let go of what came, or ended, when the agent was gone already."""
        if not self.readiness.here:
            self.leave(self.readiness.gone)

    async def _rest(self, seconds: float) -> None:
        if self.wants and seconds > 0:
            await waited(self._wake, seconds)
        self._pauses.owed = 0.0

    async def _turn(self) -> float | None:
        """One contact offered or dialed, or why not; how long to wait before the next, in seconds.

        None when something is in hand that a person, a timer or a dialer goes on with.
        """
        if await self._is_occupied():
            return None
        attempt = await self.intake.offered()
        self.trouble = ""
        if attempt is None:
            return 0 if self.hand.busy else self.intake.reserved.until_next(self._pauses.after_no_contact())
        at_once = self._may_dial_itself(attempt) and self.settings.preview.seconds == 0
        refusals = await self._reviewing.refusals(attempt, keys=not at_once)
        if refusals:
            return await self._refuse(attempt, refusals)
        if not self.wants:
            return 0
        if at_once:
            return await self._dial(attempt)
        self._put_offer(attempt)
        return None

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

    def _may_dial_itself(self, attempt: Attempt) -> bool:
        """Whether a timer or a ready agent may dial it: consent given, and its key never dialed."""
        given = attempt.contact is not None and attempt.contact.consent is Consent.GIVEN
        return given and attempt.id not in self._reviewing.for_a_person

    async def _dial(self, attempt: Attempt) -> float | None:
        """Dial without a person's doing; reviewed again right before."""
        refusals = await self._reviewing.refusals(attempt, keys=False)
        if refusals:
            return await self._refuse(attempt, refusals)
        if not self.wants:
            return 0
        try:
            intended = await self._dialing.intended(attempt, reason="ready")
        except (DialingStoppedError, CalledMeanwhileError, KeyTakenError) as error:
            return await self._not_recorded(attempt, error)
        if isinstance(intended, Refusal):
            return await self._refuse(attempt, (intended,))
        return await self._place(*intended)

    async def _not_recorded(
        self, attempt: Attempt, error: DialingStoppedError | CalledMeanwhileError | KeyTakenError
    ) -> float | None:
        if isinstance(error, DialingStoppedError):
            return self._hold_back(attempt, str(error))
        if isinstance(error, CalledMeanwhileError):
            return await self._dial(attempt)
        if refusal := self._reviewing.taken(attempt, error):
            return await self._refuse(attempt, (refusal,))
        self._put_offer(attempt)
        return None

    async def _place(self, attempt: Attempt, dial: Dial) -> float | None:
        self.readiness.called()
        reason = await self._dialing.place(attempt, dial)
        if not reason:
            self._pauses.reset()
            return None
        self._stop_fetching(reason)
        return await self._refuse(attempt, (Refusal(rule="no_dialer", reason=reason),))

    # -- offers ---------------------------------------------------------------------------------------------

    def _put_offer(self, attempt: Attempt) -> None:
        """Show it to the agent; the timers act in tasks of their own."""
        preview = self.settings.preview
        offer = Offer(
            attempt_id=attempt.id,
            preview_seconds=preview.seconds if self._may_dial_itself(attempt) else None,
            seconds=self.settings.offer_seconds,
            expires_in=self._reserved_for(attempt),
            on_preview_over=lambda: self._spawn(self._preview_over(attempt.id), "a preview is over"),
            on_over=lambda: self._spawn(self._offer_over(attempt.id), "an offer is over"),
        )
        self.screen.put(offer)
        self.show(attempt)

    def _reserved_for(self, attempt: Attempt) -> float:
        """Seconds until its contact's reservation ends; no end where the LCM states none."""
        return seconds_left(attempt.contact, self.ledger.now())

    async def _preview_over(self, attempt_id: str) -> None:
        async with self._acting:
            attempt = self._still_offered(attempt_id)
            if attempt is None or not self.wants:
                return
            if self.settings.preview.on_timeout == "dial" and self._may_dial_itself(attempt):
                await self._dial(attempt)
                self.screen.keep_time()  # held back, it is tried again
                self._leave_if_gone()
            elif self.settings.preview.on_timeout == "not_ready":
                await self.site.request_not_ready(attempt.agent, "the preview was not answered")
            else:
                await self._unanswered(attempt, "the preview was not answered")

    async def _offer_over(self, attempt_id: str) -> None:
        async with self._acting:
            was_here, wanted = self.hand.has(attempt_id), self.wants
            if attempt := self._still_offered(attempt_id):  # expired, it is put down by being looked at
                await self._unanswered(attempt, f"nobody answered within {self.settings.offer_seconds:g} s")
            elif was_here and wanted and self.readiness.is_unanswered():
                self._stop_fetching(self.readiness.no_answer)

    async def _unanswered(self, attempt: Attempt, reason: str) -> None:
        """Nobody answered: it is skipped; the last that may be so is held, and nothing is fetched."""
        if stop := await self._stopped(attempt):
            self._hold_back(attempt, stop, attempt.refusals)
            self.screen.hold()
            self.screen.restart()
        elif not self.wants or not self.readiness.is_unanswered():
            self._skip(attempt, reason)
        else:
            no_answer = self.readiness.no_answer
            self._stop_fetching(no_answer)
            self.screen.hold()
            self.hand.change(attempt, AMENDED, reason=f"{no_answer}; this one is held")

    async def _stopped(self, attempt: Attempt) -> str:
        """Why nobody could dial it: a stop, the clock, a rule it is held by; empty where it is not known."""
        if doubt := self.ledger.timeline.doubt():
            return doubt
        try:
            if attempt.refusals and await self._reviewing.refusals(attempt, by_person=True):
                return attempt.reason
            return await self.ledger.run(partial(stops.stop_for, attempt=attempt))
        except LedgerUnavailable:
            return ""

    def _stop_fetching(self, reason: str) -> None:
        """Look for nothing more though the agent is ready, and ask the host for not ready."""
        if self.readiness.ready and not self.readiness.stopped:
            self.readiness.stop(reason)
            self._spawn(self._ask_for_not_ready(reason), f"asking for {self.hand.agent.id} to be not ready")

    async def _ask_for_not_ready(self, reason: str) -> None:
        if await self.site.request_not_ready(self.hand.agent, reason):
            self.readiness.granted()

    def _still_offered(self, attempt_id: str) -> Attempt | None:
        attempt = self.hand.held()
        return attempt if attempt and attempt.id == attempt_id else None

    def _skip(self, attempt: Attempt, reason: str, **facts: Any) -> Attempt:
        return self.hand.put_down(SKIPPED, reason=reason, **facts) or attempt

    # -- answers --------------------------------------------------------------------------------------------

    async def answer(self, attempt_id: str, said: Said) -> Attempt:
        """What a person says to an offer, or of an ended call that is to be made once more.

        Raises:
            ConflictError: it is not this agent's offer any more, or rules say no.
            InvalidError: the answer cannot be right.
            LedgerError: it cannot be recorded now.
        """
        async with self._acting:
            try:
                answered = await self._answered(await self._in_hand(attempt_id), said)
                self.readiness.answered()
                self._work_on()
                return answered
            finally:
                self._leave_if_gone()

    async def _answered(self, attempt: Attempt, said: Said) -> Attempt:
        if said.answer is AnswerKind.DIAL:
            return await self._dial_for(attempt, said)
        if attempt.state is not AttemptState.OFFERED:
            raise ConflictError(f"attempt {attempt.id} is {attempt.state}, and no offer any more")
        if said.answer is AnswerKind.CLOSE:
            if not said.reason and not is_foreign(attempt):
                raise InvalidError({"reason": "is needed with close: an outcome's id, by the LCM's lists"})
            disposition, told = Disposition(outcome_id=said.reason), self._told(said)
            return await self.disposing.dispose(attempt, disposition, **told)
        if said.answer is AnswerKind.REJECT and attempt.contact:
            self.intake.rejected.add(key_of(attempt.contact))
        words = f"{said.answer}: {said.reason}" if said.reason else f"{said.answer}"
        return self._skip(attempt, words, **self._told(said))

    def _told(self, said: Said) -> dict[str, Any]:
        return {"answer": said.answer, "actor": said.actor, "answered_at": self.ledger.now()}

    async def _in_hand(self, attempt_id: str) -> Attempt:
        """The agent's open attempt, taken up from the ledger where nobody holds it."""
        if self.hand.attempt is None:
            await self.hand.take_up()
        attempt = self.hand.held() or self.hand.attempt
        if attempt is None or attempt.id != attempt_id:
            has = f"attempt {attempt.id}, {attempt.state}" if attempt else "none"
            raise ConflictError(f"attempt {attempt_id} is not open; agent {self.hand.agent.id} has {has}")
        return attempt

    def _refuse_busy(self) -> None:
        if self.readiness.busy:
            raise ConflictError(
                f"agent {self.hand.agent.id} is busy with another call: nothing is dialed until it is over"
            )

    async def _dial_for(self, attempt: Attempt, said: Said) -> Attempt:
        """A person wants it called: reviewed again, and once more where it was called before."""
        self._refuse_busy()
        if attempt.state not in (AttemptState.OFFERED, AttemptState.ENDED) or attempt.contact is None:
            raise ConflictError(f"attempt {attempt.id} is {attempt.state}: it cannot be dialed")
        contact = with_number(attempt.contact, said.mode_id)
        refusals = await self._reviewing.refusals(attempt, contact, by_person=True)
        if refusals:
            await self._refuse_person(attempt, refusals)
        self._refuse_busy()
        try:
            if attempt.state is AttemptState.ENDED:
                attempt = self.hand.keep(await self.ledger.redial(attempt, contact))
            told = {"reason": f"dialed for {said.actor}", **self._told(said)}
            intended = await self._dialing.intended(attempt, contact=contact, by_person=True, **told)
        except BarredError as error:  # what ended is to be disposed of still
            raise ConflictError(str(error), (bar_refusal(error.bar),)) from None
        except DialingStoppedError as error:
            raise ConflictError(str(error)) from None
        except KeyTakenError as error:
            refusal = key_taken(error)
            raise ConflictError(refusal.reason, (refusal,)) from None
        except CalledMeanwhileError:
            return await self._dial_for(attempt, said)
        if isinstance(intended, Refusal):
            if intended.rule == BARRED:
                await self._refuse_person(attempt, (intended,))
            raise ConflictError(intended.reason, (intended,))
        self._spawn(self._place(*intended), f"dialing attempt {attempt.id}")
        return intended[0]

    async def _refuse_person(self, attempt: Attempt, refusals: tuple[Refusal, ...]) -> None:
        if attempt.state is AttemptState.OFFERED:
            if self._on_refusal.wish(attempt, refusals) != HOLD:  # it ends, and a person is there
                self.readiness.answered()
            await self._refuse(attempt, refusals)
        raise ConflictError("; ".join(refusal.reason for refusal in refusals), refusals)

    async def _after_call(self, attempt: Attempt) -> None:
        """A call that outlives its agent's login waits for a disposition wherever its agent comes to."""
        if attempt.outcome is Outcome.AGENT_UNAVAILABLE:
            self._stop_fetching("the agent's phone was not reached")
        await self._automatic.dispose_in_time(attempt)
        self._leave_if_gone()

    async def _dispose_or_release(self, attempt: Attempt) -> None:
        """What ended at a host that is gone waits for a person, wherever its agent is."""
        await self._automatic.dispose_in_time(attempt)
        left = self.ledger.get_open(attempt.id)
        if left and (self.hand.attempt is None or self.hand.attempt.id != left.id):
            self.ledger.release(left)

    # -- why not --------------------------------------------------------------------------------------------

    async def _refuse(self, attempt: Attempt, refusals: tuple[Refusal, ...]) -> float | None:
        """Close the attempt with its reasons, or as the site wants it; five in a row stop the fetching."""
        wish = self._on_refusal.wish(attempt, refusals)
        reason = "; ".join(refusal.reason for refusal in refusals)
        if wish == HOLD:
            return self._hold_back(attempt, reason, refusals)
        pause = self._pauses.after_refusal()
        if pause is None:
            in_a_row = f"{self._pauses.refusals} refusals in a row"
            self._stop_fetching(in_a_row)
            reason += f". {in_a_row}: nothing is fetched until the agent is ready anew"
        log.info("agent %s: contact refused: %s", self.hand.agent.id, reason)
        if wish == REFUSE or not await self._on_refusal.disposed(attempt, wish, refusals):
            self.hand.put_down(REFUSED, refusals=refusals, reason=reason)
        return pause or 0

    def _hold_back(self, attempt: Attempt, reason: str, refusals: tuple[Refusal, ...] = ()) -> float:
        """Leave it offered, with the reason shown, and look at it again."""
        if attempt.reason != reason:
            self.hand.change(attempt, AMENDED, reason=reason, refusals=refusals)
        moments = [one.not_before for one in refusals if one.not_before]
        left = (max(moments) - self.ledger.now()).total_seconds() if moments else LOOK_AGAIN
        longest = min(self.settings.offer_seconds, self._reserved_for(attempt))
        return max(LOOK_AGAIN, min(left, longest))

    def _after_error(self, error: Exception) -> float:
        self.trouble = str(error) if isinstance(error, LedgerError) else described(error)
        if isinstance(error, DialingStoppedError):
            return LOOK_AGAIN
        pause = self._pauses.after_error(getattr(error, "retry_after", None))
        log.warning("agent %s: %s; trying again in %.0f s", self.hand.agent.id, described(error), pause)
        return pause


async def _logged(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001  (nobody waits for it)
        log.error("%s", described(error))  # noqa: TRY400  (masked)
