"""What of people is forgotten, and when; what is kept for the audit and for rules that count."""

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from attrs import define, evolve, field

from cti_hooks import AnswerKind, Attempt, AttemptState, Contact
from lcm_plugin.attempt.transition import Transition
from lcm_plugin.attempt.transitions import CONFIRMED, EXPIRED
from lcm_plugin.ledger import letters
from lcm_plugin.ledger.audit import write_noted
from lcm_plugin.ledger.barring import drop_ended
from lcm_plugin.ledger.codec import attempt_as_json, attempt_of
from lcm_plugin.ledger.database import Database, Sqlite, Step
from lcm_plugin.ledger.errors import AttemptLostError, LedgerError
from lcm_plugin.ledger.ledger import Ledger
from lcm_plugin.ledger.letters import KEPT, SETTLED, LetterState, erase
from lcm_plugin.ledger.rows import unique_key
from lcm_plugin.ledger.schema import attempts, dials, digest, history, outbox
from lcm_plugin.ledger.writing import fall_back, settle_attempt

log = logging.getLogger("lcm_plugin.ledger")

EVERY: Final = 3600.0
"""Seconds between two rounds."""
AT_ONCE: Final = 200
"""Attempts of one transaction, so that nobody waits long for it."""
GONE: Final = "-"
"""Placeholder for an erased phone number."""
_UNSETTLED: Final = sa.exists().where(outbox.c.attempt_id == attempts.c.id, outbox.c.state.not_in(SETTLED))
"""The condition that the LCM must still be told something of an attempt."""
_ANSWERS: Final = frozenset(answer.value for answer in AnswerKind)


def prune(connection: sa.Connection, now: datetime, keep: timedelta, audit: timedelta) -> int:
    """Take people out of attempts closed for longer than `keep`, and drop what is older than `audit`.

    The history, and the evidence of calls placed under a hash of their number, stay until `audit` is over.
    A bar goes once it has ended for longer than `keep`. How many rows were touched; call again while it is as
    many as AT_ONCE.
    """
    old = attempts.c.changed_at < now - keep
    closed = attempts.select().where(old, attempts.c.open_agent.is_(None), attempts.c.pruned_at.is_(None))
    rows = connection.execute(closed.limit(AT_ONCE)).all()
    for row in rows:
        _take_out(connection, row.id, attempt_of(row.body), now)
    return len(rows) + _drop(connection, now - audit) + drop_ended(connection, now - keep, AT_ONCE)


def finish(connection: sa.Connection, now: datetime) -> int:
    """Close what nobody is left to close; how many, and call again while it is as many as AT_ONCE.

    That is an offer let go of, whose agent did not come back before it expired; and one that the LCM has
    confirmed, whose host ended, or could not write, before it closed it.
    """
    abandoned = attempts.select().where(
        attempts.c.state == AttemptState.OFFERED.value,
        attempts.c.holder.is_(None),
        attempts.c.expires_at <= now,
    )
    told = attempts.select().where(
        attempts.c.state == AttemptState.DISPOSED.value,
        attempts.c.changed_at < now - timedelta(seconds=EVERY),
        ~_UNSETTLED,
    )
    offers = connection.execute(abandoned.limit(AT_ONCE)).all()
    for row in offers:
        _finish(connection, row, EXPIRED, now, "it expired while nobody held it")
    left = connection.execute(told.limit(AT_ONCE - len(offers))).all()
    for row in left:
        _finish(connection, row, CONFIRMED, now, "the LCM is to be told nothing more of it")
    return len(offers) + len(left)


def _finish(connection: sa.Connection, row: Any, by: Transition, now: datetime, reason: str) -> None:
    done = by.of(attempt_of(row.body), now, reason=reason)
    with suppress(AttemptLostError):  # another host was quicker
        settle_attempt(connection, by, done)
        fall_back(connection, done, None)


def withdraw(
    connection: sa.Connection, attempt_id: str, now: datetime, states: Collection[LetterState] = KEPT
) -> int:
    """Send the LCM no more what it rejected of this attempt, or may not have had; how many messages."""
    count = letters.withdraw(connection, attempt_id, now, states)
    told = attempts.select().where(
        attempts.c.id == attempt_id, attempts.c.state == AttemptState.DISPOSED.value, ~_UNSETTLED
    )
    if count and (row := connection.execute(told).first()):
        _finish(connection, row, CONFIRMED, now, "what the LCM did not take was withdrawn")
        write_noted(connection)
    return count


