"""The ledger of one host: intents before their side effect, facts as they come, keys once."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from cti_hooks import Agent, Attempt, AttemptState, Contact, Outcome
from lcm_plugin.attempt.transitions import ENDED, EXPIRED, FETCHED, NOTHING, PLACED, REFUSED, SKIPPED
from lcm_plugin.ledger import (
    AttemptLostError,
    Database,
    KeyTakenError,
    Ledger,
    LedgerUnavailable,
    OpenElsewhereError,
    database_for,
)
from lcm_plugin.ledger.codec import attempt_as_json, attempt_of
from lcm_plugin.ledger.rows import contact_digest
from tests.ledger.wire import OpenLedger
from tests.people import BOB, CAROL

ALICE = Agent(id="alice", name="Alice")


def contact(key: str = "0|0|000|0|0|00|1", **facts: Any) -> Contact:
    return Contact(**{"key": key, "phone_number": "+12125550101", "consent": "given", **facts})


async def offered(ledger: Ledger, agent: Agent = ALICE, **facts: Any) -> Attempt:
    attempt = await ledger.open(agent, "G")
    attempt = ledger.change(attempt, FETCHED, contact=contact(**facts), reason="fetched")
    await ledger.doubts()  # what was noted before a read is written
    return attempt


async def called(
    ledger: Ledger, agent: Agent = ALICE, outcome: Outcome = Outcome.BUSY, **facts: Any
) -> Attempt:
    dialing = await ledger.dial(await offered(ledger, agent, **facts))
    return ledger.change(dialing, ENDED, outcome=outcome)


async def test_every_step_is_in_the_history(open_ledger: OpenLedger) -> None:
    """Each transition is a line with instant, state, host and reason."""
    ledger = await open_ledger()
    ended = await called(ledger)
    lines = await ledger.history(ended.id)
    assert [line.state.value for line in lines] == ["requested", "offered", "dialing", "ended"]
    assert {line.host for line in lines} == {"h1"}
    assert lines[1].reason == "fetched"


async def test_an_agent_has_one_open_attempt(open_ledger: OpenLedger) -> None:
    """A second attempt for an agent is not opened while the first is, by this host or another."""
    one, two = await open_ledger("h1"), await open_ledger("h2")
    first = await one.open(ALICE, "G")
    for ledger in (one, two):
        with pytest.raises(OpenElsewhereError, match=first.id):
            await ledger.open(ALICE, "G")
    one.change(first, NOTHING)
    await one.doubts()  # it is written
    assert (await two.open(ALICE, "G")).id != first.id


async def test_two_hosts_open_at_once_and_one_is_quicker(open_ledger: OpenLedger) -> None:
    """Thrown at both hosts at once, each of fifty agents gets one attempt."""
    hosts = [await open_ledger("h1"), await open_ledger("h2")]
    agents = [Agent(id=f"agent-{n}") for n in range(50)]
    found = await asyncio.gather(
        *(ledger.open(agent) for agent in agents for ledger in hosts), return_exceptions=True
    )
    assert sum(isinstance(one, OpenElsewhereError) for one in found) == 50
    assert len({one.agent.id for one in found if isinstance(one, Attempt)}) == 50


async def test_a_key_is_dialed_once_over_all_hosts(open_ledger: OpenLedger) -> None:
    """A key that is open elsewhere, or was dialed, is not dialed: compare-and-set, not a lock in memory."""
    one, two = await open_ledger("h1"), await open_ledger("h2")
    first, second = await offered(one), await offered(two, BOB)
    dialing = await one.dial(first)
    with pytest.raises(KeyTakenError, match=f"{first.id} of agent alice has this key and is dialing"):
        await two.dial(second)
    one.change(dialing, ENDED)
    await one.doubts()  # it is written
    with pytest.raises(KeyTakenError, match="is ended"):
        await two.dial(second)


async def test_a_key_closed_without_a_call_may_be_dialed(open_ledger: OpenLedger) -> None:
    """A key that was refused or expired is a new attempt when it comes again."""
    ledger = await open_ledger()
    for transition in (REFUSED, EXPIRED, SKIPPED):
        ledger.change(await offered(ledger), transition)
    assert (await ledger.dial(await offered(ledger, BOB))).state is AttemptState.DIALING


async def test_an_attempt_is_dialed_once(open_ledger: OpenLedger) -> None:
    """`dialing` is reached from `offered` only: a stale copy of the attempt dials nothing."""
    ledger = await open_ledger()
    stale = await offered(ledger)
    dialing = await ledger.dial(stale)
    ledger.change(dialing, PLACED)
    with pytest.raises(AttemptLostError):
        await ledger.dial(stale)


async def test_a_dialer_that_took_nothing_leaves_no_evidence(open_ledger: OpenLedger) -> None:
    """Refused after `dialing`, since no dialer took it: nothing rang, so nothing counts."""
    ledger = await open_ledger()
    dialing = await ledger.dial(await offered(ledger))
    ledger.change(dialing, REFUSED, reason="no dialer")
    assert await ledger.past_calls(contact(), ledger.now() - timedelta(days=1)) == []
    assert (await ledger.dial(await offered(ledger, BOB))).state is AttemptState.DIALING


async def test_past_calls_are_told_by_number_and_by_person(open_ledger: OpenLedger) -> None:
    """What caps count: a number under any key, a contact under any number, with outcome and time."""
    ledger = await open_ledger()
    began = ledger.now()
    await called(ledger, ALICE, key="k1", campaign="C", contact_id="7")
    await called(ledger, BOB, key="k2", campaign="D", contact_id="8")
    await called(ledger, CAROL, key="k3", campaign="C", contact_id="7", phone_number="+12125550199")
    asked = contact(key="k4", campaign="C", contact_id="7")
    seen = await ledger.past_calls(asked, began)
    told = [(one.same_number, one.same_contact) for one in seen]
    assert told == [(True, True), (True, False), (False, True)]
    assert {one.outcome for one in seen} == {Outcome.BUSY}
    assert all(one.ended_at is not None for one in seen)
    assert await ledger.past_calls(asked, ledger.now() + timedelta(seconds=1)) == []


async def test_numbers_stand_in_the_evidence_as_keyed_hashes(open_ledger: OpenLedger, tmp_path: Path) -> None:
    """The hash of a number cannot be made without the ledger's own key."""
    ledger = await open_ledger()
    await called(ledger)
    (tmp_path / "other").mkdir()
    assert ledger.number_hash(contact()) != contact_digest(contact())
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as database:
        rows = database.execute("SELECT * FROM dials").fetchall()
    assert "2125550101" not in str(rows)


