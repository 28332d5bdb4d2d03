"""Why an agent gets no contact, in one sentence that a person understands."""

from typing import Final

from cti_hooks import Attempt, AttemptState
from lcm_plugin.desk.readiness import Readiness
from lcm_plugin.ledger import IN_DOUBT

UNDISPOSED: Final = "finish your last call first: it has no disposition"
BUSY: Final = "you are busy with another call: nothing is fetched or dialed until it is over"
USED_UP: Final = "be ready again for the next contact"
_ANEW: Final = "nothing more is fetched until you answer an offer, or are not ready and then ready again"


def waits_for(readiness: Readiness, attempt: Attempt | None, trouble: str) -> str:
    """What an agent with this attempt in hand waits for; empty if nothing but a question is missing.

    `trouble` is what kept the desk from fetching when it tried last, or empty.
    """
    if attempt and attempt.state is AttemptState.REQUESTED:
        attempt = None
    if attempt and attempt.state is AttemptState.ENDED and readiness.ready:
        return UNDISPOSED
    if readiness.busy and not (attempt and attempt.state in IN_DOUBT):
        return BUSY
    if readiness.stopped:
        return f"{readiness.stopped}: {_ANEW}"
    if attempt:
        return ""
    return USED_UP if readiness.is_used_up else trouble if readiness.ready else ""
