"""What must reach the LCM: written with the disposition it belongs to, sent in order for each contact.

A letter that may have been delivered is never sent again by itself, and none is dropped: see
docs/architecture.md#letters.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from attrs import define, evolve, field, frozen

from cti_hooks import Attempt
from lcm_plugin.ledger.schema import attempts, digest, holders, outbox

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 300.0
AT_ONCE: Final = 50
"""Letters taken out of the box together."""


class LetterState(StrEnum):
    """How far a letter has come."""

    WAITING = "waiting"
    SENDING = "sending"
    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    """It may have been delivered: kept and shown, and not sent again by itself."""
    REJECTED = "rejected"
    """The LCM said no: kept for a person."""
    WITHDRAWN = "withdrawn"
    """A person said that it need not be sent any more."""


SETTLED: Final = (LetterState.CONFIRMED.value, LetterState.WITHDRAWN.value)
KEPT: Final = (LetterState.UNCONFIRMED, LetterState.REJECTED)
"""For a person to decide on."""
OF_KEPT: Final = sa.exists().where(
    outbox.c.attempt_id == attempts.c.id, outbox.c.state.in_([state.value for state in KEPT])
)
"""That a person has to decide on a letter of an attempt."""
_OF_FORGOTTEN: Final = sa.exists().where(
    attempts.c.id == outbox.c.attempt_id, attempts.c.pruned_at.is_not(None)
)


@frozen(kw_only=True)
class Draft:
    """A letter to be written: a message of the catalogue, and its fields' values as JSON has them."""

    message: str
    values: Mapping[str, Any] = field(repr=False)


@frozen(kw_only=True)
class Letter:
    """A letter as it is recorded; `tries` counts how often it was sent."""

    id: int
    attempt_id: str
    step: int
    message: str
    values: Mapping[str, Any] = field(repr=False)
    state: LetterState = field(converter=LetterState)
    tries: int
    written_at: datetime
    changed_at: datetime
    error: str | None = None


def write(connection: sa.Connection, attempt: Attempt, drafts: Iterable[Draft], now: datetime) -> None:
    """Put letters into the box, behind those of the same contact."""
    key = attempt.contact.key if attempt.contact else attempt.id
    for step, draft in enumerate(drafts):
        row = {
            "attempt_id": attempt.id,
            "key_digest": digest(key),
            "step": step,
            "message": draft.message,
            "body": dict(draft.values),
            "state": LetterState.WAITING.value,
            "tries": 0,
            "written_at": now,
            "changed_at": now,
        }
        connection.execute(outbox.insert(), row)


@define
class Rests:
    """Tracks retry pauses of all hosts' letters by the event loop's clock, as leases do.

    The clock may be set back, and be another one at the host that tried; after a restart a pause begins anew.
    """

    _seen: dict[int, tuple[int, float]] = field(factory=dict, init=False)

    def resting(self, now: float, tried: dict[int, int]) -> set[int]:
        """Of the letters that wait to be sent again, `tried` so often, those whose pause is not over."""
        self._seen = {
            letter: self._seen[letter] if self._seen.get(letter, (0,))[0] == tries else (tries, now)
            for letter, tries in tried.items()
        }
        return {letter for letter, (tries, since) in self._seen.items() if now - since < _pause(tries)}


def take(
    connection: sa.Connection,
    holder: str,
    now: datetime,
    resting: Callable[[dict[int, int]], Collection[int]] = lambda _: (),
) -> list[Letter]:
    """Take out what is due, each contact's first only; it is `sending` from now on.

    `resting` is given how often each letter was tried, and says which of them are not due yet.
    """
    earlier = outbox.alias()
    blocked = sa.exists().where(
        earlier.c.key_digest == outbox.c.key_digest,
        earlier.c.id < outbox.c.id,
        earlier.c.state.not_in(SETTLED),
    )
    query = outbox.select().where(outbox.c.state == LetterState.WAITING.value, ~blocked)
    waiting = connection.execute(query.order_by(outbox.c.id).with_for_update(skip_locked=True)).all()
    early = resting({row.id: row.tries for row in waiting if row.tries})
    due = [row for row in waiting if row.id not in early][:AT_ONCE]
    for row in due:
        sending = {"state": LetterState.SENDING.value, "holder": holder, "tries": row.tries + 1}
        mine = outbox.update().where(outbox.c.id == row.id, outbox.c.state == LetterState.WAITING.value)
        connection.execute(mine, sending | {"changed_at": now})
    return [_letter(row) for row in due]


def put_back(connection: sa.Connection, holder: str, sent: Collection[int], now: datetime) -> None:
    """What `holder` took out and never heard of, as the answer to `take` came too late, is due again."""
    taken = sa.and_(outbox.c.state == LetterState.SENDING.value, outbox.c.holder == holder)
    row = {"state": LetterState.WAITING.value, "holder": None, "changed_at": now}
    connection.execute(outbox.update().where(taken, outbox.c.id.not_in(sent)), row)


