"""Where the ledger is kept: SQLite in a file, PostgreSQL, or SQLite in memory for what may be forgotten.

One shape for all: `run(step)` runs a function of a SQLAlchemy connection in a transaction of its own.
SQLite's steps run in one thread of their own: a driver that crosses threads for each statement took 3.1 times
as long for a batch of fifty (`benchmarks/ledger_drivers.py`; median of seven runs, which spread from 1.2 to
8.7 on a busy machine).
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import sqlalchemy as sa
from attrs import define, field

from cti_hooks import ConfigError, Problem
from lcm_plugin.ledger.errors import LedgerUnavailable
from lcm_plugin.ledger.private_file import make_private

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
Step = Callable[[sa.Connection], T]

BUSY_SECONDS: Final = 5
"""How long SQLite waits for another process's transaction to end."""
_PRAGMAS: Final = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON")
"""What is deleted is overwritten, however this SQLite was built."""


_SHOWN: Final = frozenset({"host", "port", "ssl", "sslmode"})
"""What of a PostgreSQL URL's query is no secret."""


class Database(Protocol):
    """A place the ledger is kept in."""

    @property
    def name(self) -> str:
        """What people call it; no password in it."""

    async def run(self, step: Step[T]) -> T:
        """What `step` returns, once its transaction is committed.

        Raises:
            SQLAlchemyError: it was not committed; or perhaps it was, and the connection got lost.
        """

    async def close(self) -> None:
        """Close all connections."""


def problems(url: str) -> Iterator[Problem]:
    """What is wrong with a `ledger` setting, told when the plugin is loaded; says what would be right."""
    try:
        kind = sa.make_url(url).get_backend_name()
    except (sa.exc.ArgumentError, ValueError):
        yield Problem("", 'cannot be read; write "sqlite:///lcm-ledger.db"')
        return
    if kind not in {"sqlite", "postgresql"}:
        yield Problem("", f"{kind} is no database the ledger knows; use sqlite:/// or postgresql://")
    elif kind == "postgresql" and find_spec("asyncpg") is None:
        yield Problem("", "PostgreSQL needs asyncpg; pip install 'lcm-plugin[postgres]'")


def database_for(url: str, directory: Path) -> Database:
    """The database a `ledger` setting names; nothing is opened yet.

    Raises:
        ConfigError: it cannot be one; says what would be right.
    """
    if found := list(problems(url)):
        raise ConfigError(problem.under("plugins.lcm.ledger") for problem in found)
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Sqlite(_file(parsed, directory))
    return Postgres(parsed)


def _file(url: sa.URL, directory: Path) -> Path | None:
    return directory / url.database if url.database and url.database != ":memory:" else None


@define(eq=False)
class Sqlite:
    """SQLite: write-ahead log, flushed at every commit. Without a file it is in memory, lost at the end."""

    file: Path | None
    _connection: sa.Connection | None = field(default=None, init=False)
    _thread: ThreadPoolExecutor = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lcm-ledger")

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self.file) if self.file else "in memory"

    async def run(self, step: Step[T]) -> T:
        """See `Database.run`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, step)

    async def wipe(self) -> None:
        """Leave nothing of what was erased in the write-ahead log: it is written into the file, and cut off.

        Raises:
            LedgerUnavailable: somebody reads the ledger, and it cannot be done now.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._wipe)

    async def close(self) -> None:
        """See `Database.close`."""
        if self._connection:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _run(self, step: Step[T]) -> T:
        if self._connection is None:
            self._connection = _sqlite_engine(self.file).connect()
        try:
            with self._connection.begin():
                self._connection.exec_driver_sql("BEGIN IMMEDIATE")  # an event for it costs each statement
                return step(self._connection)
        except sa.exc.DBAPIError:
            if self.file:  # what is in memory is gone with its connection
                self._close()
            raise

    def _wipe(self) -> None:
        if self.file and self._connection:
            found = self._connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            self._connection.rollback()
            if found[0]:
                raise LedgerUnavailable(
                    "what was erased is still in the ledger's journal, which is being read; do it again"
                )

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()
            connection.engine.dispose()


def _sqlite_engine(file: Path | None) -> sa.Engine:
    if file:
        make_private(file)
    url = f"sqlite:///{file}" if file else "sqlite://"
    engine = sa.create_engine(url, poolclass=sa.pool.StaticPool, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def prepare(raw: Any, _: object) -> None:
        raw.isolation_level = None  # `Sqlite` begins its transactions itself
        for pragma in (f"busy_timeout={BUSY_SECONDS * 1000}", *_PRAGMAS):
            raw.execute(f"PRAGMA {pragma}")

    return engine


@define(eq=False)
class Postgres:
    """PostgreSQL by asyncpg, or what speaks its protocol. A password is best left to `PGPASSWORD`."""

    url: sa.URL = field(repr=False)
    _engine: "AsyncEngine" = field(init=False)

    def __attrs_post_init__(self) -> None:
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  (a tenth of a start without it)

        self._engine = create_async_engine(
            self.url.set(drivername="postgresql+asyncpg"),
            pool_size=3,
            max_overflow=2,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"timeout": BUSY_SECONDS, "command_timeout": BUSY_SECONDS},
        )

    @property
    def name(self) -> str:
        """The URL without its password, wherever it is in it."""
        query = {name: told for name, told in self.url.query.items() if name in _SHOWN}
        return self.url.set(query=query).render_as_string(hide_password=True)

    async def run(self, step: Step[T]) -> T:
        """See `Database.run`."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(step)

    async def close(self) -> None:
        """See `Database.close`."""
        await self._engine.dispose()
