"""A span of time that can stand still."""

import asyncio
from collections.abc import Callable

from attrs import define, field


@define(eq=False)
class Stopwatch:
    """Counts `left` seconds down while it goes; calls `on_over` once, when they are over."""

    left: float
    on_over: Callable[[], None]
    _is_over: bool = field(default=False, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)

    @property
    def ends_in(self) -> float | None:
        """Seconds until it is over; None while it stands still."""
        if self._timer is None:
            return None
        return max(0.0, self._timer.when() - asyncio.get_running_loop().time())

    def go_on(self) -> None:
        """What is left passes from now on."""
        if self._timer is None and not self._is_over:
            self._timer = asyncio.get_running_loop().call_later(self.left, self._end)

    def stand_still(self) -> None:
        """What is left stays."""
        if self._timer is not None:
            self._timer.cancel()
            self.left = max(0.0, self._timer.when() - asyncio.get_running_loop().time())
            self._timer = None

    def _end(self) -> None:
        self._is_over, self.left, self._timer = True, 0.0, None
        self.on_over()
