"""Windows of a day, and which of them holds on which date."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from attrs import field, frozen

from cti_hooks import ConfigError, Problem, nearest

_DAY: Final = timedelta(days=1)
_CLOCK: Final = r"(\d{1,2}):(\d{2})(?::(\d{2}))?"
_WINDOW: Final = re.compile(rf"\s*{_CLOCK}\s*-\s*{_CLOCK}\s*")


class Weekday(StrEnum):
    """A day of the week, as the settings name it."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


_DAYS: Final = tuple(Weekday)


@frozen
class Window:
    """Part of a day, as time since midnight on the wall clock: from `opens` on, until before `closes`."""

    opens: timedelta
    closes: timedelta

    def __and__(self, other: "Window") -> "Window":
        return Window(max(self.opens, other.opens), min(self.closes, other.closes))

    def __contains__(self, since_midnight: timedelta) -> bool:
        return self.opens <= since_midnight < self.closes

    def __str__(self) -> str:
        return f"{_clock(self.opens)}-{_clock(self.closes)}" if self.opens < self.closes else "closed"


CLOSED: Final = Window(timedelta(), timedelta())
ALL_DAY: Final = Window(timedelta(), _DAY)


def window_of(text: str) -> Window:
    """The window a text like `08:00-21:00` names; `closed` is an empty one. `24:00` ends the day.

    Raises:
        ValueError: it is neither, or goes over midnight.
    """
    if text.strip().casefold() == "closed":
        return CLOSED
    found = _WINDOW.fullmatch(text)
    if not found:
        raise ValueError('must be like "08:00-21:00", or "closed"')
    opens, closes = _since_midnight(*found.groups()[:3]), _since_midnight(*found.groups()[3:])
    if opens == closes:
        raise ValueError('is empty; write "closed" for a day without calls')
    if opens > closes:
        raise ValueError("goes over midnight; calling hours open and close on one day")
    return Window(opens, closes)


def _since_midnight(hour: str, minute: str, second: str | None) -> timedelta:
    told = timedelta(hours=int(hour), minutes=int(minute), seconds=int(second or 0))
    if int(minute) > 59 or int(second or 0) > 59 or told > _DAY:  # noqa: PLR2004  (the clock's)
        raise ValueError("has a time of day that no clock shows")
    return told


def _clock(told: timedelta) -> str:
    minutes, seconds = divmod(int(told.total_seconds()), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")


def a_window(_: object, __: object, text: str | None) -> None:
    """An attrs validator: a window, or nothing."""
    if text is not None:
        window_of(text)


def dated_windows(_: object, attribute: Any, windows: Mapping[str, str]) -> None:
    """An attrs validator: ISO dates to windows."""
    _each(attribute.name, windows, _date_problem)


def daily_windows(_: object, attribute: Any, windows: Mapping[str, str]) -> None:
    """An attrs validator: windows by weekday."""
    _each(attribute.name, windows, _weekday_problem)


def _date_problem(key: str) -> str:
    try:
        date.fromisoformat(key)
    except ValueError:
        return 'must be a date like "2026-12-25"'
    return ""


def _weekday_problem(key: str) -> str:
    return "" if key in _DAYS else f"is no weekday{nearest(key, _DAYS)}"


def _each(name: str, windows: Mapping[str, str], key_problem: Callable[[str], str]) -> None:
    problems = []
    for key, text in windows.items():
        if problem := key_problem(key):
            problems.append(Problem(f"{name}.{key}", problem))
        try:
            window_of(text)
        except ValueError as error:
            problems.append(Problem(f"{name}.{key}", f"{error} (it is {text!r})"))
    if problems:
        raise ConfigError(problems)


@frozen(kw_only=True)
class HoursTable:
    """Calling hours as settings and rules write them. A weekday's window replaces the general one."""

    window: str = field(default="00:00-24:00", validator=a_window)
    weekdays: Mapping[str, str] = field(factory=dict, validator=daily_windows)
    holidays: Mapping[str, str] = field(factory=dict, validator=dated_windows)
    """By date: a holiday's window narrows that of its day."""
    holiday: str | None = field(default=None, validator=a_window)
    """What holds on each date the site lists as a holiday; in a year of which it lists none, on all."""

    @property
    def wants_holidays(self) -> bool:
        """Whether it says what holds on holidays, and not when they are."""
        return self.holiday is not None and not self.holidays


@frozen(kw_only=True)
class Hours:
    """The window of any date. Outside `effective` to `expires` there is no restriction."""

    window: Window
    weekdays: Mapping[Weekday, Window] = field(factory=dict)
    holidays: Mapping[date, Window] = field(factory=dict)
    maybe_holiday: Window = ALL_DAY
    """What narrows every date of a year without a holiday: nobody knows which of them is one."""
    effective: date = date.min
    expires: date = date.max
    """The first date on which it does not hold any more."""

    def on(self, day: date) -> Window:
        """The window of this date."""
        if not self.effective <= day < self.expires:
            return ALL_DAY
        usual = self.weekdays.get(_DAYS[day.weekday()], self.window)
        return usual & self.holidays.get(day, self.maybe_holiday if self.lacks_holidays(day) else ALL_DAY)

    def lacks_holidays(self, day: date) -> bool:
        """Whether it goes by holidays, and none are known of this year."""
        goes_by_them = self.maybe_holiday != ALL_DAY and self.effective <= day < self.expires
        return goes_by_them and all(holiday.year != day.year for holiday in self.holidays)


def hours_of(
    table: HoursTable,
    *,
    site_holidays: Iterable[str] = (),
    effective: date | None = None,
    expires: date | None = None,
) -> Hours:
    """The hours a table describes; `site_holidays` are the dates its `holiday` holds on."""
    of_all = dict.fromkeys(site_holidays, table.holiday) if table.holiday else {}
    holidays = {**of_all, **table.holidays}
    return Hours(
        window=window_of(table.window),
        weekdays={Weekday(day): window_of(text) for day, text in table.weekdays.items()},
        holidays={date.fromisoformat(day): window_of(text) for day, text in holidays.items()},
        maybe_holiday=window_of(table.holiday) if table.holiday else ALL_DAY,
        effective=effective or date.min,
        expires=expires or date.max,
    )
