"""The durable record of attempts, for one host."""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from attrs import define, evolve

from cti_hooks import Agent, Attempt, AttemptPlace, AttemptState, Contact
from lcm_plugin.attempt.states import LIVE, OPEN
from lcm_plugin.attempt.transition import Kind, Transition
from lcm_plugin.attempt.transitions import (
    CONFIRMED,
    DIAL,
    DISPOSE,
    NOT_REACHED,
    NOTHING,
    ONCE_MORE,
    REDIALED,
    REQUEST,
)
from lcm_plugin.ledger import barring, intents, placing, writing
from lcm_plugin.ledger.errors import AttemptLostError, DialingStoppedError, LedgerError
from lcm_plugin.ledger.holder import Holder
from lcm_plugin.ledger.intents import Intent
from lcm_plugin.ledger.letters import Draft
from lcm_plugin.ledger.opening import Taker
from lcm_plugin.ledger.placing import Relied
from lcm_plugin.ledger.writer import LINGER_LONG

log = logging.getLogger("lcm_plugin.ledger")

T = TypeVar("T")


def _nothing(*_: object) -> None:
    """Nobody wants to know."""


@define(kw_only=True, eq=False)
class Ledger(Holder):
    """The attempts of this host, in memory while they are open; all of them, of all hosts, in the database.

    Attributes:
        watch: is told of each transition, before it is recorded and once it is committed; for fault tests.
    """

    watch: Callable[[Attempt, str], None] = _nothing

    # -- intents: recorded before their side effect ---------------------------------------------------------

    async def open(
        self,
        agent: Agent,
        campaign_group: str = "",
        *,
        arrived: bool = False,
        place: AttemptPlace = AttemptPlace.NOW,
    ) -> Attempt:
        """A new attempt, `requested`, before the first byte leaves; or the agent's, offered before.

        What waits for an agent who has `arrived` here is taken up from a host that lives, too. If the place
        is `next`, and the agent's ended attempt is disposed of by then, it is the one they have to do with.

        Raises:
            OpenElsewhereError: another host has the agent's open attempt, or it is being settled.
            AttemptLostError: this host was stopped for too long while it was recorded.
            LedgerUnavailable: it was not recorded, so nothing may be asked for.
        """
        asked = self._requested(agent, campaign_group, place)
        found = await self._intend(intents.to_open(asked, self._taker(arrived=arrived)))
        self._memory.doubts[agent.id] = found.doubt
        self._custody.keep(found.attempt)
        return found.attempt

    async def take_up(self, agent: Agent, *, arrived: bool = False) -> Attempt | None:
        """The agent's attempt that waits for a person and that nobody holds; None if there is none.

        As of `open`, for one who has `arrived` here a host that lives may hold it.

        Raises:
            OpenElsewhereError: another host has the agent's open attempt, or it is being settled.
            LedgerUnavailable: that cannot be told now.
        """
        intent = intents.to_take_up(self._requested(agent, ""), self._taker(arrived=arrived))
        taken = await self._writer.do(intent.step, undo=intent.undo)
        if taken:
            self._custody.keep(taken)
        return taken

    async def dial(self, attempt: Attempt, *, by_person: bool = False, **facts: Any) -> Attempt:
        """The attempt, `dialing`: from here on it is never dialed again by software.

        Raises:
            BarredError: nobody may call its number, or its contact.
            DialingStoppedError: nothing may be placed now; the attempt stays offered.
            CalledMeanwhileError: there are calls that its review has not seen; it stays offered.
            KeyTakenError: its key is open in another attempt, or was dialed before.
            AttemptLostError: it is not this host's any more.
            LedgerUnavailable: it was not recorded, so it must not be dialed.
        """
        self.refuse_in_doubt()
        dialing = self._after(DIAL, attempt, **facts)
        relied = Relied(
            subjects=self.subjects(dialing.contact),
            asked_at=self.now(),
            by_person=by_person,
            counted=self._memory.counted(dialing.contact),
        )
        try:
            await self._intend(intents.to_dial(dialing, attempt, self.holder, relied))
        except AttemptLostError:
            self._custody.lose(attempt)
            raise
        self._custody.keep(dialing)
        return dialing

    async def redial(self, attempt: Attempt, contact: Contact) -> Attempt:
        """Another attempt for an ended one's contact, `offered`: a person wants it called once more.

        Raises:
            BarredError: nobody may call its number, or its contact; the ended one stays as it is.
            DialingStoppedError: nothing may be placed now; the ended one stays as it is.
            AttemptLostError: the attempt is not ended any more.
            LedgerUnavailable: it was not recorded.
        """
        self.refuse_in_doubt()
        again = self._opened(
            ONCE_MORE,
            agent=attempt.agent,
            contact=contact,
            campaign_group=attempt.campaign_group,
            redial_of=attempt.id,
            reason=f"to be called once more, after attempt {attempt.id}",
        )
        closed = REDIALED.of(attempt, again.opened_at, reason=f"called again: {again.id}")
        asked = self.subjects(contact).at(self.now())
        intent = intents.to_redial(closed, again, self.holder, asked)
        await self._writer.do(intent.step, undo=intent.undo)
        self._custody.keep(closed)
        self._custody.keep(again)
        return again

    def refuse_in_doubt(self) -> None:
        """Nothing may be dialed while the clock cannot be believed.

        Raises:
            DialingStoppedError: it cannot; says why.
        """
        if doubt := self.timeline.doubt():
            raise DialingStoppedError(doubt)

    async def dispose(self, attempt: Attempt, drafts: Iterable[Draft], **facts: Any) -> Attempt:
        """The attempt, `disposed`, with what the LCM is to be told, and whom it bars, in one transaction.

        Raises:
            AttemptLostError: it is neither offered nor ended any more.
            LedgerUnavailable: it was not recorded, so nothing is sent.
        """
        disposed = self._after(DISPOSE, attempt, **facts)
        holder = self.holder if attempt.id in self._memory.open else None
        bars = barring.bars_of(disposed, self.subjects(disposed.contact))
        promoted = await self._intend(intents.to_dispose(disposed, attempt, holder, drafts, bars))
        self._custody.keep(disposed)
        if following := self._memory.open.get(promoted or ""):
            self._custody.keep(evolve(following, place=AttemptPlace.NOW))
        return disposed

    async def _intend(self, intent: Intent[T]) -> T:
        """Record it; under the lease it was recorded with, however long that took."""
        self.watch(intent.attempt, "before")
        result = await self._writer.do(intent.step, undo=intent.undo)
        self.watch(intent.attempt, "after")
        if intent.holder is not None:
            await self._ensure_held(intent, result)
        return result

    async def _ensure_held(self, intent: Intent[T], result: T) -> None:
        try:
            await self._keeper.ensure(holder=intent.holder)
        except AttemptLostError:  # its successor has it
            raise
        except BaseException:
            if step := intent.undo(result):
                self._writer.note(step)
            raise

    # -- facts: they have happened, and are recorded as soon as can be --------------------------------------

    def change(self, attempt: Attempt, transition: Transition, **facts: Any) -> Attempt:
        """The attempt after this transition.

        What was seen of a call holds whoever has the attempt now, and who sees the call has it from then
        on; all else holds only while this host has it.

        Raises:
            NoTransitionError: it does not lead from the attempt's state.
        """
        changed = self._after(transition, attempt, **facts)
        self.watch(changed, "before")
        change: Callable[..., object] = writing.change_attempt
        if transition.kind is Kind.SEEN:
            change = writing.see_attempt
        elif changed.state is AttemptState.OFFERED:
            asked = self.subjects(changed.contact).at(self.now())
            change = partial(writing.offer_attempt, asked=asked)
            self._memory.await_objection(changed.id)
        self._writer.note(
            partial(change, transition=transition, attempt=changed, holder=self.holder),
            on_error=lambda error: self._not_changed(changed, error),
            on_written=lambda found: self._written(changed, found),
        )
        self._custody.keep(changed)
        return changed

    def offer_again(self, attempt: Attempt, **facts: Any) -> Attempt:
        """Its agent's phone was not reached, and nobody was called: it is closed, its contact offered anew.

        The new attempt, which only a person may have dialed.

        Raises:
            NoTransitionError: no call of it is being placed, or goes on.
        """
        closed = self._after(NOT_REACHED, attempt, **facts)
        of = {"agent": attempt.agent, "contact": attempt.contact, "campaign_group": attempt.campaign_group}
        again = self._opened(ONCE_MORE, redial_of=attempt.id, reason=closed.reason, **of)
        self.watch(closed, "before")
        self._writer.note(
            partial(placing.offer_again, before=closed, again=again, holder=self.holder),
            on_error=lambda _: self._custody.lose(again),
            on_written=lambda _: self.watch(closed, "after"),
        )
        self._custody.keep(closed)
        self._custody.keep(again)
        return again

    def drop(self, attempt: Attempt, reason: str) -> None:
        """A question that brought nothing is no attempt: no trace of it is kept, unless it left doubt."""
        doubt = self._memory.doubts.get(attempt.agent.id)
        if doubt and doubt.since >= attempt.opened_at:
            self.change(attempt, NOTHING, reason=reason)
            return
        empty = self._after(NOTHING, attempt, reason=reason)
        self.watch(empty, "before")
        self._writer.note(
            partial(writing.drop_attempt, attempt=empty, holder=self.holder),
            on_error=lambda error: self._not_changed(empty, error),
            on_written=lambda _: self.watch(empty, "after"),
            linger=LINGER_LONG,
        )
        self._custody.keep(empty)

    def close_disposed(self, attempt: Attempt, reason: str) -> None:
        """Close it: the LCM knows what came of it, so nothing is left to do, at whichever host."""
        closed = self._after(CONFIRMED, attempt, reason=reason)
        self.watch(closed, "before")
        step = partial(writing.settle_attempt, transition=CONFIRMED, attempt=closed)
        self._writer.note(step, on_written=lambda _: self.watch(closed, "after"))
        self._custody.keep(closed)

    def release(self, attempt: Attempt) -> None:
        """Let go of what waits for a person: its agent may come to any host, and `news` tells of that."""
        self._memory.release(attempt)
        self._writer.note(partial(writing.release_attempt, attempt_id=attempt.id, holder=self.holder))

    # -- this host's own ------------------------------------------------------------------------------------

    def _requested(
        self, agent: Agent, campaign_group: str, place: AttemptPlace = AttemptPlace.NOW
    ) -> Attempt:
        return self._opened(REQUEST, agent=agent, contact=None, campaign_group=campaign_group, place=place)

    def _taker(self, *, arrived: bool) -> Taker:
        return Taker(holder=self.holder, now=self.now(), arrived=arrived)

    def _written(self, attempt: Attempt, found: Any) -> None:
        self.watch(attempt, "after")
        if attempt.state is AttemptState.OFFERED:
            self._memory.object_to(attempt.id, found)
        if attempt.state not in OPEN and found:  # the call before it has to be disposed of
            self._custody.adopt([found])

    def _not_changed(self, attempt: Attempt, error: LedgerError) -> None:
        log.warning("%s: %s", attempt.state, error)
        known = self._memory.open.get(attempt.id)
        is_offer = attempt.state is AttemptState.OFFERED
        dialed_since = is_offer and known is not None and known.state in LIVE
        if not isinstance(error, AttemptLostError) or dialed_since:
            return
        is_lcms = attempt.contact is not None and not attempt.contact.source
        if is_offer and is_lcms:  # whoever closed it does not know what it brought
            reason = "a contact came after its attempt was lost"
            self.note_doubt(attempt.agent, attempt.campaign_group, reason)
        self._custody.lose(attempt)
