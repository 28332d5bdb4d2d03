"""A new ledger's tables are those that the versions of the schema lead to."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lcm_plugin.ledger import database_for
from lcm_plugin.ledger.upgrade import HEAD, VERSIONS, prepare, upgrade


def _index(index: Any) -> str:
    options = {name: str(option) for name, option in index.get("dialect_options", {}).items()}
    return str({**index, "dialect_options": options})


def _shape(connection: sa.Connection) -> dict[str, Any]:
    """All that a schema consists of, whatever the order of its columns."""
    seen = sa.inspect(connection)
    return {
        table: {
            "columns": {
                one["name"]: (str(one["type"]), one["nullable"], one.get("default"), one.get("autoincrement"))
                for one in seen.get_columns(table)
            },
            "key": seen.get_pk_constraint(table),
            "unique": sorted(map(str, seen.get_unique_constraints(table))),
            "indexes": sorted(_index(one) for one in seen.get_indexes(table)),
            "version": connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar(),
        }
        for table in seen.get_table_names()
    }


def _made(connection: sa.Connection) -> dict[str, Any]:
    prepare(connection, "new")
    return _shape(connection)


def _upgraded(connection: sa.Connection) -> dict[str, Any]:
    for version in VERSIONS:
        upgrade(connection, version)
    return _shape(connection)


@pytest.fixture(params=["sqlite", "postgres"])
def urls(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Two empty databases."""
    if request.param == "sqlite":
        return "sqlite://", "sqlite://"
    server = request.getfixturevalue("postgres_server")
    for name in ("made", "upgraded"):
        server.psql(f"CREATE DATABASE {name};")
    return server.get_uri(database="made"), server.get_uri(database="upgraded")


@pytest.mark.real_time
async def test_a_new_ledger_is_as_an_upgraded_one(urls: tuple[str, str]) -> None:
    """Tables, columns, keys, indexes and version are the same, made at once or version by version."""
    new, old = (database_for(url, Path.cwd()) for url in urls)
    try:
        made, upgraded = await new.run(_made), await old.run(_upgraded)
    finally:
        await new.close()
        await old.close()
    assert made == upgraded
    assert made["alembic_version"]["version"] == HEAD
    assert len(made) > 5
