"""An offer on an agent's screen: how long it stays there, and who is told when that is over."""

import asyncio
import math
from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import define, field

from cti_hooks import OfferTimes
from lcm_plugin.desk.stopwatch import Stopwatch


@define(kw_only=True, eq=False)
class Offer:
    """Three times: of the preview and of the whole offer, which can stand still, and of the reservation.

    Attributes:
        attempt_id: what is offered.
        preview_seconds: None for a contact that only a person may have dialed: no preview ends.
        seconds: how long it may stay at all.
        expires_in: seconds until its contact's reservation ends, which waits for nobody.
        on_preview_over, on_over: called once each, at the most.
        held: it stays as it is, until the agent is there again or its contact expires.
    """

    attempt_id: str
    preview_seconds: float | None
    seconds: float
    expires_in: float
    on_preview_over: Callable[[], None]
    on_over: Callable[[], None]
    held: bool = field(default=False, init=False)
    _preview: Stopwatch | None = field(default=None, init=False)
    _whole: Stopwatch = field(init=False)
    _expiry: asyncio.TimerHandle | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._whole = Stopwatch(self.seconds, self.on_over)

    def times(self, now: datetime, on_timeout: str) -> OfferTimes:
        """What the agent is told of it at this instant."""
        expires_in = self._expiry.when() - asyncio.get_running_loop().time() if self._expiry else None
        ends_in = [one for one in (self._whole.ends_in, expires_in) if one is not None]
        return OfferTimes(
            preview_ends_at=_after(now, self._preview.ends_in if self._preview else None),
            ends_at=_after(now, min(ends_in, default=None)),
            paused=self._whole.ends_in is None,
            on_timeout=on_timeout,
            person_only=self.preview_seconds is None,
        )

    def keep(self) -> bool:
        """Look at it for another preview, within the offer's own time; False if no preview runs."""
        is_running = self._preview is not None and self._preview.ends_in is not None
        if is_running:
            self.restart()
        return is_running

    def start(self) -> None:
        """Time passes from now on."""
        if self.expires_in < math.inf:
            self._expiry = asyncio.get_running_loop().call_later(self.expires_in, self.on_over)
        self.restart()

    def restart(self) -> None:
        """The agent is there to look at it: the whole preview, and what is left of the offer's own time."""
        if self.held:
            self.held, self._whole = False, Stopwatch(self.seconds, self.on_over)
        self.stop_preview()
        if self.preview_seconds is not None:
            self._preview = Stopwatch(self.preview_seconds, self.on_preview_over)
            self._preview.go_on()
        self._whole.go_on()

    def stop_preview(self) -> None:
        """The agent does something else: nothing happens to the offer meanwhile."""
        if self._preview:
            self._preview.stand_still()

    def stand_still(self) -> None:
        """No time passes but that of the reservation."""
        self.stop_preview()
        self._whole.stand_still()

    def go_on(self) -> None:
        """What is left of the offer's own time passes; its preview waits for the agent."""
        if not self.held:
            self._whole.go_on()

    def hold(self) -> None:
        """Nobody is there: it stays, until somebody is or its contact expires."""
        self.held = True
        self.stand_still()

    def close(self) -> None:
        """It is no offer any more."""
        self.stand_still()
        if self._expiry:
            self._expiry.cancel()


def _after(now: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)
