"""Whether a host's clock may be believed, and what a person is told to do."""

from datetime import UTC, datetime, timedelta

import pytest

from cti_hooks import Clock
from lcm_plugin.ledger.timeline import Timeline

RECORDED = datetime(2026, 11, 26, 12, tzinfo=UTC)


class At(Clock):
    """A clock that somebody sets."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


def test_both_ways_out_are_told() -> None:
    """Either this clock is wrong, or the one that recorded: for each it says what to do, and for how long."""
    doubt = Timeline(At(RECORDED - timedelta(hours=1)), RECORDED).doubt()
    assert "has records of 2026-11-26T12:00:00+00:00" in doubt
    assert "If this clock is wrong, set it right: that counts at once." in doubt
    assert "wait until then, a day at most" in doubt


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(seconds=5), timedelta(days=1)])
def test_a_clock_set_right_counts_at_once(behind: timedelta) -> None:
    """The same timeline doubts no more: no start is needed; nor is one that is a day behind doubted."""
    clock = At(RECORDED - timedelta(hours=1))
    timeline = Timeline(clock, RECORDED)
    assert timeline.doubt()
    clock.moment = RECORDED - behind
    assert timeline.doubt() == ""
