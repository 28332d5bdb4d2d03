"""The contacts a sandbox has: given, read from a file, or made up."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any, Final, Self

from attrs import field, frozen, validators

from cti_hooks import ConfigError, masked
from cti_hooks import settings as table_reader

GROUP: Final = "AD Dev Manual Group"
_EXCHANGES: Final = ("212", "415", "312", "617", "305")


@frozen(kw_only=True)
class SandboxContact:
    """A person in the sandbox's lists; the field names are those of a contacts file.

    `consent` and `call_type` go out as they are. `due_in` is when a callback is due, in seconds after the
    sandbox's start; `personal_agent` is whose personal callback it is.
    """

    key: str = field(validator=validators.min_len(1))
    phone_number: str = field(repr=masked)
    campaign_group: str = GROUP
    campaign: str = "AD Manual Dial Campaign"
    contact_id: str = ""
    mode: str = "Mobile"
    consent: str = "Yes"
    call_type: str = "0"
    due_in: float | None = None
    personal_agent: str | None = None

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
        given = {name: value for name, value in row.items() if value not in (None, "")}
        if isinstance(given.get("due_in"), str):
            given["due_in"] = float(given["due_in"])
        try:
            return table_reader.read(cls, given)
        except ConfigError as error:
            raise ValueError(f"{path}, contact {number}: {'; '.join(map(str, error.problems))}") from None


def generate_contacts(
    count: int, *, random: Random, campaign_group: str = GROUP, consent_share: float = 1.0
) -> list[SandboxContact]:
    """Made-up contacts, `consent_share` of them with consent; their numbers are fiction's (555-01XX)."""
    return [
        SandboxContact(
            key=f"0|0|000|0|0|00|{1000 + number}",
            phone_number=f"+1{_EXCHANGES[number // 100 % len(_EXCHANGES)]}55501{number % 100:02}",
            contact_id=str(number + 1),
            campaign_group=campaign_group,
            consent="Yes" if random.random() < consent_share else "No",
        )
        for number in range(count)
    ]
