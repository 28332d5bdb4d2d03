"""Windows of a day, and which of them holds on which date."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from attrs import field, frozen

from cti_hooks import ConfigError, Problem, nearest
from lcm_plugin.policies.exemptions import Exemption
from lcm_plugin.policies.public_holidays import a_calendar, are_known, holidays_in
from lcm_plugin.policies.zones import a_zone

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

    def __contains__(self, since_midnight: timedelta) -> bool:
        return self.opens <= since_midnight < self.closes

    def __str__(self) -> str:
        return f"{_clock(self.opens)}-{_clock(self.closes)}"


@frozen
class Windows:
    """All windows of a day, in their order; none, if it is closed."""

    parts: tuple[Window, ...] = ()

    def __and__(self, other: "Windows") -> "Windows":
        both = (
            Window(max(one.opens, two.opens), min(one.closes, two.closes))
            for one in self.parts
            for two in other.parts
        )
        return Windows(tuple(one for one in both if one.opens < one.closes))

    def __contains__(self, since_midnight: timedelta) -> bool:
        return any(since_midnight in one for one in self.parts)

    def __str__(self) -> str:
        return ", ".join(map(str, self.parts)) or "closed"


CLOSED: Final = Windows()
ALL_DAY: Final = Windows((Window(timedelta(), _DAY),))


def windows_of(text: str) -> Windows:
    """The windows a text like `08:00-21:00` or `10:00-13:00, 14:00-20:00` names; none if it is `closed`.

    `24:00` ends the day.

    Raises:
        ValueError: it is neither, goes over midnight, or its windows are not one after the other.
    """
    if text.strip().casefold() == "closed":
        return CLOSED
    parts = tuple(map(_window_of, text.split(",")))
    if any(later.opens < earlier.closes for earlier, later in pairwise(parts)):
        raise ValueError("has windows that are not one after the other")
    return Windows(parts)


def _window_of(text: str) -> Window:
    found = _WINDOW.fullmatch(text)
    if not found:
        raise ValueError('must be like "08:00-21:00", or "closed"; several with a comma between')
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
        windows_of(text)


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
            windows_of(text)
        except ValueError as error:
            problems.append(Problem(f"{name}.{key}", f"{error} (it is {text!r})"))
    if problems:
        raise ConfigError(problems)


@frozen(kw_only=True)
class HoursTable:
    """Calling hours as settings and rules write them. A weekday's windows replace the general ones."""

    window: str = field(default="00:00-24:00", validator=a_window)
    weekdays: Mapping[str, str] = field(factory=dict, validator=daily_windows)
    holidays: Mapping[str, str] = field(factory=dict, validator=dated_windows)
    """By date: a holiday's windows narrow those of its day."""
    holiday: str | None = field(default=None, validator=a_window)
    """What holds on each holiday: of `holidays_of`, and of those the site lists; on all dates of a year of
    which neither is known."""
    holidays_of: str | None = field(default=None, validator=a_calendar)
    """Whose public holidays these are, in ISO 3166: `US-PA`; known by the library `holidays`, an extra."""
    zone: str | None = field(default=None, validator=a_zone)
    """On whose wall clock, if the rule names one; else on the called's."""
    unless: tuple[Exemption, ...] = ()
    """For whom these hours do not hold."""

    @property
    def wants_holidays(self) -> bool:
        """Whether it says what holds on holidays, and nothing tells it when they are."""
        known = self.holidays or (self.holidays_of and are_known())
        return self.holiday is not None and not known


def _day(told: Windows | Window) -> Windows:
    return Windows((told,)) if isinstance(told, Window) else told


def _days(told: Mapping[Any, Any]) -> Mapping[Any, Windows]:
    return {day: _day(windows) for day, windows in told.items()}


@frozen(kw_only=True)
class Hours:
    """The windows of any date. Outside `effective` to `expires` there is no restriction."""

    window: Windows = field(converter=_day)
    weekdays: Mapping[Weekday, Windows] = field(factory=dict, converter=_days)
    holidays: Mapping[date, Windows] = field(factory=dict, converter=_days)
    maybe_holiday: Windows = ALL_DAY
    """What narrows every date of a year without a holiday: nobody knows which of them is one."""
    calendar: str | None = None
    """Whose public holidays narrow their dates, too."""
    zone: ZoneInfo | None = None
    """On whose wall clock, if not on the called's."""
    effective: date = date.min
    expires: date = date.max
    """The first date on which it does not hold any more."""

    def on(self, day: date) -> Windows:
        """The windows of this date."""
        if not self.effective <= day < self.expires:
            return ALL_DAY
        usual = self.weekdays.get(_DAYS[day.weekday()], self.window)
        return usual & self._narrowed(day)

    def _narrowed(self, day: date) -> Windows:
        if found := self.holidays.get(day):
            return found
        is_one = day in holidays_in(self.calendar, day.year) or self.lacks_holidays(day)
        return self.maybe_holiday if is_one else ALL_DAY

    def lacks_holidays(self, day: date) -> bool:
        """Whether it goes by holidays, and none are known of this year."""
        goes_by_them = self.maybe_holiday != ALL_DAY and self.effective <= day < self.expires
        known = holidays_in(self.calendar, day.year) or any(one.year == day.year for one in self.holidays)
        return goes_by_them and not known


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
        window=windows_of(table.window),
        weekdays={Weekday(day): windows_of(text) for day, text in table.weekdays.items()},
        holidays={date.fromisoformat(day): windows_of(text) for day, text in holidays.items()},
        maybe_holiday=windows_of(table.holiday) if table.holiday else ALL_DAY,
        calendar=table.holidays_of,
        zone=ZoneInfo(table.zone) if table.zone else None,
        effective=effective or date.min,
        expires=expires or date.max,
    )
