"""Public holidays by country and region, known by the library `holidays`: the extra of that name."""

import re
from datetime import date
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Final

_CODE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


def are_known() -> bool:
    """Whether the library is installed."""
    return find_spec("holidays") is not None


@lru_cache(maxsize=256)
def holidays_in(code: str | None, year: int) -> frozenset[date]:
    """The public holidays of a country or region in this year; none if they are not known."""
    if code is None or not are_known():
        return frozenset()
    import holidays  # noqa: PLC0415  (an extra)

    country, _, region = code.partition("-")
    try:
        return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))
    except NotImplementedError:  # what the library raises for a country or region it does not know
        return frozenset()


def a_calendar(_: object, __: object, code: Any) -> None:
    """An attrs validator: a country or region whose holidays the library knows; any, if it is not there."""
    if code is None:
        return
    if not _CODE.fullmatch(code):
        raise ValueError("must be an ISO 3166 code, like US-PA or FR")
    if are_known() and not holidays_in(code, 2026):
        raise ValueError("is no country or region whose holidays are known; list them by date in `holidays`")
