"""What is kept of a call's events."""

from datetime import UTC, datetime, timedelta

import pytest

from cti_hooks import Agent, Attempt, AttemptState, Call, CallEvent, CallEventKind, ConnectionState, Contact
from lcm_plugin.attempt.calls import LONGEST, calls_after, heard_with
from lcm_plugin.attempt.expiry import has_expired, seconds_left

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
CONTACT = Contact(key="7|1", phone_number="+12125550101", expires_at=NOW + timedelta(seconds=30))
ATTEMPT = Attempt(
    id="a",
    agent=Agent(id="1001"),
    contact=CONTACT,
    state=AttemptState.CALLING,
    campaign_group="",
    opened_at=NOW,
)


def event(kind: CallEventKind, *, party: str = "customer", text: str | None = None) -> CallEvent:
    return CallEvent(kind=kind, call_id="c", at=NOW, party=party, text=text)


def test_an_endless_call_keeps_no_endless_list() -> None:
    """Held and retrieved a thousand times, a call keeps its first events and its last."""
    heard: list[CallEvent] = []
    for number in range(1000):
        heard = heard_with(heard, event(CallEventKind.HELD, text=f"{number}"))
    assert len(heard) == LONGEST
    assert [one.text for one in heard[-2:]] == [f"{LONGEST - 2}", "999"]
    assert heard[0].text == "0"


def test_the_agents_leg_is_not_the_customers() -> None:
    """An event about the agent's leg changes no call, but for the one that clears all."""
    assert calls_after(ATTEMPT, event(CallEventKind.ESTABLISHED, party="agent")) == ()
    (call,) = calls_after(ATTEMPT, event(CallEventKind.CALL_CLEARED, party="agent"))
    assert call == Call(id="c", attempt_id="a", state=ConnectionState.NULL)


@pytest.mark.parametrize(("seconds", "over"), [(29, False), (30, True), (31, True)])
def test_a_reservation_is_over_at_its_end(seconds: int, *, over: bool) -> None:
    """A reservation holds until its last instant, and is over at it."""
    moment = NOW + timedelta(seconds=seconds)
    assert has_expired(CONTACT.expires_at, moment) is over
    assert seconds_left(CONTACT, moment) == max(0, 30 - seconds)


def test_a_reservation_without_an_end() -> None:
    """Of whom nobody said until when they are reserved, the reservation never ends."""
    assert not has_expired(None, NOW)
    assert seconds_left(None, NOW) == float("inf")
