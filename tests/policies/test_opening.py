"""When calling hours are open, and when next: wall clocks put on and back, many zones, closed days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from phonenumbers.timezone import time_zones_for_number

from lcm_plugin.policies.opening import HORIZON, is_open, next_opening
from lcm_plugin.policies.windows import CLOSED, Hours, Weekday, Window, Windows, windows_of


def hours(window: str = "08:00-21:00", **weekdays: str) -> Hours:
    return Hours(
        window=windows_of(window), weekdays={Weekday(day): windows_of(text) for day, text in weekdays.items()}
    )


def opening(zone: str, wall: str, window: str, fold: int = 0, **weekdays: str) -> str | None:
    """The next opening in a zone from a wall time on, as a wall time with offset."""
    moment = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=fold)
    found = next_opening([hours(window, **weekdays)], [ZoneInfo(zone)], moment)
    return found.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes") if found else None


OPENINGS = [
    # open already, and the half-open ends
    ("America/New_York", "2026-07-01T12:00", "08:00-21:00", 0, "2026-07-01T12:00-04:00"),
    ("America/New_York", "2026-07-01T08:00", "08:00-21:00", 0, "2026-07-01T08:00-04:00"),
    ("America/New_York", "2026-07-01T07:59", "08:00-21:00", 0, "2026-07-01T08:00-04:00"),
    ("America/New_York", "2026-07-01T21:00", "08:00-21:00", 0, "2026-07-02T08:00-04:00"),
    # over the night in which the clock is put on, and back: the morning's own offset
    ("America/New_York", "2026-03-07T22:00", "08:00-21:00", 0, "2026-03-08T08:00-04:00"),
    ("America/New_York", "2026-10-31T22:00", "08:00-21:00", 0, "2026-11-01T08:00-05:00"),
    ("Europe/London", "2026-03-28T22:00", "08:00-21:00", 0, "2026-03-29T08:00+01:00"),
    ("Europe/London", "2026-10-24T22:00", "08:00-21:00", 0, "2026-10-25T08:00+00:00"),
    ("Australia/Lord_Howe", "2026-10-03T22:00", "08:00-21:00", 0, "2026-10-04T08:00+11:00"),
    # the opening is skipped: open as soon as the clock has jumped over it
    ("America/New_York", "2026-03-08T01:00", "02:30-05:00", 0, "2026-03-08T03:00-04:00"),
    ("Australia/Lord_Howe", "2026-10-04T01:30", "02:10-05:00", 0, "2026-10-04T02:30+11:00"),
    # the whole window is skipped: the day after
    ("America/New_York", "2026-03-08T01:00", "02:10-02:50", 0, "2026-03-09T02:10-04:00"),
    # midnight itself is skipped
    ("Africa/Cairo", "2026-04-23T23:00", "00:00-04:00", 0, "2026-04-24T01:00+03:00"),
    # the hour comes twice: closed at 01:30 the first time, open again at 01:00 the second
    ("America/New_York", "2026-11-01T01:30", "00:30-01:30", 0, "2026-11-01T01:00-05:00"),
    ("America/New_York", "2026-11-01T01:30", "00:30-01:30", 1, "2026-11-02T00:30-05:00"),
    ("America/New_York", "2026-11-01T01:45", "01:40-03:00", 1, "2026-11-01T01:45-05:00"),
    # a whole day left out: Samoa had no 30 December 2011
    ("Pacific/Apia", "2011-12-29T22:00", "08:00-21:00", 0, "2011-12-31T08:00+14:00"),
]


@pytest.mark.parametrize(("zone", "wall", "window", "fold", "expected"), OPENINGS)
def test_the_next_opening(zone: str, wall: str, window: str, fold: int, expected: str) -> None:
    """The wall clock of the zone decides, whatever is done to it."""
    assert opening(zone, wall, window, fold) == expected


def test_a_closed_day_is_left_out() -> None:
    """From Saturday evening over a closed Sunday to Monday."""
    found = opening("America/Chicago", "2026-11-21T21:30", "08:00-21:00", sunday="closed")
    assert found == "2026-11-23T08:00-06:00"


def test_never_open() -> None:
    """Hours without a window, or two that do not meet, have no opening."""
    zone = ZoneInfo("America/New_York")
    now = datetime(2026, 7, 1, tzinfo=UTC)
    assert next_opening([Hours(window=CLOSED)], [zone], now) is None
    assert next_opening([hours("08:00-09:00"), hours("10:00-11:00")], [zone], now) is None


TOLL_FREE = [ZoneInfo(name) for name in time_zones_for_number(phonenumbers.parse("+18005550123"))]


def test_forty_two_candidate_zones() -> None:
    """A toll-free number's zones reach from Newfoundland to Guam: open for two and a half hours a day."""
    assert len(TOLL_FREE) == 42
    noon = datetime(2026, 1, 20, 17, 0, tzinfo=UTC)
    found = next_opening([hours("08:00-21:00")], TOLL_FREE, noon)
    assert found == datetime(2026, 1, 20, 22, 0, tzinfo=UTC)  # 08:00 on Guam, the next day there
    assert next_opening([hours("08:00-21:00")], TOLL_FREE, found) == found
    closing = datetime(2026, 1, 21, 0, 30, tzinfo=UTC)  # 21:00 in St. John's
    assert next_opening([hours("08:00-21:00")], TOLL_FREE, closing) == found + timedelta(days=1)


