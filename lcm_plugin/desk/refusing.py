"""What becomes of a contact that is not called: refused, disposed of as the site wants, or held back."""

import logging
from typing import Final

from attrs import define

from cti_hooks import Attempt, Refusal, described
from lcm_plugin.attempt.expiry import seconds_left
from lcm_plugin.attempt.transitions import AMENDED, REFUSED
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.on_refusal import HOLD, REFUSE, OnRefusal
from lcm_plugin.desk.pauses import Pauses
from lcm_plugin.desk.steps import DONE, Done, Wait
from lcm_plugin.desk.stopping import Stopping
from lcm_plugin.ledger import DialingStoppedError, LedgerError

log = logging.getLogger("lcm_plugin.desk")

LOOK_AGAIN: Final = 5.0
"""Seconds until a contact that a rule holds back, or a stop of dialing, is looked at again."""


@define(kw_only=True, eq=False)
class Refusing:
    """Refusals for one agent.

    Attributes:
        trouble: what kept the desk from fetching when it tried last.
        is_stopped: whether that was a stop of dialing.
    """

    hand: Hand
    pauses: Pauses
    on_refusal: OnRefusal
    stopping: Stopping
    offer_seconds: float
    trouble: str = ""
    is_stopped: bool = False

    def is_held(self, attempt: Attempt, refusals: tuple[Refusal, ...]) -> bool:
        """Whether the site wants a contact with these refusals held back."""
        return self.on_refusal.wish(attempt, refusals) == HOLD

    async def refuse(self, attempt: Attempt, refusals: tuple[Refusal, ...]) -> Wait | Done:
        """Close the attempt with its reasons, or as the site wants it; five in a row stop the fetching."""
        wish = self.on_refusal.wish(attempt, refusals)
        reason = "; ".join(refusal.reason for refusal in refusals)
        if wish == HOLD:
            return self.hold_back(attempt, reason, refusals)
        pause = self.pauses.after_refusal()
        if pause is None:
            in_a_row = f"{self.pauses.refusals} refusals in a row"
            self.stopping.stop(in_a_row)
            reason += f". {in_a_row}: nothing is fetched until the agent is ready anew"
        log.info("agent %s: contact refused: %s", self.hand.agent.id, reason)
        if wish == REFUSE or not await self.on_refusal.disposed(attempt, wish, refusals):
            self.hand.put_down(attempt, REFUSED, refusals=refusals, reason=reason)
        return DONE if pause is None else Wait(pause)

    def hold_back(self, attempt: Attempt, reason: str, refusals: tuple[Refusal, ...] = ()) -> Wait:
        """Leave it offered, with the reason shown, and look at it again."""
        if attempt.reason != reason:
            self.hand.change(attempt, AMENDED, reason=reason, refusals=refusals)
        now = self.hand.ledger.now()
        moments = [one.not_before for one in refusals if one.not_before]
        left = (max(moments) - now).total_seconds() if moments else LOOK_AGAIN
        longest = min(self.offer_seconds, seconds_left(attempt.contact, now))
        return Wait(max(LOOK_AGAIN, min(left, longest)))

    def no_trouble(self) -> None:
        """Nothing keeps the desk from fetching."""
        self.trouble, self.is_stopped = "", False

    def after_error(self, error: Exception, *, told: bool = False) -> float:
        """Seconds until it is tried again; what is the trouble is kept, for the agent to be told.

        `told` if the log has it already, as it concerns all agents.
        """
        self.is_stopped = isinstance(error, DialingStoppedError)
        self.trouble = str(error) if isinstance(error, LedgerError) else described(error)
        if self.is_stopped:
            return LOOK_AGAIN
        pause = self.pauses.after_error(getattr(error, "retry_after", None))
        level = logging.DEBUG if told else logging.WARNING
        log.log(level, "agent %s: %s; trying again in %.0f s", self.hand.agent.id, described(error), pause)
        return pause
