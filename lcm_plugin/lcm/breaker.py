"""A circuit breaker that admits one probe at a time when half open: docs/architecture.md#patience."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

from attrs import define, field

from cti_hooks import Health
from lcm_plugin.errors import Fault, LcmError, LcmUnavailable

_ANSWERED: Final = frozenset({Fault.REJECTED, Fault.REDIRECTED, Fault.UNUSABLE})
"""Faults that prove the LCM alive."""


class BreakerState(StrEnum):
    """Closed lets everything through, open nothing, half open one probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@define(kw_only=True)
class Breaker:
    """Opens after `failures` failures in a row; `seconds` later it lets one probe through."""

    failures: int
    seconds: float
    _in_a_row: int = field(default=0, init=False)
    _opened_at: float | None = field(default=None, init=False)
    _probing: bool = field(default=False, init=False)

    @property
    def state(self) -> BreakerState:
        """The present state, by the running loop's clock."""
        if self._opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._left() > 0 else BreakerState.HALF_OPEN

    def holds_up(self) -> tuple[float, bool]:
        """For how many seconds the LCM is not asked; and whether one question at a time is all it gets."""
        if self.state is BreakerState.CLOSED:
            return 0.0, False
        return (self._wait() if self.state is BreakerState.OPEN or self._probing else 0.0), True

    def health(self) -> Health:
        """Whether the LCM is asked at all. A closed breaker does not say that the LCM would answer."""
        good = self.state is not BreakerState.OPEN
        return Health(what="LCM", good=good, seen="is asked" if good else self._said())

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Around one request.

        Raises:
            LcmUnavailable: not sent, because the breaker is open or its probe is under way.
        """
        self._admit()
        try:
            yield
        except LcmError as error:
            self._answered() if error.fault in _ANSWERED else self._failed()
            raise
        except BaseException:  # cancelled: it says nothing of the LCM
            self._probing = False
            raise
        self._answered()

    def _left(self) -> float:
        opened_at = self._opened_at or 0.0
        return opened_at + self.seconds - asyncio.get_running_loop().time()

    def _admit(self) -> None:
        if self.state is BreakerState.CLOSED:
            return
        if self.state is BreakerState.OPEN or self._probing:
            raise LcmUnavailable(self._said(), fault=Fault.NOT_SENT, retry_after=self._wait())
        self._probing = True

    def _wait(self) -> float:
        return max(self._left(), 0.1)

    def _said(self) -> str:
        return (
            f"not asked: the LCM failed {self._in_a_row} times in a row, next probe in {self._wait():.1f} s"
        )

    def _answered(self) -> None:
        self._in_a_row, self._opened_at, self._probing = 0, None, False

    def _failed(self) -> None:
        self._in_a_row += 1
        self._probing = False
        if self._in_a_row >= self.failures:
            self._opened_at = asyncio.get_running_loop().time()
