"""A row of the table of transitions: from which states, to which, and what must hold."""

from datetime import datetime
from enum import Flag, StrEnum, auto
from typing import Any

from attrs import evolve, frozen

from cti_hooks import Attempt, AttemptState


class NoTransitionError(ValueError):
    """The table has no such change: whoever asked for it has a fault."""

    def __init__(self, attempt: Attempt, transition: "Transition") -> None:
        to = transition.target or attempt.state
        super().__init__(f"attempt {attempt.id} is {attempt.state}: {transition.name} does not lead to {to}")


class Kind(StrEnum):
    """What a change stands for, and so whom it holds for."""

    INTENT = "intent"
    """Recorded before its side effect. If it cannot be recorded, nothing is done."""
    FACT = "fact"
    """Has happened here; it holds while this host has the attempt."""
    SEEN = "seen"
    """Was seen of the call; it holds whoever has the attempt by now."""
    UNDO = "undo"
    """Takes back an intent that may have been recorded, though its asker was told that it was not."""


class Must(Flag):
    """What must hold of an attempt's row, besides its state, so that a change of it is written."""

    NOTHING = 0
    HELD = auto()
    """Whoever records the change has the attempt; if that is nobody, nobody has it."""
    OPEN = auto()
    LEASE_LIVES = auto()
    """The lease of whoever records it has not ended."""
    NOT_DIALED = auto()
    KEY_FREE = auto()
    """No other attempt has its key open, or has dialed it."""
    NOT_BARRED = auto()
    """Nobody has barred its contact or its number."""
    NOT_STOPPED = auto()
    """Dialing is stopped neither for its site, its campaign nor its agent."""
    AGENT_FREE = auto()
    """Its agent has no other open attempt to do with."""
    NOT_NEXT = auto()
    """It is not its agent's next one, but the one they have to do with."""
    AS_INTENDED = auto()
    """Nothing has changed it since the intent that is taken back."""
    NOTHING_SENT = auto()
    """Nothing of it is on its way to the LCM."""


@frozen(kw_only=True)
class Transition:
    """One row.

    Attributes:
        sources: the states it leads from; none for a new attempt.
        target: the state it leads to; None if the attempt keeps the one it has.
        condition: what has to hold when it is recorded, in words.
        must: the same as far as it can be read in the attempt's row; the state is one of `sources`, unless
            the change was seen of the call.
        erases_dial: whether it says that no call was placed, so that the record of one is erased.
    """

    name: str
    sources: tuple[AttemptState, ...] = ()
    target: AttemptState | None = None
    kind: Kind
    condition: str
    must: Must = Must.NOTHING
    erases_dial: bool = False

    def opens(self, attempt_id: str, at: datetime, **facts: Any) -> Attempt:
        """A new attempt, as this row begins it."""
        state = self.target if not self.sources else None
        return Attempt(id=attempt_id, state=state or "", opened_at=at, changed_at=at, **facts)

    def of(self, attempt: Attempt, at: datetime, **facts: Any) -> Attempt:
        """The attempt after this change, at that instant, with what else is known of it.

        Raises:
            NoTransitionError: it is in no state that this change leads from.
        """
        if attempt.state not in self.sources:
            raise NoTransitionError(attempt, self)
        return evolve(attempt, state=self.target or attempt.state, changed_at=at, **facts)

    def back(self, intended: Attempt, before: Attempt) -> Attempt:
        """The attempt as it was before an intent that this takes back.

        Raises:
            NoTransitionError: this does not lead from the one to the other.
        """
        if intended.state not in self.sources or before.state is not self.target:
            raise NoTransitionError(intended, self)
        return before
