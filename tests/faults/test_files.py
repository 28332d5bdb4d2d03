"""Ledger files that are old, damaged, copied or somebody else's; and texts that no file likes."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from cti_hooks import Agent, Attempt, AttemptState, ConfigError, Contact, SystemClock
from lcm_plugin.attempt.transitions import ENDED, FETCHED
from lcm_plugin.ledger import Ledger, database_for
from lcm_plugin.ledger.rows import row_of
from lcm_plugin.ledger.upgrade import _mark, upgrade
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.people import GROUP


@asynccontextmanager
async def opened(url: str, directory: Path = Path()) -> AsyncIterator[Ledger]:
    ledger = Ledger(
        database=database_for(url, directory),
        clock=SystemClock(),
        random=Random(1),
        host="h",
        lease_seconds=30,
    )
    await ledger.start()
    try:
        yield ledger
    finally:
        await ledger.close()


def attempt_in(state: AttemptState, number: int, clock: LoopClock) -> Attempt:
    contact = Contact(key=f"0|0|0|0|0|0|9{number}", phone_number=f"+1212555{number:04}", consent="given")
    return Attempt(
        id=f"018d5ae2-0000-7000-8000-00000000000{number}",
        agent=Agent(id=f"agent-{number}"),
        contact=None if state is AttemptState.REQUESTED else contact,
        state=state,
        campaign_group=GROUP,
        opened_at=clock.start,
        host="the one before",
        not_after=clock.start + timedelta(seconds=20),
    )


OPEN = [
    AttemptState.REQUESTED,
    AttemptState.OFFERED,
    AttemptState.DIALING,
    AttemptState.CALLING,
    AttemptState.UNKNOWN,
]


def as_0001_had_it(connection: sa.Connection, file: Path, attempts: list[Attempt]) -> None:
    upgrade(connection, "0001")
    _mark(connection, file)
    columns = row_of(attempts[0], "").keys() - {"callback_at"}
    table = sa.table("attempts", *(sa.column(name) for name in columns))
    for attempt in attempts:
        row = {name: row_of(attempt, "a host that is gone")[name] for name in columns}
        instants = {name: _micros(row[name]) for name in ("opened_at", "changed_at", "expires_at")}
        connection.execute(table.insert(), {**row, **instants, "body": json.dumps(row["body"])})


def _micros(moment: Any) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1_000_000)


async def test_the_previous_schema_is_upgraded_with_its_open_attempts(site: Any, clock: LoopClock) -> None:
    """Open attempts of a 0001 ledger are whole after the upgrade, and a host recovers each by its state."""
    file = site.directory / "ledger.db"
    before = [attempt_in(state, number, clock) for number, state in enumerate(OPEN, start=1)]
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        as_0001_had_it(connection, file, before)
    engine.dispose()
    host = await site.start("new")
    found = {one.id: one for one in await host.ledger.attempts()}
    assert {one.id for one in before} == set(found)
    for one in before:
        assert found[one.id].contact == one.contact
        assert found[one.id].agent == one.agent
    states = [found[one.id].state.value for one in before]
    assert states == [
        "empty",
        "offered",
        "unknown",
        "unknown",
        "unknown",
    ]
    assert set(await host.ledger.doubts()) == {"agent-1"}
    await host.ready(before[1].agent)
    await asyncio.sleep(60)
    assert before[1].contact
    assert host.keys == [before[1].contact.key]
    assert {one.state.value for one in await host.ledger.attempts(states=OPEN)} == {"calling"}


# -- files that are no ledger of ours --------------------------------------------------------------------


async def make_ledger(file: Path) -> None:
    async with opened(f"sqlite:///{file}") as ledger:
        await ledger.open(Agent(id="alice"), GROUP)


async def a_copy(file: Path) -> None:
    await make_ledger(file.with_name("original.db"))
    shutil.copy(file.with_name("original.db"), file)


async def a_copy_in_use(file: Path) -> None:
    """Copied while a host was writing, its write-ahead log too."""
    original = file.with_name("original.db")
    async with opened(f"sqlite:///{original}") as ledger:
        await ledger.open(Agent(id="alice"), GROUP)
        for suffix in ("", "-wal"):
            shutil.copy(f"{original}{suffix}", f"{file}{suffix}")


async def truncated(file: Path, size: int) -> None:
    await make_ledger(file)
    with file.open("r+b") as raw:
        raw.truncate(size)


async def scribbled(file: Path) -> None:
    """A page in the middle overwritten: it has its size, and is not what it was."""
    await make_ledger(file)
    with file.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xff" * 4096 * 6)


async def foreign_sqlite(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE customers (name)")
        connection.commit()


async def foreign_with_a_table_called_attempts(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        for table in ("attempts", "holders", "facts", "alembic_version"):
            connection.execute(f"CREATE TABLE {table} (name)")
        connection.commit()


async def no_sqlite(file: Path) -> None:
    file.write_bytes(b"id,name\n1,Alice\n" * 100)  # noqa: ASYNC240  (as everywhere here: a file of 2 KiB)


async def newer(file: Path) -> None:
    await make_ledger(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
        connection.commit()


def contents(directory: Path) -> dict[str, bytes]:
    """All but what SQLite makes to look into a file: the index of its log, and a log that is empty."""
    files = [one for one in directory.iterdir() if not one.name.endswith("-shm")]
    return {one.name: found for one in files if (found := one.read_bytes())}


@pytest.mark.parametrize(
    ("make", "what", "way_out"),
    [
        pytest.param(a_copy, "is a copy of a ledger", "adopt", id="copied"),
        pytest.param(a_copy_in_use, "is a copy of a ledger", "adopt", id="copied in use"),
        pytest.param(partial(truncated, size=10_000), "is only a part", "backup", id="truncated"),
        pytest.param(partial(truncated, size=4096), "is only a part", "backup", id="truncated to a page"),
        pytest.param(partial(truncated, size=60), "is only a part", "backup", id="truncated in its header"),
        pytest.param(scribbled, "is damaged", "backup", id="scribbled"),
        pytest.param(foreign_sqlite, "is not a ledger", "name another", id="foreign SQLite"),
        pytest.param(
            foreign_with_a_table_called_attempts, "is not a ledger", "name another", id="foreign, same tables"
        ),
        pytest.param(no_sqlite, "is not a ledger", "name another", id="no SQLite"),
        pytest.param(newer, "schema 0999", "upgrade lcm-plugin", id="newer"),
    ],
)
async def test_what_is_no_ledger_of_ours_is_refused_and_left(
    tmp_path: Path, make: Callable[[Path], Any], what: str, way_out: str
) -> None:
    """The error names the file and the way out, and not a byte of it has changed."""
    file = tmp_path / "ledger.db"
    await make(file)
    before = contents(tmp_path)
    with pytest.raises(ConfigError) as refusal:
        async with opened(f"sqlite:///{file}"):
            pass
    (problem,) = refusal.value.problems
    assert str(file) in str(problem)
    assert what in str(problem)
    assert way_out in str(problem)
    assert contents(tmp_path) == before


# -- texts -------------------------------------------------------------------------------------------------

KEYS = [
    'it\'s "quoted"',
    "0|0|000|0|0|00|1234",
    "☎️ naïve 日本",
    "a\x00b",
    "lone \ud800 surrogate",
    "k" * 4096,
]


async def round_trip(url: str, key: str) -> None:
    async with opened(url) as ledger:
        agent = Agent(id=f"agent {key}")
        attempt = await ledger.open(agent, f"group {key}")
        contact = Contact(key=key, phone_number="+12125550101", extra={"note": key})
        attempt = ledger.change(attempt, FETCHED, contact=contact, reason=f"because {key}")
        await ledger.dial(attempt)
        ledger.note_doubt(agent, f"group {key}", f"doubt {key}")
        assert await ledger.owners([key]) == {key: agent.id}
        (found,) = await ledger.attempts(key=key)
        assert (found.contact, found.agent, found.campaign_group) == (contact, agent, f"group {key}")
        assert [line.reason for line in await ledger.history(attempt.id)][1] == f"because {key}"
        assert (await ledger.doubts())[agent.id].reason == f"doubt {key}"
        ledger.change(await ledger.get(attempt.id) or attempt, ENDED)


@pytest.mark.parametrize("key", KEYS, ids=["quotes", "pipes", "emoji", "NUL", "surrogate", "4 KiB"])
async def test_any_key_comes_back_as_given(tmp_path: Path, key: str) -> None:
    """SQLite: keys, agents, groups and reasons of any text are stored and shown as given."""
    await round_trip(f"sqlite:///{tmp_path}/ledger.db", key)


@pytest.mark.real_time
@pytest.mark.parametrize("key", KEYS, ids=["quotes", "pipes", "emoji", "NUL", "surrogate", "4 KiB"])
async def test_any_key_comes_back_from_postgres_as_given(postgres_url: str, key: str) -> None:
    """PostgreSQL 18: the same."""
    await round_trip(postgres_url, key)


@settings(max_examples=25, deadline=None)
@given(key=st.text(st.characters(exclude_categories=())))
def test_any_key_at_all(key: str) -> None:
    """The same for whatever text hypothesis thinks of."""
    asyncio.run(round_trip("sqlite://", key or "-"))
