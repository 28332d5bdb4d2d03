"""`lcm-plugin explain`, as a user runs it: why a contact may or may not be called."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cti_hooks import Agent, Clock, Contact
from lcm_plugin.attempt.transitions import FETCHED
from lcm_plugin.ledger import Ledger, database_for

pytestmark = pytest.mark.real_time

PROGRAM = Path(sys.executable).parent / "lcm-plugin"
NOBODY = "http://127.0.0.1:9/message"
NOON = "2026-11-24T12:00:00-05:00"
NIGHT = "2026-11-24T04:00:00-05:00"

PERSON = {
    "PhoneNumber": "2125550123", "AccountNumber": "0|0|000|0|0|00|1234", "Consent": "Yes",
    "ExpiryTime": "12/31/2030 10:00:00",
}  # fmt: skip


def explain(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [str(PROGRAM), "explain", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  (our own program)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A site with two policies, and an LCM that is not there."""
    path = tmp_path / "cti.toml"
    path.write_text(
        '[cti]\nplugins = ["calling-hours", "consent", "lcm"]\n'
        f'[plugins.lcm]\nurl = "{NOBODY}"\nsource = "cli"\ntimezone = "America/New_York"\n'
    )
    return path


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A reply with one contact."""
    return reply(tmp_path, PERSON)


def reply(tmp_path: Path, response: Any) -> Path:
    envelope = {"channel": "LCM", "topic": "WebService", "subtopic": "DownloadContactsForDialing"}
    path = tmp_path / "reply.json"
    path.write_text(json.dumps({**envelope, "message": {"response": response}}))
    return path


async def recorded(directory: Path, contact: Contact | None) -> str:
    """An attempt in the site's ledger, offered, or `requested` without a contact."""

    class Now:
        def now(self) -> datetime:
            return datetime.now(UTC)

    clock: Clock = Now()
    database = database_for("sqlite:///lcm-ledger.db", directory)
    ledger = Ledger(database=database, clock=clock, random=Random(1), host="h", lease_seconds=30)
    await ledger.start()
    attempt = await ledger.open(Agent(id="alice"))
    if contact:
        ledger.change(attempt, FETCHED, contact=contact)
    await ledger.close()
    return attempt.id


def test_nothing_speaks_against_it(config: Path, sample: Path) -> None:
    """All rules pass: each with its evidence, status 0; the LCM is not asked, no number shown."""
    done = explain("--config", config, "--sample", sample, "--at", NOON)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "contact  0|0|000|0|0|00|1234  ***23" in lines
    assert lines[-1] == "all 7 rules let it be called"
    assert sum(line.startswith("ok ") for line in lines) == 7
    assert "window 08:00-21:00, zones America/New_York" in done.stdout
    assert "5550123" not in done.stdout


def test_a_refusal_names_rule_evidence_and_next_moment(config: Path, sample: Path) -> None:
    """At night it is refused: by which rule, until when; status 7, for people and as JSON."""
    done = explain("--config", config, "--sample", sample, "--at", NIGHT)
    assert done.returncode == 7
    assert "NO   calling-hours       it is Tuesday 04:00 in America/New_York" in done.stdout
    assert done.stdout.rstrip().endswith("1 of 7 rules refuse it; not before 2026-11-24T13:00:00Z")
    told = explain("--config", config, "--sample", sample, "--at", NIGHT, "--json", "--agent", "bob")
    (shown,) = json.loads(told.stdout)
    assert told.returncode == 7
    assert (shown["allowed"], shown["not_before"]) == (False, "2026-11-24T13:00:00+00:00")
    assert [check["rule"] for check in shown["checks"] if not check["passed"]] == ["calling-hours"]
    assert (shown["agent"]["id"], shown["contact"]["phone_number"]) == ("bob", "2125550123")


async def test_an_attempt_of_the_ledger_is_explained(tmp_path: Path, config: Path) -> None:
    """An attempt is explained as of now or any moment, for its own agent; it stays as it is."""
    contact = Contact(key="0|1", phone_number="2125550123", e164="+12125550123")
    attempt_id = await recorded(tmp_path, contact)
    arguments = ("--config", config, "--attempt", attempt_id, "--at", NOON, "--json")
    done = await asyncio.to_thread(explain, *arguments)
    shown = json.loads(done.stdout)
    assert done.returncode == 7
    assert (shown["attempt_id"], shown["agent"]["id"], shown["allowed"]) == (attempt_id, "alice", False)
    assert {check["rule"] for check in shown["checks"] if not check["passed"]} == {
        "calling-hours-zone",
        "consent",
    }
    again = await asyncio.to_thread(explain, *arguments)
    assert json.loads(again.stdout) == shown


async def test_an_unknown_attempt_is_said(tmp_path: Path, config: Path) -> None:
    """An id the ledger does not know, or an attempt without a contact: one line, status 3."""
    attempt_id = await recorded(tmp_path, None)
    unknown = await asyncio.to_thread(explain, "--config", config, "--attempt", "0")
    assert (unknown.returncode, "has no attempt 0" in unknown.stderr) == (3, True)
    empty = await asyncio.to_thread(explain, "--config", config, "--attempt", attempt_id)
    assert (empty.returncode, "has no contact to explain" in empty.stderr) == (3, True)


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("tomorrow", "is no instant; write one like 2024-01-30T15:00:00-05:00"),
        ("2026-11-24T04:00:00", "has no offset"),
        ("9999-12-31T23:59:59+00:00", "1970 to 2199"),
    ],
)
def test_a_bad_time_is_one_clear_line(config: Path, sample: Path, moment: str, said: str) -> None:
    """A time that is none, or has no offset, is told with what would be right, status 2."""
    done = explain("--config", config, "--sample", sample, "--at", moment)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    assert said in line


def test_either_a_sample_or_an_attempt(config: Path) -> None:
    """Neither of both is a usage error that says what to write."""
    done = explain("--config", config)
    assert (done.returncode, "either --sample FILE or --attempt ID" in done.stderr) == (2, True)


def test_a_sample_that_is_none(tmp_path: Path, config: Path) -> None:
    """A reply without a key cannot be explained: status 6; one without contacts has nothing to explain: 0."""
    done = explain("--config", config, "--sample", reply(tmp_path, {**PERSON, "AccountNumber": ""}))
    assert done.returncode == 6
    assert "5550123" not in done.stderr
    nobody = explain("--config", config, "--sample", reply(tmp_path, {}))
    assert (nobody.returncode, nobody.stdout) == (0, "no contact in this reply\n")


def test_the_lcms_expiry_is_a_rule_too(config: Path, sample: Path) -> None:
    """What the LCM reserved for a while is told with its end, and refused once that is over."""
    before = explain("--config", config, "--sample", sample, "--at", NOON)
    assert "expiry              the LCM's reservation holds" in before.stdout
    assert "by expires_at 2030-12-31T10:00:00-05:00" in before.stdout
    after = explain("--config", config, "--sample", sample, "--at", "2031-01-02T12:00:00-05:00", "--json")
    (shown,) = json.loads(after.stdout)
    refused = [check["rule"] for check in shown["checks"] if not check["passed"]]
    assert (after.returncode, refused, shown["not_before"]) == (7, ["expiry"], None)
