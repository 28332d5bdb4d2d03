"""The ledger's do-not-call list, for people: looked at, added to, removed from, carried to another ledger.

Numbers go in and are kept as hashes under the ledger's own key: nobody can read them out again. So a list
that was exported is good for a ledger with the same key alone: a copy, or the one it came from.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from attrs import asdict, frozen

from cti_hooks import Clock, ConfigError, Problem, masked
from lcm_plugin.attempts import opened_ledger
from lcm_plugin.instants import instant_of
from lcm_plugin.lcm.normalize import Normalizer
from lcm_plugin.ledger import barring, rows
from lcm_plugin.ledger.barring import Bar
from lcm_plugin.ledger.database import Database

_FORMAT: Final = "lcm-plugin do-not-call 1"
_AT_ONCE: Final = 1000


@frozen(kw_only=True)
class Said:
    """What is said of numbers: in which campaign, until when, by whom.

    Attributes:
        campaign: all of them if None.
        until: for ever if None.
    """

    campaign: str | None = None
    until: datetime | None = None
    actor: str


@frozen
class DoNotCallList:
    """One ledger's list, whether its host runs or not."""

    database: Database
    normalizer: Normalizer
    clock: Clock
    key: str

    async def bars(self, after: int = 0, limit: int = _AT_ONCE) -> list[tuple[int, Bar]]:
        """Bars behind the one of this number, oldest first, each with its number."""
        return await self.database.run(partial(barring.listed, after=after, limit=limit))

    async def add(self, numbers: Iterable[str], said: Said) -> int:
        """Bar these numbers from now on, on every host; how many were not barred so before.

        Raises:
            ConfigError: one of them is no phone number; none was added.
        """
        facts: dict[str, Any] = {"actor": said.actor, "campaign": said.campaign, "until": said.until}
        since = self.clock.now()
        bars = [Bar(kind="number", subject=one, since=since, **facts) for one in self._hashes(numbers)]
        return await self.database.run(partial(barring.add, bars=bars))

    async def remove(self, numbers: Iterable[str], campaign: str | None) -> int:
        """Let these numbers be dialed again; how many bars were taken away.

        Without a campaign, those of every campaign.

        Raises:
            ConfigError: one of them is no phone number; none was removed.
        """
        hashes = self._hashes(numbers)
        return await self.database.run(partial(barring.remove, subjects=hashes, campaign=campaign))

    async def exported(self) -> AsyncIterator[str]:
        """A line of JSON for each bar, behind one that says which ledger's key they are under."""
        yield json.dumps({"format": _FORMAT, "key": self._fingerprint})
        after = 0
        while found := await self.bars(after):
            for after, bar in found:  # noqa: B007  (the last one's number)
                yield json.dumps(asdict(bar, value_serializer=_plain))

    async def read(self, file: Path, said: Said) -> tuple[int, int]:
        """Bar whom a file names; how many it names, and how many were not barred so before.

        Its lines are what `exported` wrote, or numbers, one in each.

        Raises:
            ConfigError: it was exported from a ledger of another key, or has a line that cannot be read.
        """
        numbered = enumerate(_text_of(file).splitlines(), start=1)
        lines = [(number, line.strip()) for number, line in numbered if line.strip()]
        if not lines or not lines[0][1].startswith("{"):
            numbers = [line for _, line in lines if not line.startswith("#")]
            return len(numbers), await self.add(numbers, said)
        self._refuse_another_key(lines[0][1], file)
        bars = [_bar_of(line, number, file) for number, line in lines[1:]]
        return len(bars), await self.database.run(partial(barring.add, bars=bars))

    @property
    def _fingerprint(self) -> str:
        return hashlib.sha256(bytes.fromhex(self.key)).hexdigest()[:16]

    def _hashes(self, numbers: Iterable[str]) -> list[str]:
        read = {number: self.normalizer.e164(number) for number in numbers}
        if wrong := [number for number, e164 in read.items() if e164 is None]:
            wish = "is no phone number; write it as +12125550123"
            raise ConfigError([Problem(masked(number), wish) for number in wrong])
        return [rows.number_hash(e164, self.key) for e164 in dict.fromkeys(filter(None, read.values()))]

    def _refuse_another_key(self, head: str, file: Path) -> None:
        found = _json(head, 1, file)
        if found.get("format") != _FORMAT:
            raise _wrong(file, 1, "is not what `lcm-plugin dnc export` writes first")
        if found.get("key") != self._fingerprint:
            raise _wrong(
                file,
                1,
                "is of a ledger with another key, under which nobody here could be found;"
                " import the numbers themselves",
            )


@asynccontextmanager
async def do_not_call_list(config: Path) -> AsyncIterator[DoNotCallList]:
    """The list of a config file's ledger.

    Raises:
        ConfigError: the settings cannot be used, or there is no ledger where they say.
        LedgerUnavailable: it cannot be reached.
    """
    async with opened_ledger(config) as found:
        yield DoNotCallList(found.database, Normalizer(found.settings), found.clock, found.key)


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(str(file), f"cannot be read: {type(error).__name__}")]) from None


def _bar_of(line: str, number: int, file: Path) -> Bar:
    found = _json(line, number, file)
    try:
        moments = {name: instant_of(found[name]) if found.get(name) else None for name in ("since", "until")}
        return Bar(**{**found, **moments})
    except (TypeError, ValueError, KeyError):
        raise _wrong(file, number, "is no bar as `lcm-plugin dnc export` writes it") from None


def _json(line: str, number: int, file: Path) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _wrong(file, number, "is no JSON object")
    return found


def _wrong(file: Path, number: int, what: str) -> ConfigError:
    return ConfigError([Problem(f"{file}, line {number}", what)])


def _plain(_: Any, __: Any, value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
