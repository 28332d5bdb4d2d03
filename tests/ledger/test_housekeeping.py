"""What of people is forgotten, and what is kept."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from attrs import evolve

from cti_hooks import Agent, Attempt, AttemptState, Callback, Contact, Disposition, Outcome, Refusal
from lcm_plugin.attempt.transitions import ENDED, FETCHED, SKIPPED
from lcm_plugin.ledger import (
    Draft,
    Housekeeping,
    Ledger,
    LedgerError,
    Letter,
    LetterState,
    housekeeping,
    letters,
)
from tests.ledger.wire import OpenLedger
from tests.people import BOB

ALICE = Agent(id="alice", name="Alice Liddell")
CONTACT = Contact(
    key="5|3|1|0|0|44|1",
    phone_number="+12125550101",
    e164="+12125550101",
    contact_id="customer-77",
    campaign="C",
    extra={"FName": "Lewis"},
)


async def called(ledger: Ledger) -> Attempt:
    attempt = ledger.change(await ledger.open(ALICE), FETCHED, contact=CONTACT)
    refusal = Refusal(rule="r", reason="seen", evidence={"number": "+12125550101"})
    attempt = await ledger.dial(attempt, refusals=(refusal,))
    ended = ledger.change(attempt, ENDED, outcome=Outcome.ANSWERED)
    await ledger.doubts()
    return ended


async def closed(ledger: Ledger) -> Attempt:
    disposed = await ledger.dispose(await called(ledger), [])
    ledger.close_disposed(disposed, "the LCM has it")
    return disposed


def text(tmp_path: Path) -> str:
    tables = ("attempts", "history", "dials", "outbox")
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as database:
        return "".join(str(database.execute(f"SELECT * FROM {table}").fetchall()) for table in tables)  # noqa: S608  (our own names)


async def state_of(ledger: Ledger, attempt: Attempt) -> AttemptState:
    """An attempt's state, as it is recorded."""
    found = await ledger.get(attempt.id)
    assert found
    return found.state


def keeping(ledger: Ledger, *, keep: float = 30, audit: float = 365) -> Housekeeping:
    return Housekeeping(ledger=ledger, keep=timedelta(days=keep), audit=timedelta(days=audit))


@pytest.mark.long
async def test_people_are_taken_out_of_closed_attempts(open_ledger: OpenLedger, tmp_path: Path) -> None:
    """After keep_days no number, name or customer id is left; key, history and evidence of the call are."""
    ledger = await open_ledger(lease_seconds=86400)
    began = ledger.now()
    attempt = await closed(ledger)
    assert "2125550101" in text(tmp_path)
    keeper = keeping(ledger)
    keeper.start()
    await asyncio.sleep(29 * 86400)
    assert "2125550101" in text(tmp_path)
    await asyncio.sleep(2 * 86400)
    left = text(tmp_path)
    for gone in ("2125550101", "Liddell", "Lewis", "customer-77"):
        assert gone not in left
    pruned = await ledger.get(attempt.id)
    assert pruned is not None
    assert pruned.contact is not None
    assert (pruned.contact.key, pruned.outcome) == (CONTACT.key, Outcome.ANSWERED)
    assert len(await ledger.history(attempt.id)) == 6
    assert [one.outcome for one in await ledger.past_calls(CONTACT, began)] == [Outcome.ANSWERED]
    await keeper.close()


async def test_open_attempts_are_never_pruned(open_ledger: OpenLedger) -> None:
    """An attempt that is open keeps its contact, however old it is."""
    ledger = await open_ledger(lease_seconds=86400)
    attempt = ledger.change(await ledger.open(ALICE), FETCHED, contact=CONTACT)
    keeper = keeping(ledger, keep=0)
    keeper.start()
    await asyncio.sleep(2 * 86400)
    await keeper.close()
    (recorded,) = await ledger.attempts()
    assert recorded.contact == attempt.contact