def settle(
    connection: sa.Connection, letter_id: int, state: LetterState, error: str | None, now: datetime
) -> None:
    """Record what became of a letter. Once it is settled, nothing of a forgotten person is left in it."""
    row = {"state": state.value, "error": error, "changed_at": now, "holder": None}
    connection.execute(outbox.update().where(outbox.c.id == letter_id), row)
    erase(connection, outbox.c.id == letter_id, _OF_FORGOTTEN)


def erase(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> None:
    """Take out what letters say, if they are settled."""
    connection.execute(outbox.update().where(outbox.c.state.in_(SETTLED), *which), {"body": {}})


def left_sending(connection: sa.Connection, now: datetime, *, resend: bool) -> list[Letter]:
    """What hosts that ended were sending may have been delivered: these letters, as they are from now on."""
    living = sa.select(holders.c.id).where(holders.c.ended.is_(False))
    orphaned = sa.and_(outbox.c.state == LetterState.SENDING.value, outbox.c.holder.not_in(living))
    found = [_letter(row) for row in connection.execute(outbox.select().where(orphaned).with_for_update())]
    if not found:
        return []
    state = LetterState.WAITING if resend else LetterState.UNCONFIRMED
    error = "the host ended while it was sent"
    row = {"state": state.value, "error": error, "changed_at": now, "holder": None}
    connection.execute(outbox.update().where(outbox.c.id.in_([one.id for one in found])), row)
    return [evolve(one, state=state, error=error, changed_at=now) for one in found]


def resend(
    connection: sa.Connection, attempt_id: str, now: datetime, states: Collection[LetterState] = KEPT
) -> int:
    """Send again what is unconfirmed or rejected of this attempt, because a person says so. How many."""
    row = {"state": LetterState.WAITING.value, "tries": 0, "error": None, "changed_at": now}
    return connection.execute(outbox.update().where(*_kept_of(attempt_id, states)), row).rowcount


def withdraw(
    connection: sa.Connection, attempt_id: str, now: datetime, states: Collection[LetterState] = KEPT
) -> int:
    """A person says that what is unconfirmed or rejected of this attempt need not reach the LCM. How many."""
    row = {"state": LetterState.WITHDRAWN.value, "changed_at": now}
    count = connection.execute(outbox.update().where(*_kept_of(attempt_id, states)), row).rowcount
    erase(connection, outbox.c.attempt_id == attempt_id, _OF_FORGOTTEN)
    return count


def _kept_of(attempt_id: str, states: Collection[LetterState]) -> tuple[sa.ColumnElement[bool], ...]:
    kept = [state.value for state in KEPT if state in states]
    return outbox.c.attempt_id == attempt_id, outbox.c.state.in_(kept)


def attempts_with(connection: sa.Connection, states: Collection[LetterState]) -> list[str]:
    """The ids of the attempts that have letters in these states, oldest first."""
    query = sa.select(outbox.c.attempt_id).where(outbox.c.state.in_([state.value for state in states]))
    return list(dict.fromkeys(connection.execute(query.order_by(outbox.c.id)).scalars()))


def of_attempts(connection: sa.Connection, attempt_ids: Collection[str]) -> list[Letter]:
    """The letters of these attempts that are not settled, oldest first."""
    query = outbox.select().where(outbox.c.attempt_id.in_(attempt_ids), outbox.c.state.not_in(SETTLED))
    return [_letter(row) for row in connection.execute(query.order_by(outbox.c.id))]


def list_letters(
    connection: sa.Connection, *, attempt_id: str | None = None, key: str | None = None
) -> list[Letter]:
    """The letters of an attempt, or all that are not settled, of one LCM key or of any; oldest first."""
    query = outbox.select().order_by(outbox.c.id)
    if attempt_id is None:
        query = query.where(outbox.c.state.not_in(SETTLED))
    else:
        query = query.where(outbox.c.attempt_id == attempt_id)
    if key is not None:
        query = query.where(outbox.c.key_digest == digest(key))
    return [_letter(row) for row in connection.execute(query)]


def unsettled(connection: sa.Connection) -> dict[LetterState, int]:
    """How many letters there are in each state that is not settled."""
    query = sa.select(outbox.c.state, sa.func.count()).where(outbox.c.state.not_in(SETTLED))
    return {LetterState(state): count for state, count in connection.execute(query.group_by(outbox.c.state))}


def _pause(tries: int) -> float:
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(tries - 1, 20))


def _letter(row: Any) -> Letter:
    return Letter(
        id=row.id,
        attempt_id=row.attempt_id,
        step=row.step,
        message=row.message,
        values=row.body,
        state=row.state,
        tries=row.tries,
        written_at=row.written_at,
        changed_at=row.changed_at,
        error=row.error,
    )
