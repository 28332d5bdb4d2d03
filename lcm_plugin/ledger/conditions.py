"""What must hold of an attempt's row, in SQL: one statement asks for it and writes the change.

So nothing can come between the question and the change, on SQLite and on PostgreSQL, without a lock of ours.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.sql.visitors import iterate

from lcm_plugin.attempt.transition import Kind, Must
from lcm_plugin.attempt.transitions import TABLE
from lcm_plugin.ledger.barring import BARS_FOR
from lcm_plugin.ledger.rows import WITH_KEY
from lcm_plugin.ledger.schema import Instant, attempts, holders, outbox
from lcm_plugin.ledger.statement import Statement
from lcm_plugin.ledger.stops import STOPS_FOR

_ROWS: Final = {row.name: row for row in TABLE}
_BY: Final = sa.bindparam("by", type_=sa.Text)
_HAND: Final = sa.bindparam("hand", type_=sa.Text)
_RIVALS: Final = attempts.alias("rivals")
_IN_SQL: Final[Mapping[Must, sa.ColumnElement[bool]]] = {
    Must.HELD: attempts.c.holder == _BY,
    Must.OPEN: attempts.c.open_agent.is_not(None),
    Must.LEASE_LIVES: sa.exists().where(holders.c.id == _BY, holders.c.ended.is_(False)),
    Must.NOT_DIALED: attempts.c.dialed_at.is_(None),
    Must.KEY_FREE: ~WITH_KEY.exists(),
    Must.NOT_BARRED: ~BARS_FOR.exists(),
    Must.NOT_STOPPED: ~STOPS_FOR.exists(),
    Must.AGENT_FREE: ~sa.exists().where(
        _RIVALS.c.open_agent == _HAND, _RIVALS.c.id != sa.bindparam("own", type_=sa.Text)
    ),
    Must.NOT_NEXT: attempts.c.open_agent == _HAND,
    Must.AS_INTENDED: attempts.c.changed_at == sa.bindparam("intended_at", type_=Instant),
    Must.NOTHING_SENT: ~sa.exists().where(outbox.c.attempt_id == attempts.c.id, outbox.c.tries > 0),
}
"""`by` is who records the change, `own` the attempt's id, `key` its key's digest, `hand` its agent's place
for what they have to do with; the others are those of
`Subjects.at` and `scopes_of`."""


@frozen
class Update:
    """An attempt's update on a condition, and the names of the condition's parameters."""

    statement: Statement
    parameters: frozenset[str]

    def run(self, connection: sa.Connection, row: dict[str, Any], facts: dict[str, Any]) -> bool:
        """Whether the condition held; then the row is written."""
        asked = {name: facts[name] for name in self.parameters}
        return self.statement.run(connection, row | asked) > 0


@cache
def update_for(transition: str, waived: tuple[Must, ...] = (), *, nobodys: bool = False) -> Update:
    """The update of an attempt by this row of the table, but for what is waived; `nobodys` if nobody has it.

    What was seen of a call is written in whichever state the attempt is by now.
    """
    row = _ROWS[transition]
    asked = [sql for must, sql in _IN_SQL.items() if must in row.must and must not in waived]
    if nobodys:
        asked = [attempts.c.holder.is_(None) if sql is _IN_SQL[Must.HELD] else sql for sql in asked]
    if row.kind is not Kind.SEEN:
        asked.append(sa.or_(*(attempts.c.state == state.value for state in row.sources)))
    query = attempts.update().where(attempts.c.id == sa.bindparam("own"), *asked)
    binds = (one for one in iterate(query.whereclause) if isinstance(one, sa.BindParameter))
    return Update(Statement(query), frozenset(one.key for one in binds if one.required))
