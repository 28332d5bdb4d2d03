"""From the events of an attempt's call to its `Outcome`, told from the network's signals.

An answer says all. Without one the agent's own leg is looked at, then the SIP status, then the Q.850 cause;
what no table lists is `unknown`. `machine` never comes from here: no cause tells a machine from a person.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from cti_hooks import AnsweredBy, Attempt, CallEvent, CallEventKind, ConnectionState, Outcome, masked_text

AGENT: Final = "agent"

Told = Outcome | tuple[Outcome, Outcome]
"""What a code says; if ringing matters, a pair: after it has rung, and before."""

BY_SIP: Final[Mapping[int, Told]] = {
    401: Outcome.FAILED,  # the trunk does not know us: our side's
    403: Outcome.FAILED,  # as above
    404: Outcome.INVALID_NUMBER,  # as Asterisk was measured: its cause is 1
    407: Outcome.FAILED,  # as 401
    408: (Outcome.NO_ANSWER, Outcome.UNREACHABLE),  # measured, cause 18
    410: Outcome.INVALID_NUMBER,  # RFC 3398: cause 22
    484: Outcome.INVALID_NUMBER,  # RFC 3398: cause 28
    485: Outcome.INVALID_NUMBER,  # RFC 3398: cause 1
    486: Outcome.BUSY,  # measured, cause 17
    487: (Outcome.NO_ANSWER, Outcome.CANCELLED),  # RFC 3261: ended by a CANCEL, which is ours
    488: Outcome.FAILED,  # RFC 3261: no media in common, so nothing rang; our side's
    500: Outcome.CONGESTION,  # RFC 3398: cause 41
    502: Outcome.CONGESTION,  # RFC 3398: cause 38
    503: Outcome.CONGESTION,  # measured, cause 34
    600: Outcome.BUSY,  # RFC 3398: cause 17
    603: Outcome.REJECTED,  # measured, cause 21; with a text of blocking it is 603+, see below
    604: Outcome.INVALID_NUMBER,  # RFC 3398: cause 1
    606: Outcome.FAILED,  # as 488
    607: Outcome.BLOCKED,  # RFC 8197: unwanted
    608: Outcome.BLOCKED,  # RFC 8688: rejected by the network's analytics
}
BY_CAUSE: Final[Mapping[int, Told]] = {  # ITU-T Q.850
    1: Outcome.INVALID_NUMBER,  # unallocated; measured with 404
    16: (Outcome.NO_ANSWER, Outcome.CANCELLED),  # normal clearing, and nobody had answered
    17: Outcome.BUSY,  # measured with 486
    18: (Outcome.NO_ANSWER, Outcome.UNREACHABLE),  # no user responding; measured with 408
    19: Outcome.NO_ANSWER,  # measured with 480 and with a ring time-out
    20: Outcome.UNREACHABLE,  # subscriber absent
    21: Outcome.REJECTED,  # measured with 603
    22: Outcome.INVALID_NUMBER,  # number changed
    26: (Outcome.NO_ANSWER, Outcome.CANCELLED),  # lost race, the originator's cancel
    27: Outcome.CONGESTION,  # destination out of order
    28: Outcome.INVALID_NUMBER,  # invalid number format
    31: (Outcome.NO_ANSWER, Outcome.UNKNOWN),  # normal, unspecified
    34: Outcome.CONGESTION,  # no circuit available; measured with 503
    38: Outcome.CONGESTION,  # network out of order
    41: Outcome.CONGESTION,  # temporary failure
    42: Outcome.CONGESTION,  # switching equipment congestion
}
"""0 is not listed: Asterisk gives it for whatever fails on a Local leg."""
BY_SIP_AT_LAST: Final[Mapping[int, Told]] = {
    480: (
        Outcome.NO_ANSWER,
        Outcome.UNREACHABLE,
    ),  # a ring time-out gives it too, so the cause goes before it
}
BY_WORD: Final = frozenset({Outcome.MACHINE, Outcome.WRONG_NUMBER})
"""What no signal of the network tells: a person says so, or a dialer that listens."""
NETWORK_BLOCKED: Final = (603, "block")
"""603+ (ATIS-1000099) is a plain 603 but for its text, `Network Blocked`."""

_LED_TO: Final[Mapping[ConnectionState, CallEventKind]] = {
    ConnectionState.ALERTING: CallEventKind.DELIVERED,
    ConnectionState.CONNECTED: CallEventKind.ESTABLISHED,
    ConnectionState.HOLD: CallEventKind.ESTABLISHED,
    ConnectionState.FAIL: CallEventKind.FAILED,
}
"""What must have happened for the customer's connection to be in a state."""
_ENDS: Final = {CallEventKind.FAILED, CallEventKind.CONNECTION_CLEARED, CallEventKind.CALL_CLEARED}
_LEAVES: Final = {CallEventKind.FAILED, CallEventKind.CONNECTION_CLEARED}
_BEFORE_ANY_LEG: Final = {CallEventKind.SERVICE_INITIATED, CallEventKind.CALL_CLEARED}
"""What may be told of the customer, though no leg of theirs began."""
_AGENT_IS_UP: Final = {CallEventKind.ORIGINATED, CallEventKind.ESTABLISHED}


