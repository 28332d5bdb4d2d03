"""What an agent is doing, derived from their attempt and from what they want: the host's state is another."""

from collections.abc import Mapping
from typing import Final

from cti_hooks import ActivityKind, Attempt, AttemptState, ConnectionState

_BY_STATE: Final[Mapping[AttemptState, ActivityKind]] = {
    AttemptState.REQUESTED: ActivityKind.FETCHING,
    AttemptState.OFFERED: ActivityKind.OFFERED,
    AttemptState.DIALING: ActivityKind.PLACING,
    AttemptState.UNKNOWN: ActivityKind.UNKNOWN_CALL,
    AttemptState.ENDED: ActivityKind.WRAP_UP,
}
_TALKS: Final = frozenset({ConnectionState.CONNECTED, ConnectionState.HOLD})


def kind_of(attempt: Attempt | None, *, wants: bool, is_stopped: bool) -> ActivityKind:
    """What an agent with this attempt in hand is doing; `is_stopped` if something else stops the fetching."""
    if attempt:
        return _BY_STATE.get(attempt.state) or _of_call(attempt)
    if is_stopped:
        return ActivityKind.STOPPED
    return ActivityKind.WAITING if wants else ActivityKind.IDLE


def _of_call(attempt: Attempt) -> ActivityKind:
    """By the customer's connection: until it rings there, the call is being placed."""
    states = {call.state for call in attempt.calls}
    if states & _TALKS:
        return ActivityKind.TALKING
    return ActivityKind.RINGING if ConnectionState.ALERTING in states else ActivityKind.PLACING
