"""Tickets: what a page shows once, in the place of a token, as a browser's WebSocket can show no header."""

import hashlib
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from cti_hooks import Clock
from lcm_plugin.identity.caller import Caller

LIFETIME: Final = timedelta(seconds=60)
MOST: Final = 10_000
"""Tickets that nobody has shown yet; the oldest makes room for one more."""
_BYTES: Final = 32


@frozen(kw_only=True)
class Ticket:
    """Good once, until `expires_at`, on the host that made it."""

    ticket: str = field(repr=False)
    expires_at: datetime


@define(eq=False)
class Tickets:
    """Those that nobody has shown yet, by their hashes, the oldest first. A restart voids them."""

    clock: Clock
    _waiting: OrderedDict[bytes, tuple[Caller, datetime]] = field(factory=OrderedDict, init=False, repr=False)

    def make(self, caller: Caller) -> Ticket:
        """A ticket for this caller; it ends with the token that it was had for, if that is sooner."""
        now = self.clock.now()
        while self._waiting and (len(self._waiting) >= MOST or self._oldest_ends() <= now):
            self._waiting.popitem(last=False)
        ends = min(now + LIFETIME, caller.until or now + LIFETIME)
        text = secrets.token_urlsafe(_BYTES)
        self._waiting[_digest(text.encode())] = caller, ends
        return Ticket(ticket=text, expires_at=ends)

    def take(self, shown: bytes) -> Caller | None:
        """Who had it made; None if there is no such ticket, it was shown before, or has ended."""
        caller, ends = self._waiting.pop(_digest(shown), (None, self.clock.now()))
        return caller if ends > self.clock.now() else None

    def _oldest_ends(self) -> datetime:
        return next(iter(self._waiting.values()))[1]


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
