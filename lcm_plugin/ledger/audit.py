"""The history: a line for each transition. A transaction's lines are written together, at its end."""

from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from cti_hooks import Attempt
from lcm_plugin.ledger.schema import history

_LINES: Final = "history lines"


def note(connection: sa.Connection, attempt: Attempt) -> None:
    """Add a line, to be written by `write_lines`."""
    line = {
        "attempt_id": attempt.id,
        "at": attempt.changed_at or attempt.opened_at,
        "state": attempt.state.value,
        "host": attempt.host,
        "reason": attempt.reason,
    }
    _waiting(connection).append(line)


def write_lines(connection: sa.Connection) -> None:
    """Write the lines that were noted in this transaction."""
    if lines := _waiting(connection):
        connection.execute(_insert(), lines)
        lines.clear()


def drop_lines(connection: sa.Connection) -> None:
    """A transaction begins: what one before left unwritten was rolled back."""
    _waiting(connection).clear()


def _waiting(connection: sa.Connection) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = connection.info.setdefault(_LINES, [])
    return lines


@cache
def _insert() -> sa.Insert:
    return history.insert()
