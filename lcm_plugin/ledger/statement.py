"""The statements of every call: SQLAlchemy writes each once for a dialect, and it is run as it was written.

For a statement in its cache SQLAlchemy's own way takes longer than SQLite itself, and all agents share one
thread: run like this, a call took a sixth less of its time (six runs of each in turn, fifty agents).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from attrs import define, field

Row = Mapping[str, Any]
Values = Callable[[Row], tuple[Any, ...]]


@define(eq=False)
class Statement:
    """Writes the columns that its rows name, or deletes rows. Other names are bound to its conditions."""

    query: sa.Insert | sa.Update | sa.Delete
    _written: dict[tuple[str, ...], tuple[str, Values]] = field(factory=dict, init=False)

    def run(self, connection: sa.Connection, row: Row) -> int:
        """Run it; how many rows were written."""
        text, values = self._for(connection.dialect, row)
        return connection.exec_driver_sql(text, values(row)).rowcount

    def run_all(self, connection: sa.Connection, rows: Sequence[Row]) -> None:
        """Run it for rows that all have the same names."""
        text, values = self._for(connection.dialect, rows[0])
        connection.exec_driver_sql(text, [values(row) for row in rows])

    def _for(self, dialect: sa.Dialect, row: Row) -> tuple[str, Values]:
        key = (dialect.name, *row)
        if key not in self._written:
            self._written[key] = self._write(dialect, list(row))
        return self._written[key]

    def _write(self, dialect: sa.Dialect, names: list[str]) -> tuple[str, Values]:
        compiled = self.query.compile(dialect=dialect, column_keys=names)
        binds = [compiled.binds[name] for name in compiled.positiontup or ()]
        takes = [
            (bind.key if bind.required else None, bind.value, bind.type.bind_processor(dialect) or _as_it_is)
            for bind in binds
        ]

        def values(row: Row) -> tuple[Any, ...]:
            return tuple(process(row[name] if name else own) for name, own, process in takes)

        return str(compiled), values


def _as_it_is(value: Any) -> Any:
    return value
