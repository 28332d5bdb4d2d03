"""The contacts a sandbox has: given, read from a file, or made up."""

import csv
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Final, Self

from attrs import evolve, field, frozen, validators

from cti_hooks import ConfigError, masked
from cti_hooks import settings as table_reader

GROUP: Final = "AD Dev Manual Group"
MODES: Final[Mapping[str, str]] = {"1": "Home", "2": "Office", "3": "Mobile"}
"""The ids of the documentation's samples; a site may have others."""
FRESH: Final = "0"
REGULAR: Final = "regular callback"
PERSONAL: Final = "personal callback"
"""CallType: the download page has words for callbacks, and CreateContact's one number is of fresh ones."""
_EXCHANGES: Final[Mapping[str, tuple[str, ...]]] = {
    "3": ("212", "415", "312", "617", "305"),
    "1": ("646", "628", "773", "857", "786"),
    "2": ("718", "510", "847", "781", "954"),
}


@frozen(kw_only=True)
class SandboxMode:
    """One of a contact's numbers; windows are `HH:MM`, and what is empty goes out empty."""

    id: str
    phone_number: str = field(repr=masked)
    description: str = ""
    consent: str = "Yes"
    window_start: str = ""
    window_end: str = ""
    time_zones: tuple[str, ...] = ()
    zip_code: str = ""

    @property
    def name(self) -> str:
        """Its description, or what the samples call its id."""
        return self.description or MODES.get(self.id, self.id)


@frozen(kw_only=True)
class SandboxContact:
    """A person in the sandbox's lists; the field names are those of a contacts file.

    `consent` and `call_type` go out as they are; `call_type` says what kind of callback it is, if it is
    not given. `due_in` is when a callback is due, and `due_until` when its window ends, in seconds after the
    sandbox's start; `personal_agent` is whose personal callback it is. `modes` are all its numbers, the one
    of `mode` if there are none; `fields` its screen-pop data.
    """

    key: str = field(validator=validators.min_len(1))
    phone_number: str = field(repr=masked)
    campaign_group: str = GROUP
    campaign: str = "AD Manual Dial Campaign"
    contact_id: str = ""
    mode: str = "Mobile"
    consent: str = "Yes"
    due_in: float | None = None
    due_until: float | None = None
    personal_agent: str | None = None
    call_type: str = field()
    time_zone: str = ""
    modes: tuple[SandboxMode, ...] = ()
    fields: Mapping[str, str] = field(factory=dict, repr=False, hash=False)

    @call_type.default
    def _type_of_call(self) -> str:
        if self.personal_agent:
            return PERSONAL
        return FRESH if self.due_in is None else REGULAR

    @property
    def numbers(self) -> tuple[SandboxMode, ...]:
        """All its numbers."""
        ids = {name: key for key, name in MODES.items()}
        only = SandboxMode(
            id=ids.get(self.mode, "3"),
            phone_number=self.phone_number,
            description=self.mode,
            consent=self.consent,
            time_zones=(self.time_zone,) if self.time_zone else (),
        )
        return self.modes or (only,)

    def on(self, mode_id: str) -> Self:
        """The same person, to be called on the number of this mode, if there is one."""
        found = next((one for one in self.numbers if one.id == mode_id), None)
        return evolve(self, mode=found.name, phone_number=found.phone_number) if found else self

    @classmethod
    def read(cls, path: Path) -> "list[Self]":
        """The contacts of a JSON file (an array of objects) or a CSV file with a header line.

        Raises:
            ConfigError: the file or one of its rows cannot be used; names the row.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
            rows = csv.DictReader(text.splitlines()) if path.suffix.lower() == ".csv" else json.loads(text)
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} cannot be read: {type(error).__name__}") from None
        array = isinstance(rows, list | csv.DictReader)
        if not array:
            raise ValueError(f"{path} must hold an array of contacts")
        return [cls._of_row(path, number, row) for number, row in enumerate(rows, start=1)]

    @classmethod
    def _of_row(cls, path: Path, number: int, row: Any) -> Self:
        row = row if isinstance(row, Mapping) else {f"{row!r:.20}": "is no object"}
        if None in row:  # where `csv` puts what no column is for
            raise ValueError(f"{path}, contact {number}: has more columns than the header line")
        given = {name: value for name, value in row.items() if value not in (None, "")}
        try:
            return table_reader.read(cls, given | _seconds(given))
        except ConfigError as error:
            raise ValueError(f"{path}, contact {number}: {'; '.join(map(str, error.problems))}") from None


def _seconds(row: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of a row whose cells are texts; what is no number stays, for the reader to complain of."""
    found = {}
    for name in ("due_in", "due_until"):
        if isinstance(text := row.get(name), str):
            with suppress(ValueError):
                found[name] = float(text)
    return found


def generate_contacts(
    count: int,
    *,
    random: Random,
    campaign_group: str = GROUP,
    consent_share: float = 1.0,
    numbers: int = 1,
) -> list[SandboxContact]:
    """Made-up contacts, `consent_share` of them with consent; their numbers are fictional (555-01XX).

    `numbers` is how many each has, 1 to 3: mobile, home, office.
    """
    people = [
        SandboxContact(
            key=f"0|0|000|0|0|00|{1000 + number}",
            phone_number=_fiction("3", number),
            contact_id=str(number + 1),
            campaign_group=campaign_group,
            consent="Yes" if random.random() < consent_share else "No",
        )
        for number in range(count)
    ]
    if numbers == 1:
        return people
    return [evolve(one, modes=_modes(one, number, numbers)) for number, one in enumerate(people)]


def _modes(person: SandboxContact, number: int, count: int) -> tuple[SandboxMode, ...]:
    ids = list(_EXCHANGES)[:count]
    return tuple(
        SandboxMode(id=key, phone_number=_fiction(key, number), consent=person.consent) for key in ids
    )


def _fiction(mode_id: str, number: int) -> str:
    exchanges = _EXCHANGES[mode_id]
    return f"+1{exchanges[number // 100 % len(exchanges)]}55501{number % 100:02}"
