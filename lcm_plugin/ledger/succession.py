"""An agent's next attempt: promoted once the one before it is disposed of, and put back again."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from cti_hooks import Attempt, AttemptPlace
from lcm_plugin.attempt.transitions import PROMOTED, PROMOTION_UNDONE
from lcm_plugin.ledger.codec import attempt_of
from lcm_plugin.ledger.rows import place_digest
from lcm_plugin.ledger.schema import attempts
from lcm_plugin.ledger.writing import Change, Undo, write


def promote(connection: sa.Connection, disposed: Attempt) -> str | None:
    """Give the disposed attempt's place to its agent's next one, whoever has that; its id, if any."""
    row = _open_in(connection, disposed, AttemptPlace.NEXT)
    if row is None:
        return None
    moment = disposed.changed_at or disposed.opened_at
    reason = f"next: attempt {disposed.id} was disposed of"
    promoted = PROMOTED.of(attempt_of(row.body), moment, place=AttemptPlace.NOW, reason=reason)
    write(connection, Change(transition=PROMOTED, attempt=promoted, holder=row.holder, columns=_kept(row)))
    return promoted.id


def take_back(connection: sa.Connection, undo: Undo) -> None:
    """Take a disposition back, and the promotion that came with it, unless others have gone on from there."""
    row = _open_in(connection, undo.undone, AttemptPlace.NOW)
    is_promoted = row is not None and row.changed_at == undo.intended.changed_at
    if is_promoted and row.state in PROMOTED.sources:
        _demote(connection, row, undo.intended)
    if not undo(connection) and is_promoted:
        promote(connection, undo.intended)


def _demote(connection: sa.Connection, row: Any, intended: Attempt) -> None:
    moment, reason = row.changed_at, f"attempt {intended.id} was not disposed of"
    demoted = PROMOTION_UNDONE.of(attempt_of(row.body), moment, place=AttemptPlace.NEXT, reason=reason)
    change = Change(
        transition=PROMOTION_UNDONE,
        attempt=demoted,
        holder=row.holder,
        columns=_kept(row),
        facts={"intended_at": moment},
    )
    write(connection, change)


def _kept(row: Any) -> dict[str, Any]:
    """What a change of place leaves as it was: an offer whose key is open elsewhere does not get it now."""
    return {"open_key": row.open_key}


def _open_in(connection: sa.Connection, attempt: Attempt, place: AttemptPlace) -> Any:
    return connection.execute(_query(), {"place": place_digest(attempt.agent.id, place)}).first()


@cache
def _query() -> sa.Select[Any]:
    return attempts.select().where(attempts.c.open_agent == sa.bindparam("place")).with_for_update()
