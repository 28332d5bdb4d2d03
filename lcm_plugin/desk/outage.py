"""An LCM that does not answer, for all agents: told once when it begins, and once when it is over."""

import asyncio
import logging
from typing import Final

from attrs import define, field

from cti_hooks import described
from lcm_plugin.errors import Fault, LcmError

log = logging.getLogger("lcm_plugin.desk")

_OF_THE_LCM: Final = frozenset({Fault.NOT_SENT, Fault.BUSY, Fault.NO_ANSWER})
"""Faults that say nothing of the agent who asked."""


@define(eq=False)
class Outage:
    """At most one at a time."""

    _since: float | None = field(default=None, init=False)
    _failed: int = field(default=0, init=False)

    @staticmethod
    def concerns_all(error: Exception) -> bool:
        """Whether it would have met any agent."""
        return isinstance(error, LcmError) and error.fault in _OF_THE_LCM

    def note(self, error: Exception, waiting: int) -> None:
        """A question failed while so many agents wait."""
        self._failed += 1
        if self._since is None:
            self._since = asyncio.get_running_loop().time()
            log.warning("the LCM does not answer, %d agents wait: %s", waiting, described(error))

    @property
    def said(self) -> str:
        """In words, for who waits; empty if there is none."""
        if self._since is None:
            return ""
        return f"the LCM does not answer, for {asyncio.get_running_loop().time() - self._since:.0f} s now"

    def over(self) -> None:
        """A question was answered."""
        if self._since is not None:
            seconds = asyncio.get_running_loop().time() - self._since
            log.info("the LCM answers again, after %.0f s and %d failed questions", seconds, self._failed)
            self._since, self._failed = None, 0