@pytest.mark.long
async def test_the_audit_ends_after_its_years(open_ledger: OpenLedger, tmp_path: Path) -> None:
    """After audit_years nothing is left of an attempt, not even its evidence."""
    ledger = await open_ledger(lease_seconds=86400)
    attempt = await closed(ledger)
    keeper = keeping(ledger, audit=40)
    keeper.start()
    await asyncio.sleep(41 * 86400)
    await keeper.close()
    assert await ledger.get(attempt.id) is None
    assert attempt.id not in text(tmp_path)


async def test_one_person_is_forgotten_on_request(open_ledger: OpenLedger, tmp_path: Path) -> None:
    """`forget KEY` takes that person out at once, of letters sent too; an open attempt refuses it."""
    ledger = await open_ledger()
    attempt = await called(ledger)
    disposed = await ledger.dispose(attempt, [Draft(message="m", values={"AgentComments": "Lewis called"})])
    now = ledger.now()
    await ledger.run(lambda connection: connection.exec_driver_sql("UPDATE outbox SET state = 'confirmed'"))
    assert await ledger.run(lambda connection: housekeeping.forget(connection, CONTACT.key, now)) == 1
    assert "Lewis" not in text(tmp_path)
    assert "2125550101" not in text(tmp_path)
    ledger.close_disposed(disposed, "the LCM has it")
    held = await ledger.open(Agent(id="bob"))
    ledger.change(held, FETCHED, contact=CONTACT)
    with pytest.raises(LedgerError, match="is open"):
        await ledger.run(lambda connection: housekeeping.forget(connection, CONTACT.key, now))


async def forget(ledger: Ledger) -> int:
    """What `forget KEY` does."""
    return await ledger.run(partial(housekeeping.forget, key=CONTACT.key, now=ledger.now()))


@pytest.mark.parametrize("by", ["forget", "keep_days"])
async def test_what_was_said_of_a_person_goes_too(open_ledger: OpenLedger, tmp_path: Path, by: str) -> None:
    """An agent's comments, and words with a skip, go with the person; outcome, callback and lines stay."""
    ledger = await open_ledger(lease_seconds=86400)
    callback = Callback(kind="personal", starts_at=ledger.now(), ends_at=ledger.now(), mode_id="2")
    said = Disposition(outcome_id="7", comments="Lewis is in hospital", callback=callback)
    disposed = await ledger.dispose(await called(ledger), [], disposition=said)
    offer = ledger.change(await ledger.open(BOB), FETCHED, contact=CONTACT)
    ledger.change(offer, SKIPPED, reason="skip: Lewis is my uncle", answer="skip")
    if by == "forget":
        assert await forget(ledger) == 2
    else:
        await ledger.run(
            partial(housekeeping.prune, now=ledger.now(), keep=-timedelta(1), audit=timedelta(1))
        )
    assert "Lewis" not in text(tmp_path)
    left, skipped = await ledger.get(disposed.id), await ledger.get(offer.id)
    assert left
    assert skipped
    assert left.disposition == evolve(said, comments="")
    assert (skipped.reason, skipped.answer) == ("skip", "skip")
    assert [line.reason for line in await ledger.history(offer.id)] == ["", "", "skip"]


async def settle(ledger: Ledger, letter: Letter, state: LetterState) -> None:
    """The sender tells what became of a letter."""
    step = partial(letters.settle, letter_id=letter.id, state=state, error=None, now=ledger.now())
    await ledger.run(step)


async def test_a_letter_is_erased_once_it_is_settled(open_ledger: OpenLedger, tmp_path: Path) -> None:
    """What the LCM is still to be told of a forgotten person is kept as it is until the LCM has it."""
    ledger = await open_ledger()
    draft = Draft(message="m", values={"number": "+12125550101"})
    await ledger.dispose(await called(ledger), [draft])
    assert await forget(ledger) == 1
    (letter,) = await ledger.run(partial(letters.take, holder=ledger.holder, now=ledger.now()))
    assert letter.values == draft.values
    for state in (LetterState.WAITING, LetterState.UNCONFIRMED, LetterState.REJECTED):
        await settle(ledger, letter, state)
        assert "2125550101" in text(tmp_path)
    await settle(ledger, letter, LetterState.CONFIRMED)
    assert "2125550101" not in text(tmp_path)


