"""Questions that come due at an instant: for what is reserved, and on an agent's own account."""

import heapq
import itertools
import math
from collections.abc import Iterator

from attrs import define, field

from lcm_plugin.supply.question import Kind
from lcm_plugin.supply.waiter import Waiter

Due = tuple[float, int, Waiter, Kind]


@define(eq=False)
class Dues:
    """Known minutes come before all else, then the earliest. Whether one is due still is not told."""

    _minutes: list[Due] = field(factory=list, init=False)
    _others: list[Due] = field(factory=list, init=False)
    _count: Iterator[int] = field(factory=itertools.count, init=False)

    def add(self, at: float, waiter: Waiter, kind: Kind, *, minute: bool = False) -> None:
        """It comes due then, unless that is never; `minute` if a callback is due in it."""
        if at < math.inf:
            heapq.heappush(self._minutes if minute else self._others, (at, next(self._count), waiter, kind))

    def next_at(self) -> float:
        """When the first one is due."""
        return min((heap[0][0] for heap in (self._minutes, self._others) if heap), default=math.inf)

    def pop(self, now: float) -> Due:
        """The first one that is due by `now`, which there is."""
        is_minute = self._minutes and self._minutes[0][0] <= now
        return heapq.heappop(self._minutes if is_minute else self._others)
