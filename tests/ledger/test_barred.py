"""Who is barred stays so: through undo, pruning and upgrades, on SQLite and on PostgreSQL."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import evolve

from cti_hooks import Agent, Attempt, AttemptState, Contact, Disposition, DoNotCallScope, SystemClock
from lcm_plugin.attempt.transitions import ENDED, FETCHED, SKIPPED
from lcm_plugin.ledger import BarredError, Ledger, LedgerUnavailable, database_for, housekeeping
from tests.ledger.wire import OpenLedger, Wire
from tests.people import ALICE, BOB

NEVER_AGAIN = Disposition(outcome_id="5", do_not_call=True)


def contact(key: str, **facts: Any) -> Contact:
    return Contact(**{"key": key, "phone_number": "+12125550301", "consent": "given", **facts})


async def offered(ledger: Ledger, agent: Agent, key: str, **facts: Any) -> Attempt:
    held = contact(key, **facts)
    attempt = ledger.change(await ledger.open(agent), FETCHED, contact=held)
    await ledger.recorded()
    return attempt


async def barred(ledger: Ledger, said: Disposition = NEVER_AGAIN, **facts: Any) -> Attempt:
    """Alice's contact, barred by her."""
    return await ledger.dispose(
        await offered(ledger, ALICE, "1", **facts), [], disposition=said, actor="alice"
    )


@pytest.fixture(params=["sqlite", "postgres"])
async def both(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[Ledger]]:
    """Two hosts' ledgers on one database."""
    is_file = request.param == "sqlite"
    url = "sqlite:///ledger.db" if is_file else request.getfixturevalue("postgres_url")
    async with AsyncExitStack() as stack:
        ledgers = []
        for host in ("h1", "h2"):
            database = database_for(url, tmp_path)
            ledger = Ledger(
                database=database, clock=SystemClock(), random=Random(host), host=host, lease_seconds=30
            )
            await ledger.start()
            stack.push_async_callback(ledger.close)
            ledgers.append(ledger)
        yield ledgers


@pytest.mark.real_time
async def test_barred_at_one_host_and_dialed_at_another(both: list[Ledger]) -> None:
    """What one host bars, another's dial refuses in its own transaction, and its offers tell so."""
    here, there = both
    before = await offered(there, BOB, "2")
    assert (await there.objection(before)).bar is None
    await barred(here)
    with pytest.raises(BarredError) as error:
        await there.dial(before, by_person=True)
    assert (error.value.bar.kind, error.value.bar.actor) == ("number", "alice")
    there.change(before, SKIPPED)
    after = await offered(there, BOB, "3")
    bar = (await there.objection(after)).bar
    assert bar
    assert bar.actor == "alice"


@pytest.mark.real_time
async def test_a_bar_comes_before_the_dials_that_follow_it(both: list[Ledger]) -> None:
    """Once a host knows that its disposition is recorded, no dial of that number is, at any host."""
    here, there = both
    mine = await offered(here, ALICE, "1")
    offers = [await offered(there, Agent(id=f"bob-{n}"), f"k{n}") for n in range(20)]

    async def dial(attempt: Attempt, after: float) -> Any:
        await asyncio.sleep(after)
        return await there.dial(attempt)

    dials = [asyncio.create_task(dial(one, 0.001 * number)) for number, one in enumerate(offers)]
    disposed = await here.dispose(mine, [], disposition=NEVER_AGAIN, actor="alice")
    told_at = here.clock.now()
    found = await asyncio.gather(*dials, return_exceptions=True)
    assert disposed.state is AttemptState.DISPOSED
    assert all(isinstance(one, Attempt | BarredError) for one in found)
    dialed = [one.changed_at for one in found if isinstance(one, Attempt)]
    assert all(moment and moment <= told_at for moment in dialed)


