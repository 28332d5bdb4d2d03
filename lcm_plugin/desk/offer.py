"""An offer on an agent's screen: how long it stays there, and who is told when that is over (DESIGN 5)."""

import asyncio
from collections.abc import Callable

from attrs import define, field


@define(kw_only=True, eq=False)
class Offer:
    """Two timers. The preview's may be stopped; the offer's own cannot.

    Attributes:
        attempt_id: what is offered.
        preview_seconds: None for a contact that only a person may have dialed: no preview ends.
        seconds: how long it may stay at all.
        on_preview_over, on_over: called once each, at the most.
    """

    attempt_id: str
    preview_seconds: float | None
    seconds: float
    on_preview_over: Callable[[], None]
    on_over: Callable[[], None]
    _preview: asyncio.TimerHandle | None = field(default=None, init=False)
    _whole: asyncio.TimerHandle | None = field(default=None, init=False)

    def start(self) -> None:
        """Time passes from now on."""
        self._whole = asyncio.get_running_loop().call_later(self.seconds, self.on_over)
        self.restart_preview()

    def restart_preview(self) -> None:
        """The agent is there to look at it, for the whole time again."""
        self.stop_preview()
        if self.preview_seconds is not None:
            loop = asyncio.get_running_loop()
            self._preview = loop.call_later(self.preview_seconds, self.on_preview_over)

    def stop_preview(self) -> None:
        """The agent is busy with something else: nothing happens to the offer meanwhile."""
        if self._preview:
            self._preview.cancel()
            self._preview = None

    def close(self) -> None:
        """It is no offer any more."""
        self.stop_preview()
        if self._whole:
            self._whole.cancel()
            self._whole = None
