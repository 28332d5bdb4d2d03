"""When an agent's reserved contacts are asked for, told by a clock and a loop's time of the test's own."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from lcm_plugin.supply import ReservedSchedule

ELEVEN = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def schedule(every: float = 3600) -> ReservedSchedule:
    made = ReservedSchedule(every_seconds=every, random=Random(1))
    made.asked("g", ELEVEN - minutes(30), 0)
    return made


def test_each_question_is_due_once_a_login() -> None:
    """A login makes every question due; an answer to one settles that one."""
    made = schedule()
    assert not made.is_due("g", ELEVEN, 1)
    assert made.is_due("another", ELEVEN, 1)
    made.begin_login()
    assert made.is_due("g", ELEVEN, 1)


def test_the_interval_is_jittered() -> None:
    """The interval is a tenth more or less, by the loop's time alone: a clock that is set changes nothing."""
    waits = []
    for seed in range(20):
        made = ReservedSchedule(every_seconds=60, random=Random(seed))
        made.asked("g", ELEVEN, 100)
        waits.append(next(s for s in range(80) if made.is_due("g", ELEVEN - minutes(600), 100 + s)))
    assert min(waits) >= 54
    assert max(waits) <= 66
    assert len(set(waits)) > 5


def test_no_interval_asks_each_time() -> None:
    """0 seconds: whenever a contact is wanted."""
    made = schedule(every=0)
    assert made.is_due("g", ELEVEN - minutes(30), 0)


@pytest.mark.parametrize(
    ("asked", "now", "due"),
    [(-30, -0.1, False), (-30, 0, True), (-30, 20, True), (0, 0.5, False), (0, 1, True), (1, 9, False)],
)
def test_a_callback_makes_it_due_at_its_minute_and_once_more(asked: float, now: float, *, due: bool) -> None:
    """From the minute of a callback on, until it was asked; and once more a minute later. Here in minutes."""
    made = schedule()
    made.book([ELEVEN + timedelta(seconds=25)])
    made.asked("g", ELEVEN + minutes(asked), 0)
    assert made.is_due("g", ELEVEN + minutes(now), 1) is due


def test_the_next_minute_is_known() -> None:
    """Who waits is woken at the next minute of any callback, or its second."""
    made = schedule()
    assert made.next_minute(ELEVEN) is None
    made.book([ELEVEN, ELEVEN + minutes(10)])
    found = [made.next_minute(ELEVEN + minutes(after)) for after in (-5, 0, 1, 10.5, 11)]
    assert found == [ELEVEN + minutes(at) for at in (0, 1, 10, 11)] + [None]


def test_what_is_booked_last_holds() -> None:
    """What the ledger tells takes the place of what it told before: a callback taken back is no more due."""
    made = schedule()
    made.book([ELEVEN])
    made.book([])
    assert not made.is_due("g", ELEVEN, 1)
