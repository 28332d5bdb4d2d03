"""An event loop whose time passes only while nothing else can happen: days in milliseconds, real sockets too.

A run on it, with a `LoopClock` and a seeded `Random` given to the host, repeats itself.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
IDLE: Final = 0.002
"""Real seconds in which sockets of this machine have spoken, if they have anything to say."""
TICK: Final = 1e-6
"""Virtual seconds each turn of the loop takes, so that nothing can wait for ever for a moment to pass."""
_OWN_PIPE: Final = 1


class _Selector(selectors.DefaultSelector):
    """Waits no longer than IDLE, and lets the rest of the wanted wait pass on its own clock."""

    passed = 0.0
    in_threads = 0
    """How much work is under way in threads: time stands still for it."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.passed += TICK
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if self.in_threads:
            return super().select()
        sockets = len(self.get_map()) > _OWN_PIPE
        ready = super().select(min(timeout, IDLE) if sockets else 0)
        if not ready:
            self.passed += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A selector event loop on virtual time, starting at 0.

    Both ends of a connection have to live in this loop, or answer within IDLE. Time stands still for what
    `run_in_executor` runs; other threads and processes take no virtual time, and time does not wait for them.
    """

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Seconds of virtual time since the loop was made."""
        return self._virtual.passed

    def stand_still(self, seconds: float) -> None:
        """Let so much time pass before anything else happens, as for a process that is stopped."""
        self._virtual.passed += seconds

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> "asyncio.Future[T]":
        """As asyncio does; time stands still until it is done."""
        done = super().run_in_executor(executor, func, *args)
        self._virtual.in_threads += 1
        done.add_done_callback(self._back)
        return done

    async def shutdown_default_executor(self, *limit: float | None) -> None:
        """As asyncio does; time stands still for the threads that end, which Python 3.12 began to limit."""
        self._virtual.in_threads += 1
        try:
            await super().shutdown_default_executor(*limit)
        finally:
            self._virtual.in_threads -= 1

    def _back(self, _: object) -> None:
        self._virtual.in_threads -= 1


class LoopClock:
    """A clock that goes with the running loop, from `start` on."""

    def __init__(self, start: datetime = datetime(2024, 1, 30, 15, 0, tzinfo=UTC)) -> None:
        self.start = start

    def now(self) -> datetime:
        """`start` plus the loop's time."""
        return self.start + timedelta(seconds=asyncio.get_running_loop().time())
