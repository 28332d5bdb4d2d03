"""When calling hours are open: at a moment, and next, in many zones at once.

Within a stretch of constant offset from UTC the wall clock runs even, so a day is taken stretch by stretch:
clocks that are put on or back, and days that a zone leaves out, need no case of their own. Why
many zones: docs/architecture.md#times-and-numbers.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import reduce
from operator import and_
from typing import Final

from lcm_plugin.policies.windows import ALL_DAY, Hours, Windows

HORIZON: Final = timedelta(days=35)
"""How far ahead the next opening is looked for: five weeks, so every weekday and most holidays."""
_SECOND: Final = timedelta(seconds=1)


def is_open(hours: Hours, zone: tzinfo, moment: datetime) -> bool:
    """Whether the wall clock in this zone, or in the hours' own, is within a window of its date."""
    zone = hours.zone or zone
    local = moment.astimezone(zone).replace(tzinfo=None)
    return local - _midnight(local.date()) in hours.on(local.date())


def next_opening(hours: Collection[Hours], zones: Iterable[tzinfo], moment: datetime) -> datetime | None:
    """The earliest instant, `moment` or later, at which all these hours are open in all these zones; UTC.

    Hours with a zone of their own are so by that one. None if there is none within HORIZON.
    """
    by_zone = _by_zone(hours, zones)
    at = moment.astimezone(UTC)
    last = at + HORIZON
    while at <= last:
        latest = at
        for zone, here in by_zone.items():
            latest = max(latest, _opening(here, zone, latest, last))
        if latest == at:
            return at
        at = latest
    return None


def _opening(hours: Collection[Hours], zone: tzinfo, at: datetime, last: datetime) -> datetime:
    """The earliest open instant from `at` on in one zone; one after `last` if there is none before."""
    while at <= last:
        offset, end = _stretch(zone, at)
        midnight = _midnight((at + offset).date()).replace(tzinfo=UTC) - offset
        for window in _windows(hours, (at + offset).date()).parts:
            opens = max(at, midnight + window.opens)
            if opens < min(end, midnight + window.closes):
                return opens
        at = end
    return at


def _by_zone(hours: Collection[Hours], zones: Iterable[tzinfo]) -> dict[tzinfo, list[Hours]]:
    """Which hours go by which zone's wall clock."""
    of_the_called = [one for one in hours if one.zone is None]
    found = {zone: list(of_the_called) for zone in zones}
    for one in hours:
        if one.zone:
            found.setdefault(one.zone, []).append(one)
    return found


def _windows(hours: Iterable[Hours], day: date) -> Windows:
    return reduce(and_, (one.on(day) for one in hours), ALL_DAY)


def _stretch(zone: tzinfo, at: datetime) -> tuple[timedelta, datetime]:
    """The offset at `at`, and the instant until which both it and the local date stay."""
    offset = _offset(zone, at)
    end = (_midnight((at + offset).date()) + timedelta(days=1)).replace(tzinfo=UTC) - offset
    if _offset(zone, end - _SECOND) == offset:
        return offset, end
    start = at.replace(microsecond=0)
    seconds = range((end - start) // _SECOND)
    changes = bisect_left(seconds, True, key=lambda second: _offset(zone, start + second * _SECOND) != offset)  # noqa: FBT003  (what is looked for)
    return offset, start + changes * _SECOND


def _offset(zone: tzinfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())
