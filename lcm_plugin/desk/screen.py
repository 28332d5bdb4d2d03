"""An agent's screen: what is offered there, and when its time stands still."""

from attrs import define, field

from cti_hooks import AgentState
from lcm_plugin.desk.offer import Offer
from lcm_plugin.desk.readiness import Readiness


@define(kw_only=True, eq=False)
class Screen:
    """One offer at the most."""

    readiness: Readiness
    offer: Offer | None = field(default=None, init=False)

    def shows(self, attempt_id: str) -> bool:
        """Whether this attempt is offered there."""
        return self.offer is not None and self.offer.attempt_id == attempt_id

    def put(self, offer: Offer) -> None:
        """Show it, instead of what was there."""
        self.clear()
        self.offer = offer
        offer.start()
        self.keep_time()

    def clear(self) -> None:
        """Show nothing."""
        if self.offer:
            self.offer.close()
            self.offer = None

    def keep_time(self) -> None:
        """Time stands still while the agent is busy, and until they are ready again after that."""
        if self.offer is None:
            return
        if self.readiness.busy:
            self.offer.stand_still()
        elif self.readiness.wants:
            self.offer.restart()
        else:
            self.offer.stop_preview()
            if self.readiness.state is not AgentState.WORKING_AFTER_CALL:
                self.offer.go_on()

    def hold(self) -> None:
        """Nobody is there: what is offered stays, until somebody is or its contact expires."""
        if self.offer:
            self.offer.hold()

    def restart(self) -> None:
        """The offer has its preview again, and its whole time anew if it was held."""
        if self.offer:
            self.offer.restart()
