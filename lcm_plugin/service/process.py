"""What the process of `run` needs: room for descriptors, and signals that end nothing by chance."""

import asyncio
import logging
import signal
import sys
from typing import Any, Final

from attrs import define, field

if sys.platform != "win32":
    import resource

log = logging.getLogger("lcm_plugin.service")

SAID_AGAIN: Final = 60.0
"""Seconds between two lines of the log that no connection can be accepted."""


def descriptors() -> int:
    """How many files and connections this process may have open."""
    if sys.platform == "win32":
        return 1 << 16
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def raise_descriptors() -> None:
    """Take as many as the system lets it have: many have a low limit that is meant to be raised."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # some systems call a limit they do not grant
            log.info("the limit of open files stays %d", soft)


def take_signals(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """SIGINT and SIGTERM stop; SIGHUP, which a closed terminal sends, does not."""
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, _stay)


def _stay() -> None:
    log.warning("SIGHUP: nothing is read anew, and calls go on; restart to change settings, SIGTERM to stop")


@define(eq=False)
class Complaints:
    """The loop's exception handler: what cannot be accepted is said once a minute, not for each try."""

    _unsaid: int = field(default=0, init=False)
    _said_at: float = field(default=-SAID_AGAIN, init=False)

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log it, or count it."""
        if not str(context.get("message", "")).startswith("socket.accept() out of system resource"):
            loop.default_exception_handler(context)
            return
        self._unsaid += 1
        if loop.time() - self._said_at >= SAID_AGAIN:
            log.error("no connection can be accepted: %s (%d times)", context.get("exception"), self._unsaid)
            self._said_at, self._unsaid = loop.time(), 0