def forget(connection: sa.Connection, key: str, now: datetime, source: str = "") -> int:
    """Take the person of this key, of the LCM or of another source, out of all attempts; of how many.

    Messages that the LCM has not had yet keep the person until it has them.

    Raises:
        LedgerError: one of them is open; it has to end first.
    """
    wanted = digest(unique_key(key, source))
    rows = connection.execute(attempts.select().where(attempts.c.key_digest == wanted)).all()
    is_open = [row.id for row in rows if row.open_agent is not None]
    if is_open:
        raise LedgerError(f"attempt {is_open[0]} with this key is open; forget it once it has ended")
    for row in rows:
        _take_out(connection, row.id, attempt_of(row.body), now)
    return len(rows)


def without_people(attempt: Attempt) -> Attempt:
    """The attempt with nothing in it that tells who was called, or what was said of them."""
    agent, said = evolve(attempt.agent, name=None), attempt.disposition
    return evolve(
        attempt,
        agent=agent,
        contact=_nobody(attempt.contact) if attempt.contact else None,
        refusals=tuple(evolve(refusal, evidence={}) for refusal in attempt.refusals),
        reason=_without_words(attempt.reason),
        disposition=evolve(said, comments="") if said else None,
    )


def _without_words(reason: str) -> str:
    """A person's answer to an offer, without the words they gave with it; any other reason as it is."""
    answer = reason.partition(": ")[0]
    return answer if answer in _ANSWERS else reason


def _nobody(contact: Contact) -> Contact:
    return Contact(
        key=contact.key,
        source=contact.source,
        phone_number=GONE,
        campaign=contact.campaign,
        campaign_group=contact.campaign_group,
        call_type=contact.call_type,
        consent=contact.consent,
        expires_at=contact.expires_at,
        reserved=contact.reserved,
    )


def _take_out(connection: sa.Connection, attempt_id: str, attempt: Attempt, now: datetime) -> None:
    """Letters that are not settled keep what they say until they are; `letters.settle` erases it then."""
    mine = outbox.c.attempt_id == attempt_id
    connection.execute(outbox.select().where(mine).with_for_update()).all()  # none is settled meanwhile
    body = attempt_as_json(without_people(attempt))
    row = {"body": body, "pruned_at": now}
    connection.execute(attempts.update().where(attempts.c.id == attempt_id), row)
    _take_words_out(connection, attempt_id)
    erase(connection, mine)


def _take_words_out(connection: sa.Connection, attempt_id: str) -> None:
    """The lines stay: only what a person said in their own words goes."""
    write_noted(connection)
    for line in connection.execute(history.select().where(history.c.attempt_id == attempt_id)).all():
        if line.reason != (reason := _without_words(line.reason)):
            connection.execute(history.update().where(history.c.id == line.id), {"reason": reason})


def _drop(connection: sa.Connection, before: datetime) -> int:
    oldest = sa.and_(attempts.c.changed_at < before, attempts.c.open_agent.is_(None))
    ids = connection.execute(sa.select(attempts.c.id).where(oldest).limit(AT_ONCE)).scalars().all()
    for table in (history, dials, outbox):
        connection.execute(table.delete().where(table.c.attempt_id.in_(ids)))
    connection.execute(attempts.delete().where(attempts.c.id.in_(ids)))
    return len(ids)


async def wipe(database: Database) -> None:
    """Leave nothing in the journal of who was taken out; PostgreSQL's own vacuum and rotation see to theirs.

    Raises:
        LedgerUnavailable: somebody reads the ledger, and it cannot be done now.
    """
    if isinstance(database, Sqlite):
        await database.wipe()


@define(kw_only=True, eq=False)
class Housekeeping:
    """Prunes the ledger, in rounds, for as long as the host runs."""

    ledger: Ledger
    keep: timedelta
    audit: timedelta
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin with a first round."""
        self._task = asyncio.create_task(self._work(), name="ledger housekeeping")

    async def close(self) -> None:
        """Stop."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            try:
                await self._round()
            except LedgerError as error:
                log.debug("housekeeping waits: %s", error)
            await asyncio.sleep(EVERY)

    async def _round(self) -> None:
        now = self.ledger.now()
        finished = await self._all(partial(finish, now=now))
        pruned = await self._all(partial(prune, now=now, keep=self.keep, audit=self.audit))
        if finished or pruned:
            log.info("finished %d attempts, pruned %d", finished, pruned)
        await wipe(self.ledger.database)  # of letters, too, that were erased once they were sent

    async def _all(self, step: Step[int]) -> int:
        total = touched = await self.ledger.run(step)
        while touched >= AT_ONCE:
            touched = await self.ledger.run(step)
            total += touched
        return total
