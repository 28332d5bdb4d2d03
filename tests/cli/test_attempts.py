"""`lcm-plugin attempts` for an operator: what waits for a person is shown, and nothing is cut in silence."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

from cti_hooks import Agent, Attempt, Contact
from lcm_plugin.attempt.transitions import ENDED, FETCHED
from lcm_plugin.cli import main
from lcm_plugin.ledger import Draft, Ledger, LetterState, database_for, letters

pytestmark = pytest.mark.real_time

UNCONFIRMED, REJECTED, CONFIRMED = LetterState.UNCONFIRMED, LetterState.REJECTED, LetterState.CONFIRMED


class Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Books:
    """A site's config file and ledger, the latter written as a host writes it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.config = directory / "cti.toml"
        self.config.write_text(
            '[cti]\nplugins = ["lcm"]\n'
            '[plugins.lcm]\nurl = "http://127.0.0.1:9/"\nsource = "cli"\ntimezone = "America/New_York"\n'
        )

    async def opened(self) -> Ledger:
        database = database_for("sqlite:///lcm-ledger.db", self.directory)
        ledger = Ledger(database=database, clock=Now(), random=Random(1), host="h", lease_seconds=30)
        await ledger.start()
        return ledger

    async def written(self, states: Sequence[LetterState], offers: int = 0) -> list[str]:
        """An attempt for each of these states of its message, then offers; their ids."""
        ledger = await self.opened()
        ids = [await self._disposed(ledger, number, state) for number, state in enumerate(states)]
        numbers = range(len(states), len(states) + offers)
        ids += [(await self._offered(ledger, number)).id for number in numbers]
        await ledger.close()
        return ids

    async def _offered(self, ledger: Ledger, number: int) -> Attempt:
        attempt = await ledger.open(Agent(id=f"agent {number}"))
        contact = Contact(key=f"0|{number}", phone_number="2125550123")
        return ledger.change(attempt, FETCHED, contact=contact)

    async def _disposed(self, ledger: Ledger, number: int, state: LetterState) -> str:
        ended = ledger.change(await ledger.dial(await self._offered(ledger, number)), ENDED)
        disposed = await ledger.dispose(ended, [Draft(message="SetCallResult", values={"key": "k"})])
        (taken,) = await ledger.run(partial(letters.take, holder=ledger.holder, now=ledger.now()))
        settle = partial(letters.settle, letter_id=taken.id, state=state, error=f"it is {state}")
        await ledger.run(partial(settle, now=ledger.now()))
        return disposed.id

    async def attempts(self, *words: str) -> Result:
        arguments = ["attempts", "--config", str(self.config), *words]
        return await asyncio.to_thread(CliRunner().invoke, main, arguments)

    async def states(self) -> list[str]:
        """The states of all messages, oldest first."""
        ledger = await self.opened()
        told = [one.state.value for one in reversed(await ledger.messages(limit=100))]
        await ledger.close()
        return told


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path)


def first(done: Result) -> list[str]:
    """The first column of what was printed."""
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


async def test_what_waits_for_a_person_comes_first(books: Books) -> None:
    """Unconfirmed and rejected ones stand before all others, with why, and what to do is said."""
    lost, rejected, confirmed, offer = await books.written([UNCONFIRMED, REJECTED, CONFIRMED], offers=1)
    for words in ((), ("--open",)):
        done = await books.attempts(*words)
        assert done.exit_code == 0
        assert first(done) == [rejected, lost, offer, confirmed]
        assert "SetCallResult unconfirmed, tried 1 times: it is unconfirmed" in done.stdout.splitlines()[1]
        assert "2 messages wait for a person: `lcm-plugin attempts resend ID`" in done.stderr
    assert f"`lcm-plugin attempts resend {lost}` sends again" in (await books.attempts(lost)).stdout
    told = json.loads((await books.attempts("--json")).stdout)
    assert [one["id"] for one in told] == [rejected, lost, offer, confirmed]
    assert [one["state"] for one in told[0]["messages"]] == ["rejected"]


