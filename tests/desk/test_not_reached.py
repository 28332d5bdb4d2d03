"""An agent's phone that is not reached is no call: nobody was rung, and the contact is offered again."""

import asyncio

import pytest

from cti_hooks import Attempt, AttemptState, CallEventKind, Outcome
from lcm_plugin.plugin import lcm_of
from tests.desk.centre import Centre, OpenCentre, contact_of
from tests.people import ALICE_AT_1001 as ALICE

UNREACHED = "the agent's phone was not reached"


async def unreached(centre: Centre, *before: tuple[CallEventKind, str]) -> Attempt:
    """Alice's call, whose agent's leg failed after these events of either party."""
    await centre.logs_on(ALICE)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    call, _ = centre.dialer.dialed[-1]
    for kind, party in before:
        await centre.dialer.event(kind, call, party=party)
    await centre.dialer.event(CallEventKind.FAILED, call, party="agent", q850=20)
    await centre.dialer.event(CallEventKind.CALL_CLEARED, call, q850=20)
    await asyncio.sleep(1)
    return await centre.recorded(call)


async def again(centre: Centre) -> Attempt:
    (found,) = await centre.ledger.attempts(agent_id="alice", states=(AttemptState.OFFERED,))
    return found


async def test_its_contact_is_offered_again(open_centre: OpenCentre) -> None:
    """It is closed as agent_unavailable, and its contact is on the screen: for a person, and for no timer."""
    centre = await open_centre(preview={"seconds": 0}, auto_dispose={"*": "0"})
    call = await unreached(centre)
    offer = await again(centre)
    assert (call.state, call.outcome) == (AttemptState.CLOSED, Outcome.AGENT_UNAVAILABLE)
    assert (offer.redial_of, offer.reason) == (call.id, UNREACHED)
    shown = centre.records.shown[-1]
    assert (shown.id, shown.offer and shown.offer.person_only) == (offer.id, True)
    await asyncio.sleep(60)
    assert len(centre.dialer.dialed) == 1
    assert centre.lcm.account.dispositions == []


async def test_the_host_is_asked_for_not_ready(open_centre: OpenCentre) -> None:
    """Once, and nothing else is fetched until the agent is ready anew."""
    centre = await open_centre(preview={"seconds": 0})
    await unreached(centre)
    await asyncio.sleep(30)
    assert centre.records.asked == [("not_ready", UNREACHED)]
    assert len(centre.lcm.account.handed) == 1


async def test_a_person_may_have_it_dialed(open_centre: OpenCentre) -> None:
    """The key counts as never dialed, so that it is a first call, and no cap counts the one that was none."""
    centre = await open_centre(preview={"seconds": 0}, policies={"call-caps": {}})
    await unreached(centre)
    offer = await again(centre)
    dialed = await centre.answers(ALICE, offer, "dial")
    assert dialed.state is AttemptState.DIALING
    past = await centre.ledger.past_calls(contact_of(offer), offer.opened_at.replace(year=2000))
    assert len(past) == 1
    call = await centre.call(ALICE, CallEventKind.ESTABLISHED, CallEventKind.CALL_CLEARED)
    assert call.outcome is Outcome.ANSWERED


async def test_skipped_it_is_over(open_centre: OpenCentre) -> None:
    """There is no call to dispose of, so what was closed stays closed."""
    centre = await open_centre(preview={"seconds": 0}, auto_dispose={})
    call = await unreached(centre)
    await centre.answers(ALICE, await again(centre), "skip")
    await asyncio.sleep(5)
    assert (await centre.recorded(call)).state is AttemptState.CLOSED
    assert await centre.ledger.attempts(agent_id="alice", states=(AttemptState.ENDED,)) == []


async def test_a_customer_who_was_rung_was_called(open_centre: OpenCentre) -> None:
    """If anything is told of the customer's leg, it is a call that ended: it waits for its disposition."""
    centre = await open_centre(preview={"seconds": 0}, auto_dispose={})
    call = await unreached(centre, (CallEventKind.NETWORK_REACHED, "customer"))
    assert call.state is AttemptState.ENDED
    assert await centre.ledger.attempts(agent_id="alice", states=(AttemptState.OFFERED,)) == []


async def test_an_agent_who_has_left_has_it_at_any_host(open_centre: OpenCentre) -> None:
    """The offer is nobody's, and comes to its agent wherever they are ready."""
    first = await open_centre(preview={"seconds": 600})
    second = await open_centre(beside=first)
    await first.logs_on(ALICE)
    await first.ready(ALICE)
    await asyncio.sleep(1)
    await first.answers(ALICE, first.records.shown[-1], "dial")
    call, _ = first.dialer.dialed[-1]
    await first.logs_off(ALICE)
    await first.dialer.event(CallEventKind.FAILED, call, party="agent")
    await first.dialer.event(CallEventKind.CALL_CLEARED, call)
    await asyncio.sleep(10)
    assert len(first.records.shown) == 1
    await second.logs_on(ALICE)
    await second.ready(ALICE)
    await asyncio.sleep(5)
    assert [one.redial_of for one in second.records.shown] == [call.id]


async def test_before_the_dialer_has_answered(open_centre: OpenCentre) -> None:
    """A dialer that tells of the failure while it is asked still is no call either."""
    centre = await open_centre(preview={"seconds": 0})
    centre.dialer.tells_of = "agent"
    centre.dialer.tells_first = (CallEventKind.FAILED, CallEventKind.CALL_CLEARED)
    await centre.ready(ALICE)
    await asyncio.sleep(5)
    offer = await again(centre)
    closed = await centre.ledger.get(offer.redial_of or "")
    assert closed
    assert closed.state is AttemptState.CLOSED
    assert len(centre.dialer.dialed) == 1


async def test_ready_anew_it_is_offered_again(open_centre: OpenCentre) -> None:
    """An agent who has plugged the phone in finds the contact where it was."""
    centre = await open_centre(preview={"seconds": 600})
    await centre.logs_on(ALICE)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.answers(ALICE, centre.records.shown[-1], "dial")
    call, _ = centre.dialer.dialed[-1]
    await centre.dialer.event(CallEventKind.FAILED, call, party="agent")
    await centre.dialer.event(CallEventKind.CALL_CLEARED, call)
    await asyncio.sleep(1)
    await centre.not_ready(ALICE)
    await asyncio.sleep(60)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    assert centre.records.shown[-1].redial_of == call.id
    assert lcm_of(centre.host).waits_for("alice") == ""


@pytest.mark.parametrize("party", ["agent", "customer"])
async def test_only_the_agents_leg_counts(open_centre: OpenCentre, party: str) -> None:
    """A customer whose number failed was called, whatever else is missing."""
    centre = await open_centre(preview={"seconds": 0}, auto_dispose={})
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    call, _ = centre.dialer.dialed[-1]
    await centre.dialer.event(CallEventKind.FAILED, call, party=party, q850=17)
    await centre.dialer.event(CallEventKind.CALL_CLEARED, call, q850=17)
    await asyncio.sleep(1)
    expected = AttemptState.CLOSED if party == "agent" else AttemptState.ENDED
    assert (await centre.recorded(call)).state is expected
