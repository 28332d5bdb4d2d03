"""Instants as people and programs write them."""

from datetime import UTC, datetime
from typing import Final

_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(2200, 1, 1, tzinfo=UTC)
EXAMPLE: Final = "2024-01-30T15:00:00-05:00"


def instant_of(text: str) -> datetime:
    """An instant in ISO 8601, its offset written out.

    Raises:
        ValueError: it is none; the text says what would be right.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"is no instant; write one like {EXAMPLE}") from None
    if moment.utcoffset() is None:
        raise ValueError(f"has no offset from UTC, so it may be any of a day's hours; write {EXAMPLE}")
    if not _FIRST <= moment < _END:
        raise ValueError("is outside of the years 1970 to 2199")
    return moment
