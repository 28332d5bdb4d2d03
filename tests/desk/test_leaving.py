"""Agents who log off, and hosts that die, with something in hand: nothing is held silently."""

import asyncio
from typing import Any

import pytest

from cti_hooks import Agent, AgentState, Attempt, AttemptState, CallEventKind, Disposition, Outcome
from lcm_plugin.ledger import OPEN, AttemptLostError
from lcm_plugin.plugin import lcm_of
from tests.desk.centre import Centre, OpenCentre, contact_of
from tests.people import ALICE_AT_1001 as ALICE

WAITS = {"seconds": 20, "on_timeout": "skip"}


async def two(open_centre: OpenCentre, **settings: Any) -> tuple[Any, Any]:
    """Two hosts on one ledger; at the first the agent is at work."""
    first = await open_centre(3, **settings)
    second = await open_centre(beside=first, **settings)
    await first.logs_on(ALICE)
    await first.ready(ALICE)
    await asyncio.sleep(1)
    return first, second


async def only(centre: Centre) -> Attempt:
    """The one open attempt."""
    attempts: list[Attempt] = await lcm_of(centre.host).desks.ledger.attempts(states=OPEN)
    (attempt,) = attempts
    return attempt


async def test_logged_off_with_an_offer(open_centre: OpenCentre) -> None:
    """The offer is let go with the reason, its timers act no more, and the agent finds it at any host."""
    first, second = await two(open_centre, preview=WAITS)
    offer = await only(first)
    await first.logs_off(ALICE)
    await asyncio.sleep(60)
    left = await only(first)
    assert (left.id, left.state, left.reason) == (offer.id, AttemptState.OFFERED, "the agent logged off")
    await second.logs_on(ALICE)
    await second.ready(ALICE)
    await asyncio.sleep(1)
    assert [one.id for one in second.records.shown] == [offer.id]
    await second.answers(ALICE, offer, "dial")
    assert [attempt.id for attempt, _ in second.dialer.dialed] == [offer.id]


async def test_logged_off_while_a_contact_is_fetched(open_centre: OpenCentre) -> None:
    """A contact that comes for an agent who has logged off is let go, and found at the next host."""
    first = await open_centre(1, preview=WAITS)
    second = await open_centre(beside=first, preview=WAITS)
    first.lcm.order("late,seconds=3,times=1")
    await first.ready(ALICE)
    await asyncio.sleep(1)
    await first.logs_off(ALICE)
    await asyncio.sleep(5)
    await second.ready(ALICE)
    await asyncio.sleep(10)
    assert [contact_of(one).key for one in second.records.shown] == ["0|0|000|0|0|00|1"]
    assert len(first.lcm.account.keys_handed()) == 1


async def test_an_answer_for_somebody_gone_that_is_refused(open_centre: OpenCentre) -> None:
    """What a supervisor could not have dialed at one host waits for its agent at any, as before."""
    first, second = await two(open_centre, preview=WAITS)
    offer = await only(first)
    await first.logs_off(ALICE)
    await lcm_of(first.host).stop_dialing(actor="supervisor")
    with pytest.raises(Exception, match="stopped"):
        await first.answers(ALICE, offer, "dial", actor="supervisor")
    await asyncio.sleep(1)
    await second.logs_on(ALICE)
    await second.ready(ALICE)
    await asyncio.sleep(1)
    assert [one.id for one in second.records.shown] == [offer.id]


async def test_logged_off_while_the_dial_is_recorded(open_centre: OpenCentre) -> None:
    """Who logs off as the call is being recorded is called for once; the next host does not dial too."""
    first = await open_centre(1)
    second = await open_centre(beside=first)

    def logs_off(attempt: Attempt, when: str) -> None:
        if (attempt.state, when) == (AttemptState.DIALING, "before"):
            desk = lcm_of(first.host).desks.of(ALICE)
            asyncio.get_running_loop().call_soon(desk.hear, ALICE, AgentState.LOGGED_OFF)

    first.ledger.watch = logs_off
    await first.logs_on(ALICE)
    await first.ready(ALICE)
    await asyncio.sleep(1)
    await second.ready(ALICE)
    await asyncio.sleep(60)
    attempt = await only(first)
    assert (attempt.state, attempt.host) == (AttemptState.CALLING, first.host.name)
    assert len(first.dialer.dialed + second.dialer.dialed) == 1
    history = [line.state for line in await first.ledger.history(attempt.id)]
    assert AttemptState.OFFERED not in history[history.index(AttemptState.DIALING) :]


CALLS = [(), (CallEventKind.DELIVERED,), (CallEventKind.DELIVERED, CallEventKind.ESTABLISHED)]


@pytest.mark.parametrize("events", CALLS, ids=["dialed", "ringing", "talking"])
@pytest.mark.long
async def test_logged_off_with_a_call(open_centre: OpenCentre, events: tuple[CallEventKind, ...]) -> None:
    """The call goes on and keeps its outcome; once ended it waits for a disposition, at any host."""
    first, second = await two(open_centre, auto_dispose={})
    call, _ = first.dialer.dialed[0]
    for kind in events:
        await first.dialer.event(kind, call)
    await first.logs_off(ALICE)
    await asyncio.sleep(60)
    assert (await only(first)).state is AttemptState.CALLING
    await first.dialer.event(CallEventKind.CALL_CLEARED, call, q850=16)
    await asyncio.sleep(1)
    ended = await only(first)
    assert ended.state is AttemptState.ENDED
    assert (ended.outcome is Outcome.ANSWERED) == (CallEventKind.ESTABLISHED in events)
    await second.ready(ALICE)
    await asyncio.sleep(10)
    assert (await only(second)).host == "b"
    assert second.dialer.dialed == []
    await second.disposes(ended, Disposition(outcome_id="0"))
    assert (await second.recorded(ended)).state is AttemptState.CLOSED


