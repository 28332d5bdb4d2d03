"""The policy `do-not-call`, loaded by its name."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cti_hooks import Check, ConfigError, Contact, health_of
from lcm_plugin.policies.number_list import read_numbers
from lcm_plugin.sandbox.virtual_time import LoopClock

Police = Callable[..., Any]
Person = Callable[..., Contact]
NOW = LoopClock().start


@pytest.fixture
def listing(tmp_path: Path) -> Callable[..., Path]:
    """Writes the list by renaming, with an mtime of its own each time."""
    written = 0

    def write(content: str | bytes) -> Path:
        nonlocal written
        written += 1
        new, path = tmp_path / "new", tmp_path / "dnc.txt"
        new.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(new, ns=(written * 10**9, written * 10**9))
        new.replace(path)
        return path

    return write


async def asked(police: Police, contact: Contact, **table: Any) -> Check:
    policed = police("do-not-call", **table)
    async with policed.host:
        (check,) = await policed.checks(contact, NOW)
    assert isinstance(check, Check)
    return check


SPELLINGS = [
    "+12125550123", "+1 (212) 555-0123", "12125550123", "0012125550123", "2125550123", "212-555-0123",
    "(212) 555.0123  # asked on 3 May", "# a comment\n\n+12125550123\n+13055550199",
]  # fmt: skip


@pytest.mark.parametrize("content", SPELLINGS)
async def test_a_number_is_found_however_it_is_written(
    police: Police, person: Person, listing: Callable[..., Path], content: str
) -> None:
    """International, national, with or without separators, a comment after it."""
    check = await asked(police, person(), file=str(listing(content)))
    assert (check.rule, check.passed, check.not_before) == ("do-not-call", False, None)
    assert check.evidence["number"] == "***23"
    assert "5550123" not in repr(dict(check.evidence)) + check.reason


async def test_other_numbers_pass(police: Police, person: Person, listing: Callable[..., Path]) -> None:
    """Who is not on the list may be called; how old the list is is told."""
    check = await asked(police, person(), file=str(listing("+12125550124\n+13055550123")))
    assert check.passed
    assert (check.evidence["numbers"], check.evidence["as_of"]) == (2, "1970-01-01T00:00:01+00:00")


@pytest.mark.parametrize("listed", ["+442079460123", "020 7946 0123", "2079460123", "00442079460123"])
async def test_a_trunk_prefix_makes_no_difference(
    police: Police, person: Person, listing: Callable[..., Path], listed: str
) -> None:
    """A British number is found by its national form, trunk 0 and all."""
    london = person(e164="+442079460123", phone_number="02079460123")
    assert not (await asked(police, london, file=str(listing(listed)))).passed


ABROAD = [
    "+44 (0)20 7946 0123", "+44(0) 20-7946-0123", "+44 020 7946 0123", "0044 (0)20 7946 0123",
    "44 (0)20 7946 0123", "011 44 20 7946 0123", "011-44-(0)20-7946-0123", "(011) 44 2079460123",
]  # fmt: skip


@pytest.mark.parametrize("listed", ABROAD)
async def test_a_number_is_found_as_it_is_written_for_callers_abroad(
    police: Police, person: Person, listing: Callable[..., Path], listed: str
) -> None:
    """With the prefix of an international call, or a trunk 0 after the country code; it counts as one."""
    london = person(e164="+442079460123", phone_number="02079460123")
    check = await asked(police, london, file=str(listing(listed)))
    assert (check.passed, check.evidence["numbers"]) == (False, 1)


@pytest.mark.parametrize("phone_number", ABROAD)
async def test_a_contact_without_e164_is_found_as_it_is_written(
    police: Police, person: Person, listing: Callable[..., Path], phone_number: str
) -> None:
    """What the LCM sent is understood as a line of the list is."""
    london = person(e164=None, phone_number=phone_number)
    assert not (await asked(police, london, file=str(listing("+442079460123")))).passed


@pytest.mark.parametrize("listed", ["12125550123.0", "+12125550123.0", "2125550123.00"])
async def test_a_number_that_a_spreadsheet_made_a_decimal_is_found(
    police: Police, person: Person, listing: Callable[..., Path], listed: str
) -> None:
    """The zeros after its point are no digits of it."""
    assert not (await asked(police, person(), file=str(listing(f"n\n{listed}\n")), column="n")).passed


@pytest.mark.parametrize("listed", ["+1 2125550", "+123", "+000", "0114 496 0123"])
async def test_what_looks_international_and_is_not_is_compared_by_its_digits(
    police: Police, person: Person, listing: Callable[..., Path], listed: str
) -> None:
    """What no country's number is, or a national one, is found as it came; nobody else is found by it."""
    path = str(listing(listed))
    assert not (await asked(police, person(e164=None, phone_number=listed), file=path)).passed
    assert (await asked(police, person(), file=path)).passed