def outcome_of(events: Sequence[CallEvent]) -> Outcome:
    """How the call went, from all the events of one attempt in the order they happened.

    `unknown` if they do not tell, or the call has not ended. It never raises.
    """
    seen = _seen(events)
    if seen.answered and seen.answered_by is AnsweredBy.MACHINE:
        return Outcome.MACHINE
    if seen.answered:
        return Outcome.ANSWERED if seen.met else Outcome.ABANDONED
    if seen.agent_failed and not seen.rang:
        return Outcome.AGENT_UNAVAILABLE
    return _from_cause(seen) or _from_course(seen)


def is_not_reached(events: Sequence[CallEvent]) -> bool:
    """Whether the agent's phone was not reached, and the customer's leg never began: nobody was called."""
    of_customer = {event.kind for event in events if not _is_agents(event)}
    return outcome_of(events) is Outcome.AGENT_UNAVAILABLE and of_customer <= _BEFORE_ANY_LEG


def end_of(events: Sequence[CallEvent]) -> str:
    """How the call ended, for people: the last event, and what the engine said, if no outcome is told.

    An order that an engine refused and a call that it lost are told from each other by this text alone.
    """
    last = f"{events[-1].kind}"
    texts = [event.text for event in events if event.text and not _is_agents(event)]
    if not texts or outcome_of(events) is not Outcome.UNKNOWN:
        return last
    return f"{last}: {masked_text(texts[-1])}"


def events_before(attempt: Attempt) -> list[CallEvent]:
    """What an earlier host heard of the attempt's call, as far as the call's state tells it.

    Of a call taken over there is no more than this: the ledger's last word, or the dialer's that found it.
    """
    return [
        CallEvent(kind=_LED_TO[call.state], call_id=call.id, at=attempt.opened_at, q850=call.q850)
        for call in attempt.calls[-1:]
        if call.state in _LED_TO
    ]


@frozen(kw_only=True)
class _Seen:
    """What the events show."""

    answered: bool
    answered_by: AnsweredBy | None
    """By the dialer's last word."""
    met: bool
    """Whether customer and agent were on the line at once, as far as can be told."""
    rang: bool
    agent_failed: bool
    """Whether the agent's leg failed before the customer's had come to anything."""
    failed: bool
    ended: bool
    sip_status: int | None
    q850: int | None
    text: str


def _seen(events: Sequence[CallEvent]) -> _Seen:
    customer = [event for event in events if not _is_agents(event)]
    ends = [event for event in customer if event.kind in _ENDS]
    kinds = {event.kind for event in customer}
    return _Seen(
        answered=CallEventKind.ESTABLISHED in kinds,
        answered_by=next((event.answered_by for event in reversed(customer) if event.answered_by), None),
        met=_met(events),
        rang=CallEventKind.DELIVERED in kinds,
        agent_failed=_agent_failed(events),
        failed=CallEventKind.FAILED in kinds,
        ended=bool(ends) or any(event.kind is CallEventKind.CALL_CLEARED for event in events),
        sip_status=next((event.sip_status for event in ends if event.sip_status), None),
        q850=next((event.q850 for event in ends if event.q850 is not None), None),
        text=" ".join(event.text for event in ends if event.text).casefold(),
    )


def _is_agents(event: CallEvent) -> bool:
    """Whether it is about the agent's leg. `originated` always is, whatever party it names."""
    return event.party == AGENT or event.kind is CallEventKind.ORIGINATED


def _met(events: Sequence[CallEvent]) -> bool:
    """If a dialer tells nothing of the agent's leg, the agent's leg was up: it comes first."""
    agent, customer = None, False
    for event in events:
        if _is_agents(event):
            agent = event.kind in _AGENT_IS_UP or (bool(agent) and event.kind not in _ENDS)
        elif event.kind is CallEventKind.ESTABLISHED:
            customer = True
        elif event.kind in _ENDS:
            customer = False
        if customer and agent is not False:
            return True
    return False


def _agent_failed(events: Sequence[CallEvent]) -> bool:
    """Whether it failed, or was cleared before it was up. An agent who hangs up has been there."""
    up = False
    for event in events:
        if event.kind in _LEAVES:
            return _is_agents(event) and (event.kind is CallEventKind.FAILED or not up)
        up = up or (_is_agents(event) and event.kind in _AGENT_IS_UP)
    return False


def _from_cause(seen: _Seen) -> Outcome | None:
    status, word = NETWORK_BLOCKED
    if seen.sip_status == status and word in seen.text:
        return Outcome.BLOCKED
    return (
        _told(BY_SIP, seen.sip_status, rang=seen.rang)
        or _told(BY_CAUSE, seen.q850, rang=seen.rang)
        or _told(BY_SIP_AT_LAST, seen.sip_status, rang=seen.rang)
    )


def _told(table: Mapping[int, Told], code: int | None, *, rang: bool) -> Outcome | None:
    told = table.get(code) if code is not None else None
    return told[0 if rang else 1] if isinstance(told, tuple) else told


def _from_course(seen: _Seen) -> Outcome:
    """The outcome if no cause tells it. A call that ended without any was cleared by us."""
    unlisted = seen.sip_status is not None or seen.q850 is not None or seen.failed
    if unlisted or not seen.ended:
        return Outcome.UNKNOWN
    return Outcome.NO_ANSWER if seen.rang else Outcome.CANCELLED
