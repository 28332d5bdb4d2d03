"""Windows of a day, as settings and rules write them."""

from datetime import date, timedelta

import pytest

from lcm_plugin.policies.windows import ALL_DAY, CLOSED, Hours, HoursTable, Weekday, hours_of, windows_of

READ = [
    ("08:00-21:00", 8, 21),
    (" 8:00 - 21:30:00 ", 8, 21.5),
    ("00:00-24:00", 0, 24),
]


@pytest.mark.parametrize(("text", "opens", "closes"), READ)
def test_a_window_is_read(text: str, opens: float, closes: float) -> None:
    """From one time of day until before another, 24:00 being the day's end."""
    (window,) = windows_of(text).parts
    assert (window.opens, window.closes) == (timedelta(hours=opens), timedelta(hours=closes))
    assert timedelta(hours=opens) in window
    assert timedelta(hours=closes) not in window


def test_a_day_may_have_several_windows() -> None:
    """With a break between them nobody is called; what narrows a day narrows each of them."""
    day = windows_of("10:00-13:00, 14:00-20:00")
    open_at = [timedelta(hours=hour) in day for hour in (9.99, 10, 12.99, 13, 13.99, 14, 20)]
    assert open_at == [False, True, True, False, False, True, False]
    assert str(day & windows_of("12:00-15:00")) == "12:00-13:00, 14:00-15:00"
    assert str(day & windows_of("13:00-14:00")) == "closed"


WRONG = [
    ("14:00-20:00, 10:00-13:00", "not one after the other"),
    ("10:00-15:00, 14:00-20:00", "not one after the other"),
    ("10:00-13:00,", "several with a comma between"),
    ("21:00-08:00", "goes over midnight"),
    ("08:00-08:00", "is empty"),
    ("08:00-24:01", "no clock shows"),
    ("08:60-09:00", "no clock shows"),
    ("8-21", 'must be like "08:00-21:00"'),
    ("", 'must be like "08:00-21:00"'),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_a_wrong_window_is_told(text: str, told: str) -> None:
    """What is no window of one day is refused with what would be right."""
    with pytest.raises(ValueError, match=told):
        windows_of(text)


SUNDAY, MONDAY, CHRISTMAS = date(2026, 12, 20), date(2026, 12, 21), date(2026, 12, 25)


def test_a_weekday_replaces_and_a_holiday_narrows() -> None:
    """The window of a date is its weekday's, else the general one, narrowed by a holiday's."""
    table = HoursTable(
        window="08:00-21:00",
        weekdays={Weekday.SUNDAY: "closed", Weekday.MONDAY: "07:00-22:00"},
        holidays={"2026-12-20": "10:00-12:00", "2026-12-25": "06:00-12:00"},
    )
    hours = hours_of(table)
    assert [str(hours.on(day)) for day in (SUNDAY, MONDAY, CHRISTMAS, date(2026, 12, 26))] == [
        "closed",
        "07:00-22:00",
        "08:00-12:00",
        "08:00-21:00",
    ]


def test_a_rule_closes_on_the_dates_the_site_lists() -> None:
    """`holiday` holds on the site's holidays, a date of the rule's own before it."""
    table = HoursTable(holiday="closed", holidays={"2026-12-20": "10:00-12:00"})
    hours = hours_of(table, site_holidays=["2026-12-20", "2026-12-25"])
    assert [str(hours.on(day)) for day in (SUNDAY, CHRISTMAS)] == ["10:00-12:00", "closed"]


def test_hours_hold_while_in_force() -> None:
    """From the effective date until before the expiry; at other dates the whole day is open."""
    hours = Hours(window=CLOSED, effective=MONDAY, expires=CHRISTMAS)
    assert [hours.on(day) is ALL_DAY for day in (SUNDAY, MONDAY, date(2026, 12, 24), CHRISTMAS)] == [
        True,
        False,
        False,
        True,
    ]
