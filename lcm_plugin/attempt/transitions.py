"""The one table of what may become of an attempt: nothing changes an attempt but by a row of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from attrs import evolve, frozen

from cti_hooks import Attempt, AttemptState

_REQUESTED, _EMPTY = AttemptState.REQUESTED, AttemptState.EMPTY
_OFFERED, _SKIPPED = AttemptState.OFFERED, AttemptState.SKIPPED
_REFUSED, _EXPIRED = AttemptState.REFUSED, AttemptState.EXPIRED
_DIALING, _CALLING, _UNKNOWN = AttemptState.DIALING, AttemptState.CALLING, AttemptState.UNKNOWN
_ENDED, _DISPOSED, _CLOSED = AttemptState.ENDED, AttemptState.DISPOSED, AttemptState.CLOSED


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


@frozen(kw_only=True)
class Transition:
    """One row.

    Attributes:
        sources: the states it leads from; none for a new attempt.
        target: the state it leads to; None if the attempt keeps the one it has.
        condition: what else has to hold when it is recorded, in words.
    """

    name: str
    sources: tuple[AttemptState, ...] = ()
    target: AttemptState | None = None
    kind: Kind
    condition: str

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


REQUEST: Final = Transition(
    name="request",
    target=_REQUESTED,
    kind=Kind.INTENT,
    condition="the agent has no open attempt; recorded before the question leaves",
)
NOTHING: Final = Transition(
    name="nothing",
    sources=(_REQUESTED,),
    target=_EMPTY,
    kind=Kind.FACT,
    condition="its holder says so, or the holder's lease has ended, which leaves doubt",
)
FETCHED: Final = Transition(
    name="fetched",
    sources=(_REQUESTED,),
    target=_OFFERED,
    kind=Kind.FACT,
    condition="its holder says so; another attempt may have the key, and then this one is shown only",
)
AMENDED: Final = Transition(
    name="amended",
    sources=(_OFFERED,),
    kind=Kind.FACT,
    condition="its holder says so: the contact was enriched, or held back with a reason",
)
TAKEN_UP: Final = Transition(
    name="taken_up",
    sources=(_OFFERED, _ENDED),
    kind=Kind.INTENT,
    condition="nobody's, this host's own, of an ended lease, or of a host whose agent is ready here now",
)
RELEASED: Final = Transition(
    name="released",
    sources=(_OFFERED, _ENDED),
    kind=Kind.FACT,
    condition="its holder says so, or the holder's lease has ended: any host may take it up",
)
SKIPPED: Final = Transition(
    name="skipped", sources=(_OFFERED,), target=_SKIPPED, kind=Kind.FACT, condition="its holder says so"
)
REFUSED: Final = Transition(
    name="refused",
    sources=(_OFFERED, _DIALING),
    target=_REFUSED,
    kind=Kind.FACT,
    condition="its holder says so; nothing rang, so the record of a dial is erased",
)
EXPIRED: Final = Transition(
    name="expired",
    sources=(_OFFERED,),
    target=_EXPIRED,
    kind=Kind.FACT,
    condition="its holder says so, or nobody holds it",
)
DIAL: Final = Transition(
    name="dial",
    sources=(_OFFERED,),
    target=_DIALING,
    kind=Kind.INTENT,
    condition="its holder, the key free, nothing stopped, nobody barred, past calls as they were counted",
)
PLACED: Final = Transition(
    name="placed",
    sources=(_DIALING,),
    target=_CALLING,
    kind=Kind.SEEN,
    condition="a dialer took the call",
)
DOUBTED: Final = Transition(
    name="doubted",
    sources=(_DIALING, _CALLING, _UNKNOWN),
    target=_UNKNOWN,
    kind=Kind.SEEN,
    condition="the dialer failed, or the holder's lease has ended and a successor has to look",
)
HEARD: Final = Transition(
    name="heard",
    sources=(_DIALING, _CALLING, _UNKNOWN, _ENDED),
    kind=Kind.SEEN,
    condition="an event of its call; of a closed attempt it is a line of the history only",
)
FOUND: Final = Transition(
    name="found",
    sources=(_UNKNOWN,),
    target=_CALLING,
    kind=Kind.FACT,
    condition="its holder asked the dialer, and the call goes on",
)
SETTLED: Final = Transition(
    name="settled",
    sources=(_UNKNOWN,),
    target=_ENDED,
    kind=Kind.FACT,
    condition="its holder asked the dialer: the call has ended, or was not seen and its deadline is over",
)
ENDED: Final = Transition(
    name="ended",
    sources=(_DIALING, _CALLING, _UNKNOWN),
    target=_ENDED,
    kind=Kind.SEEN,
    condition="the dialer says that the call is over",
)
REDIALED: Final = Transition(
    name="redialed",
    sources=(_ENDED,),
    target=_CLOSED,
    kind=Kind.INTENT,
    condition="a person asks, nothing is stopped, nobody barred; together with once_more",
)
ONCE_MORE: Final = Transition(
    name="once_more",
    target=_OFFERED,
    kind=Kind.INTENT,
    condition="the contact of a redialed attempt, as another attempt; a person's to dial",
)
FELL_BACK: Final = Transition(
    name="fell_back",
    sources=(_CLOSED,),
    target=_ENDED,
    kind=Kind.FACT,
    condition="it was redialed, no call came of that, and nobody has disposed of it",
)
DISPOSE: Final = Transition(
    name="dispose",
    sources=(_OFFERED, _ENDED),
    target=_DISPOSED,
    kind=Kind.INTENT,
    condition="anyone entitled; recorded with what the LCM is to be told, and whom it bars",
)
CONFIRMED: Final = Transition(
    name="confirmed",
    sources=(_DISPOSED,),
    target=_CLOSED,
    kind=Kind.FACT,
    condition="the LCM is to be told nothing more of it, whoever had it",
)
REQUEST_UNDONE: Final = Transition(
    name="request_undone",
    sources=(_REQUESTED,),
    target=_EMPTY,
    kind=Kind.UNDO,
    condition="the row as intended; nothing was asked for",
)
DIAL_UNDONE: Final = Transition(
    name="dial_undone",
    sources=(_DIALING,),
    target=_OFFERED,
    kind=Kind.UNDO,
    condition="the row as intended; no dialer was asked, so the record of the dial is erased",
)
OFFER_RESTORED: Final = Transition(
    name="offer_restored",
    sources=(_DISPOSED,),
    target=_OFFERED,
    kind=Kind.UNDO,
    condition="the row as intended, disposed of as an offer; nothing of it was sent",
)
END_RESTORED: Final = Transition(
    name="end_restored",
    sources=(_DISPOSED,),
    target=_ENDED,
    kind=Kind.UNDO,
    condition="the row as intended, disposed of as an ended call; nothing of it was sent",
)
ONCE_MORE_UNDONE: Final = Transition(
    name="once_more_undone",
    sources=(_OFFERED,),
    target=_REFUSED,
    kind=Kind.UNDO,
    condition="the row as intended; the attempt before it falls back",
)

TABLE: Final = (
    REQUEST,
    NOTHING,
    FETCHED,
    AMENDED,
    TAKEN_UP,
    RELEASED,
    SKIPPED,
    REFUSED,
    EXPIRED,
    DIAL,
    PLACED,
    DOUBTED,
    HEARD,
    FOUND,
    SETTLED,
    ENDED,
    REDIALED,
    ONCE_MORE,
    FELL_BACK,
    DISPOSE,
    CONFIRMED,
    REQUEST_UNDONE,
    DIAL_UNDONE,
    OFFER_RESTORED,
    END_RESTORED,
    ONCE_MORE_UNDONE,
)
"""All rows, in the order of an attempt's life."""
