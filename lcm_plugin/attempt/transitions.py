"""The one table of what may become of an attempt: nothing changes an attempt but by a row of it."""

from typing import Final

from cti_hooks import AttemptState
from lcm_plugin.attempt.transition import Kind, Must, Transition

_REQUESTED, _EMPTY = AttemptState.REQUESTED, AttemptState.EMPTY
_OFFERED, _SKIPPED = AttemptState.OFFERED, AttemptState.SKIPPED
_REFUSED, _EXPIRED = AttemptState.REFUSED, AttemptState.EXPIRED
_DIALING, _CALLING, _UNKNOWN = AttemptState.DIALING, AttemptState.CALLING, AttemptState.UNKNOWN
_ENDED, _DISPOSED, _CLOSED = AttemptState.ENDED, AttemptState.DISPOSED, AttemptState.CLOSED

_OFFERABLE: Final = Must.HELD | Must.NOT_DIALED | Must.KEY_FREE | Must.NOT_BARRED
"""An offer that lacks one of the last two is written all the same, and shows what there is against it."""
_DIALABLE: Final = _OFFERABLE | Must.NOT_STOPPED | Must.NOT_NEXT
_VISIBLE: Final = Must.OPEN | Must.LEASE_LIVES
_UNDOABLE: Final = Must.HELD | Must.AS_INTENDED | Must.NOTHING_SENT
_RESTORABLE: Final = _UNDOABLE | Must.AGENT_FREE


REQUEST: Final = Transition(
    name="request",
    target=_REQUESTED,
    kind=Kind.INTENT,
    condition="the agent has no open attempt, or only an ended one and no next; before the question leaves",
)
NOTHING: Final = Transition(
    name="nothing",
    sources=(_REQUESTED,),
    target=_EMPTY,
    kind=Kind.FACT,
    condition="its holder says so, and no trace is kept of it unless it left doubt; or its lease has ended",
    must=Must.HELD,
)
FETCHED: Final = Transition(
    name="fetched",
    sources=(_REQUESTED,),
    target=_OFFERED,
    kind=Kind.FACT,
    condition="its holder says so; another attempt may have the key, and then this one is shown only",
    must=_OFFERABLE,
)
AMENDED: Final = Transition(
    name="amended",
    sources=(_OFFERED,),
    kind=Kind.FACT,
    condition="its holder says so: the contact was enriched, or held back with a reason",
    must=_OFFERABLE,
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
    must=Must.HELD,
)
SKIPPED: Final = Transition(
    name="skipped",
    sources=(_OFFERED,),
    target=_SKIPPED,
    kind=Kind.FACT,
    condition="its holder says so",
    must=Must.HELD,
)
REFUSED: Final = Transition(
    name="refused",
    sources=(_OFFERED, _DIALING),
    target=_REFUSED,
    kind=Kind.FACT,
    condition="its holder says so; nothing rang, so the record of a dial is erased",
    must=Must.HELD,
    erases_dial=True,
)
EXPIRED: Final = Transition(
    name="expired",
    sources=(_OFFERED,),
    target=_EXPIRED,
    kind=Kind.FACT,
    condition="its holder says so, or nobody holds it",
    must=Must.HELD,
)
DIAL: Final = Transition(
    name="dial",
    sources=(_OFFERED,),
    target=_DIALING,
    kind=Kind.INTENT,
    condition="its holder, the key free, nothing stopped, nobody barred, past calls as they were counted",
    must=_DIALABLE,
)
PLACED: Final = Transition(
    name="placed",
    sources=(_DIALING,),
    target=_CALLING,
    kind=Kind.SEEN,
    condition="a dialer took the call",
    must=_VISIBLE,
)
NOT_REACHED: Final = Transition(
    name="not_reached",
    sources=(_DIALING, _CALLING),
    target=_CLOSED,
    kind=Kind.SEEN,
    condition="no agent's phone was reached, and the customer's leg never began; together with once_more",
    must=_VISIBLE,
    erases_dial=True,
)
DOUBTED: Final = Transition(
    name="doubted",
    sources=(_DIALING, _CALLING, _UNKNOWN),
    target=_UNKNOWN,
    kind=Kind.SEEN,
    condition="the dialer failed, or the holder's lease has ended and a successor has to look",
    must=_VISIBLE,
)
HEARD: Final = Transition(
    name="heard",
    sources=(_DIALING, _CALLING, _UNKNOWN, _ENDED),
    kind=Kind.SEEN,
    condition="an event of its call; of a closed attempt it is a line of the history only",
    must=_VISIBLE,
)
FOUND: Final = Transition(
    name="found",
    sources=(_UNKNOWN,),
    target=_CALLING,
    kind=Kind.FACT,
    condition="its holder asked the dialer, and the call goes on",
    must=Must.HELD,
)
SETTLED: Final = Transition(
    name="settled",
    sources=(_UNKNOWN,),
    target=_ENDED,
    kind=Kind.FACT,
    condition="its holder asked the dialer: the call has ended, or was not seen and its deadline is over",
    must=Must.HELD,
)
ENDED: Final = Transition(
    name="ended",
    sources=(_DIALING, _CALLING, _UNKNOWN),
    target=_ENDED,
    kind=Kind.SEEN,
    condition="the dialer says that the call is over",
    must=_VISIBLE,
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
    condition="the contact of an attempt redialed or not_reached, as another attempt; a person's to dial",
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
PROMOTED: Final = Transition(
    name="promoted",
    sources=(_REQUESTED, _OFFERED),
    kind=Kind.INTENT,
    condition="its agent's next one, whoever has it; together with the dispose of the one before it",
)
REQUEST_UNDONE: Final = Transition(
    name="request_undone",
    sources=(_REQUESTED,),
    target=_EMPTY,
    kind=Kind.UNDO,
    condition="the row as intended; nothing was asked for",
    must=_UNDOABLE,
)
DIAL_UNDONE: Final = Transition(
    name="dial_undone",
    sources=(_DIALING,),
    target=_OFFERED,
    kind=Kind.UNDO,
    condition="the row as intended; no dialer was asked, so the record of the dial is erased",
    must=_UNDOABLE,
    erases_dial=True,
)
OFFER_RESTORED: Final = Transition(
    name="offer_restored",
    sources=(_DISPOSED,),
    target=_OFFERED,
    kind=Kind.UNDO,
    condition="the row as intended, disposed of as an offer; nothing of it was sent, and its agent is free",
    must=_RESTORABLE,
)
END_RESTORED: Final = Transition(
    name="end_restored",
    sources=(_DISPOSED,),
    target=_ENDED,
    kind=Kind.UNDO,
    condition="the row as intended, disposed of as a call; nothing of it was sent, and its agent is free",
    must=_RESTORABLE,
)
PROMOTION_UNDONE: Final = Transition(
    name="promotion_undone",
    sources=(_REQUESTED, _OFFERED),
    kind=Kind.UNDO,
    condition="the row as promoted; the dispose of the one before it is taken back",
    must=Must.AS_INTENDED,
)
ONCE_MORE_UNDONE: Final = Transition(
    name="once_more_undone",
    sources=(_OFFERED,),
    target=_REFUSED,
    kind=Kind.UNDO,
    condition="the row as intended; the attempt before it falls back",
    must=_UNDOABLE,
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
    NOT_REACHED,
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
    PROMOTED,
    REQUEST_UNDONE,
    DIAL_UNDONE,
    OFFER_RESTORED,
    END_RESTORED,
    PROMOTION_UNDONE,
    ONCE_MORE_UNDONE,
)
"""All rows, in the order of an attempt's life."""