async def test_messages_doubts_and_hosts_are_lists_too(books: Books) -> None:
    """Each tells whose it is, since when and why; as lines and as JSON."""
    (lost,) = await books.written([UNCONFIRMED])
    ledger = await books.opened()
    ledger.note_doubt(Agent(id="alice"), "AD Manual", "the reply was lost")
    await ledger.recorded()
    try:
        hosts = json.loads((await books.attempts("--hosts", "--json")).stdout)
        assert [(one["host"], one["id"], one["open_attempts"]) for one in hosts] == [("h", ledger.holder, 0)]
        assert first(await books.attempts("--hosts")) == ["h"]
    finally:
        await ledger.close()
    message = (await books.attempts("--messages")).stdout.rstrip("\n").split("\t")
    assert message[1:5] == [lost, "agent 0", "0|0", "unconfirmed"]
    assert message[6:] == ["SetCallResult", "tried 1 times: it is unconfirmed"]
    assert (await books.attempts("--messages", "--rejected")).stdout == ""
    doubt = (await books.attempts("--doubts")).stdout.rstrip("\n").split("\t")
    assert (doubt[0], doubt[2:]) == ("alice", ["AD Manual", "the reply was lost"])
    (told,) = json.loads((await books.attempts("--doubts", "--json")).stdout)
    assert (told["agent"], told["reason"]) == ("alice", "the reply was lost")


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
async def test_no_list_is_cut_in_silence(books: Books, kept: int) -> None:
    """A page says that there is more and how to go on; followed to its end, it has shown each one once.

    What waits for a person comes first, and is told on as many pages as it takes.
    """
    ids = await books.written([REJECTED] * kept + [CONFIRMED] * (3 - kept), offers=2)
    seen, words = [], ["--limit", "2"]
    for _ in range(3):
        done = await books.attempts(*words)
        assert 0 < len(first(done)) <= 2
        seen += first(done)
        hint = [line for line in done.stderr.splitlines() if line.startswith("there are more: ")]
        if not hint:
            break
        words = ["--limit", "2", *hint[0].split()[3:5]]
    assert seen == [*reversed(ids[:kept]), *reversed(ids[kept:])]
    more = await books.attempts("--messages", "--limit", "1")
    assert ("there are more" in more.stderr) is (kept > 1)


async def test_several_are_sent_again_or_given_up(books: Books) -> None:
    """By their ids, or all that are unconfirmed or rejected; the others stay as they are."""
    one, two, three, four = await books.written([UNCONFIRMED, UNCONFIRMED, REJECTED, REJECTED])
    done = await books.attempts("resend", one, three)
    assert (done.exit_code, done.stdout) == (0, "2 messages will be sent again\n")
    assert await books.states() == ["waiting", "unconfirmed", "waiting", "rejected"]
    done = await books.attempts("resend", "--unconfirmed")
    assert (done.exit_code, done.stdout) == (0, "1 message will be sent again\n")
    done = await books.attempts("withdraw", "--rejected")
    assert (done.exit_code, done.stdout) == (0, "1 message given up\n")
    assert await books.states() == ["waiting", "waiting", "waiting", "withdrawn"]
    assert f"{four}" in first(await books.attempts())
    assert two in first(await books.attempts("--open"))


NOTHING = [
    (("forget", "nokey"), "knows nobody of the key nokey"),
    (("resend", "--unconfirmed"), "no message to the LCM is unconfirmed"),
    (("withdraw", "--rejected"), "no message to the LCM is rejected"),
    (("resend", "0"), "has no attempt 0"),
    (("--before", "0"), "has no attempt 0"),
    (("--messages", "--before", "first"), "'first' is no message's number"),
    (("--messages", "--before", 23 * "9"), "is no message's number"),
    (("--messages", "--before", 5000 * "9"), "is no message's number"),
]


@pytest.mark.parametrize(("words", "said"), NOTHING, ids=[" ".join(words)[:40] for words, _ in NOTHING])
async def test_nothing_done_is_no_success(books: Books, words: tuple[str, ...], said: str) -> None:
    """What was asked of nobody and nothing ends with status 3 and a sentence that says so."""
    (confirmed,) = await books.written([CONFIRMED])
    done = await books.attempts(*words)
    assert (done.exit_code, done.stdout) == (3, "")
    assert said in done.stderr
    done = await books.attempts("withdraw", confirmed)
    assert (done.exit_code, done.stdout) == (3, "")
    assert f"no message of attempt {confirmed} is unconfirmed or rejected" in done.stderr


async def test_what_others_said_steers_no_terminal(books: Books) -> None:
    """Whatever a text from outside holds, each row stays one line of plain text; numbers are masked."""
    ledger = await books.opened()
    ledger.note_doubt(Agent(id="a\x1b[2J\nb"), "G\tH", "no answer for +12125550123\r")
    await ledger.recorded()
    await ledger.close()
    (line,) = (await books.attempts("--doubts")).stdout.splitlines()
    agent, _, group, reason = line.split("\t")
    assert (agent, group, reason) == ("a\\x1b[2J\\nb", "G\\tH", "no answer for ***23\\r")


async def test_resend_of_no_one_is_a_usage_error(books: Books) -> None:
    """`resend` alone does not mean all: it says what to write, and does nothing."""
    await books.written([UNCONFIRMED])
    done = await books.attempts("resend")
    assert (done.exit_code, "or --unconfirmed or --rejected for all" in done.stderr) == (2, True)
    assert await books.states() == ["unconfirmed"]
