"""When an agent is to call back is known to every host: through undo, pruning and upgrades."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa

from cti_hooks import Agent, Attempt, Callback, Contact, Disposition, SystemClock
from lcm_plugin.attempt.transitions import FETCHED
from lcm_plugin.ledger import Ledger, LedgerUnavailable, database_for, housekeeping
from tests.ledger.wire import OpenLedger, Wire
from tests.people import ALICE, BOB

ELEVEN = datetime(2036, 11, 24, 11, 0, tzinfo=UTC)
LONG_AGO = ELEVEN - timedelta(days=365)

OpenHost = Callable[[str], Awaitable[Ledger]]


def callback(at: datetime = ELEVEN, kind: str = "personal") -> Disposition:
    window = Callback(kind=kind, starts_at=at, ends_at=at + timedelta(minutes=30))
    return Disposition(outcome_id="4", callback=window)


async def booked(ledger: Ledger, agent: Agent, key: str, said: Disposition) -> Attempt:
    held = Contact(key=key, phone_number="+12125550101")
    attempt = ledger.change(await ledger.open(agent), FETCHED, contact=held)
    return await ledger.dispose(attempt, [], disposition=said, actor=agent.id)


@pytest.fixture(params=["sqlite", "postgres"])
async def open_host(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenHost]:
    """Starts hosts' ledgers on one database."""
    is_file = request.param == "sqlite"
    url = "sqlite:///ledger.db" if is_file else request.getfixturevalue("postgres_url")
    async with AsyncExitStack() as stack:

        async def opened(host: str) -> Ledger:
            database = database_for(url, tmp_path)
            ledger = Ledger(
                database=database, clock=SystemClock(), random=Random(host), host=host, lease_seconds=30
            )
            await ledger.start()
            stack.push_async_callback(ledger.close)
            return ledger

        yield opened


@pytest.mark.real_time
async def test_an_agents_own_callbacks_are_told_in_order(open_host: OpenHost) -> None:
    """Personal ones of this agent that start after a moment, the next first, whichever host has them."""
    here, there = await open_host("h1"), await open_host("h2")
    for hours in (2, 0, -1):
        await booked(here, ALICE, f"k{hours}", callback(ELEVEN + timedelta(hours=hours)))
    await booked(here, ALICE, "anybody's", callback(ELEVEN + timedelta(hours=1), "regular"))
    await booked(here, BOB, "b", callback())
    await booked(here, ALICE, "done", Disposition(outcome_id="0"))
    told = await there.personal_callbacks(ALICE, ELEVEN - timedelta(minutes=2))
    assert told == [ELEVEN, ELEVEN + timedelta(hours=2)]
    assert await there.personal_callbacks(ALICE, ELEVEN) == [ELEVEN + timedelta(hours=2)]


@pytest.mark.real_time
async def test_it_outlives_the_person(open_host: OpenHost) -> None:
    """Forgotten or pruned, the person's callback is still due: the LCM has it, and their agent."""
    ledger = await open_host("h1")
    attempt = await booked(ledger, ALICE, "k", callback())
    ledger.close_disposed(attempt, "the LCM has confirmed it")
    await ledger.recorded()
    await ledger.run(partial(housekeeping.forget, key="k", now=ledger.now()))
    assert await ledger.personal_callbacks(ALICE, LONG_AGO) == [ELEVEN]


async def test_one_that_was_taken_back_is_not_told(open_ledger: OpenLedger, tmp_path: Path) -> None:
    """A disposition whose write came too late is undone, and its callback with it."""
    wire = Wire(database_for("sqlite:///ledger.db", tmp_path))
    ledger = await open_ledger("h1", database=wire)
    contact = Contact(key="k", phone_number="+12125550101")
    attempt = ledger.change(await ledger.open(ALICE), FETCHED, contact=contact)
    await ledger.recorded()
    wire.stalls = 1
    with pytest.raises(LedgerUnavailable):
        await ledger.dispose(attempt, [], disposition=callback(), actor="alice")
    await asyncio.sleep(30)
    assert await ledger.personal_callbacks(ALICE, LONG_AGO) == []


def _as_before(connection: sa.Connection) -> None:
    """As the schema was when callbacks had no column."""
    connection.exec_driver_sql("DROP INDEX attempts_by_callback")
    connection.exec_driver_sql("ALTER TABLE attempts DROP COLUMN callback_at")
    connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0004'")


@pytest.mark.real_time
async def test_what_was_booked_before_the_upgrade_is_found(open_host: OpenHost) -> None:
    """A ledger of the schema before has its callbacks in attempts' bodies only: the upgrade finds them."""
    before = await open_host("h1")
    await booked(before, ALICE, "k1", callback())
    await booked(before, ALICE, "k2", callback(kind="regular"))
    await before.run(_as_before)
    await before.close()
    after = await open_host("h2")
    assert await after.personal_callbacks(ALICE, LONG_AGO) == [ELEVEN]
