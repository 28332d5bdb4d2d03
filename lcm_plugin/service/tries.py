"""Wrong tokens: how many one peer may show, before it may show no other for a while."""

import hashlib
import ipaddress
import logging
from collections import OrderedDict
from typing import Final

from attrs import define, field

log = logging.getLogger("lcm_plugin.service")

WRONG_TOKENS: Final = 10
"""Different tokens: a program that shows the same old one again guesses nothing."""
WITHIN: Final = 60.0
"""Seconds."""
PEERS: Final = 1000
"""Remembered at the most; the one longest ago is forgotten for the next."""


@define(eq=False)
class Tries:
    """What each peer showed; never the tokens themselves. Times are by the running loop's clock."""

    _shown: OrderedDict[str, dict[bytes, float]] = field(factory=OrderedDict, init=False)

    def seconds_left(self, peer: str | None, now: float) -> float:
        """How long this peer's next wrong token is not looked at; 0 if it is looked at now."""
        recent = self._recent(_network(peer), now)
        return min(recent.values()) + WITHIN - now if len(recent) >= WRONG_TOKENS else 0.0

    def note(self, peer: str | None, token: bytes, now: float) -> None:
        """Remember that this peer showed a wrong token."""
        name = _network(peer)
        recent = self._recent(name, now)
        digest = hashlib.sha256(token).digest()
        if digest not in recent:
            log.warning("%s has shown a wrong token: %d within %g s", name, len(recent) + 1, WITHIN)
        self._shown[name] = recent | {digest: now}
        self._shown.move_to_end(name)
        if len(self._shown) > PEERS:
            self._shown.popitem(last=False)

    def _recent(self, name: str, now: float) -> dict[bytes, float]:
        shown = self._shown.get(name, {})
        return {digest: at for digest, at in shown.items() if now - at < WITHIN}


def _network(peer: str | None) -> str:
    """An IPv6 host has all addresses of its /64, so they count as one peer."""
    try:
        address = ipaddress.ip_address(peer or "")
    except ValueError:
        return peer or "?"
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)  # noqa: PLR2004
