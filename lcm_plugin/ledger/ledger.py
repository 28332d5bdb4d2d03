"""The durable record of attempts, for one host."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from random import Random
from typing import Any, TypeVar

import sqlalchemy as sa
from attrs import define, field

from cti_hooks import Agent, Attempt, AttemptState, Clock, Contact, Health, PastCall
from lcm_plugin.attempt.states import LIVE, OPEN
from lcm_plugin.attempt.transitions import (
    CONFIRMED,
    DIAL,
    DIAL_UNDONE,
    DISPOSE,
    END_RESTORED,
    OFFER_RESTORED,
    ONCE_MORE,
    REDIALED,
    REQUEST,
    REQUEST_UNDONE,
    Kind,
    Transition,
)
from lcm_plugin.ledger import barring, letters, opening, placing, reading, redialing, writing
from lcm_plugin.ledger.barring import Bar
from lcm_plugin.ledger.database import Step
from lcm_plugin.ledger.errors import AttemptLostError, DialingStoppedError, LedgerError, LedgerUnavailable
from lcm_plugin.ledger.ids import new_attempt_id
from lcm_plugin.ledger.keeper import Keeper
from lcm_plugin.ledger.letters import Draft
from lcm_plugin.ledger.memory import Memory
from lcm_plugin.ledger.news import LedgerNews, Unheard
from lcm_plugin.ledger.reading import Doubtful, Objection
from lcm_plugin.ledger.records import Records
from lcm_plugin.ledger.timeline import Timeline
from lcm_plugin.ledger.upgrade import opened
from lcm_plugin.ledger.writer import PATIENCE

log = logging.getLogger("lcm_plugin.ledger")

T = TypeVar("T")


def _nothing(*_: object) -> None:
    """Nobody wants to know."""


@define(kw_only=True, eq=False)
class Ledger(Records):
    """The attempts of this host, in memory while they are open; all of them, of all hosts, in the database.

    Attributes:
        news: takes note of what becomes of attempts.
        watch: is told of each transition, before it is recorded and once it is committed; for fault tests.
    """

    clock: Clock
    random: Random
    host: str
    lease_seconds: float
    news: LedgerNews = field(factory=Unheard)
    watch: Callable[[Attempt, str], None] = _nothing
    _keeper: Keeper = field(init=False)
    _memory: Memory = field(factory=Memory, init=False)
    timeline: Timeline = field(init=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.timeline = Timeline(self.clock)
        self._keeper = Keeper(
            writer=self._writer,
            clock=self.timeline,
            host=self.host,
            seconds=self.lease_seconds,
            new_id=lambda: new_attempt_id(self.timeline.now(), self.random),
            held=self._memory.open.keys,
            released=self._memory.released.keys,
            on_adopted=self._adopt,
            on_lost=self._lose_all,
            on_taken=self._give_up,
        )

    # -- its life -------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the database, begin this host's lease, and see to what hosts that ended have left.

        Raises:
            ConfigError: it is no ledger, or none that this version can use.
            LedgerUnavailable: it cannot be reached or written.
        """
        try:
            self._hash_key, self.timeline.latest = await opened(self.database)
            self._writer.start()
            await self._keeper.start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Write what is left, end the lease, close the database."""
        await self._keeper.close()
        await self._writer.close()
        await self.database.close()

    def freeze(self) -> None:
        """Stop renewing this host's lease, as a process that is stopped or killed does; for fault tests."""
        self._keeper.freeze()

    def thaw(self) -> None:
        """Go on renewing it, as a process that is continued does; for fault tests."""
        self._keeper.thaw()

    def health(self) -> Health:
        """Whether it can be written now."""
        trouble = self._writer.trouble or self._writer.refused
        seen = f"{self.database.name}: {trouble}" if trouble else self.database.name
        return Health(what="ledger", good=not trouble, seen=seen)

    def now(self) -> datetime:
        """The present moment by the host's clock: what rules, expiries and callbacks go by."""
        return self.clock.now()

    @property
    def holder(self) -> str:
        """Who this host is in the ledger."""
        return self._keeper.holder

    async def held_for(self, seconds: float) -> float:
        """Make sure that nobody else can take over for so long; how long that is at least, in seconds.

        Raises:
            AttemptLostError: somebody else has; this host was stopped for too long.
            LedgerUnavailable: that cannot be told now.
        """
        await self._keeper.ensure(seconds)
        return min(seconds, self._keeper.held_until - asyncio.get_running_loop().time())

    # -- intents: recorded before their side effect ---------------------------------------------------------

    async def open(self, agent: Agent, campaign_group: str = "", *, arrived: bool = False) -> Attempt:
        """A new attempt, `requested`, before the first byte leaves; or the agent's, offered before.

        What waits for an agent who has `arrived` here is taken up from a host that lives, too.

        Raises:
            OpenElsewhereError: another host has the agent's open attempt, or it is being settled.
            AttemptLostError: this host was stopped for too long while it was recorded.
            LedgerUnavailable: it was not recorded, so nothing may be asked for.
        """
        attempt = self._requested(agent, campaign_group)
        holder = self._keeper.holder
        by = opening.Taker(holder=holder, now=self.now(), arrived=arrived)
        step = partial(opening.open_attempt, attempt=attempt, by=by)
        undo = partial(self._undo_open, attempt, holder)
        found: opening.Opened = await self._intend(attempt, step, undo)
        await self._still_held(holder, partial(undo, found))
        self._memory.doubts[agent.id] = found.doubt
        self._remember(found.attempt)
        return found.attempt

    async def take_up(self, agent: Agent, *, arrived: bool = False) -> Attempt | None:
        """The agent's attempt that waits for a person and that nobody holds; None if there is none.

        As of `open`, for one who has `arrived` here a host that lives may hold it.

        Raises:
            OpenElsewhereError: another host has the agent's open attempt, or it is being settled.
            LedgerUnavailable: that cannot be told now.
        """
        asked = self._requested(agent, "")
        by = opening.Taker(holder=self.holder, now=self.now(), arrived=arrived)
        step = partial(opening.take_up_attempt, asked=asked, by=by)
        undo = partial(self._let_go, holder=self.holder)
        found: Attempt | None = await self._writer.do(step, on_late=undo)
        if found:
            self._remember(found)
        return found

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
        holder, contact = self._keeper.holder, dialing.contact
        intent = placing.Intent(
            subjects=self.subjects(contact),
            asked_at=self.now(),
            by_person=by_person,
            counted=self._memory.counted(contact),
        )
        step = partial(placing.dial_attempt, attempt=dialing, holder=holder, intent=intent)
        undo = partial(self._undo, dialing, DIAL_UNDONE.back(dialing, attempt), holder)
        try:
            await self._intend(dialing, step, undo)
            await self._still_held(holder, undo)
        except AttemptLostError:
            self._lose(attempt)
            raise
        self._remember(dialing)
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
        now = self.timeline.now()
        again = ONCE_MORE.opens(
            new_attempt_id(now, self.random),
            now,
            agent=attempt.agent,
            contact=contact,
            campaign_group=attempt.campaign_group,
            host=self.host,
            redial_of=attempt.id,
            reason=f"to be called once more, after attempt {attempt.id}",
        )
        closed = REDIALED.of(attempt, now, reason=f"called again: {again.id}")
        holder = self.holder
        asked = self.subjects(contact).at(self.now())
        step = partial(placing.redial_attempt, before=closed, again=again, holder=holder, asked=asked)
        undo = partial(redialing.undo_redial, again=again, holder=holder)
        await self._writer.do(step, on_late=lambda _: self._writer.note(undo))
        self._remember(closed)
        self._remember(again)
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
        restored = OFFER_RESTORED if attempt.state is AttemptState.OFFERED else END_RESTORED
        holder = self.holder if attempt.id in self._memory.open else None  # taken back, it is whose it was
        bars = barring.bars_of(disposed, self.subjects(disposed.contact))
        step = partial(_dispose, attempt=disposed, drafts=tuple(drafts), bars=bars)
        undo = partial(self._undo, disposed, restored.back(disposed, attempt), holder)
        await self._intend(disposed, step, undo)
        self._remember(disposed)
        return disposed

    async def _still_held(self, holder: str, undo: Callable[[], None]) -> None:
        """Under the lease it was recorded with, however long that took; else nothing is done."""
        try:
            await self._keeper.ensure(holder=holder)
        except BaseException as error:
            if not isinstance(error, AttemptLostError):
                undo()
            raise

    async def _intend(self, attempt: Attempt, step: Step[T], undo: Callable[[T | None], None]) -> T:
        self.watch(attempt, "before")
        result = await self._writer.do(step, on_late=undo)
        self.watch(attempt, "after")
        return result

    def _undo(self, intended: Attempt, undone: Attempt, holder: str | None, _: object = None) -> None:
        """Make it `undone` if it was written as intended, whatever the step returned."""
        self._writer.note(partial(writing.undo_intent, intended=intended, undone=undone, holder=holder))

    def _undo_open(self, attempt: Attempt, holder: str, found: opening.Opened | None = None) -> None:
        """Close a new attempt that asked for nothing, or leave one that was taken up to whoever is next."""
        if found and found.attempt.id != attempt.id:
            self._let_go(found.attempt, holder)
            return
        reason = "the ledger did not answer; nothing was asked for"
        self._undo(attempt, REQUEST_UNDONE.of(attempt, attempt.opened_at, reason=reason), holder)

    def _let_go(self, attempt: Attempt | None, holder: str) -> None:
        if attempt:
            step = partial(writing.release_attempt, attempt_id=attempt.id, holder=holder)
            self._writer.note(step)

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
        seen = transition.kind is Kind.SEEN
        change: Callable[..., object] = writing.change_seen if seen else writing.change_attempt
        if changed.state is AttemptState.OFFERED:
            asked = self.subjects(changed.contact).at(self.now())
            change = partial(writing.offer_attempt, asked=asked)
            self._memory.await_objection(changed.id)
        self._writer.note(
            partial(change, attempt=changed, holder=self._keeper.holder),
            on_error=lambda error: self._not_changed(changed, error),
            on_written=lambda found: self._written(changed, found),
        )
        self._remember(changed)
        return changed

    def close_disposed(self, attempt: Attempt, reason: str) -> None:
        """Close it: the LCM knows what came of it, so nothing is left to do, at whichever host."""
        closed = self._after(CONFIRMED, attempt, reason=reason)
        self.watch(closed, "before")
        step = partial(_close, attempt=closed)
        self._writer.note(step, on_written=lambda _: self.watch(closed, "after"))
        self._remember(closed)

    def release(self, attempt: Attempt) -> None:
        """Let go of what waits for a person: its agent may come to any host, and `news` tells of that."""
        self._memory.release(attempt)
        self._let_go(attempt, self._keeper.holder)

    def note_doubt(self, agent: Agent, campaign_group: str, reason: str) -> None:
        """The LCM may have reserved a contact for this agent that never arrived."""
        doubt = self._memory.doubts[agent.id] = Doubtful(
            campaign_group=campaign_group, reason=reason, since=self.timeline.now()
        )
        self._writer.note(partial(writing.note_doubt, agent_id=agent.id, doubt=doubt))

    def end_doubt(self, agent: Agent) -> None:
        """The agent's doubt is settled."""
        self._memory.doubts[agent.id] = None
        self._writer.note(partial(writing.end_doubt, agent_id=agent.id))

    async def recorded(self) -> None:
        """Wait until all that was changed or noted before is committed.

        Raises:
            LedgerUnavailable: it is not, yet.
        """
        await self._writer.do(_nothing)

    # -- what is known --------------------------------------------------------------------------------------

    def get_open(self, attempt_id: str | None, call_id: str = "") -> Attempt | None:
        """This host's open attempt of this id, or with this call, as it is now."""
        return self._memory.get(attempt_id, call_id)

    @property
    def held(self) -> list[Attempt]:
        """This host's open attempts, as they are now."""
        return list(self._memory.open.values())

    async def get(self, attempt_id: str) -> Attempt | None:
        """Any attempt."""
        return self._memory.open.get(attempt_id) or await self._read(
            reading.get_attempt, attempt_id=attempt_id
        )

    def handed_here(self, keys: Iterable[str]) -> dict[str, str]:
        """Of these LCM keys those that came to this host, and the agent each came for; the last thousands."""
        return self._memory.handed(keys)

    async def owners(self, keys: Sequence[str]) -> dict[str, str]:
        """Of these LCM keys the known ones, and the agent each was handed to last."""
        known = await self._read(reading.owners, keys=keys)
        return known | self._memory.owners(keys)

    def count_anew(self, contact: Contact) -> None:
        """A review begins: a call of this contact relies on the past calls told from here on."""
        self._memory.counted(contact)

    async def past_calls(self, contact: Contact, since: datetime) -> list[PastCall]:
        """As of `Records`; a call that is placed then has to find no others."""
        calls = await super().past_calls(contact, since)
        counted = reading.Counted(since=since, attempt_ids=frozenset(call.attempt_id for call in calls))
        self._memory.count(contact, counted)
        return calls

    async def doubt(self, agent: Agent) -> Doubtful | None:
        """The agent's doubt, if there is one: as it was when the agent's attempt was opened, if it was."""
        if agent.id in self._memory.doubts:
            return self._memory.doubts[agent.id]
        return await self._read(reading.doubt_of, agent_id=agent.id)

    async def still_has(self, attempt: Attempt) -> bool:
        """Whether the attempt is recorded as this host has it; if not, it is lost to whoever changed it."""
        if await self._read(reading.is_held, attempt=attempt, holder=self._keeper.holder):
            return True
        self._lose(attempt)
        return False

    async def objection(self, attempt: Attempt) -> Objection:
        """What there is against dialing it, as it was when it was offered: another with its key, a bar.

        Raises:
            LedgerUnavailable: it cannot be told now.
        """
        told = self._memory.objection(attempt.id)
        if told is None:
            asked = self.subjects(attempt.contact).at(self.now())
            return await self._read(reading.objection, attempt=attempt, asked=asked)
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(told)
        except TimeoutError:
            raise LedgerUnavailable("the ledger has not recorded the offer yet") from None

    # -- this host's own ------------------------------------------------------------------------------------

    def _requested(self, agent: Agent, campaign_group: str) -> Attempt:
        now = self.timeline.now()
        return REQUEST.opens(
            new_attempt_id(now, self.random),
            now,
            agent=agent,
            contact=None,
            campaign_group=campaign_group,
            host=self.host,
        )

    def _after(self, transition: Transition, attempt: Attempt, **facts: Any) -> Attempt:
        return transition.of(attempt, self.timeline.now(), host=self.host, **facts)

    def _written(self, attempt: Attempt, found: Any) -> None:
        self.watch(attempt, "after")
        if attempt.state is AttemptState.OFFERED:
            self._memory.object_to(attempt.id, found)
        if attempt.state not in OPEN and found:  # the call before it has to be disposed of
            self._adopt([found])

    def _remember(self, attempt: Attempt) -> None:
        self._memory.keep(attempt)
        self.news.changed(attempt)

    def _not_changed(self, attempt: Attempt, error: LedgerError) -> None:
        log.warning("%s: %s", attempt.state, error)
        known = self._memory.open.get(attempt.id)
        dialed_since = known is not None and attempt.state is AttemptState.OFFERED and known.state in LIVE
        if not isinstance(error, AttemptLostError) or dialed_since:
            return
        is_lcms = attempt.contact is not None and not attempt.contact.source
        if (
            attempt.state is AttemptState.OFFERED and is_lcms
        ):  # whoever closed it does not know what it brought
            self.note_doubt(
                attempt.agent, attempt.campaign_group, "a contact came after its attempt was lost"
            )
        self._lose(attempt)

    def _lose(self, attempt: Attempt) -> None:
        """Another host has it. A call in progress is still watched: what is seen of it holds."""
        if attempt.state not in LIVE:
            self._memory.forget(attempt)
        self.news.lost(attempt)

    def _give_up(self, taken: list[Attempt]) -> None:
        """Others have these by now; a call that goes on is still watched, one that is over is not."""
        for now in taken:
            attempt = self._memory.open.get(now.id) or self._memory.released.pop(now.id, None)
            if attempt and not (attempt.state in LIVE and now.state in OPEN):
                self._memory.forget(attempt)
                self.news.lost(attempt)

    def _lose_all(self) -> None:
        for attempt in self.held:
            self._lose(attempt)

    def _adopt(self, adopted: list[Attempt]) -> None:
        for attempt in adopted:
            self._remember(attempt)
            self.news.adopted(attempt)


def _dispose(
    connection: sa.Connection, attempt: Attempt, drafts: Sequence[Draft], bars: Sequence[Bar]
) -> None:
    writing.set_from(connection, attempt, DISPOSE)
    barring.write(connection, bars)
    letters.write(connection, attempt, drafts, attempt.changed_at or attempt.opened_at)


def _close(connection: sa.Connection, attempt: Attempt) -> None:
    writing.set_from(connection, attempt, CONFIRMED)
