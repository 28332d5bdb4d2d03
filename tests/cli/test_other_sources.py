"""Another source's contacts at the command line: a plugin installed beside, as its author installs it."""

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from cti_hooks import Agent, Contact
from lcm_plugin.attempt.transitions import FETCHED, SKIPPED
from lcm_plugin.ledger import Ledger, database_for
from tests.cli.test_cli import PERSON, lcm_plugin, sandbox

pytestmark = pytest.mark.real_time

SOURCE = """
from cti_hooks import Contact, hookimpl

class Leads:
    def __init__(self, table):
        self.table = table

    @hookimpl
    def request_next_contact(self):
        return Contact(key="lead 7", phone_number="+12125559907", source="forged")
"""


class Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """The path on which Python finds the distribution."""
    site = tmp_path / "site"
    about = site / "acme_leads-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "acme_leads.py").write_text(SOURCE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-leads\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[cti.plugins]\nacme-leads = acme_leads:Leads\n")
    return os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))


def config(tmp_path: Path, url: str, *plugins: str) -> Path:
    path = tmp_path / "cti.toml"
    path.write_text(
        f"[cti]\nplugins = {json.dumps(plugins)}\n"
        f'[plugins.lcm]\nurl = "{url}"\nsource = "cli"\ntimezone = "UTC"\n'
    )
    return path


@pytest.mark.parametrize(("first", "source"), [("acme-leads", "acme-leads"), ("lcm", "")])
def test_next_names_the_source(tmp_path: Path, installed: str, first: str, source: str) -> None:
    """`next` prints which plugin gave the contact, whatever that one says; nothing for the LCM's own."""
    with sandbox(tmp_path, [PERSON]) as url:
        both = sorted(("lcm", "acme-leads"), key=lambda name: name != first)
        done = lcm_plugin(
            "next", "--config", config(tmp_path, url, *both), "--agent", "1", "--campaign-group",
            PERSON["campaign_group"], PYTHONPATH=installed,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["source"], found["key"]) == (source, "lead 7" if source else PERSON["key"])


async def recorded(directory: Path) -> str:
    """A closed attempt of the other source's contact, in the ledger of the config file."""
    database = database_for("sqlite:///lcm-ledger.db", directory)
    ledger = Ledger(database=database, clock=Now(), random=Random(1), host="h", lease_seconds=30)
    await ledger.start()
    contact = Contact(key="lead 7", phone_number="+12125559907", source="acme-leads")
    attempt = ledger.change(await ledger.open(Agent(id="1")), FETCHED, contact=contact)
    ledger.change(attempt, SKIPPED)
    await ledger.close()
    return attempt.id


async def test_its_person_is_shown_and_forgotten_by_source(tmp_path: Path) -> None:
    """`attempts ID` says whose contact it was; only `forget KEY SOURCE` takes that person out."""
    attempt_id = await recorded(tmp_path)
    path = config(tmp_path, "http://127.0.0.1:9/", "lcm")

    async def attempts(*words: str) -> "tuple[int, str]":
        done = await asyncio.to_thread(lcm_plugin, "attempts", "--config", path, *words)
        return done.returncode, done.stdout + done.stderr

    assert "contact   lead 7  ***07  of acme-leads" in (await attempts(attempt_id))[1]
    assert (await attempts("forget", "lead 7"))[0] == 3
    status, said = await attempts("forget", "lead 7", "others")
    assert (status, "of the key lead 7 of others" in said) == (3, True)
    assert await attempts("forget", "lead 7", "acme-leads") == (0, "1 attempts know nobody any more\n")
