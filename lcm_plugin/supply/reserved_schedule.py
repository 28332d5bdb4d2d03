"""When an agent's reserved contacts are asked for: at a login, every so often, and as callbacks come due."""

import math
from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random
from typing import Final

from attrs import define, field, frozen

ONCE_MORE: Final = timedelta(minutes=1)
"""After a callback's minute, as the LCM's clock may be behind, or its lists be made each minute."""
_JITTER: Final = 0.1
"""Of the interval, either way, so that agents who logged on together do not ask in step."""


@frozen
class _Asked:
    now: datetime
    again_at: float


@define(kw_only=True)
class ReservedSchedule:
    """The schedule of one agent: a question for each campaign group, or one for no group.

    `now` is the clock's instant, which callbacks go by; `at` the running loop's time in seconds, which the
    interval goes by, whatever the clock does.
    """

    every_seconds: float
    random: Random
    _minutes: list[datetime] = field(factory=list, init=False)
    _asked: dict[str, _Asked] = field(factory=dict, init=False)

    def begin_login(self) -> None:
        """Everything is due."""
        self._asked.clear()

    def book(self, callbacks: Iterable[datetime]) -> None:
        """These are the callbacks known from now on, by when they start; the LCM keeps them to the minute."""
        minutes = {moment.replace(second=0, microsecond=0) for moment in callbacks}
        self._minutes = sorted(minutes | {minute + ONCE_MORE for minute in minutes})

    def is_due(self, group: str, now: datetime, at: float) -> bool:
        """Whether this question has not been asked since a minute that is due, or not for long enough."""
        asked = self._asked.get(group)
        if asked is None or at >= asked.again_at:
            return True
        return bisect_right(self._minutes, asked.now) < bisect_right(self._minutes, now)

    def again_at(self, group: str) -> float:
        """The loop's time at which the interval of this question is over: long ago in a new login."""
        asked = self._asked.get(group)
        return -math.inf if asked is None else asked.again_at

    def minute_at(self, group: str, now: datetime, at: float) -> float:
        """The loop's time at which a known minute makes this question due; never, if none is known."""
        asked = self._asked.get(group)
        if asked is not None and bisect_right(self._minutes, asked.now) < bisect_right(self._minutes, now):
            return at
        minute = self.next_minute(now)
        return math.inf if minute is None else at + (minute - now).total_seconds()

    def asked(self, group: str, now: datetime, at: float) -> None:
        """This question was answered, having been asked then."""
        seconds = self.every_seconds * self.random.uniform(1 - _JITTER, 1 + _JITTER)
        self._asked[group] = _Asked(now, at + seconds)

    def next_minute(self, now: datetime) -> datetime | None:
        """The next known minute, if there is one."""
        place = bisect_right(self._minutes, now)
        return self._minutes[place] if place < len(self._minutes) else None