async def test_a_disposition_that_is_undone_bars_nobody(open_ledger: OpenLedger, tmp_path: Path) -> None:
    """A do-not-call whose write came too late is taken back with its bar; said again, it holds."""
    wire = Wire(database_for("sqlite:///ledger.db", tmp_path))
    there, here = await open_ledger("h2"), await open_ledger("h1", database=wire)
    mine, theirs = await offered(here, ALICE, "1"), await offered(there, BOB, "2")
    wire.stalls = 1
    with pytest.raises(LedgerUnavailable):
        await here.dispose(mine, [], disposition=NEVER_AGAIN, actor="alice")
    await asyncio.sleep(30)
    found = await here.get(mine.id)
    assert found
    assert found.state is AttemptState.OFFERED
    await there.dial(theirs)
    again = await offered(there, Agent(id="carol"), "3")
    await here.dispose(found, [], disposition=NEVER_AGAIN, actor="alice")
    with pytest.raises(BarredError):
        await there.dial(again)


async def test_an_undo_of_something_else_leaves_it(open_ledger: OpenLedger, tmp_path: Path) -> None:
    """A dial, or another's disposition, that is undone takes no bar with it."""
    wire = Wire(database_for("sqlite:///ledger.db", tmp_path))
    here, there = await open_ledger("h1"), await open_ledger("h2", database=wire)
    offer = await offered(there, BOB, "2", phone_number="+12125550302")
    ended = there.change(await there.dial(offer), ENDED)
    await barred(here)
    wire.stalls = 1
    with pytest.raises(LedgerUnavailable):
        await there.dispose(ended, [], disposition=NEVER_AGAIN, actor="bob")
    await asyncio.sleep(30)
    with pytest.raises(BarredError, match="alice"):
        await here.dial(await offered(here, ALICE, "3"))


async def test_it_outlives_the_people_and_the_audit(open_ledger: OpenLedger) -> None:
    """A bar holds after its person was forgotten, and after the audit of its call was dropped."""
    ledger = await open_ledger()
    disposed = await barred(ledger)
    assert await ledger.run(partial(housekeeping.forget, key="1", now=ledger.now())) == 1
    later = ledger.now() + timedelta(days=10_000)
    await ledger.run(partial(housekeeping.prune, now=later, keep=timedelta(0), audit=timedelta(0)))
    assert await ledger.history(disposed.id) == []
    with pytest.raises(BarredError):
        await ledger.dial(await offered(ledger, BOB, "2"))


async def test_a_bar_that_ended_is_dropped(open_ledger: OpenLedger) -> None:
    """It is kept for as long as people are, in case a clock was ahead; one without an end stays."""
    ledger = await open_ledger()
    end = ledger.now() + timedelta(days=10)
    ending = evolve(NEVER_AGAIN, do_not_call_scope=DoNotCallScope.NUMBER, do_not_call_until=end)
    await ledger.dispose(await offered(ledger, ALICE, "1"), [], disposition=ending, actor="alice")
    await ledger.dispose(await offered(ledger, BOB, "2"), [], disposition=NEVER_AGAIN, actor="bob")
    left = []
    for moment in (end, end + timedelta(days=7), end + timedelta(days=8), end + timedelta(days=8000)):
        prune = partial(housekeeping.prune, keep=timedelta(days=7), audit=timedelta(days=1000))
        await ledger.run(partial(prune, now=moment))
        rows = await ledger.run(
            lambda connection: connection.exec_driver_sql("SELECT actor FROM barred").scalars().all()
        )
        left.append([*rows])
    for_ever = 2 * [json.dumps("bob")]
    ended = [json.dumps("alice"), *for_ever]
    assert left == [ended, ended, for_ever, for_ever]


async def test_no_number_and_no_name_is_in_a_bar(open_ledger: OpenLedger, tmp_path: Path) -> None:
    """Bars hold hashes under the ledger's own key: neither the number nor the contact's id can be found."""
    ledger = await open_ledger()
    await barred(ledger, contact_id="person 77")
    rows = await ledger.run(
        lambda connection: connection.exec_driver_sql("SELECT * FROM barred").mappings().all()
    )
    assert [row["kind"] for row in rows] == ["number", "contact"]
    assert "5550301" not in str(rows)
    assert "person 77" not in str(rows)
    assert len({row["subject"] for row in rows}) == 2
