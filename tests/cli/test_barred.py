"""A number that was barred, at the command line: why it is not called, and by whose word."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from cti_hooks import Agent, Contact, Disposition
from lcm_plugin.attempt.transitions import FETCHED
from lcm_plugin.ledger import Ledger, database_for
from tests.cli.test_cli import PERSON, config, lcm_plugin, sandbox

pytestmark = pytest.mark.real_time

REPLY = {
    "channel": "LCM", "topic": "WebService", "subtopic": "DownloadContactsForDialing",
    "message": {"response": {"PhoneNumber": PERSON["phone_number"], "AccountNumber": "9|9"}},
}  # fmt: skip


class Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def barred(directory: Path) -> None:
    """The person's number, in the ledger that the config file names, by another host."""
    database = database_for("sqlite:///lcm-ledger.db", directory)
    ledger = Ledger(database=database, clock=Now(), random=Random(1), host="another", lease_seconds=30)
    await ledger.start()
    contact = Contact(key="1", phone_number=PERSON["phone_number"], e164=PERSON["phone_number"])
    attempt = ledger.change(await ledger.open(Agent(id="zoe")), FETCHED, contact=contact)
    await ledger.dispose(attempt, [], disposition=Disposition(outcome_id="5", do_not_call=True), actor="zoe")
    await ledger.close()


async def test_it_is_explained(tmp_path: Path) -> None:
    """`explain` of a number that was barred shows by whom and since when, and no number; status 7."""
    await barred(tmp_path)
    sample = tmp_path / "reply.json"
    sample.write_text(json.dumps(REPLY))
    path = config(tmp_path, "http://127.0.0.1:9/message")
    done = await asyncio.to_thread(lcm_plugin, "explain", "--config", path, "--sample", sample)
    assert done.returncode == 7
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("NO ")]
    assert "barred zoe barred this number at 20" in " ".join(line.split())
    assert "5550101" not in done.stdout


async def test_next_tells_it(tmp_path: Path) -> None:
    """`next` prints a barred contact with that refusal, as it does with those of policies."""
    await barred(tmp_path)
    with sandbox(tmp_path, [PERSON]) as url:
        path = config(tmp_path, url)
        done = await asyncio.to_thread(lcm_plugin, "next", "--config", path, "--agent", "1001")
    assert done.returncode == 0, done.stderr
    (refusal,) = json.loads(done.stdout)["refusals"]
    assert (refusal["rule"], refusal["evidence"]["by"]) == ("barred", "zoe")