async def test_a_number_without_e164_is_compared_by_its_digits(
    police: Police, person: Person, listing: Callable[..., Path]
) -> None:
    """What the LCM sent is compared as it came."""
    odd = person(e164=None, phone_number="(555) 01-23")
    assert not (await asked(police, odd, file=str(listing("5550123")))).passed
    assert (await asked(police, odd, file=str(listing("5550124")))).passed


CSV = 'name,phone\n# until further notice\n"Ada, Apt #4",+12125550123\nBob,\n'


async def test_a_column_of_a_csv(police: Police, person: Person, listing: Callable[..., Path]) -> None:
    """With `column` the file is a CSV with a header."""
    whole = CSV.replace("Bob,", "Bob,+13055550123")
    check = await asked(police, person(), file=str(listing("\ufeff" + whole)), column="phone")
    assert (check.passed, check.evidence["numbers"]) == (False, 2)


UNUSABLE = [
    ("+12125550123\nAda Lovelace\n", None, "has no phone number in line 2"),
    ("a\nb\nc\nd\ne\n", None, "in line 1, 2, 3 and 2 more"),
    ("", None, "has no number: it may be half written"),
    ("# none\n", None, "has no number"),
    (b"\xff\xfe", None, "is not UTF-8"),
    (CSV, "phone", "has no phone number in line 4"),
    (CSV, "fone", "has no column 'fone'; did you mean 'phone'?"),
    ("Ada,+12125550123\n", "phone", "has no column 'phone'"),
    ("name,phone\n" + "x" * 140_000 + ",+12125550123", "phone", "is not CSV"),
    ("+1\u0662\u0661\u0662 5550123", None, "has no phone number in line 1"),
    ("12", None, "has no phone number in line 1"),
    ("1" * 19, None, "has no phone number in line 1"),
]


@pytest.mark.parametrize(("content", "column", "told"), UNUSABLE)
async def test_an_unusable_list_stops_the_start(
    police: Police, listing: Callable[..., Path], content: str, column: str | None, told: str
) -> None:
    """What is wrong with it is told by line, never by number."""
    policed = police("do-not-call", file=str(listing(content)), **({"column": column} if column else {}))
    with pytest.raises(ConfigError) as raised:
        await policed.host.__aenter__()
    assert told in str(raised.value)
    assert "5550123" not in str(raised.value)
    assert "Ada" not in str(raised.value)


@pytest.mark.parametrize("make", [Path.exists, Path.mkdir], ids=["missing", "a folder"])
async def test_a_missing_list_stops_the_start(
    police: Police, tmp_path: Path, make: Callable[[Path], object]
) -> None:
    """A file that is not there, or is none, is told by its name."""
    make(tmp_path / "dnc.txt")
    with pytest.raises(ConfigError, match=r"dnc\.txt cannot be read"):
        await police("do-not-call", file=str(tmp_path / "dnc.txt")).host.__aenter__()


@given(st.lists(st.sampled_from(["", " ", "-", ".", "(", ") "]), min_size=11, max_size=11), st.booleans())
def test_separators_make_no_difference(separators: list[str], plus: bool) -> None:  # noqa: FBT001  (drawn)
    """Whatever separates the digits in the list, the number is found."""
    written = "".join(
        f"{separator}{digit}" for separator, digit in zip(separators, "12125550123", strict=True)
    )
    with TemporaryDirectory() as folder:
        path = Path(folder, "dnc.txt")
        path.write_text("+" * plus + written)
        contact = Contact(key="k", phone_number="+1 212 555 0123", e164="+12125550123")
        assert contact in read_numbers(path, None)


