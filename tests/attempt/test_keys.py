"""A key that comes again."""

import pytest

from cti_hooks import AttemptState
from lcm_plugin.attempt.keys import Again, again

DECIDED = {
    AttemptState.OFFERED: Again.ELSEWHERE,
    AttemptState.DIALING: Again.NEVER,
    AttemptState.CALLING: Again.NEVER,
    AttemptState.UNKNOWN: Again.NEVER,
    AttemptState.ENDED: Again.NEVER,
    AttemptState.DISPOSED: Again.NEVER,
    AttemptState.CLOSED: Again.BY_A_PERSON,
}


@pytest.mark.parametrize(("state", "decided"), DECIDED.items())
def test_what_an_earlier_attempt_leaves_open(state: AttemptState, decided: Again) -> None:
    """Held: nobody else. Dialed and not settled: nobody. Over and told to the LCM: a person, no software."""
    assert again(state) is decided
