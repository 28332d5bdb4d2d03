"""What each state of an attempt means."""

from typing import Final

from cti_hooks import AttemptState

LIVE: Final = frozenset({AttemptState.DIALING, AttemptState.CALLING})
"""A call is being placed or is up."""
IN_DOUBT: Final = LIVE | {AttemptState.UNKNOWN}
"""What a host that died leaves to be looked up at the dialer."""
WAITING: Final = frozenset({AttemptState.OFFERED, AttemptState.ENDED})
"""It waits for a person: for an answer, or for a disposition. Any host its agent comes to takes it up."""
OPEN: Final = IN_DOUBT | WAITING | {AttemptState.REQUESTED}
"""The attempt occupies its agent and its key: neither can have another one."""
INTENDED: Final = frozenset({AttemptState.REQUESTED, AttemptState.DIALING, AttemptState.DISPOSED})
"""Recorded before the side effect they stand for; the others tell what has happened."""
