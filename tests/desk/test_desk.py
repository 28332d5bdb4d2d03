"""One agent's flow, from ready to the dialer and free again."""

import asyncio
from datetime import timedelta

import pytest
from attrs import evolve

from cti_hooks import (
    AttemptState,
    Call,
    CallEventKind,
    ConnectionState,
    Consent,
    Contact,
    hookimpl,
)
from tests.desk.centre import OpenCentre, contact_of
from tests.people import ALICE_AT_1001 as ALICE
from tests.people import BOB


async def test_ready_leads_to_a_call(open_centre: OpenCentre) -> None:
    """An agent who goes ready gets the LCM's next contact dialed, with number, deadline and attempt."""
    centre = await open_centre()
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    ((attempt, dial),) = centre.dialer.dialed
    assert attempt.state is AttemptState.DIALING
    assert attempt.agent == ALICE
    assert contact_of(attempt).key == "0|0|000|0|0|00|1"
    assert dial.to == "+12125550001"
    left = dial.not_after - centre.host.clock.now()
    assert timedelta(0) < left <= timedelta(seconds=20)


async def test_hooks_return_at_once(open_centre: OpenCentre) -> None:
    """on_agent_ready does not wait for the LCM."""
    centre = await open_centre()
    centre.lcm.order("late,seconds=4")
    began = asyncio.get_running_loop().time()
    await centre.ready(ALICE)
    assert asyncio.get_running_loop().time() - began < 0.01


async def test_the_life_of_an_attempt_is_told_in_order(open_centre: OpenCentre) -> None:
    """requested, offered, dialing, calling, ended, disposed, closed: each is announced, with one id."""
    centre = await open_centre(after_disposition="ready")
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    attempt, _ = centre.dialer.dialed[0]
    await centre.dialer.event(CallEventKind.CALL_CLEARED, attempt)
    await asyncio.sleep(1)
    assert [one.state.value for one in centre.records.attempts] == [
        "requested",
        "offered",
        "dialing",
        "calling",
        "ended",
        "disposed",
        "closed",
    ]
    assert {one.id for one in centre.records.attempts} == {attempt.id}


@pytest.mark.parametrize(
    ("kinds", "states", "call"),
    [
        ((CallEventKind.SERVICE_INITIATED,), ["dialing", "calling"], ConnectionState.INITIATED),
        (
            (CallEventKind.SERVICE_INITIATED, CallEventKind.DELIVERED),
            ["dialing", "dialing", "calling"],
            ConnectionState.ALERTING,
        ),
    ],
    ids=["initiated", "delivered"],
)
async def test_a_call_may_be_heard_of_before_its_dialer_has_answered(
    open_centre: OpenCentre, kinds: tuple[CallEventKind, ...], states: list[str], call: ConnectionState
) -> None:
    """Events that come before make_call returns are kept, and so is the engine that it names."""
    centre = await open_centre()
    centre.dialer.tells_first, centre.dialer.engine = kinds, "east"
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    attempt = centre.records.attempts[-1]
    assert [one.state for one in centre.records.attempts] == ["requested", "offered", *states]
    assert [(one.state, one.engine) for one in attempt.calls] == [(call, "east")]


async def test_one_contact_at_a_time(open_centre: OpenCentre) -> None:
    """While a call is in hand no ready brings a second contact: the attempt is the guard, not the state."""
    centre = await open_centre()
    for _ in range(5):
        await centre.ready(ALICE)
        await asyncio.sleep(10)
    assert len(centre.dialer.dialed) == 1
    assert len(centre.lcm.account.handed) == 1


@pytest.mark.parametrize("ready_first", [True, False], ids=["ready, then cleared", "cleared, then ready"])
async def test_free_again_at_call_cleared_and_ready(open_centre: OpenCentre, *, ready_first: bool) -> None:
    """If the site wants another ready, the next contact needs it and the call cleared, in any order."""
    centre = await open_centre(after_disposition="ready")
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    attempt, _ = centre.dialer.dialed[0]
    steps = [centre.ready(ALICE), centre.dialer.event(CallEventKind.CALL_CLEARED, attempt)]
    for step in steps if ready_first else reversed(steps):
        assert len(centre.dialer.dialed) == 1
        await step
        await asyncio.sleep(1)
    assert len(centre.dialer.dialed) == 2


