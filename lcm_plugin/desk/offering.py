"""Offers: put before the agent, and what follows when their time is over and nobody has answered."""

from collections.abc import Callable
from functools import partial

from attrs import define

from cti_hooks import Attempt
from lcm_plugin.attempt.expiry import seconds_left
from lcm_plugin.attempt.transitions import AMENDED, SKIPPED
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.calling import Calling
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.offer import Offer
from lcm_plugin.desk.refusing import Refusing
from lcm_plugin.desk.reviewing import Reviewing
from lcm_plugin.desk.screen import Screen
from lcm_plugin.desk.steps import SHOWN
from lcm_plugin.desk.stopping import Stopping
from lcm_plugin.ledger import LedgerUnavailable

NO_PREVIEW = "the preview was not answered"


@define(kw_only=True, eq=False)
class Offering:
    """One agent's offers. Its timers tell, and never act.

    Attributes:
        wants: whether the agent wants a contact now.
        show: announces an offer.
        preview_over, offer_over: are told the attempt whose time is over, once each.
    """

    settings: LcmSettings
    hand: Hand
    screen: Screen
    calling: Calling
    refusing: Refusing
    reviewing: Reviewing
    stopping: Stopping
    wants: Callable[[], bool]
    show: Callable[[Attempt], None]
    preview_over: Callable[[str], None]
    offer_over: Callable[[str], None]

    def put(self, attempt: Attempt) -> None:
        """Show it to the agent, and let its time pass."""
        seconds = self.settings.preview.seconds if self.calling.may_dial_itself(attempt) else None
        offer = Offer(
            attempt_id=attempt.id,
            preview_seconds=seconds,
            seconds=self.settings.offer_seconds,
            expires_in=seconds_left(attempt.contact, self.hand.ledger.now()),
            on_preview_over=partial(self.preview_over, attempt.id),
            on_over=partial(self.offer_over, attempt.id),
        )
        self.screen.put(offer)
        self.show(attempt)

    async def after_preview(self, attempt_id: str) -> None:
        """The preview is over: dialed, skipped, or the agent asked to be not ready, as the site wants it."""
        attempt = self.hand.held_as(attempt_id)
        if attempt is None or not self.wants():
            return
        wish = self.settings.preview.on_timeout
        if wish == "dial" and self.calling.may_dial_itself(attempt):
            if await self.calling.dial(attempt) == SHOWN:
                self.put(attempt)
            self.screen.keep_time()  # held back, it is tried again
        elif wish == "not_ready":
            await self.stopping.site.request_not_ready(attempt.agent, NO_PREVIEW)
        else:
            await self._unanswered(attempt, NO_PREVIEW)

    async def after_offer(self, attempt_id: str) -> None:
        """Its own time is over, or its contact's reservation: looked at, an expired one is put down."""
        was_here, wanted = self.hand.has(attempt_id), self.wants()
        if attempt := self.hand.held_as(attempt_id):
            await self._unanswered(attempt, f"nobody answered within {self.settings.offer_seconds:g} s")
        elif was_here and wanted and self.stopping.readiness.is_unanswered():
            self.stopping.stop(self.stopping.readiness.no_answer)

    async def _unanswered(self, attempt: Attempt, reason: str) -> None:
        """Nobody answered: it is skipped; the last that may be so is held, and nothing is fetched."""
        readiness = self.stopping.readiness
        if stop := await self._stopped(attempt):
            self.refusing.hold_back(attempt, stop, attempt.refusals)
            self.screen.hold()
            self.screen.restart()
        elif not self.wants() or not readiness.is_unanswered():
            self.hand.put_down(attempt, SKIPPED, reason=reason)
        else:
            self.stopping.stop(readiness.no_answer)
            self.screen.hold()
            self.hand.change(attempt, AMENDED, reason=f"{readiness.no_answer}; this one is held")

    async def _stopped(self, attempt: Attempt) -> str:
        """Why nobody could dial it: a stop, the clock, a rule it is held by; empty if that is not known."""
        ledger = self.hand.ledger
        if doubt := ledger.timeline.doubt():
            return doubt
        try:
            if attempt.refusals and await self.reviewing.refusals(attempt, by_person=True):
                return attempt.reason
            return await ledger.stop_for(attempt)
        except LedgerUnavailable:
            return ""