def test_forty_two_zones_and_no_sunday() -> None:
    """Sunday anywhere is closed: Saturday's opening is Sunday on Guam, and Sunday's is Sunday here."""
    friday_late = datetime(2026, 1, 24, 1, 0, tzinfo=UTC)
    found = next_opening([hours("08:00-21:00", sunday="closed")], TOLL_FREE, friday_late)
    assert found == datetime(2026, 1, 26, 22, 0, tzinfo=UTC)


ZONES = [
    "America/New_York", "America/St_Johns", "America/Havana", "Pacific/Honolulu", "Pacific/Guam",
    "Europe/London", "Africa/Cairo", "Africa/Casablanca", "Asia/Kathmandu", "Asia/Calcutta",
    "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Kiritimati", "America/Santiago", "Asia/Tehran",
]  # fmt: skip
minutes = st.integers(0, 24 * 60)


@st.composite
def windows(draw: st.DrawFn) -> Windows:
    """One of a day, or two with a break between."""
    times = [timedelta(minutes=one) for one in sorted(draw(st.lists(minutes, min_size=4, max_size=4)))]
    parts = (Window(times[0], times[1]), Window(times[2], times[3]))
    return Windows(parts[: draw(st.sampled_from((1, 2)))])


days = st.dates(date(2020, 1, 1), date(2030, 1, 1))
some_hours = st.builds(
    Hours,
    window=windows(),
    weekdays=st.dictionaries(st.sampled_from(Weekday), windows() | st.just(CLOSED), max_size=3),
    holidays=st.dictionaries(days, windows() | st.just(CLOSED), max_size=2),
    zone=st.none() | st.just(ZoneInfo("Europe/London")),
    effective=days | st.just(date.min),
    expires=days | st.just(date.max),
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001  (UTC is put on it)
changes = st.sampled_from(
    [
        datetime(2026, month, day, hour, tzinfo=UTC)
        for month, day in ((3, 7), (3, 28), (4, 4), (10, 3), (10, 24), (10, 31))
        for hour in (6, 14, 20)
    ]
)
"""Hours before clocks are put on or back somewhere."""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(some_hours, min_size=1, max_size=3),
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=4, unique=True),
    moments | changes,
)
@example([hours("00:30-01:30")], ["America/New_York"], datetime(2026, 11, 1, 5, 30, tzinfo=UTC))
@example([hours("02:30-03:10")], ["America/New_York"], datetime(2026, 3, 8, 5, 0, tzinfo=UTC))
@pytest.mark.long
def test_the_opening_is_the_first_one(rules: list[Hours], names: list[str], moment: datetime) -> None:
    """It is open, and no minute before it is; if there is none, no minute of two days is."""
    zones = [ZoneInfo(name) for name in names]

    def allowed(at: datetime) -> bool:
        return all(is_open(rule, zone, at) for rule in rules for zone in zones)

    found = next_opening(rules, zones, moment)
    assert (found == moment) == allowed(moment)
    assert found is None or (moment <= found <= moment + HORIZON + timedelta(days=1) and allowed(found))
    end = min(found or moment + HORIZON, moment + timedelta(days=2))
    grid = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while grid < end:
        assert not allowed(grid)
        grid += timedelta(minutes=1)