@pytest.mark.real_time
async def test_a_changed_list_is_read_again(
    police: Police, person: Person, listing: Callable[..., Path]
) -> None:
    """A number that was added is refused from the next question on, and one that was taken off is not."""
    policed = police("do-not-call", file=str(listing("+13055550123")))
    other = person(e164="+13055550123", phone_number="3055550123")
    async with policed.host:
        assert await policed.refusal(person(), NOW) is None
        listing("+12125550123")
        assert (await policed.refusal(person(), NOW)).rule == "do-not-call"
        assert await policed.refusal(other, NOW) is None


@pytest.mark.real_time
@pytest.mark.parametrize("content", ["", "Ada Lovelace", None], ids=["empty", "malformed", "gone"])
async def test_a_list_that_becomes_unusable_refuses_everybody(
    police: Police, person: Person, listing: Callable[..., Path], content: str | None
) -> None:
    """By a rule of its own, since nobody said that this one is listed; a good list ends it."""
    path = listing("+13055550123")
    policed = police("do-not-call", file=str(path))
    async with policed.host:
        if content is None:
            path.unlink()
        else:
            listing(content)
        for _ in range(2):
            assert (await policed.refusal(person(), NOW)).rule == "do-not-call-list"
        (health,) = health_of(await policed.host.hooks.all("report_health"))
        assert not health.good
        listing("+13055550123")
        assert await policed.refusal(person(), NOW) is None
        (health,) = health_of(await policed.host.hooks.all("report_health"))
        assert (health.good, health.seen[:9]) == (True, "1 numbers")


async def test_a_dry_run_without_a_start_refuses(
    police: Police, person: Person, listing: Callable[..., Path]
) -> None:
    """A host that is not started has not read the list."""
    (check,) = await police("do-not-call", file=str(listing("+12125550123"))).checks(person(), NOW)
    assert (check.rule, check.passed) == ("do-not-call-list", False)


SITE = """
async def slowly(contact):
    return contact.e164 == "+12125550123"
def at_once(contact):
    return contact.e164 == "+12125550123"
def fails(contact):
    raise OSError(f"no answer for {contact.e164}")
def unsure(contact):
    return "maybe"
number = 7
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "acme_site_list.py").write_text(SITE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "acme_site_list", raising=False)
    return "acme_site_list"


@pytest.mark.parametrize("name", ["slowly", "at_once"])
async def test_a_function_of_the_sites(police: Police, person: Person, site: str, name: str) -> None:
    """Plain or async, True means do not call."""
    assert not (await asked(police, person(), function=f"{site}:{name}")).passed
    assert (await asked(police, person(e164="+13055550123"), function=f"{site}:{name}")).passed


@pytest.mark.parametrize("name", ["fails", "unsure"])
async def test_a_function_that_does_not_tell_refuses(
    police: Police, person: Person, site: str, name: str
) -> None:
    """A failure, or an answer that is neither True nor False, is no yes; no number is told."""
    check = await asked(police, person(), function=f"{site}:{name}")
    assert (check.rule, check.passed) == ("do-not-call-list", False)
    assert "5550123" not in check.reason


async def test_a_file_and_a_function(
    police: Police, person: Person, site: str, listing: Callable[..., Path]
) -> None:
    """With both, either list refuses, and each has its check."""
    policed = police("do-not-call", file=str(listing("+13055550123")), function=f"{site}:at_once")
    async with policed.host:
        assert [check.passed for check in await policed.checks(person(), NOW)] == [True, False]
        other = evolve(person(), e164="+13055550123", phone_number="3055550123")
        assert [check.passed for check in await policed.checks(other, NOW)] == [False, True]


WRONG = [
    ({}, "set file or function, or both"),
    ({"column": "phone", "function": "os:getcwd"}, "column: is a CSV file's"),
    ({"function": "acme"}, 'function: must be like "module:function"'),
    ({"function": "no_such_module:f"}, "cannot be imported"),
    ({"function": "os:no_such_function"}, "cannot be imported"),
    ({"function": "os:sep"}, "is no function"),
    ({"fle": "x"}, 'fle: unknown key; did you mean "file"?'),
]


@pytest.mark.parametrize(("table", "told"), WRONG)
def test_wrong_settings_are_told(police: Police, table: dict[str, Any], told: str) -> None:
    """A wrong setting is named, with what would be right."""
    with pytest.raises(ConfigError) as raised:
        police("do-not-call", **table)
    assert told in str(raised.value)
