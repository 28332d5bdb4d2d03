"""A database whose answer is lost or comes too late: nobody is forgotten, and nobody's work is taken back."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cti_hooks import Agent, Attempt, AttemptState, Contact
from lcm_plugin.attempt.transitions import ENDED, FETCHED, PLACED
from lcm_plugin.ledger import (
    Delivery,
    Draft,
    Ledger,
    LedgerUnavailable,
    LetterState,
    Outbox,
    database_for,
    leases,
    letters,
)
from tests.ledger.wire import TOO_LATE, OpenLedger, Told, Wire, stall
from tests.people import ALICE, BOB, CAROL

CONTACT = Contact(key="k", phone_number="+12125550101", consent="given")
RESULT = Draft(message="SetCallResult", values={"outcome_id": "3"})


@pytest.fixture
def wire(tmp_path: Path) -> Wire:
    return Wire(database_for("sqlite:///ledger.db", tmp_path))


async def offered(ledger: Ledger, agent: Agent = ALICE) -> Attempt:
    attempt = ledger.change(await ledger.open(agent), FETCHED, contact=CONTACT)
    await ledger.recorded()
    return attempt


async def ended(ledger: Ledger) -> Attempt:
    attempt = ledger.change(await ledger.dial(await offered(ledger)), ENDED)
    await ledger.recorded()
    return attempt


async def test_what_another_host_disposed_of_stays(open_ledger: OpenLedger, wire: Wire) -> None:
    """A disposition that this host could not record is not taken back from the host that could."""
    there, here = await open_ledger("h2"), await open_ledger("h1", database=wire)
    attempt = await ended(here)
    wire.broken = True
    with pytest.raises(LedgerUnavailable):
        await here.dispose(attempt, [RESULT])
    known = await there.get(attempt.id)
    assert known
    await there.dispose(known, [RESULT])
    wire.broken = False
    await asyncio.sleep(60)
    assert [one.state for one in await there.attempts()] == [AttemptState.DISPOSED]
    assert len(await there.letters_of(attempt.id)) == 1


async def test_what_is_being_sent_is_not_taken_back(open_ledger: OpenLedger) -> None:
    """A disposition whose asker gave up stays once its message was taken out of the box."""
    ledger = await open_ledger()
    attempt = await ended(ledger)
    asking = asyncio.create_task(ledger.dispose(attempt, [RESULT]))
    taking = asyncio.create_task(
        ledger.run(partial(letters.take, holder=ledger.holder, now=ledger.clock.now()))
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait({asking, taking})
    await ledger.recorded()
    (left,) = await ledger.letters_of(attempt.id)
    assert (await ledger.attempts())[0].state == (AttemptState.DISPOSED if left.tries else AttemptState.ENDED)
    assert left.state is LetterState.SENDING


async def test_an_outage_leaves_nothing_to_take_back(open_ledger: OpenLedger, wire: Wire) -> None:
    """What was refused unseen, because the ledger was known to be away, costs nothing when it is back."""
    ledger = await open_ledger(database=wire)
    wire.broken = True
    for number in range(1000):
        with pytest.raises(LedgerUnavailable):
            await ledger.open(Agent(id=f"agent-{number}"))
    wire.broken, wire.steps = False, 0
    await asyncio.sleep(10)
    assert wire.steps < 50
    assert await ledger.attempts() == []


@pytest.fixture
async def box(open_ledger: OpenLedger, wire: Wire) -> AsyncIterator[tuple[Ledger, list[str]]]:
    """A ledger with a letter in its box, and what was delivered."""
    ledger = await open_ledger(database=wire)
    await ledger.dispose(await ended(ledger), [RESULT])
    sent: list[str] = []

    async def deliver(letter: Any) -> Delivery:
        sent.append(letter.message)
        return Delivery(state=LetterState.CONFIRMED)

    async def settled(_: str) -> None:
        return

    outbox = Outbox(ledger=ledger, deliver=deliver, on_settled=settled)
    outbox.start()
    yield ledger, sent
    await outbox.close()


@pytest.mark.long
async def test_a_letter_taken_out_is_sent(
    box: tuple[Ledger, list[str]], wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However late the answer to taking it out comes, a letter is sent, and once."""
    _, sent = box
    stall(wire, letters, "take", monkeypatch)
    await asyncio.sleep(600)
    assert sent == [RESULT.message]


@pytest.mark.long
async def test_what_was_taken_over_is_looked_up(
    open_ledger: OpenLedger, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call taken over from a host that ended is looked up, though the answer to taking it over was lost."""
    told = Told()
    one, _ = await open_ledger("h1"), await open_ledger("h2", database=wire, news=told)
    attempt = one.change(await one.dial(await offered(one)), PLACED)
    await one.recorded()
    one.freeze()
    stall(wire, leases, "_succeed", monkeypatch)
    await asyncio.sleep(600)
    assert [one.id for one in told.adopted_ones] == [attempt.id]


async def test_what_was_opened_too_late_is_free(open_ledger: OpenLedger, wire: Wire) -> None:
    """An offer taken up too late for this host to hear of it is its agent's to take up elsewhere."""
    there, here = await open_ledger("h2"), await open_ledger("h1", database=wire)
    attempt = await offered(here)
    here.release(attempt)
    await here.recorded()
    wire.stalls = 1
    with pytest.raises(LedgerUnavailable):
        await here.open(ALICE)
    await asyncio.sleep(TOO_LATE)
    assert (await there.open(ALICE)).id == attempt.id


@pytest.mark.parametrize("url", ["sqlite:///ledger.db", "sqlite://"])
async def test_an_offer_whose_key_is_anothers_is_taken_up(
    open_ledger: OpenLedger, tmp_path: Path, url: str
) -> None:
    """It is shown, to be refused; the ledger goes on, in memory too."""
    ledger = await open_ledger(database=database_for(url, tmp_path))
    await offered(ledger)
    attempt = await offered(ledger, BOB)
    ledger.release(attempt)
    assert (await ledger.open(BOB)).id == attempt.id
    assert (await ledger.open(CAROL)).state is AttemptState.REQUESTED
    assert ledger.health().good
