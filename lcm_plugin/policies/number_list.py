"""A list of phone numbers in a file, and whether a contact's number is on it, however either is written."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Final

import phonenumbers
from attrs import frozen

from cti_hooks import Contact
from cti_hooks.errors import closest

Stamp = tuple[int, int]
"""A file's mtime in nanoseconds, and its size in bytes."""
_NUMBER: Final = re.compile(r"\+?(?:[\s().\-/]*\d){3,18}[\s().\-/]*", re.ASCII)
"""An E.164 number has 15 digits at the most, and up to three before it from abroad."""
_NO_DIGIT: Final = re.compile(r"[^0-9]+")
_ABROAD: Final = re.compile("00|011")
"""What is dialed before a country code, in the US 011."""
_TRUNK: Final = re.compile(r"\(\s*0\s*\)", re.ASCII)
"""Written after a country code, dialed only without it."""
_FLOAT: Final = re.compile(r"^(\+?\d+)\.0+$", re.ASCII)
"""What spreadsheets make of a column of numbers."""
_TOLD: Final = 3
"""So many wrong lines are told by their numbers."""


class UnreadableListError(ValueError):
    """The list cannot be used: what is wrong with it, in one line without any number."""


@frozen(kw_only=True)
class NumberList:
    """The numbers of a file, by the digits each may be meant by."""

    digits: frozenset[str]
    count: int
    stamp: Stamp

    def __contains__(self, contact: Contact) -> bool:
        return not self.digits.isdisjoint(spellings(contact))

    @property
    def as_of(self) -> str:
        """When the file was last changed, in ISO 8601."""
        return datetime.fromtimestamp(self.stamp[0] / 1e9, UTC).isoformat(timespec="seconds")


def stamp_of(path: Path) -> Stamp:
    """By which a changed file is known.

    Raises:
        UnreadableListError: it is not there.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise UnreadableListError(f"{path.name} cannot be read: {error.strerror}") from None
    return stat.st_mtime_ns, stat.st_size


def read_numbers(path: Path, column: str | None) -> NumberList:
    """The numbers of a file: one on a line, or those of a CSV's column.

    `#` starts a comment; in a CSV only at the start of a line.

    Raises:
        UnreadableListError: it cannot be read, has a line that is no number, or no number at all: it may be
            half written.
    """
    stamp = stamp_of(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise UnreadableListError(f"{path.name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UnreadableListError(f"{path.name} is not UTF-8") from None
    try:
        texts = _texts(path.name, _cells(path.name, lines, column))
    except csv.Error as error:
        raise UnreadableListError(f"{path.name} is not CSV: {error}") from None
    if stamp_of(path) != stamp:
        raise UnreadableListError(f"{path.name} is being written")
    digits = frozenset(chain.from_iterable(map(_meant, texts)))
    return NumberList(digits=digits, count=len(texts), stamp=stamp)


def spellings(contact: Contact) -> set[str]:
    """The digits a list may have for this contact's number: international, national, and as it came."""
    found = _meant(contact.phone_number)
    if contact.e164:
        found.add(_bare(contact.e164))
        parsed = phonenumbers.parse(contact.e164)
        found.add(phonenumbers.national_significant_number(parsed))
        found.add(_bare(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)))
    return found


def _cells(name: str, lines: list[str], column: str | None) -> Iterator[tuple[int, str]]:
    """Line numbers, and what is there for a number."""
    if column is None:
        texts = ((line, text.partition("#")[0].strip()) for line, text in enumerate(lines, start=1))
        yield from ((line, text) for line, text in texts if text)
        return
    kept = {
        line: text for line, text in enumerate(lines, start=1) if text.strip() and text.lstrip()[0] != "#"
    }
    rows, places = csv.reader(kept.values()), list(kept)
    header = [cell.strip() for cell in next(rows, [])]
    if column not in header:
        near = closest(column, header)  # the header itself is not told: it may be somebody's row
        raise UnreadableListError(
            f"{name} has no column {column!r}" + (f"; did you mean {near!r}?" if near else "")
        )
    at = header.index(column)
    for row in rows:
        yield places[rows.line_num - 1], row[at].strip() if at < len(row) else ""


def _texts(name: str, cells: Iterable[tuple[int, str]]) -> set[str]:
    found, wrong = set(), []
    for line, text in cells:
        if _NUMBER.fullmatch(text):
            found.add(text)
        else:
            wrong.append(line)
    if wrong:
        more = f" and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        told = ", ".join(map(str, wrong[:_TOLD]))
        raise UnreadableListError(f"{name} has no phone number in line {told}{more}")
    if not found:
        raise UnreadableListError(f"{name} has no number: it may be half written")
    return found


def _meant(text: str) -> set[str]:
    """The digits a text may stand for; rather too many than too few, since a number listed is not called."""
    text = text.strip()
    texts = {text, _FLOAT.sub(r"\1", text), _TRUNK.sub("", text)}
    return {digits for one in texts for digits in (_bare(one), _e164(one))} - {""}


def _e164(text: str) -> str:
    """The digits of an international number without a trunk prefix; of any other text none."""
    digits = _NO_DIGIT.sub("", text)
    abroad = _ABROAD.match(digits)
    if not abroad and not text.startswith("+"):
        return ""
    try:
        parsed = phonenumbers.parse("+" + digits[abroad.end() if abroad else 0 :])
    except phonenumbers.NumberParseException:
        return ""
    return _bare(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _bare(number: str) -> str:
    """Its ASCII digits, without the prefix of an international call."""
    return _NO_DIGIT.sub("", number).removeprefix("00")
