"""Calls of one agent, followed by their events."""

from attrs import define, field

from cti_hooks import Attempt, CallEvent, CallEventKind
from lcm_plugin.attempt.calls import calls_after, heard_with
from lcm_plugin.attempt.outcomes import end_of, events_before, is_not_reached, outcome_of
from lcm_plugin.attempt.transitions import ENDED, HEARD, NOT_REACHED
from lcm_plugin.ledger import IN_DOUBT, Ledger

UNREACHED = "the agent's phone was not reached"


@define(kw_only=True, eq=False)
class Following:
    """Keeps attempts' calls up to date."""

    ledger: Ledger
    _heard: dict[str, list[CallEvent]] = field(factory=dict, init=False)
    """The events of calls that are not over, by attempt: one lost to another host may go on here."""

    def __bool__(self) -> bool:
        """Whether there is a call that is not over."""
        return bool(self._heard)

    def hear(self, attempt: Attempt, event: CallEvent) -> Attempt | None:
        """Something happened to the attempt's call; `call_cleared` ends it.

        The attempt by which its contact is offered again, if the agent's phone was not reached.
        """
        heard = self._heard.get(attempt.id) or events_before(attempt)
        if attempt.state in IN_DOUBT:
            self._heard[attempt.id] = heard = heard_with(heard, event)
        calls = calls_after(attempt, event)
        is_over = event.kind is CallEventKind.CALL_CLEARED and attempt.state in IN_DOUBT
        if is_over and attempt.state in NOT_REACHED.sources and is_not_reached(heard):
            return self.ledger.offer_again(attempt, calls=calls, outcome=outcome_of(heard), reason=UNREACHED)
        if is_over:
            outcome, reason = outcome_of(heard), end_of(heard)
            self.ledger.change(attempt, ENDED, calls=calls, outcome=outcome, reason=reason)
        elif calls != attempt.calls and attempt.state in HEARD.sources:
            self.ledger.change(attempt, HEARD, calls=calls, reason=f"{event.kind}")
        return None

    def forget(self, attempt_id: str) -> None:
        """Its call is over, or is not watched any more."""
        self._heard.pop(attempt_id, None)
