"""Names as the LCM spells them: trimmed, case-folded, through one table of aliases."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

MISSING: Final = object()

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "key": ("AccountNumber", "LCMKey"),  # a page's table has one, the sample the other
    "phone_number": ("PhoneNumber", "PhoneNo", "ContactNumber", "CValue", "modeValue"),
    "campaign": ("CampaignID", "CampaignName"),
    "campaign_group": ("CampaignGroup",),
    "contact_id": ("ContactID",),
    "mode": ("Mode", "ModeName", "ModeDesc"),
    "expires_at": ("ExpiryTime",),
    "callback_at": ("CallbackTime",),
    "call_type": ("CallType",),
    "consent": ("Consent",),
    "time_zone": ("TimeZone",),
    "reason": ("RequestFailureReason",),
}
"""What we call a field, and what the LCM does; the first spelling present counts."""
_LONGEST_NAME: Final = 64
"""What is longer is no name."""
_TRUTHS: Final = {
    **dict.fromkeys(("true", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "no", "n", "0"), False),
}


def folded(name: object) -> str:
    """A name as it is compared; samples have `"data "`, `ContactId`, `" AddCompliance "`."""
    text = name if isinstance(name, str) else str(name)
    return _folded(text) if len(text) <= _LONGEST_NAME else text.strip().casefold()


@lru_cache(maxsize=1 << 12)
def _folded(text: str) -> str:
    """The same few names come with each reply."""
    return text.strip().casefold()


class Named(dict[str, Any]):
    """A record by its folded names: what is looked into often is folded once."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        super().__init__({folded(key): value for key, value in record.items()})


def pick(record: Mapping[str, Any], *names: str) -> Any:
    """The value of the first of these names the record has, whatever its spelling, or MISSING."""
    values = record if isinstance(record, Named) else Named(record)
    for name in names:
        if (key := folded(name)) in values:
            return values[key]
    return MISSING


def field(record: Mapping[str, Any], name: str) -> Any:
    """The value of one of our fields, or MISSING."""
    return pick(record, *ALIASES[name])


def truth(value: object) -> bool | None:
    """Yes or no in any spelling; None is neither, and never taken for a no."""
    return _TRUTHS.get(folded(value)) if isinstance(value, str | bool | int) else None
