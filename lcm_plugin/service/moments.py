"""Instants that are told in a query or a body."""

from datetime import datetime
from typing import Any, Final

from attrs import field

from lcm_plugin.instants import instant_of
from lcm_plugin.service.problems import invalid

INSTANT: Final = {"schema": {"format": "date-time"}}


def moment() -> Any:
    """The field of a query that is an instant, or left out."""
    return field(default=None, metadata=INSTANT)


def moment_of(name: str, text: str | None) -> datetime | None:
    """The instant told as this parameter; None if none is.

    Raises:
        ProblemError: it is none.
    """
    try:
        return None if text is None else instant_of(text)
    except ValueError as error:
        hint = "; in a query + is written %2B" if " " in (text or "") else ""
        raise invalid({name: f"{error}{hint}"}) from None
