"""A key that comes again: what an earlier attempt with the same LCM key leaves open. One decision for all."""

from enum import StrEnum
from typing import Final

from cti_hooks import AttemptState
from lcm_plugin.attempt.states import IN_DOUBT


class Again(StrEnum):
    """What may be done with a contact whose key another attempt has, or dialed."""

    ELSEWHERE = "elsewhere"
    """It is in somebody's hand, and not called yet: nobody else calls it."""
    NEVER = "never"
    """It was dialed, and that is not settled: nobody calls it before it is."""
    BY_A_PERSON = "by_a_person"
    """It was dialed, and that is over and told to the LCM: a person may call it, software never."""


_UNSETTLED: Final = IN_DOUBT | {AttemptState.ENDED, AttemptState.DISPOSED}


def again(state: AttemptState) -> Again:
    """What another attempt in this state leaves open; it has the key open, or dialed it."""
    if state in _UNSETTLED:
        return Again.NEVER
    return Again.BY_A_PERSON if state is AttemptState.CLOSED else Again.ELSEWHERE
