"""Opening a ledger: is it one, is it whole, is it the original, and of which version; then upgrade it."""

import asyncio
import secrets
import threading
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote

import sqlalchemy as sa

from cti_hooks import described
from lcm_plugin.ledger.database import Database, Sqlite
from lcm_plugin.ledger.errors import LedgerUnavailable, refused
from lcm_plugin.ledger.private_file import refuse_exposed
from lcm_plugin.ledger.reading import fact, latest
from lcm_plugin.ledger.schema import facts, metadata

HEAD: Final = "0005"
"""The schema version this code writes; a test holds it to `migrations`."""
VERSIONS: Final = ("0001", "0002", "0003", "0004", HEAD)
APPLICATION_ID: Final = 0x4C434D31
"""SQLite's `application_id` of a ledger: LCM1."""
_MIGRATIONS: Final = Path(__file__).with_name("migrations")
_LOCK: Final = 0x4C434D31
"""PostgreSQL's advisory lock while one host upgrades."""
_ALEMBIC: Final = threading.Lock()
"""Alembic's context is one for the whole process; hosts in one process upgrade one after the other."""
_SQLITE_HEADER: Final = b"SQLite format 3\x00"
_versions: Final = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""As Alembic makes it."""


def prepare(connection: sa.Connection, name: str, file: Path | None = None) -> None:
    """Make a new ledger, or upgrade the one that is there.

    Raises:
        ConfigError: it is not a ledger, or of a newer version; nothing of it was changed.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        refuse_unusable(connection, name)
    if not sa.inspect(connection).get_table_names():
        _make(connection)
        _mark(connection, file)
    elif _version(connection) != HEAD:
        upgrade(connection)


def refuse_unusable(connection: sa.Connection, name: str, file: Path | None = None) -> None:
    """Look at what is there, if anything is.

    Raises:
        ConfigError: it is not a ledger, damaged, a copy, or of a newer version.
    """
    tables = sa.inspect(connection).get_table_names()
    if not tables:
        return
    _refuse_foreign(connection, name, tables)
    _refuse_newer(connection, name)
    if file:
        _refuse_copy(connection, name, file)


def refuse_file(file: Path, *, may_be_a_copy: bool = False) -> None:
    """Look at a file before it is opened for writing, which alone would change what is no ledger.

    Raises:
        ConfigError: others can write it, it is no SQLite file, a part of one, or one that cannot be used.
    """
    refuse_exposed(file)
    if not file.exists() or file.stat().st_size == 0:
        return
    with file.open("rb") as raw:
        header = raw.read(100)
    if not header.startswith(_SQLITE_HEADER):
        raise refused(
            str(file), "is not a ledger", "name another file in `ledger`; this one is left as it is"
        )
    if _is_short(file, header):
        raise refused(str(file), "is only a part of a ledger", _RESTORE)
    url = f"sqlite:///file:{quote(str(file))}?mode=ro&uri=true"
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool, hide_parameters=True)
    with engine.connect() as connection:
        refuse_unusable(connection, str(file), None if may_be_a_copy else file)


_ANOTHER: Final = "name another in `ledger`; this one is left as it is"
_RESTORE: Final = "restore it from a backup, or move it away to begin a new one"


def _is_short(file: Path, header: bytes) -> bool:
    """Whether pages are missing. With a write-ahead log the file may be behind its own header."""
    log = file.with_name(f"{file.name}-wal")
    if log.exists() and log.stat().st_size:
        return False
    page_size = int.from_bytes(header[16:18], "big")
    page_size = 65536 if page_size == 1 else page_size
    return file.stat().st_size < page_size * int.from_bytes(header[28:32], "big")


def upgrade(connection: sa.Connection, version: str = HEAD) -> None:
    """Bring the schema to `version`, in the transaction of `connection`."""
    from alembic import command  # noqa: PLC0415  (0.2 s to import, for an old ledger only)
    from alembic.config import Config  # noqa: PLC0415  (as above)

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _ALEMBIC:
        command.upgrade(config, version)


def _make(connection: sa.Connection) -> None:
    """Make the tables as the versions would leave them; running those takes ten times as long."""
    metadata.create_all(connection, checkfirst=False)
    _versions.create(connection)
    connection.execute(_versions.insert().values(version_num=HEAD))


def adopt_copy(connection: sa.Connection, file: Path) -> None:
    """Take this file for the original from now on: a person said that the other one is not used any more."""
    connection.execute(facts.update().where(facts.c.name == "file").values(value=file.stat().st_ino))


def _mark(connection: sa.Connection, file: Path | None) -> None:
    known: list[dict[str, object]] = [{"name": "hash_key", "value": secrets.token_hex(32)}]
    if file:
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        known.append({"name": "file", "value": file.stat().st_ino})
    connection.execute(facts.insert(), known)


def _refuse_foreign(connection: sa.Connection, name: str, tables: list[str]) -> None:
    ours = {"attempts", "holders", "facts", "alembic_version"} <= set(tables)
    if connection.dialect.name == "sqlite" and ours:
        ours = connection.exec_driver_sql("PRAGMA application_id").scalar() == APPLICATION_ID
        if ours and connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
            raise refused(name, "is damaged", _RESTORE)
    if not ours:
        raise refused(name, "is not a ledger", _ANOTHER)


def _refuse_newer(connection: sa.Connection, name: str) -> None:
    if (version := _version(connection)) not in VERSIONS:
        raise refused(
            name, f"was written by a newer version of lcm-plugin (schema {version})", "upgrade lcm-plugin"
        )


def _refuse_copy(connection: sa.Connection, name: str, file: Path) -> None:
    """Two hosts on two copies would dial the same people; an original keeps its inode, a copy has its own."""
    made_in = connection.execute(sa.select(facts.c.value).where(facts.c.name == "file")).scalar()
    if made_in is not None and made_in != file.stat().st_ino:
        raise refused(
            name,
            "is a copy of a ledger",
            "if no host uses the original any more, run `lcm-plugin attempts --config FILE adopt`",
        )


def _version(connection: sa.Connection) -> str:
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())


async def opened(database: Database) -> tuple[str, datetime | None]:
    """Open a ledger: its key for hashes, and the latest instant in it.

    Raises:
        ConfigError: it is no ledger, or none that this version can use; nothing of it was changed.
        LedgerUnavailable: it cannot be reached or written.
    """
    file = database.file if isinstance(database, Sqlite) else None
    try:
        if file:
            await asyncio.to_thread(refuse_file, file)
        await database.run(partial(prepare, name=database.name, file=file))
        return await database.run(_known)
    except sa.exc.DatabaseError as error:
        if any(word in str(error.orig) for word in ("malformed", "not a database", "corrupt")):
            raise refused(database.name, "is damaged", _RESTORE) from None
        raise LedgerUnavailable(
            f"the ledger {database.name} cannot be opened: {described(error.orig or error)}"
        ) from None
    except OSError as error:
        raise LedgerUnavailable(f"the ledger {database.name} cannot be opened: {described(error)}") from None


def _known(connection: sa.Connection) -> tuple[str, datetime | None]:
    return str(fact(connection, "hash_key")), latest(connection)