async def test_logged_off_with_a_call_to_be_disposed_of(open_centre: OpenCentre) -> None:
    """A supervisor at any host disposes of an absent agent's call; the LCM is told once."""
    first, second = await two(open_centre, auto_dispose={})
    call, _ = first.dialer.dialed[0]
    await first.dialer.event(CallEventKind.CALL_CLEARED, call, q850=16)
    await first.logs_off(ALICE)
    await asyncio.sleep(1)
    disposed = await second.disposes(call, Disposition(outcome_id="8"), actor="supervisor 7")
    assert (disposed.agent.id, disposed.actor) == ("alice", "supervisor 7")
    assert (await second.recorded(call)).state is AttemptState.CLOSED
    assert [one.outcome_id for one in first.lcm.account.dispositions] == ["8"]


async def test_logged_off_with_auto_dispose(open_centre: OpenCentre) -> None:
    """If the site disposes by itself, a call that outlives its agent's login is disposed of too."""
    first, _ = await two(open_centre, auto_dispose={"*": "3"})
    call, _ = first.dialer.dialed[0]
    await first.logs_off(ALICE)
    await first.dialer.event(CallEventKind.CALL_CLEARED, call)
    await asyncio.sleep(2)
    assert (await first.recorded(call)).state is AttemptState.CLOSED
    assert [one.outcome_id for one in first.lcm.account.dispositions] == ["3"]


async def test_its_host_dies_with_an_offer(open_centre: OpenCentre) -> None:
    """Once the lease is over the agent finds the offer at another host, and nobody has dialed it."""
    first, second = await two(open_centre, preview=WAITS | {"seconds": 9999}, offer_seconds=9999)
    offer = await only(first)
    first.die()
    await asyncio.sleep(60)
    await second.ready(ALICE)
    await asyncio.sleep(10)
    assert [one.id for one in second.records.shown] == [offer.id]
    assert first.dialer.dialed + second.dialer.dialed == []


@pytest.mark.parametrize("events", CALLS, ids=["dialed", "ringing", "talking"])
@pytest.mark.long
async def test_its_host_dies_with_a_call(open_centre: OpenCentre, events: tuple[CallEventKind, ...]) -> None:
    """Another host asks the dialer, ends it as far as it was seen, and lets it wait for a disposition."""
    first, second = await two(open_centre, auto_dispose={})
    call, _ = first.dialer.dialed[0]
    for kind in events:
        await first.dialer.event(kind, call)
    first.die()
    await asyncio.sleep(120)
    ended = await only(second)
    seen = Outcome.ANSWERED if CallEventKind.ESTABLISHED in events else Outcome.UNKNOWN
    assert (ended.state, ended.outcome) == (AttemptState.ENDED, seen)
    assert second.dialer.dialed == []
    await second.ready(ALICE)
    await asyncio.sleep(10)
    await second.disposes(ended, Disposition(outcome_id="0"))
    assert (await second.recorded(ended)).state is AttemptState.CLOSED


async def test_its_host_dies_with_a_call_to_be_disposed_of(open_centre: OpenCentre) -> None:
    """What waited for a disposition at a host that died waits for it at the next, and is not dialed there."""
    first, second = await two(open_centre, auto_dispose={})
    call, _ = first.dialer.dialed[0]
    await first.dialer.event(CallEventKind.CALL_CLEARED, call, q850=17)
    await asyncio.sleep(1)
    first.die()
    await asyncio.sleep(60)
    await second.ready(ALICE)
    await asyncio.sleep(10)
    assert second.dialer.dialed == []
    await second.disposes(call, Disposition(outcome_id="3"))
    assert (await second.recorded(call)).outcome is not None
    assert [one.outcome_id for one in first.lcm.account.dispositions] == ["3"]


@pytest.mark.parametrize("dials", [True, False])
async def test_closed_at_another_host(open_centre: OpenCentre, *, dials: bool) -> None:
    """An offer that a supervisor closes at another host is not dialed here; the next ready brings another."""
    first, second = await two(open_centre, preview=WAITS | {"seconds": 500})
    offer = await only(first)
    await second.disposes(offer, Disposition(outcome_id="2"), actor="supervisor 7")
    if dials:
        with pytest.raises(AttemptLostError, match="is not offered by this host any more"):
            await first.answers(ALICE, offer, "dial")
    await first.ready(ALICE)
    await asyncio.sleep(5)
    assert first.dialer.dialed == []
    assert [one.outcome_id for one in first.lcm.account.dispositions] == ["2"]
    assert len(first.records.shown) == 2


async def test_who_has_logged_off_takes_no_memory(open_centre: OpenCentre) -> None:
    """A thousand agents log on, are ready and log off: no desk of theirs is kept but for a few."""
    centre = await open_centre(0)
    desks = lcm_of(centre.host).desks
    for number in range(1000):
        agent = Agent(id=f"temp {number}")
        await centre.ready(agent)
        await centre.host.hooks.all("on_agent_logged_off", agent=agent)
        await asyncio.sleep(0.1)
    assert desks.count <= 101


async def test_who_has_something_in_hand_keeps_their_desk(open_centre: OpenCentre) -> None:
    """An agent who logs off during a call is not forgotten while it goes on."""
    centre = await open_centre(1)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.host.hooks.all("on_agent_logged_off", agent=ALICE)
    for number in range(300):
        await centre.host.hooks.all("on_agent_logged_off", agent=Agent(id=f"temp {number}"))
    called = await centre.call(ALICE, CallEventKind.ESTABLISHED, CallEventKind.CALL_CLEARED)
    assert called.outcome is Outcome.ANSWERED
