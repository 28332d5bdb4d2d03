"""How a call went, told from its events."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_hooks import (
    Agent,
    Attempt,
    AttemptState,
    Call,
    CallEvent,
    CallEventKind,
    ConnectionState,
    Outcome,
    counts_as_attempt,
)
from lcm_plugin.attempt.outcomes import BY_CAUSE, BY_SIP, end_of, events_before, outcome_of

K = CallEventKind
NOW = datetime(2024, 1, 30, 15, 0, tzinfo=UTC)


def event(
    kind: CallEventKind,
    party: str = "customer",
    q850: int | None = None,
    sip: int | None = None,
    text: str | None = None,
) -> CallEvent:
    return CallEvent(kind=kind, call_id="c", at=NOW, party=party, q850=q850, sip_status=sip, text=text)


UP = [event(K.SERVICE_INITIATED), event(K.ORIGINATED, "agent")]
RANG = [*UP, event(K.NETWORK_REACHED), event(K.DELIVERED)]


def ended(
    before: Sequence[CallEvent], q850: int | None = None, sip: int | None = None, text: str | None = None
) -> list[CallEvent]:
    """Failed with its cause, then cleared with the cause every cleared call has."""
    return [*before, event(K.FAILED, q850=q850, sip=sip, text=text), event(K.CALL_CLEARED, q850=16)]


BY_STATUS = [
    (401, UP, Outcome.FAILED),
    (403, UP, Outcome.FAILED),
    (407, UP, Outcome.FAILED),
    (404, UP, Outcome.INVALID_NUMBER),
    (408, UP, Outcome.UNREACHABLE),
    (408, RANG, Outcome.NO_ANSWER),
    (480, UP, Outcome.CANCELLED),  # the next test: 480 leaves the word to the cause, here 16
    (486, RANG, Outcome.BUSY),
    (487, UP, Outcome.CANCELLED),
    (487, RANG, Outcome.NO_ANSWER),
    (488, UP, Outcome.FAILED),
    (503, UP, Outcome.CONGESTION),
    (600, UP, Outcome.BUSY),
    (603, UP, Outcome.REJECTED),
    (604, UP, Outcome.INVALID_NUMBER),
    (607, UP, Outcome.BLOCKED),
    (608, UP, Outcome.BLOCKED),
]


@pytest.mark.parametrize(("sip", "before", "outcome"), BY_STATUS)
def test_the_sip_status_speaks_first(sip: int, before: list[CallEvent], outcome: Outcome) -> None:
    """A status that is listed decides, whatever cause the call is cleared with."""
    assert outcome_of(ended(before, sip=sip)) is outcome


MEASURED = [
    (17, 486, Outcome.BUSY),
    (19, 480, Outcome.NO_ANSWER),
    (18, 408, Outcome.NO_ANSWER),
    (21, 603, Outcome.REJECTED),
    (34, 503, Outcome.CONGESTION),
    (1, 404, Outcome.INVALID_NUMBER),
]


@pytest.mark.parametrize(("q850", "sip", "outcome"), MEASURED)
@pytest.mark.parametrize("told", ["both", "cause", "status"])
def test_what_asterisk_was_measured_to_say(q850: int, sip: int, outcome: Outcome, told: str) -> None:
    """Each measured pair of cause and status gives one outcome, also if only one of them comes."""
    events = [
        *RANG,
        event(K.FAILED, q850=None if told == "status" else q850, sip=None if told == "cause" else sip),
    ]
    assert outcome_of(events) is outcome


BY_Q850 = [
    (18, UP, Outcome.UNREACHABLE),
    (18, RANG, Outcome.NO_ANSWER),
    (20, UP, Outcome.UNREACHABLE),
    (22, UP, Outcome.INVALID_NUMBER),
    (28, UP, Outcome.INVALID_NUMBER),
    (27, UP, Outcome.CONGESTION),
    (38, UP, Outcome.CONGESTION),
    (41, UP, Outcome.CONGESTION),
    (42, UP, Outcome.CONGESTION),
    (16, UP, Outcome.CANCELLED),
    (16, RANG, Outcome.NO_ANSWER),
    (26, UP, Outcome.CANCELLED),
    (31, UP, Outcome.UNKNOWN),
    (31, RANG, Outcome.NO_ANSWER),
    (0, UP, Outcome.UNKNOWN),
    (99, RANG, Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("q850", "before", "outcome"), BY_Q850)
def test_then_the_cause_speaks(q850: int, before: list[CallEvent], outcome: Outcome) -> None:
    """A Q.850 cause decides if no status does; one that is not listed leaves it unknown."""
    assert outcome_of([*before, event(K.CALL_CLEARED, q850=q850)]) is outcome


@pytest.mark.parametrize(("sip", "q850"), [(499, 17), (480, 17), (None, 17)])
def test_an_unlisted_status_leaves_the_word_to_the_cause(sip: int | None, q850: int) -> None:
    """A status no table lists does not hide the cause."""
    assert outcome_of(ended(RANG, q850=q850, sip=sip)) is Outcome.BUSY


@pytest.mark.parametrize(
    ("text", "outcome"),
    [("Network Blocked", Outcome.BLOCKED), ("Decline", Outcome.REJECTED), (None, Outcome.REJECTED)],
)
def test_a_603_that_says_blocked_is_blocked(text: str | None, outcome: Outcome) -> None:
    """603 is the person's no, but with a text of blocking it is the network's."""
    assert outcome_of(ended(UP, q850=21, sip=603, text=text)) is outcome


COURSES = {
    "nothing seen": ([], Outcome.UNKNOWN),
    "still ringing": (RANG, Outcome.UNKNOWN),
    "cleared by us before it rang": ([*UP, event(K.CALL_CLEARED)], Outcome.CANCELLED),
    "cleared by us before the agent was up": (
        [event(K.SERVICE_INITIATED), event(K.CALL_CLEARED, "agent")],
        Outcome.CANCELLED,
    ),
    "cleared by us while it rang": ([*RANG, event(K.CALL_CLEARED)], Outcome.NO_ANSWER),
    "failed for no reason told": ([*UP, event(K.FAILED)], Outcome.UNKNOWN),
    "the agent hung up before it rang": (
        [*UP, event(K.CONNECTION_CLEARED, "agent", 16), event(K.CALL_CLEARED)],
        Outcome.CANCELLED,
    ),
    "the agent's phone is unreachable": (
        [event(K.SERVICE_INITIATED), event(K.FAILED, "agent", 20), event(K.CALL_CLEARED, q850=17)],
        Outcome.AGENT_UNAVAILABLE,
    ),
    "the agent's phone was cleared before it was up": (
        [
            event(K.SERVICE_INITIATED),
            event(K.CONNECTION_CLEARED, "agent", 19),
            event(K.CALL_CLEARED, q850=19),
        ],
        Outcome.AGENT_UNAVAILABLE,
    ),
    "the agent's leg failed while it rang": (
        [*RANG, event(K.FAILED, "agent"), event(K.CALL_CLEARED)],
        Outcome.NO_ANSWER,
    ),
    "busy, then the agent's leg is cleared": (
        [*RANG, event(K.FAILED, q850=17), event(K.CONNECTION_CLEARED, "agent", 16), event(K.CALL_CLEARED)],
        Outcome.BUSY,
    ),
    "talked": ([*RANG, event(K.ESTABLISHED), event(K.CALL_CLEARED, q850=16)], Outcome.ANSWERED),
    "talking": ([*RANG, event(K.ESTABLISHED)], Outcome.ANSWERED),
    "talked, then cut off": ([*RANG, event(K.ESTABLISHED), event(K.FAILED, q850=41)], Outcome.ANSWERED),
    "answered, and nothing is told of the agent's leg": ([event(K.ESTABLISHED)], Outcome.ANSWERED),
    "answered, and the agent came a moment later": (
        [event(K.DELIVERED, "agent"), event(K.ESTABLISHED), event(K.ORIGINATED, "agent")],
        Outcome.ANSWERED,
    ),
    "answered, and the agent's phone only rang": (
        [event(K.DELIVERED, "agent"), event(K.ESTABLISHED), event(K.CALL_CLEARED)],
        Outcome.ABANDONED,
    ),
    "answered after the agent had gone": (
        [*RANG, event(K.CONNECTION_CLEARED, "agent", 16), event(K.ESTABLISHED), event(K.CALL_CLEARED)],
        Outcome.ABANDONED,
    ),
    "answered, gone, and then the agent came": (
        [event(K.DELIVERED, "agent"), event(K.ESTABLISHED), event(K.CONNECTION_CLEARED), event(K.ORIGINATED)],
        Outcome.ABANDONED,
    ),
}


@pytest.mark.parametrize(("events", "outcome"), COURSES.values(), ids=COURSES)
def test_the_course_of_a_call(events: list[CallEvent], outcome: Outcome) -> None:
    """Whose leg did what, and when, decides if no cause does."""
    assert outcome_of(events) is outcome


some_events = st.lists(
    st.builds(
        event,
        st.sampled_from(CallEventKind),
        st.sampled_from(["customer", "agent", "supervisor"]),
        st.none() | st.sampled_from(sorted(BY_CAUSE)) | st.integers(-1, 200),
        st.none() | st.sampled_from(sorted(BY_SIP)) | st.integers(-1, 999),
        st.none() | st.text(max_size=10),
    ),
    max_size=8,
)


@given(some_events)
def test_any_events_give_an_outcome(events: list[CallEvent]) -> None:
    """Whatever a dialer reports has an outcome, and it is never that of a machine."""
    assert outcome_of(events) in set(Outcome) - {Outcome.MACHINE}


@given(some_events)
def test_answered_or_abandoned_means_that_the_customer_answered(events: list[CallEvent]) -> None:
    """These two come if, and only if, the customer's leg was established."""
    answered = any(one.kind is K.ESTABLISHED and one.party != "agent" for one in events)
    assert (outcome_of(events) in {Outcome.ANSWERED, Outcome.ABANDONED}) == answered


