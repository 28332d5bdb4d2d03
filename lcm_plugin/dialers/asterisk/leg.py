"""One of a call's two channels."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from attrs import define, field

from lcm_plugin.dialers.answers import short_text, small_number
from lcm_plugin.dialers.asterisk.ari import Ari, AriError
from lcm_plugin.dialers.asterisk.dial_status import CAUSES
from lcm_plugin.dialers.asterisk.events import happened

Party = Literal["agent", "customer"]

NORMAL_CLEARING: Final = 16
_ON_ITS_WAY: Final = 1.0
"""Seconds in which a channel's last event comes, or Asterisk may be asked again."""


@define(kw_only=True, eq=False)
class Leg:
    """A channel: what is known of it, and that it ends when it has to.

    Attributes:
        id: the channel's id, ours, so that it can be hung up although the answer to its order was lost.
        placed: whether it may be there.
        seen: whether Asterisk said that it is.
        doubtful: whether the answer to its order was lost, so that it may still appear.
        up: whether it was answered.
        dialed: how its dial went, in Asterisk's words.
    """

    id: str
    party: Party
    ari: Ari
    gone: Callable[["Leg"], None]
    """Told when Asterisk has no such channel, and no event said why."""
    placed: bool = False
    seen: bool = False
    doubtful: bool = False
    up: bool = False
    dialed: str = ""
    over: bool = field(default=False, init=False)
    """Whether it is gone, or never was."""
    _news: asyncio.Event = field(factory=asyncio.Event, init=False)
    _hanging_up: "asyncio.Task[None] | None" = field(default=None, init=False)

    @property
    def there(self) -> bool:
        """Whether it may be there now."""
        return self.placed and not self.over

    @property
    def hung_up(self) -> bool:
        """Whether it ended, or ends, because we say so."""
        return self._hanging_up is not None

    def hang_up(self, cause: int, *, appears_no_more: Callable[[], bool]) -> None:
        """Hang up until it is gone for sure, Asterisk reachable or not just now."""
        if self.there and not self._hanging_up:
            self._hanging_up = asyncio.create_task(
                self._see_it_gone(cause, appears_no_more), name=f"hang up {self.id}"
            )

    def ended(self) -> None:
        """It is gone, or never was."""
        self.over = True
        self._news.set()

    def appeared(self) -> None:
        """It is there after all: if it has to go, at once."""
        self._news.set()

    async def close(self) -> None:
        """Leave it as it is."""
        if self._hanging_up:
            self._hanging_up.cancel()
            await asyncio.wait({self._hanging_up})

    async def _see_it_gone(self, cause: int, appears_no_more: Callable[[], bool]) -> None:
        """A lost order may still be under way to Asterisk, so one look is not enough for it."""
        missed = 0
        while not self.over:
            self._news.clear()
            try:
                missed = 0 if await self.ari.hang_up(self.id, cause) else missed + 1
            except AriError:
                missed = 0
            await happened(self._news, _ON_ITS_WAY)
            settled = missed > 1 and appears_no_more() if self.doubtful else missed > 0
            if settled and not self.over:
                self.gone(self)
                return

    def cause_of(self, destroyed: Mapping[str, Any]) -> dict[str, Any]:
        """Q.850 cause, SIP status and text of its ChannelDestroyed, as far as the network gave them.

        0 is no cause: Asterisk gives it for whatever fails on a `Local` leg. The dial's status tells it then.
        The SIP status of a leg we cancelled is our own doing.
        """
        status = small_number(destroyed.get("tech_cause"))
        cause, text = small_number(destroyed.get("cause")), destroyed.get("cause_txt")
        by_sip = str(destroyed.get("channel", {}).get("name", "")).startswith("PJSIP/")
        return {
            "q850": cause or CAUSES.get(self.dialed),
            "sip_status": status if by_sip and status and not self.hung_up else None,
            "text": short_text(text) if cause else None,
        }
