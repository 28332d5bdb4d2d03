"""An agent who wants a contact while nothing is in hand: looks, and questions, each a turn of the desk."""

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from attrs import define, field

from cti_hooks import Attempt, AttemptState
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.auto_disposing import AutoDisposing
from lcm_plugin.desk.bulletin import EVERY, Bulletin
from lcm_plugin.desk.outage import Outage
from lcm_plugin.desk.parts import Parts
from lcm_plugin.desk.steps import DONE, HELD, SHOWN, Hold, Queue, Step, Wait
from lcm_plugin.desk.turns import Turns
from lcm_plugin.ledger import DialingStoppedError, Ledger, LedgerError, LedgerUnavailable
from lcm_plugin.supply import Answer, Question, Supply

_STOPPED: Final = 60.0
"""Seconds until an agent for whom dialing is stopped is looked at, though the stops have not changed."""


@define(kw_only=True, eq=False)
class Working:
    """One agent's looks: at most one is in line, under way, or waited for.

    Attributes:
        turns: the desk's.
        wants: whether the agent wants a contact now.
        closed: set when the host stops.
        left: is told once no more is looked for, to let go of what came for an agent who is gone.
    """

    settings: LcmSettings
    ledger: Ledger
    parts: Parts
    supply: Supply
    bulletin: Bulletin
    outage: Outage
    automatic: AutoDisposing
    turns: Turns
    wants: Callable[[], bool]
    closed: asyncio.Event
    left: Callable[[], None]
    _looks: bool = field(default=False, init=False)
    _rests: bool = field(default=False, init=False)
    _woken: bool = field(default=False, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)

    # -- what it is told ------------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Look, if there is something to look for; not before a pause that is owed."""
        if self._looks_for_one and not self._looks and not self._rests:
            self._look_in(self.parts.pauses.owed)

    def ended(self) -> None:
        """A call waits to be disposed of: the next contact is looked for, if the site wants that."""
        if self._looks_ahead:
            self.go_on()

    def wake(self) -> None:
        """Wait no longer."""
        self._woken = self._looks
        if self._rests:
            self._look_now()

    def left_behind(self) -> None:
        """Something of the agent's waits in the ledger, at no host that lives."""
        self.parts.hand.lost()
        self.wake()

    def booked(self) -> None:
        """A callback comes due for the agent, which some host has booked."""
        self.parts.intake.reserved.booked()
        self.wake()

    async def take_along(self) -> None:
        """Ready once more: what waits elsewhere is looked for now or never, as the agent may leave again."""
        hand = self.parts.hand
        if self.wants() and hand.arrived and hand.attempt is None:
            with suppress(LedgerError):  # the next look meets it, and says so
                await hand.take_up()
                hand.looked()
                if hand.attempt:
                    self.wake()

    def ask(self, question: Question) -> None:
        """A question is granted."""
        self.turns.tell(partial(self._ask, question))

    @property
    def _looks_ahead(self) -> bool:
        """Whether the contact that comes next is looked for, while a call waits to be disposed of."""
        hand, is_over = self.parts.hand, self.closed.is_set()
        is_time = self.settings.look_ahead and hand.has_ended and hand.next is None
        return is_time and self.parts.readiness.looks_ahead and not is_over

    @property
    def _looks_for_one(self) -> bool:
        return self.wants() or self._looks_ahead

    # -- looks ----------------------------------------------------------------------------------------------

    def _look_in(self, seconds: float) -> None:
        if seconds <= 0 or self._woken or not self._looks_for_one:
            self._look_now()
            return
        self._rests = True
        if seconds < math.inf:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._look_now)

    def _look_now(self) -> None:
        self._begin()
        self.turns.tell(self._look)

    def _begin(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._looks, self._rests = True, False

    async def _look(self) -> None:
        self.parts.pauses.owed, self._woken = 0.0, False
        self._end(await self._looked() if self._looks_for_one else None)

    async def _ask(self, question: Question) -> None:
        """Ask it, unless something else comes first."""
        place = self.parts.intake.place
        try:
            wanted = self._looks_ahead or (self.wants() and not self.parts.hand.attempt)
            if wanted and place.waits and not self._looks:  # who left the line looks by themselves
                self._begin()
                self._woken = False
                self._end(await self._asked(question))
            elif self._rests and not wanted:  # something was put into the hand: wait no longer
                self._look_now()
        finally:  # unless it was answered
            self._answered(question, Answer.NOT_ASKED)

    def _answered(self, question: Question, answer: Answer, pause: float = 0.0) -> None:
        self.supply.answered(self.parts.intake.place, question, answer, pause)

    def _end(self, step: Step | None) -> None:
        """What follows of a look, or of a question."""
        self._looks = False
        if not isinstance(step, Queue):
            self.supply.leave(self.parts.intake.place)
            self.bulletin.drop(self.parts.hand.agent.id)
        if step is None:
            self.left()
        elif isinstance(step, Hold) and self.parts.hand.attempt:
            self.parts.hand.looked()
        else:
            self._look_in(step.seconds if isinstance(step, Wait | Queue) else 0)

    async def _looked(self) -> Step:
        try:
            return await self._next_step()
        except DialingStoppedError as error:
            return self._stopped(error)
        except Exception as error:  # noqa: BLE001  (a source of contacts or a site's hook may raise anything)
            return Wait(self.parts.refusing.after_error(error))

    async def _asked(self, question: Question) -> Step:
        place = self.parts.intake.place
        try:
            answer, attempt = await self.parts.intake.ask(question)
        except DialingStoppedError as error:
            return self._stopped(error)
        except Exception as error:  # noqa: BLE001  (as of a look)
            return self._failed(question, error)
        if attempt:
            self.supply.leave(place)
        self._answered(question, answer)
        self.outage.over()
        self.parts.pauses.answered()
        self.parts.refusing.no_trouble()
        try:
            if attempt is None and not self.parts.hand.attempt and self.supply.is_dry(place.groups):
                attempt = await self.parts.intake.skipped_again()
            return await self._with(attempt) if attempt else await self._in_line(place.groups)
        except Exception as error:  # noqa: BLE001  (as of a look)
            return Wait(self.parts.refusing.after_error(error))

    # -- what comes of them ---------------------------------------------------------------------------------

    async def _next_step(self) -> Step:
        """What is there already, offered or dialed; else the agent waits for a question."""
        parts, intake = self.parts, self.parts.intake
        if await self._is_occupied():
            return await self._ahead() if self._looks_ahead else HELD
        if parts.hand.next:  # what was before it is gone, at whichever host that was disposed of
            await parts.hand.take_up()
        attempt = parts.hand.held()
        if attempt is None:
            groups = await self._groups()
            attempt = parts.hand.held() or await intake.found(groups)
            if attempt is None:
                return DONE if parts.hand.busy else await self._in_line(groups)
        self.supply.leave(intake.place)
        return await self._with(attempt)

    async def _groups(self) -> Sequence[str]:
        """The groups to wait for. What waits for the agent comes first, unless a question will bring it.

        Raises:
            DialingStoppedError: a stop covers them all, and nothing waits for the agent.
        """
        intake, hand = self.parts.intake, self.parts.hand
        try:
            stopped = await intake.stops.campaigns(hand.agent, read_within=EVERY)
            groups = await intake.stops.left(hand.agent, await intake.campaign_groups(), stopped)
        except DialingStoppedError:  # what waits for the agent is theirs all the same
            await self._take_up()
            if hand.attempt is None:
                raise
            return ()
        self.parts.refusing.no_trouble()
        if self.supply.is_dry(groups):
            await self._take_up()
        return groups

    async def _ahead(self) -> Step:
        """A call waits to be disposed of: wait for a question meanwhile."""
        intake, agent = self.parts.intake, self.parts.hand.agent
        stopped = await intake.stops.campaigns(agent, read_within=EVERY)
        groups = await intake.stops.left(agent, await intake.campaign_groups(), stopped)
        return await self._in_line(groups)

    async def _take_up(self) -> None:
        hand = self.parts.hand
        if hand.may_wait:
            await hand.take_up()
            if hand.attempt is None:
                hand.looked()

    async def _in_line(self, groups: Sequence[str]) -> Step:
        """Wait for a question."""
        seconds = await self.parts.intake.wait(groups)
        self.bulletin.add(self.parts.hand.agent.id, self)
        if not groups or self.parts.intake.site.has_sources:
            seconds = min(seconds, self.parts.pauses.before_next_look())
        return Queue(seconds)

    async def _with(self, attempt: Attempt) -> Step:
        """One contact offered or dialed, or why not."""
        parts = self.parts
        attempt = await parts.intake.enriched(attempt)
        dials_itself = parts.calling.may_dial_itself(attempt) and not parts.hand.is_next(attempt)
        if dials_itself and self.settings.preview.seconds == 0:
            step = await parts.calling.dial(attempt)  # which reviews it
            if step != SHOWN:
                return step
        elif refusals := await parts.reviewing.refusals(attempt):
            return await parts.refusing.refuse(attempt, refusals)
        if parts.hand.is_next(attempt):
            return HELD
        if not self.wants():
            return DONE
        parts.offering.put(attempt)
        return HELD

    def _failed(self, question: Question, error: Exception) -> Step:
        """The question failed: the agent stays in line, behind the others."""
        is_outage = self.outage.concerns_all(error)
        if is_outage:
            self.outage.note(error, len(self.supply.waiting()))
        all_alike = is_outage or isinstance(error, LedgerUnavailable)
        pause = self.parts.refusing.after_error(error, told=all_alike)
        self._answered(question, Answer.FAILED if all_alike else Answer.REFUSED, pause)
        in_line = self.parts.intake.place.waits
        return Queue(self.settings.own_question_seconds) if in_line else Wait(pause)

    def _stopped(self, error: DialingStoppedError) -> Step:
        """Nothing is asked until that has changed, which the bulletin tells; or it is a clock's doubt."""
        pause = self.parts.refusing.after_error(error)
        self.supply.leave(self.parts.intake.place)
        self.bulletin.add(self.parts.hand.agent.id, self)
        return Queue(pause if self.ledger.timeline.doubt() else _STOPPED)

    async def _is_occupied(self) -> bool:
        """Whether the hand is full; what is found in it is what the agent's arrival here stood for.

        What a person disposed of, or took up, at another host is in hand no more.
        """
        hand = self.parts.hand
        attempt = hand.attempt
        if attempt and attempt.state is AttemptState.ENDED and await self.ledger.still_has(attempt):
            await self.automatic.dispose(attempt)
        held = hand.held()
        if held and await self.ledger.still_has(held):
            hand.looked()
            if self.parts.screen.shows(held.id):
                return hand.attempt is not None
        return hand.busy
