"""What the events of one attempt's call make of it."""

from collections.abc import Sequence
from typing import Final

from attrs import evolve

from cti_hooks import Attempt, AttemptState, Call, CallEvent, CallEventKind, ConnectionState, connection_after

LONGEST: Final = 100
"""Events that are kept of one call; of more, the first ones and the last."""


def heard_with(heard: Sequence[CallEvent], event: CallEvent) -> list[CallEvent]:
    """The events of one attempt's call, with one more; an endless call keeps no endless list."""
    return [*heard[: LONGEST - 1], event]


def calls_after(attempt: Attempt, event: CallEvent) -> tuple[Call, ...]:
    """The attempt's calls after this event; one about the agent's leg only leaves them as they are.

    `service_initiated` carries no news while `make_call` is still running: its result will say the same.
    """
    if event.kind is CallEventKind.SERVICE_INITIATED and attempt.state is AttemptState.DIALING:
        return attempt.calls
    if event.party != "customer" and event.kind is not CallEventKind.CALL_CLEARED:
        return attempt.calls
    calls = {call.id: call for call in attempt.calls}
    first = Call(id=event.call_id, attempt_id=attempt.id, state=ConnectionState.INITIATED)
    call = calls.get(event.call_id, first)
    calls[call.id] = evolve(
        call,
        state=connection_after(event.kind, call.state),
        q850=call.q850 if event.q850 is None else event.q850,
    )
    return tuple(calls.values())