def contents(directory: Path) -> bytes:
    """All that is in its files, journals too."""
    return b"".join(map(Path.read_bytes, directory.iterdir()))


@pytest.mark.parametrize("by", ["a letter", "keep_days"])
async def test_no_file_keeps_who_was_taken_out(open_ledger: OpenLedger, tmp_path: Path, by: str) -> None:
    """Within the hour nothing is left in the journal either, nor of a letter that was erased once sent."""
    ledger = await open_ledger(lease_seconds=86400)
    disposed = await ledger.dispose(await called(ledger), [Draft(message="m", values={"n": "+12125550101"})])
    if by == "a letter":
        assert await forget(ledger) == 1
    (letter,) = await ledger.run(partial(letters.take, holder=ledger.holder, now=ledger.now()))
    await settle(ledger, letter, LetterState.CONFIRMED)
    ledger.close_disposed(await ledger.get(disposed.id) or disposed, "the LCM has it")
    keeper = keeping(ledger, keep=0)
    keeper.start()
    await asyncio.sleep(2 * housekeeping.EVERY)
    await keeper.close()
    held = contents(tmp_path)
    assert b"2125550101" not in held
    assert b"Liddell" not in held


async def test_a_letter_of_somebody_known_stays_whole(open_ledger: OpenLedger) -> None:
    """A letter that is settled keeps what it says for as long as its attempt keeps the person."""
    ledger = await open_ledger()
    disposed = await ledger.dispose(await called(ledger), [Draft(message="m", values={"n": 1})])
    (letter,) = await ledger.letters_of(disposed.id)
    await settle(ledger, letter, LetterState.CONFIRMED)
    assert [one.values for one in await ledger.letters_of(disposed.id)] == [{"n": 1}]


async def test_an_offer_nobody_came_back_to(open_ledger: OpenLedger) -> None:
    """An offer let go of is closed once its reservation is over, though its agent never comes back."""
    ledger = await open_ledger(lease_seconds=86400)
    expires_at = ledger.now() + timedelta(hours=2)
    contact = evolve(CONTACT, expires_at=expires_at)
    offer = ledger.change(await ledger.open(ALICE), FETCHED, contact=contact)
    held = ledger.change(await ledger.open(BOB), FETCHED, contact=evolve(contact, key="2"))
    ledger.release(offer)
    keeper = keeping(ledger)
    keeper.start()
    await asyncio.sleep(1.5 * 3600)
    assert await state_of(ledger, offer) is AttemptState.OFFERED
    await asyncio.sleep(2 * 3600)
    left = await ledger.get(offer.id)
    assert left
    assert (left.state, left.reason) == (AttemptState.EXPIRED, "it expired while nobody held it")
    assert await state_of(ledger, held) is AttemptState.OFFERED
    await keeper.close()


@pytest.mark.parametrize("confirmed", [True, False])
async def test_what_the_lcm_has_confirmed_is_closed(open_ledger: OpenLedger, *, confirmed: bool) -> None:
    """An attempt whose host ended after the LCM had confirmed it, and before it was closed, is closed."""
    ledger = await open_ledger(lease_seconds=86400)
    disposed = await ledger.dispose(await called(ledger), [Draft(message="SetCallResult", values={})])
    (letter,) = await ledger.letters_of(disposed.id)
    state = LetterState.CONFIRMED if confirmed else LetterState.UNCONFIRMED
    ledger.note(partial(letters.settle, letter_id=letter.id, state=state, error=None, now=ledger.now()))
    keeper = keeping(ledger)
    keeper.start()
    await asyncio.sleep(3 * 3600)
    recorded = await ledger.get(disposed.id)
    assert recorded
    assert recorded.state is (AttemptState.CLOSED if confirmed else AttemptState.DISPOSED)
    await keeper.close()