async def test_a_failed_leg_is_not_final(open_centre: OpenCentre) -> None:
    """`failed` does not free the agent; `call_cleared` does."""
    centre = await open_centre()
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    attempt, _ = centre.dialer.dialed[0]
    await centre.ready(ALICE)
    await centre.dialer.event(CallEventKind.FAILED, attempt, q850=17)
    await asyncio.sleep(10)
    assert len(centre.dialer.dialed) == 1
    call = centre.records.attempts[-1].calls[0]
    assert (call.state, call.q850) == (ConnectionState.FAIL, 17)


async def test_two_agents_get_two_contacts(open_centre: OpenCentre) -> None:
    """Each agent has contacts of their own."""
    centre = await open_centre()
    await asyncio.gather(centre.ready(ALICE), centre.ready(BOB))
    await asyncio.sleep(1)
    assert len({contact_of(attempt).key for attempt, _ in centre.dialer.dialed}) == 2


async def test_an_enriched_contact_is_dialed(open_centre: OpenCentre) -> None:
    """What a site's enrich_contact makes of a contact is what is reviewed and dialed."""

    class Repair:
        @hookimpl
        async def enrich_contact(self, contact: Contact) -> Contact:
            return evolve(contact, e164="+12125559999")

    centre = await open_centre(plugins=(Repair(),))
    await centre.ready(ALICE)
    await asyncio.sleep(0.5)
    assert centre.dialer.numbers == ["+12125559999"]


async def test_another_source_may_answer_first(open_centre: OpenCentre) -> None:
    """A site's own source of contacts is asked too, and its contact goes the same way."""

    class Source:
        @hookimpl
        def request_next_contact(self) -> Contact:
            return Contact(key="own|1", phone_number="+12125550177", consent=Consent.GIVEN)

    centre = await open_centre(plugins=(Source(),))
    await centre.ready(ALICE)
    await asyncio.sleep(0.5)
    assert centre.dialer.numbers == ["+12125550177"]
    assert centre.lcm.requests == []


@pytest.mark.long
async def test_a_failed_dialer_is_never_followed_by_another_call(open_centre: OpenCentre) -> None:
    """A dialer that fails after it may have rung leaves the attempt unknown, never dialed again."""
    centre = await open_centre(1)
    centre.dialer.fails.append(OSError("connection lost"))
    for _ in range(5):
        await centre.ready(ALICE)
        await asyncio.sleep(60)
    assert len(centre.dialer.dialed) == 1
    assert len(centre.records.states(AttemptState.UNKNOWN)) == 1


async def test_after_doubt_about_a_call_the_agent_goes_on(open_centre: OpenCentre) -> None:
    """A call nobody sees after its deadline holds up its agent no longer; the next contact is another one."""
    centre = await open_centre(2)
    centre.dialer.fails.append(OSError("connection lost"))
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.ready(ALICE)
    await asyncio.sleep(15)
    assert len(centre.dialer.dialed) == 1
    await asyncio.sleep(15)
    assert [contact_of(attempt).key for attempt, _ in centre.dialer.dialed] == [
        "0|0|000|0|0|00|1",
        "0|0|000|0|0|00|2",
    ]


async def test_a_call_in_doubt_that_is_found_is_waited_for(open_centre: OpenCentre) -> None:
    """A call that is up after all keeps its agent until it is cleared."""
    centre = await open_centre(2)
    centre.dialer.fails.append(OSError("connection lost"))
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    attempt, _ = centre.dialer.dialed[0]
    centre.dialer.found[attempt.id] = Call(
        id=f"call-{attempt.id}", attempt_id=attempt.id, state=ConnectionState.CONNECTED
    )
    await centre.ready(ALICE)
    await asyncio.sleep(60)
    assert len(centre.dialer.dialed) == 1
    await centre.dialer.event(CallEventKind.CALL_CLEARED, attempt)
    await asyncio.sleep(1)
    assert len(centre.dialer.dialed) == 2


async def test_what_has_ended_is_in_the_ledger_only(open_centre: OpenCentre) -> None:
    """What ended takes no memory, so that a host that runs for months does not grow; the ledger has it."""
    centre = await open_centre(2)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    attempt, _ = centre.dialer.dialed[-1]
    ledger = centre.ledger
    calling = ledger.get_open(attempt.id)
    assert calling
    assert calling.state is AttemptState.CALLING
    await centre.dialer.event(CallEventKind.CALL_CLEARED, attempt)
    await asyncio.sleep(1)
    assert ledger.get_open(attempt.id) is None
    assert ledger.get_open(None, f"call-{attempt.id}") is None
    assert (await centre.recorded(attempt)).state is AttemptState.CLOSED
