"""An agent's next attempt, on SQLite and on PostgreSQL: fetched behind an ended one, promoted after it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from attrs import define

from cti_hooks import Attempt, AttemptPlace, AttemptState, Contact, SystemClock
from lcm_plugin.attempt.transitions import ENDED, FETCHED
from lcm_plugin.ledger import (
    AttemptLostError,
    Draft,
    Ledger,
    LedgerUnavailable,
    LetterState,
    database_for,
    letters,
)
from tests.ledger.wire import Wire, stall
from tests.people import ALICE

SAID = Draft(message="SetCallResult", values={"outcome_id": "3"})
Opened = Callable[[str], Awaitable[Ledger]]


@pytest.fixture(params=["sqlite", "postgres"])
async def open_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    """Starts a host's ledger, all on one database."""
    is_file = request.param == "sqlite"
    url = "sqlite:///ledger.db" if is_file else request.getfixturevalue("postgres_url")
    async with AsyncExitStack() as stack:

        async def opened(host: str) -> Ledger:
            database, clock = database_for(url, tmp_path), SystemClock()
            ledger = Ledger(database=database, clock=clock, random=Random(host), host=host, lease_seconds=30)
            await ledger.start()
            stack.push_async_callback(ledger.close)
            return ledger

        yield opened


def contact(key: str) -> Contact:
    return Contact(key=key, phone_number="+12125550101", consent="given")


async def ended(ledger: Ledger) -> Attempt:
    offered = ledger.change(await ledger.open(ALICE), FETCHED, contact=contact("first"))
    return ledger.change(await ledger.dial(offered), ENDED)


async def next_one(ledger: Ledger) -> Attempt:
    asked = await ledger.open(ALICE, place=AttemptPlace.NEXT)
    offered = ledger.change(asked, FETCHED, contact=contact("second"))
    await ledger.recorded()
    return offered


async def places(ledger: Ledger) -> dict[AttemptPlace, str]:
    """What alice has open, as it is recorded."""
    states = (AttemptState.REQUESTED, AttemptState.OFFERED, AttemptState.ENDED, AttemptState.DIALING)
    return {one.place: one.id for one in await ledger.attempts(agent_id="alice", states=states)}


@pytest.mark.real_time
async def test_promoted_in_the_transaction_that_disposes(open_ledger: Opened) -> None:
    """Once the call is disposed of, the next one is what its agent has to do with, and may be dialed."""
    ledger = await open_ledger("a")
    call, following = await ended(ledger), await next_one(ledger)
    await ledger.dispose(call, [SAID])
    assert await places(ledger) == {AttemptPlace.NOW: following.id}
    known = ledger.get_open(following.id)
    assert known
    assert known.place is AttemptPlace.NOW
    assert (await ledger.dial(known)).state is AttemptState.DIALING


@pytest.mark.real_time
async def test_the_next_one_is_not_dialed(open_ledger: Opened) -> None:
    """The ledger refuses to record that it is, whoever asks."""
    ledger = await open_ledger("a")
    await ended(ledger)
    with pytest.raises(AttemptLostError):
        await ledger.dial(await next_one(ledger))
    assert AttemptState.DIALING not in [one.state for one in await ledger.attempts()]


@pytest.mark.real_time
async def test_one_that_is_asked_for_is_promoted_too(open_ledger: Opened) -> None:
    """What its host records next, and does not know yet that it was promoted, leaves it promoted."""
    here, there = await open_ledger("a"), await open_ledger("b")
    call = await ended(here)
    asked = await here.open(ALICE, place=AttemptPlace.NEXT)
    known = await there.get(call.id)
    assert known
    await there.dispose(known, [SAID])
    here.change(asked, FETCHED, contact=contact("second"))
    await here.recorded()
    assert await places(there) == {AttemptPlace.NOW: asked.id}
    recorded = await there.get(asked.id)
    assert recorded
    assert (recorded.state, recorded.place) == (AttemptState.OFFERED, AttemptPlace.NOW)


@define(eq=False)
class Overtaken(Wire):
    """Somebody else is quicker than what comes after a lost answer."""

    by: Callable[[], Awaitable[None]] | None = None

    async def run(self, step: Any) -> Any:
        try:
            return await super().run(step)
        except sa.exc.OperationalError:
            if self.by:
                await self.by()
            raise


async def answered_again(ledger: Ledger) -> None:
    """Once the database is there again, and what was noted is recorded."""
    async with asyncio.timeout(10):
        while not ledger.health().good:  # noqa: ASYNC110  (nothing tells when)
            await asyncio.sleep(0.01)
    await ledger.recorded()


@pytest.mark.real_time
async def test_taken_back_with_the_disposition(open_ledger: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the database's answer is lost both are as they were, and the call may be disposed of again."""
    ledger = await open_ledger("a")
    call, following = await ended(ledger), await next_one(ledger)
    wire = Wire(ledger.database)
    ledger.write_by(wire)
    stall(wire, letters, "write", monkeypatch, fault="deaf")
    with pytest.raises(LedgerUnavailable):
        await ledger.dispose(call, [SAID])
    await answered_again(ledger)
    assert await places(ledger) == {AttemptPlace.NOW: call.id, AttemptPlace.NEXT: following.id}
    await ledger.dispose(call, [SAID])
    assert await places(ledger) == {AttemptPlace.NOW: following.id}


@pytest.mark.real_time
async def test_what_somebody_has_gone_on_with_is_not_taken_back(
    open_ledger: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the next one is called by then, what was said of the call before it stays said, and is sent."""
    here, there = await open_ledger("a"), await open_ledger("b")
    call, following = await ended(here), await next_one(here)
    wire = Overtaken(here.database)
    here.write_by(wire)
    stall(wire, letters, "write", monkeypatch, fault="deaf")

    async def goes_on() -> None:
        known = await there.take_up(ALICE, arrived=True)
        assert known
        await there.dial(known)

    here.release(following)
    await here.recorded()
    wire.by = goes_on
    with pytest.raises(LedgerUnavailable):
        await here.dispose(call, [SAID])
    await answered_again(here)
    assert await places(there) == {AttemptPlace.NOW: following.id}
    told = await there.get(call.id)
    assert told
    assert told.state is AttemptState.DISPOSED
    assert [one.state for one in await there.letters_of(call.id)] == [LetterState.WAITING]
