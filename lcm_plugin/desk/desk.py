"""One agent's flow: ready, next contact, review, offer, call, outcome, disposition, the next.

It looks for a contact while the agent wants one and nothing is in hand. Agent states say when to look; what
forbids a second contact is the open attempt. Looks, what timers tell and what people answer are turns, taken
one after another.
"""

import asyncio
from datetime import datetime
from functools import partial

from attrs import define, field

from cti_hooks import (
    Agent,
    AgentState,
    Attempt,
    AttemptState,
    Call,
    CallEvent,
    Contact,
    Outcome,
)
from lcm_plugin.agent_flow import OUTCOME
from lcm_plugin.desk.auto_disposing import AUTO, AutoDisposing
from lcm_plugin.desk.following import UNREACHED, Following
from lcm_plugin.desk.parts import parts
from lcm_plugin.desk.said import Said
from lcm_plugin.desk.standing import Standing
from lcm_plugin.desk.tasks import Tasks
from lcm_plugin.desk.turns import Turns
from lcm_plugin.desk.working import Working
from lcm_plugin.ledger import IN_DOUBT, OPEN
from lcm_plugin.supply import Question


@define(kw_only=True, eq=False)
class Desk(Standing):
    """The desk of one agent."""

    _following: Following = field(init=False)
    _automatic: AutoDisposing = field(init=False)
    _working: Working = field(init=False)
    _tasks: Tasks = field(factory=Tasks, init=False)
    _turns: Turns = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._turns = Turns(f"desk of agent {self.agent.id}", self.note_activity)
        self.parts = parts(
            self.shared,
            self.agent,
            self._tasks,
            ask=self._asks,
            retimed=self._retimed,
            preview_over=self._preview_over,
            offer_over=self._offer_over,
            wrap_up_over=self._wrap_up_over,
        )
        self._following = Following(ledger=self.shared.ledger)
        self._automatic = AutoDisposing(
            wanted=self.shared.settings.auto_dispose,
            hand=self.hand,
            ledger=self.shared.ledger,
            disposing=self.shared.disposing,
            after_error=self.parts.refusing.after_error,
            closed=self.shared.closed,
        )
        self._working = Working(
            settings=self.shared.settings,
            ledger=self.shared.ledger,
            parts=self.parts,
            supply=self.shared.supply,
            bulletin=self.shared.bulletin,
            outage=self.shared.outage,
            automatic=self._automatic,
            turns=self._turns,
            wants=self.readiness.wants_one,
            closed=self.shared.closed,
            left=self._leave_if_gone,
        )

    # -- what the host and the dialers tell -----------------------------------------------------------------

    def hear(
        self, agent: Agent, state: AgentState, reason: str | None = None, call: Call | None = None
    ) -> None:
        """The agent's state, from now on for the agent as given; `call` is another one that came, if any.

        Who is not ready any more has nothing looked for, but a request under way is awaited, lest its contact
        be lost; what it brings is held. While they are busy an offer stays, and its time stands still. Who
        logs off lets go of what waits for them; a call in progress goes on.
        """
        if self.shared.settings.relay_agent_states:
            self._tasks.spawn(self.shared.disposing.tell_state(agent, state), f"telling {agent.id}'s state")
        own_call = self.hand.has(call.attempt_id) if call else self.hand.is_called  # if a host names none
        news = self.readiness.told(state, reason, own_call=own_call)
        self.hand.told(agent, is_ready=self.readiness.ready or state is AgentState.READY)
        if news:
            self._working.wake()
            self.parts.pauses.reset()
            self.parts.screen.keep_time()
        elif self.wants and self.hand.attempt is None:
            self._turns.tell(self._working.take_along)
        self._working.go_on()
        if state in {AgentState.LOGGED_ON, AgentState.LOGGED_OFF}:
            self.intake.begin_login()
        if state is AgentState.LOGGED_OFF:
            self.leave("the agent logged off")
        self.note_activity()

    def leave(self, reason: str) -> None:
        """Let go of what waits for a person: any host the agent comes to takes it up."""
        self.parts.screen.clear()
        self.hand.let_go(reason)

    async def next_contact(self, agent: Agent, campaign_group: str) -> Contact | None:
        """The answer to `request_next_contact`: what is held, or what the LCM has next, held from now on.

        A look of this desk asks all sources, and this plugin among them: what comes then is for its attempt.

        Raises:
            OpenAttemptError: a call is in hand, or to be disposed of.
            DialingStoppedError: a stop covers the site, this agent or this group.
            LedgerError: another host has the agent's open attempt, or nothing can be recorded now.
            LcmError: the LCM's.
        """
        errand = self.shared.site.errand()
        if errand and self.hand.get(errand.attempt_id):
            return await self.intake.fetched(errand, campaign_group)
        held = self.intake.at_hand(agent)
        return held or await self._turns.take(partial(self._fetched, agent, campaign_group))

    async def _fetched(self, agent: Agent, campaign_group: str) -> Contact | None:
        contact = await self.intake.next_contact(agent, campaign_group)
        if contact:  # offered, if the agent waits
            self._working.wake()
        return contact

    def callback_due(self, at: datetime) -> None:
        """The agent's own callback starts now: who waits for a contact gets it, anybody else is told."""
        if self.readiness.here and not self.intake.place.waits:
            told = self.shared.site.tell_callback_due(self.hand.agent, at)
            self._tasks.spawn(told, f"telling {self.agent.id} of a callback")

    def close(self) -> None:
        """Look for nothing more: the host stops."""
        self._working.wake()

    def on_call_event(self, attempt: Attempt, event: CallEvent) -> None:
        """Keep the attempt's call up to date; `call_cleared` ends it."""
        again = self._following.hear(attempt, event)
        if again and self.hand.had(attempt.id) and self.readiness.here:
            self.hand.hold(again)
            self.parts.stopping.stop(UNREACHED)
            self.parts.offering.put(again)
        elif again:  # its agent has it wherever they come to
            self.shared.ledger.release(again)

    def on_changed(self, attempt: Attempt) -> None:
        """What follows of an attempt's change; whatever closes the one in hand frees the agent."""
        if attempt.state not in IN_DOUBT:
            self._following.forget(attempt.id)
        if attempt.state not in OPEN:
            self.parts.reviewing.for_a_person.pop(attempt.id, None)
        if self.parts.screen.shows(attempt.id) and attempt.state is not AttemptState.OFFERED:
            self.parts.screen.clear()
        self.hand.promoted(attempt)
        had = self.hand.had(attempt.id)
        if attempt.state in OPEN and not had:
            return
        if attempt.state is AttemptState.DISPOSED:
            self.intake.reserved.disposed(attempt)
            self.readiness.disposed(
                by_person=attempt.actor != AUTO, offered=had and attempt.not_after is None
            )
        if attempt.state is AttemptState.SKIPPED:
            self.intake.skipped()
        if attempt.state is AttemptState.UNKNOWN:
            self.shared.verdicts.seek(attempt)
        elif attempt.state is AttemptState.ENDED:
            self._tasks.spawn(self._after_call(attempt), f"disposing of attempt {attempt.id}")
            self._working.ended()
            self.parts.wrap_up.begin(attempt)
        elif self.hand.attempt is None:
            self._working.go_on()

    def lose(self, attempt: Attempt) -> None:
        """Another host has it. If the agent wants a contact, this one comes again, or the next."""
        self.hand.lost()
        if self.shared.ledger.get_open(attempt.id) is None:  # its call is not watched any more
            self._following.forget(attempt.id)
        if self.parts.screen.shows(attempt.id):
            self.parts.screen.clear()
        if self.hand.attempt is None:
            if attempt.state in IN_DOUBT:  # what becomes of its call is told elsewhere
                self.readiness.freed()
            self._working.go_on()

    def leave_to(self, host: str) -> None:
        """The agent is at another host now: nothing is looked for here before they are ready here again."""
        self.readiness.left(host)
        self.leave(f"the agent is at host {host}")
        self._working.wake()

    def adopt(self, attempt: Attempt) -> None:
        """Take what a host that ended has left behind: its call has to be looked up before anything else."""
        if attempt.state is AttemptState.ENDED:
            work = self._automatic.dispose_or_release(attempt)
            self._tasks.spawn(work, f"disposing of attempt {attempt.id}")
            return
        if self.hand.attempt is None:
            self.hand.hold(attempt)
        self.shared.verdicts.seek(attempt)

    @property
    def is_left(self) -> bool:
        """Whether its agent has logged off and nothing is left to do: another login may have another desk."""
        empty = not (self.hand.attempt or self.hand.next or self.tasks or self._following)
        return empty and self.readiness.state is AgentState.LOGGED_OFF

    @property
    def tasks(self) -> list[asyncio.Task[object]]:
        """What is under way, for whoever has to wait for it."""
        return [*self._turns, *self._tasks]

    def _leave_if_gone(self) -> None:
        """Let go of what came, or ended, when the agent was gone already."""
        if not self.readiness.here:
            self.leave(self.readiness.gone)

    # -- what timers and people tell ------------------------------------------------------------------------

    def _asks(self, question: Question) -> None:
        self._working.ask(question)

    def _retimed(self, attempt_id: str) -> None:
        if attempt := self.hand.get(attempt_id):
            self.shared.tell(attempt)

    def _preview_over(self, attempt_id: str) -> None:
        self._turns.tell(partial(self._after_preview, attempt_id))

    def _offer_over(self, attempt_id: str) -> None:
        self._turns.tell(partial(self.parts.offering.after_offer, attempt_id))

    def _wrap_up_over(self, attempt_id: str) -> None:
        self._turns.tell(partial(self._after_wrap_up, attempt_id))

    async def _after_preview(self, attempt_id: str) -> None:
        await self.parts.offering.after_preview(attempt_id)
        self._leave_if_gone()

    async def _after_wrap_up(self, attempt_id: str) -> None:
        """Nobody has said in time what came of a call."""
        attempt, then = self.hand.attempt, self.shared.settings.wrap_up.then
        if attempt is None or attempt.id != attempt_id or not self.hand.has_ended:
            return
        if then.startswith(OUTCOME):
            work = self._automatic.dispose_in_time(attempt, then.removeprefix(OUTCOME))
            self._tasks.spawn(work, f"disposing of attempt {attempt_id}")
        else:
            self._tasks.spawn(self.parts.wrap_up.ask_for_state(), f"asking for {self.agent.id} to be {then}")

    async def answer(self, attempt_id: str, said: Said) -> Attempt:
        """What a person says to an offer, or of an ended call that is to be made once more.

        Raises:
            ConflictError: it is not this agent's offer any more, or rules say no.
            InvalidError: the answer cannot be right.
            LedgerError: it cannot be recorded now.
        """
        return await self._turns.take(partial(self._answered, attempt_id, said))

    async def keep(self, attempt_id: str, actor: str) -> Attempt:
        """Another preview of an offer, for who wants to look at it a little longer.

        Raises:
            ConflictError: it is not this agent's offer any more, or no preview of it runs.
            LedgerError: it cannot be taken up now.
        """
        return await self._turns.take(partial(self.parts.answering.keep, attempt_id, actor))

    async def _answered(self, attempt_id: str, said: Said) -> Attempt:
        try:
            answered = await self.parts.answering.answer(attempt_id, said)
            self.readiness.answered()
            self._working.go_on()
            return answered
        finally:
            self._leave_if_gone()

    async def _after_call(self, attempt: Attempt) -> None:
        """A call that outlives its agent's login waits for a disposition wherever its agent comes to."""
        if attempt.outcome is Outcome.AGENT_UNAVAILABLE:
            self.parts.stopping.stop(UNREACHED)
        await self._automatic.dispose_in_time(attempt)
        self._leave_if_gone()
