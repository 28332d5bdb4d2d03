"""An agent's screen: what is offered there, and when its time stands still."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from attrs import define, field

from cti_hooks import AgentState, OfferTimes
from lcm_plugin.desk.offer import Offer
from lcm_plugin.desk.readiness import Readiness


@define(kw_only=True, eq=False)
class Screen:
    """One offer at the most.

    Attributes:
        now: the present instant by the host's clock.
        on_timeout: what the end of a preview does, by the site's settings.
        retimed: is told the attempt whose times on the screen have changed.
    """

    readiness: Readiness
    now: Callable[[], datetime]
    on_timeout: str
    retimed: Callable[[str], None]
    offer: Offer | None = field(default=None, init=False)

    def shows(self, attempt_id: str) -> bool:
        """Whether this attempt is offered there."""
        return self.offer is not None and self.offer.attempt_id == attempt_id

    def times(self, attempt_id: str) -> OfferTimes | None:
        """How long this attempt stays there; None if it is not there."""
        if self.offer is None or self.offer.attempt_id != attempt_id:
            return None
        return self.offer.times(self.now(), self.on_timeout)

    def put(self, offer: Offer) -> None:
        """Show it, instead of what was there."""
        self.clear()
        self.offer = offer
        offer.start()
        self._keep_time(offer)

    def clear(self) -> None:
        """Show nothing."""
        if self.offer:
            self.offer.close()
            self.offer = None

    def keep_time(self) -> None:
        """Time stands still while the agent is busy, and until they are ready again after that."""
        if self.offer:
            with self._telling(self.offer):
                self._keep_time(self.offer)

    def hold(self) -> None:
        """Nobody is there: what is offered stays, until somebody is or its contact expires."""
        if self.offer:
            with self._telling(self.offer):
                self.offer.hold()

    def restart(self) -> None:
        """The offer has its preview again, and its whole time anew if it was held."""
        if self.offer:
            with self._telling(self.offer):
                self.offer.restart()

    def _keep_time(self, offer: Offer) -> None:
        if self.readiness.busy:
            offer.stand_still()
        elif self.readiness.wants:
            offer.restart()
        else:
            offer.stop_preview()
            if self.readiness.state is not AgentState.WORKING_AFTER_CALL:
                offer.go_on()

    @contextmanager
    def _telling(self, offer: Offer) -> Iterator[None]:
        """Tell of what changes within."""
        now = self.now()
        before = offer.times(now, self.on_timeout)
        yield
        if offer.times(now, self.on_timeout) != before:
            self.retimed(offer.attempt_id)
