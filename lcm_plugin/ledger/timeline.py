"""The order of what this host records, whatever its clock does; and whether that clock may be believed."""

from datetime import datetime, timedelta
from typing import Final

from attrs import define

from cti_hooks import Clock, Health

STEP_BACK: Final = timedelta(days=1)
"""A clock set back by more is believed; by less, the order's time stands still until it has caught up."""
APART: Final = timedelta(seconds=5)
"""So far two hosts' clocks may be apart, and nobody wonders."""


@define(eq=False)
class Timeline:
    """For ids and order only: whether something is due, expired or allowed, the clock itself is asked.

    Attributes:
        latest: the latest instant that is known to be recorded, by any host.
    """

    clock: Clock
    latest: datetime | None = None

    def now(self) -> datetime:
        """An instant that is never earlier than one recorded before, unless by more than a day."""
        moment = self.clock.now()
        if self.latest and self.latest - STEP_BACK < moment < self.latest:
            return self.latest
        self.latest = moment
        return moment

    def doubt(self) -> str:
        """Why the clock cannot be believed, or empty: it is, or was, wrong, and nobody can say which.

        As long as it cannot, nothing is dialed: no rule can tell whether it may be.
        """
        if not self.latest or not APART < self.latest - self.clock.now() < STEP_BACK:
            return ""
        recorded = self.latest.isoformat(timespec="seconds")
        return (
            f"this host's clock is behind: the ledger has records of {recorded}. Nothing is dialed until "
            "then. If this clock is wrong, set it right: that counts at once. If it is right, the one that "
            "recorded this was ahead: set that one right, and wait until then, a day at most"
        )

    def health(self) -> Health:
        """Whether the clock can be believed."""
        doubt = self.doubt()
        return Health(what="clock", good=not doubt, seen=doubt or "not behind what the ledger has recorded")
