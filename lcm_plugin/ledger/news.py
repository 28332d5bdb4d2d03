"""What a ledger tells of its attempts. Whoever is told takes note, and acts later."""

from typing import Protocol

from cti_hooks import Attempt


class LedgerNews(Protocol):
    """Takes note of what has become of attempts, in order."""

    def changed(self, attempt: Attempt) -> None:
        """It is so from now on."""

    def lost(self, attempt: Attempt) -> None:
        """Another host has it; or it was let go of here, and another host has it now, or it is over."""

    def adopted(self, attempt: Attempt) -> None:
        """A host that ended has left it behind: its call must be looked up at the dialer."""


class Unheard:
    """Nobody wants to know."""

    def changed(self, attempt: Attempt) -> None:
        """Take no note."""

    def lost(self, attempt: Attempt) -> None:
        """Take no note."""

    def adopted(self, attempt: Attempt) -> None:
        """Take no note."""
