"""What is kept for the audit: a line for each transition, a row for each call placed and how it ended.

All audit rows of a transaction are written together at its end: one statement of each kind, for all agents.
"""

from typing import Any, Final

import sqlalchemy as sa

from cti_hooks import Attempt
from lcm_plugin.ledger.rows import contact_digest
from lcm_plugin.ledger.schema import dials, history
from lcm_plugin.ledger.statement import Statement

_LINE: Final = Statement(history.insert())
_DIAL: Final = Statement(dials.insert())
_END: Final = Statement(
    dials.update().where(dials.c.attempt_id == sa.bindparam("own"), dials.c.ended_at.is_(None))
)
_AMEND: Final = (
    dials.update()
    .where(dials.c.attempt_id == sa.bindparam("own"))
    .values(outcome=sa.bindparam("said", type_=sa.Text))
)
_DROP: Final = dials.delete().where(dials.c.attempt_id == sa.bindparam("own"))
_DROP_LINES: Final = Statement(history.delete().where(history.c.attempt_id == sa.bindparam("own")))
_NOTED: Final = "noted for the audit"

Noted = dict[Statement, list[dict[str, Any]]]


def note(connection: sa.Connection, attempt: Attempt) -> None:
    """A line for what the attempt is now."""
    line = {
        "attempt_id": attempt.id,
        "at": attempt.changed_at or attempt.opened_at,
        "state": attempt.state.value,
        "host": attempt.host,
        "reason": attempt.reason,
    }
    _noted(connection)[_LINE].append(line)


def note_dial(connection: sa.Connection, attempt: Attempt, number_hash: str) -> None:
    """A row for the call that is about to be placed, to the number this hash stands for."""
    dial = {
        "attempt_id": attempt.id,
        "number_hash": number_hash,
        "contact_digest": contact_digest(attempt.contact),
        "dialed_at": attempt.changed_at,
    }
    _noted(connection)[_DIAL].append(dial)


def note_end(connection: sa.Connection, attempt: Attempt) -> None:
    """How the call ended, if one was placed and had not ended before."""
    outcome = attempt.outcome.value if attempt.outcome else None
    _noted(connection)[_END].append({"own": attempt.id, "ended_at": attempt.changed_at, "outcome": outcome})


def amend_end(connection: sa.Connection, attempt: Attempt) -> None:
    """How the call went by an agent's word, which the network cannot tell; or by the network's again."""
    write_noted(connection)
    outcome = attempt.outcome.value if attempt.outcome else None
    connection.execute(_AMEND, {"own": attempt.id, "said": outcome})


def erase_dial(connection: sa.Connection, attempt: Attempt) -> None:
    """No call was placed after all."""
    write_noted(connection)
    connection.execute(_DROP, {"own": attempt.id})


def forget_lines(connection: sa.Connection, attempt: Attempt) -> None:
    """An attempt that is no more has no lines, whether they are written yet or not."""
    lines = _noted(connection)[_LINE]
    lines[:] = [line for line in lines if line["attempt_id"] != attempt.id]
    _DROP_LINES.run(connection, {"own": attempt.id})


def write_noted(connection: sa.Connection) -> None:
    """Write what was noted in this transaction: at its end, or before it is read."""
    for statement, rows in _noted(connection).items():
        if rows:
            statement.run_all(connection, rows)
            rows.clear()


def drop_noted(connection: sa.Connection) -> None:
    """A transaction begins: what one before left unwritten was rolled back."""
    connection.info.pop(_NOTED, None)


def _noted(connection: sa.Connection) -> Noted:
    """By statement, in the order they are written in."""
    noted: Noted = connection.info.setdefault(_NOTED, {_LINE: [], _DIAL: [], _END: []})
    return noted