NASTY = [
    'it\'s "quoted" \\ and | piped',
    "emoji 🎉 and umlaut ü",
    "k" * 4096,
    "nul \x00 and newline \n",
    "\ud800 alone",
    "  blanks around  ",
]


@pytest.mark.parametrize("key", NASTY, ids=["quotes", "emoji", "4 KiB", "nul", "surrogate", "blanks"])
async def test_any_key_is_kept_as_given(open_ledger: OpenLedger, key: str) -> None:
    """An LCM key with any characters, of any length, comes back byte for byte, and is known."""
    ledger = await open_ledger()
    attempt = await offered(ledger, Agent(id=f"agent {key}"), key=key)
    (found,) = await ledger.attempts(key=key)
    assert found == attempt
    assert await ledger.owners([key, "another"]) == {key: f"agent {key}"}


texts = st.text(st.characters(exclude_categories=[]), max_size=20)


@given(
    texts,
    texts,
    st.dictionaries(texts, st.recursive(st.none() | st.booleans() | texts, st.lists, max_leaves=5)),
)
@pytest.mark.long
def test_an_attempt_survives_the_codec(key: str, reason: str, extra: dict[str, Any]) -> None:
    """Whatever the LCM sent, an attempt read back is the attempt that was written."""
    attempt = Attempt(
        id="a",
        agent=ALICE,
        contact=contact(key=f"k{key}", extra=extra),
        state="offered",
        campaign_group=key,
        opened_at=datetime(2024, 1, 30, 15, tzinfo=UTC),
        reason=reason,
    )
    assert attempt_of(attempt_as_json(attempt)) == attempt


