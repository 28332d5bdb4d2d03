"""`lcm-plugin dnc`: the ledger's do-not-call list, looked at and changed at the command line."""

import asyncio
import json
import re
from pathlib import Path
from random import Random

import pytest

from cti_hooks import Contact
from lcm_plugin.ledger import Ledger, database_for
from tests.cli.test_barred import Now, barred
from tests.cli.test_cli import PERSON, config, lcm_plugin

pytestmark = pytest.mark.real_time

NUMBER = PERSON["phone_number"]
OTHER = "+12125550177"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A config file whose ledger has one person who said do-not-call."""
    asyncio.run(barred(tmp_path))
    return config(tmp_path, "http://127.0.0.1:9")


def dnc(table: Path, word: str, *more: str) -> tuple[int, str, str]:
    ended = lcm_plugin("dnc", word, "--config", str(table), *more)
    return ended.returncode, ended.stdout, ended.stderr


async def bar_on(table: Path, number: str, campaign: str = "") -> str:
    """Why another host would not dial this number; empty if it would."""
    database = database_for("sqlite:///lcm-ledger.db", table.parent)
    ledger = Ledger(database=database, clock=Now(), random=Random(2), host="other", lease_seconds=30)
    await ledger.start()
    try:
        contact = Contact(key="9", phone_number=number, e164=number, campaign=campaign)
        bar = await ledger.bar_on(contact, Now().now())
        return bar.said if bar else ""
    finally:
        await ledger.close()


def test_what_agents_said_is_listed(table: Path) -> None:
    """A line for the number and one for the contact, with who said so; no number can be read."""
    status, out, _ = dnc(table, "list")
    rows = [line.split("\t") for line in out.splitlines()]
    assert status == 0
    assert [(row[1], row[-1]) for row in rows] == [("number", "zoe"), ("contact", "zoe")]
    assert NUMBER[-7:] not in out


def test_a_number_is_added_and_removed(table: Path) -> None:
    """However it is written; twice is once. Every host knows it at once."""
    assert dnc(table, "add", "--actor", "lee", "(212) 555-0177") == (0, "1 barred\n", "")
    assert dnc(table, "add", OTHER, "--actor", "max") == (0, "0 barred; 1 barred before\n", "")
    assert asyncio.run(bar_on(table, OTHER)).startswith("lee barred this number at ")
    assert dnc(table, "remove", OTHER)[:2] == (0, "1 taken off the list\n")
    assert asyncio.run(bar_on(table, OTHER)) == ""
    assert dnc(table, "remove", OTHER)[0] == 3


def test_for_one_campaign_until_a_day(table: Path) -> None:
    """It holds there, and until then."""
    until = "2099-01-31T18:00:00-05:00"
    assert dnc(table, "add", OTHER, "--campaign", "Renewals", "--until", until)[0] == 0
    assert "in campaign Renewals" in asyncio.run(bar_on(table, OTHER, "Renewals"))
    assert asyncio.run(bar_on(table, OTHER, "Walk-ins")) == ""
    assert "2099-01-31T23:00:00+00:00" in dnc(table, "list")[1]


@pytest.mark.parametrize("word", ["add", "remove"])
def test_what_is_no_number_changes_nothing(table: Path, word: str) -> None:
    """One clear error that masks what was written, and no number of the same line is touched."""
    before = dnc(table, "list")[1]
    status, _, error = dnc(table, word, OTHER, "555")
    assert (status, "is no phone number; write it as +12125550123" in error) == (2, True)
    assert dnc(table, "list")[1] == before


def test_a_list_goes_out_and_comes_back(table: Path, tmp_path: Path) -> None:
    """What was exported bars again whom it named, in the same ledger, and twice is once."""
    status, out, _ = dnc(table, "export")
    assert status == 0
    assert len(out.splitlines()) == 3
    assert [json.loads(line)["actor"] for line in out.splitlines()[1:]] == ["zoe", "zoe"]
    assert NUMBER[-7:] not in out
    file = tmp_path / "list.jsonl"
    file.write_text(out, encoding="utf-8")
    assert dnc(table, "remove", NUMBER)[0] == 0
    assert dnc(table, "import", str(file)) == (0, "1 barred; 1 barred before\n", "")
    assert asyncio.run(bar_on(table, NUMBER)).startswith("zoe barred this number")


def test_another_ledgers_list_is_refused(table: Path, tmp_path: Path) -> None:
    """Under another key nobody could be found: it says so, and adds nothing."""
    file = tmp_path / "list.jsonl"
    another = re.sub(r'"key": "[0-9a-f]+"', '"key": "0"', dnc(table, "export")[1])
    file.write_text(another, encoding="utf-8")
    status, _, error = dnc(table, "import", str(file))
    assert (status, "of a ledger with another key" in error) == (2, True)


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"kind": "number"}', '{"since": "x"}'])
def test_a_line_that_is_no_bar_is_named(table: Path, tmp_path: Path, line: str) -> None:
    """With its place in the file; nothing of the file is taken."""
    file = tmp_path / "list.jsonl"
    file.write_text(dnc(table, "export")[1] + line, encoding="utf-8")
    assert dnc(table, "remove", NUMBER)[0] == 0
    status, _, error = dnc(table, "import", str(file))
    assert (status, "line 4" in error) == (2, True)
    assert asyncio.run(bar_on(table, NUMBER)) == ""


def test_a_line_behind_blank_ones_is_named_by_its_place(table: Path, tmp_path: Path) -> None:
    """The number is that of the file's own lines."""
    file = tmp_path / "list.jsonl"
    file.write_text(dnc(table, "export")[1] + "\n\nnonsense", encoding="utf-8")
    status, _, error = dnc(table, "import", str(file))
    assert (status, "line 6" in error) == (2, True)


def test_numbers_are_imported_from_a_file(table: Path, tmp_path: Path) -> None:
    """One in each line, comments left out; a line that is none is named, and nothing is added."""
    file = tmp_path / "numbers.txt"
    file.write_text(f"# from the old dialer\n{OTHER}\n\n{NUMBER}\n", encoding="utf-8")
    assert dnc(table, "import", str(file))[:2] == (0, "1 barred; 1 barred before\n")
    file.write_text("+12125550178\nnobody\n", encoding="utf-8")
    assert dnc(table, "import", str(file))[0] == 2
    assert asyncio.run(bar_on(table, "+12125550178")) == ""


def test_a_file_that_is_not_there(table: Path, tmp_path: Path) -> None:
    """It is named, with why."""
    status, _, error = dnc(table, "import", str(tmp_path / "nowhere.txt"))
    assert (status, "cannot be read: FileNotFoundError" in error) == (2, True)