@given(some_events)
def test_what_rang_without_a_cause_counts(events: list[CallEvent]) -> None:
    """A call that rang, and that no cause speaks of, counts as an attempt."""
    bare = [event(one.kind, one.party) for one in events]
    rang = any(one.kind is K.DELIVERED and one.party != "agent" for one in bare)
    assert not rang or counts_as_attempt(outcome_of(bare))


def test_what_counts_as_an_attempt() -> None:
    """Only what never reached the customer's phone does not count; what is unknown does."""
    none = {outcome for outcome in Outcome if not counts_as_attempt(outcome)}
    assert none == {
        Outcome.CONGESTION, Outcome.BLOCKED, Outcome.AGENT_UNAVAILABLE, Outcome.CANCELLED, Outcome.FAILED
    }  # fmt: skip
    assert counts_as_attempt(None)


@pytest.mark.parametrize(
    ("state", "ends", "outcome"),
    [
        (ConnectionState.INITIATED, 16, Outcome.CANCELLED),
        (ConnectionState.ALERTING, 16, Outcome.NO_ANSWER),
        (ConnectionState.CONNECTED, 16, Outcome.ANSWERED),
        (ConnectionState.HOLD, 16, Outcome.ANSWERED),
        (ConnectionState.FAIL, None, Outcome.BUSY),
        (ConnectionState.NULL, 17, Outcome.BUSY),
    ],
)
def test_of_a_call_taken_over_the_state_tells_its_past(
    state: ConnectionState, ends: int | None, outcome: Outcome
) -> None:
    """What an earlier host saw counts as if this one had seen it; a call that failed keeps its cause."""
    call = Call(id="c", attempt_id="a", state=state, q850=17 if state is ConnectionState.FAIL else None)
    attempt = Attempt(
        id="a",
        agent=Agent(id="alice"),
        contact=None,
        state=AttemptState.CALLING,
        campaign_group="G",
        opened_at=NOW,
        calls=(call,),
    )
    assert outcome_of([*events_before(attempt), event(K.CALL_CLEARED, q850=ends)]) is outcome


def test_an_end_that_tells_no_outcome_says_what_the_engine_said() -> None:
    """If the outcome is unknown, the reason has the last text, its numbers masked; else it has none."""
    lost = [*UP, event(K.FAILED, text="no route to +12125550101"), event(K.CALL_CLEARED)]
    assert end_of(lost).startswith("call_cleared: no route to ")
    assert "2125550101" not in end_of(lost)
    assert end_of(ended(RANG, q850=17, text="User busy")) == "call_cleared"
