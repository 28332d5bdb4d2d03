"""A redial that comes to no call: then the call before it still needs its disposition."""

from typing import Final

import sqlalchemy as sa

from cti_hooks import Attempt, AttemptState
from lcm_plugin.attempt.transitions import FELL_BACK, ONCE_MORE_UNDONE
from lcm_plugin.ledger.audit import note
from lcm_plugin.ledger.codec import attempt_of
from lcm_plugin.ledger.rows import changes_of, held_by
from lcm_plugin.ledger.schema import attempts

_WITHOUT_CALL: Final = frozenset({AttemptState.SKIPPED, AttemptState.REFUSED, AttemptState.EXPIRED})


def fall_back(connection: sa.Connection, over: Attempt, holder: str | None) -> Attempt | None:
    """The call before an offer to call once more that is `over` without one: `ended` again, and `holder`'s.

    None if there is none, or somebody has told the LCM what came of it.
    """
    if over.redial_of is None or over.state not in _WITHOUT_CALL:
        return None
    closed = (attempts.c.id == over.redial_of, attempts.c.state == AttemptState.CLOSED.value)
    body = connection.execute(sa.select(attempts.c.body).where(*closed).with_for_update()).scalar()
    before = None if body is None else attempt_of(body)
    if before is None or before.disposition:
        return None
    reason = f"to be disposed of: attempt {over.id}, to call once more, was {over.state}"
    ended = FELL_BACK.of(before, over.changed_at or over.opened_at, host=over.host, reason=reason)
    connection.execute(attempts.update().where(attempts.c.id == ended.id), changes_of(ended, holder))
    note(connection, ended)
    return ended


def undo_redial(connection: sa.Connection, again: Attempt, holder: str) -> None:
    """Take back an offer to call once more that may have been written, though its asker was told that not."""
    reason = "the ledger did not answer in time: it is not called once more"
    refused = ONCE_MORE_UNDONE.of(again, again.opened_at, reason=reason)
    as_written = (
        attempts.c.id == again.id,
        attempts.c.state == again.state.value,
        attempts.c.changed_at == again.changed_at,
        held_by(holder),
    )
    query = attempts.update().where(*as_written)
    if connection.execute(query, changes_of(refused, None)).rowcount:
        note(connection, refused)
        fall_back(connection, refused, holder)