def test_the_dialers_of_an_attempt_of_the_first_version_are_read() -> None:
    """They were one text, which JSON still has; names are told apart in what is written now."""
    attempt = attempt_of(
        {"id": "a", "agent": {"id": "alice"}, "contact": None, "state": "calling", "campaign_group": ""}
        | {"opened_at": "2024-01-30T15:00:00+00:00", "backend": "asterisk webhook"}
    )
    assert attempt.backends == ("asterisk", "webhook")
    body = attempt_as_json(attrs.evolve(attempt, backends=("my asterisk", "webhook")))
    assert body["backend"] == "my asterisk webhook"
    assert attempt_of(body).backends == ("my asterisk", "webhook")


async def test_doubt_is_kept(open_ledger: OpenLedger) -> None:
    """A doubt is known to every host until it is settled."""
    one, two = await open_ledger("h1"), await open_ledger("h2")
    one.note_doubt(ALICE, "G", "reset")
    await one.doubts()
    told = await two.doubt(ALICE)
    assert told is not None
    assert (told.campaign_group, told.reason) == ("G", "reset")
    two.end_doubt(ALICE)
    assert await two.doubts() == {}
    await one.open(ALICE)
    assert await one.doubt(ALICE) is None


@define
class Counting:
    """A database that counts its transactions."""

    database: Database
    transactions: int = 0
    name: str = "counting"

    async def run(self, step: Any) -> Any:
        self.transactions += 1
        return await self.database.run(step)

    async def close(self) -> None:
        await self.database.close()


async def test_concurrent_writes_share_a_transaction(open_ledger: OpenLedger) -> None:
    """Fifty agents at once cost a few commits, not fifty."""
    counting = Counting(database_for("sqlite://", Path.cwd()))
    ledger = await open_ledger(database=counting)
    before = counting.transactions
    await asyncio.gather(*(ledger.open(Agent(id=f"agent-{n}")) for n in range(50)))
    assert counting.transactions - before <= 3


async def test_a_fault_of_one_step_stops_no_other(open_ledger: OpenLedger) -> None:
    """What cannot be written as it is fails alone, and is told; the others are written."""
    ledger = await open_ledger()

    def broken(_: Any) -> None:
        raise TypeError("a fault of ours")

    results = await asyncio.gather(ledger.run(broken), ledger.open(ALICE), return_exceptions=True)
    assert isinstance(results[0], LedgerUnavailable)
    assert isinstance(results[1], Attempt)
    assert ledger.health().good
    ledger.note(broken)
    assert await ledger.doubts() == {}
    assert "a fault of ours" in ledger.health().seen


async def test_an_intent_given_up_is_taken_back(open_ledger: OpenLedger) -> None:
    """Cancelled while `dialing` is being written, it stays offered: nothing was dialed."""
    ledger = await open_ledger()
    attempt = await offered(ledger)
    dialing = asyncio.create_task(ledger.dial(attempt))
    await asyncio.sleep(0)
    dialing.cancel()
    await asyncio.gather(dialing, return_exceptions=True)
    (found,) = await ledger.attempts()
    assert found.state is AttemptState.OFFERED
    assert await ledger.past_calls(contact(), ledger.now() - timedelta(days=1)) == []
    assert (await ledger.dial(attempt)).state is AttemptState.DIALING


async def test_attempts_carry_their_host(open_ledger: OpenLedger) -> None:
    """Who has an attempt is told with it."""
    ledger = await open_ledger("pbx-host")
    assert (await offered(ledger)).host == "pbx-host"
    assert attrs.asdict(await ledger.open(BOB))["host"] == "pbx-host"


async def test_ledgers_begun_at_once_are_each_whole(open_ledger: OpenLedger, tmp_path: Path) -> None:
    """A process with several hosts may begin several ledgers at the same moment."""
    files = [database_for(f"sqlite:///{number}.db", tmp_path) for number in range(6)]
    ledgers = await asyncio.gather(*(open_ledger(f"h{n}", database=file) for n, file in enumerate(files)))
    opened = [await ledger.open(ALICE) for ledger in ledgers]
    assert [attempt.state for attempt in opened] == [AttemptState.REQUESTED] * 6
