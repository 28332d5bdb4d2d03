"""Look-ahead: an agent's next contact is in custody before the call before it is disposed of."""

import asyncio
from datetime import timedelta
from random import Random

import pytest
from attrs import define

from cti_hooks import (
    Agent,
    Attempt,
    AttemptPlace,
    AttemptState,
    CallEventKind,
    Contact,
    Disposition,
    Refusal,
    hookimpl,
)
from lcm_plugin.errors import ConflictError
from lcm_plugin.ledger import OPEN, LedgerUnavailable, letters
from lcm_plugin.plugin import lcm_of
from tests.desk.centre import Centre, OpenCentre, people
from tests.ledger.wire import TOO_LATE, Wire, stall
from tests.people import ALICE_AT_1001 as ALICE

AHEAD = {"look_ahead": True, "auto_dispose": {}, "poll_min_seconds": 1, "poll_max_seconds": 1}
SHOWN = {**AHEAD, "preview": {"seconds": 600, "on_timeout": "skip"}}
SAID = Disposition(outcome_id="0")
DOWNLOAD = "GetDownloadContactsForDialing"


async def called(centre: Centre) -> Attempt:
    """A call of alice's that is over, a second ago."""
    await centre.logs_on(ALICE)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    if not centre.dialer.dialed:
        await centre.answers(ALICE, centre.records.shown[-1], "dial")
    call = await centre.call(ALICE, CallEventKind.CALL_CLEARED)
    await asyncio.sleep(1)
    return call


async def open_ones(centre: Centre) -> dict[AttemptPlace, Attempt]:
    """What alice has open, by its place."""
    found = await centre.ledger.attempts(agent_id="alice", states=OPEN)
    return {attempt.place: attempt for attempt in found}


async def next_of(centre: Centre) -> Attempt:
    return (await open_ones(centre))[AttemptPlace.NEXT]


async def test_the_next_contact_is_there_before_the_disposition(open_centre: OpenCentre) -> None:
    """It is fetched while the call waits for its disposition, and dialed once that is said, not before."""
    centre = await open_centre(**AHEAD)
    call = await called(centre)
    await asyncio.sleep(60)
    following = await next_of(centre)
    assert following.state is AttemptState.OFFERED
    assert len(centre.dialer.dialed) == 1
    assert [one.id for one in centre.records.shown] == []
    await centre.disposes(call, SAID)
    assert [one.id for one, _ in centre.dialer.dialed] == [call.id, following.id]
    assert [line.reason for line in await centre.ledger.history(following.id)][2] == (
        f"next: attempt {call.id} was disposed of"
    )


async def test_nothing_is_fetched_ahead_unless_a_site_wants_it(open_centre: OpenCentre) -> None:
    """By default an agent with a call to be disposed of has nothing else."""
    centre = await open_centre(auto_dispose={})
    await called(centre)
    await asyncio.sleep(60)
    assert list(await open_ones(centre)) == [AttemptPlace.NOW]


async def test_one_contact_is_fetched_ahead(open_centre: OpenCentre) -> None:
    """However long a disposition takes, the LCM is asked for one contact more, and for no third."""
    centre = await open_centre(**AHEAD)
    await called(centre)
    await asyncio.sleep(500)
    assert len(centre.sent(DOWNLOAD)) == 2


async def test_an_agent_in_after_call_work_is_offered_it_once_ready(open_centre: OpenCentre) -> None:
    """A host that tells after-call work gets the offer at the next ready, without a question to the LCM."""
    centre = await open_centre(**SHOWN)
    call = await called(centre)
    await centre.host.hooks.all("on_agent_working_after_call", agent=ALICE)
    following = await next_of(centre)
    await centre.disposes(call, SAID)
    await asyncio.sleep(60)
    assert len(centre.records.shown) == 1
    asked = len(centre.sent(DOWNLOAD))
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    assert [one.id for one in centre.records.shown[1:]] == [following.id]
    assert len(centre.sent(DOWNLOAD)) == asked


@pytest.mark.parametrize("state", ["on_agent_not_ready", "on_agent_busy"])
async def test_nothing_is_fetched_ahead_for_who_may_not_come_back(
    open_centre: OpenCentre, state: str
) -> None:
    """An agent who is not ready, or busy with another call, has nothing reserved."""
    centre = await open_centre(**AHEAD)
    centre.lcm.order("late,message=GetDownloadContactsForDialing,seconds=9")
    await centre.logs_on(ALICE)
    await centre.ready(ALICE)
    await asyncio.sleep(10)
    facts = {"reason": None} if state == "on_agent_not_ready" else {"call": None}
    await centre.host.hooks.all(state, agent=ALICE, **facts)
    await centre.call(ALICE, CallEventKind.CALL_CLEARED)
    await asyncio.sleep(60)
    assert list(await open_ones(centre)) == [AttemptPlace.NOW]


async def test_nothing_is_fetched_ahead_where_each_contact_needs_a_ready(open_centre: OpenCentre) -> None:
    """A site that waits for another ready does not have contacts reserved before it."""
    centre = await open_centre(**AHEAD, after_disposition="ready")
    await called(centre)
    await asyncio.sleep(60)
    assert list(await open_ones(centre)) == [AttemptPlace.NOW]


async def test_the_next_one_is_not_answered(open_centre: OpenCentre) -> None:
    """An answer to it is refused, and names what comes first."""
    centre = await open_centre(**SHOWN)
    call = await called(centre)
    following = await next_of(centre)
    with pytest.raises(ConflictError, match=f"{following.id} comes next: dispose of attempt {call.id} first"):
        await centre.answers(ALICE, following, "dial")
    assert len(centre.dialer.dialed) == 1


async def test_disposed_of_while_the_question_is_on_its_way(open_centre: OpenCentre) -> None:
    """What it brings then is offered at once: one question, no contact twice and none lost."""
    centre = await open_centre(**AHEAD)
    await centre.logs_on(ALICE)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    centre.lcm.order("late,message=GetDownloadContactsForDialing,seconds=3,times=1")
    call = await centre.call(ALICE, CallEventKind.CALL_CLEARED)
    await asyncio.sleep(1)
    assert (await next_of(centre)).state is AttemptState.REQUESTED
    await centre.disposes(call, SAID)
    assert (await open_ones(centre))[AttemptPlace.NOW].state is AttemptState.REQUESTED
    await asyncio.sleep(5)
    assert len(centre.dialer.dialed) == 2
    assert len(centre.sent(DOWNLOAD)) == 2
    assert len(centre.lcm.account.reservations) == 1


async def test_a_disposition_that_came_too_late_is_taken_back_with_it(
    open_centre: OpenCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call waits for its disposition again, and the next contact behind it; said again, both go on."""
    centre = await open_centre(**AHEAD)
    call = await called(centre)
    following = await next_of(centre)
    wire = Wire(centre.ledger.database)
    centre.ledger.write_by(wire)
    stall(wire, letters, "write", monkeypatch)
    with pytest.raises(LedgerUnavailable, match="did not answer"):
        await centre.disposes(call, SAID)
    await asyncio.sleep(TOO_LATE)
    found = await open_ones(centre)
    assert found[AttemptPlace.NOW].id == call.id
    assert found[AttemptPlace.NEXT].id == following.id
    assert len(centre.dialer.dialed) == 1
    await centre.disposes(call, SAID)
    assert [one.id for one, _ in centre.dialer.dialed] == [call.id, following.id]


async def test_an_agent_who_comes_to_another_host_has_both_there(open_centre: OpenCentre) -> None:
    """The call comes first, and the next contact after it; nothing is fetched for them meanwhile."""
    first = await open_centre(**SHOWN)
    second = await open_centre(beside=first)
    call = await called(first)
    following = await next_of(first)
    asked = len(first.sent(DOWNLOAD))
    await first.logs_off(ALICE)
    await asyncio.sleep(5)
    await second.logs_on(ALICE)
    await second.ready(ALICE)
    await asyncio.sleep(20)
    assert not second.records.shown
    await second.disposes(call, SAID)
    await asyncio.sleep(5)
    assert [one.id for one in second.records.shown] == [following.id]
    assert len(first.sent(DOWNLOAD)) == asked


async def test_disposed_of_at_another_host_it_is_offered_here(open_centre: OpenCentre) -> None:
    """Whoever disposes of the call, the agent has the next contact where they are."""
    here = await open_centre(**SHOWN)
    there = await open_centre(beside=here)
    call = await called(here)
    following = await next_of(here)
    await there.disposes(call, SAID, actor="supervisor")
    await asyncio.sleep(20)
    assert [one.id for one in here.records.shown[1:]] == [following.id]
    await here.answers(ALICE, following, "dial")
    assert [one.id for one, _ in here.dialer.dialed] == [call.id, following.id]


async def test_called_once_more_it_waits(open_centre: OpenCentre) -> None:
    """The same contact called again comes before the next one, which is offered after both."""
    centre = await open_centre(**SHOWN)
    call = await called(centre)
    following = await next_of(centre)
    again = await centre.answers(ALICE, call, "dial")
    await centre.call(ALICE, CallEventKind.CALL_CLEARED)
    await asyncio.sleep(60)
    assert (await next_of(centre)).id == following.id
    await centre.disposes(again, SAID)
    assert [one.id for one in centre.records.shown[1:]] == [following.id]


async def test_a_host_that_dies_leaves_both(open_centre: OpenCentre) -> None:
    """Another host takes up the call first, and offers the next contact after it."""
    first = await open_centre(**SHOWN, lease_seconds=30)
    second = await open_centre(beside=first)
    call = await called(first)
    following = await next_of(first)
    first.die()
    await asyncio.sleep(90)
    await second.logs_on(ALICE)
    await second.ready(ALICE)
    await asyncio.sleep(5)
    await second.disposes(call, SAID)
    await asyncio.sleep(5)
    assert [one.id for one in second.records.shown] == [following.id]


async def test_a_host_that_dies_with_the_question_on_its_way_leaves_doubt(open_centre: OpenCentre) -> None:
    """The contact that may have been reserved is found by one question, and is the agent's at any host."""
    first = await open_centre(**SHOWN, lease_seconds=30)
    second = await open_centre(beside=first)
    await first.logs_on(ALICE)
    await first.ready(ALICE)
    await asyncio.sleep(1)
    await first.answers(ALICE, first.records.shown[-1], "dial")
    first.lcm.order("late,message=GetDownloadContactsForDialing,seconds=500,times=1")
    call = await first.call(ALICE, CallEventKind.CALL_CLEARED)
    await asyncio.sleep(1)
    first.die()
    await asyncio.sleep(90)
    await second.logs_on(ALICE)
    await second.ready(ALICE)
    await asyncio.sleep(5)
    await second.disposes(call, SAID)
    await asyncio.sleep(15)
    assert len(second.records.shown) == 1
    reserved = {key for key, agent in second.lcm.account.reservations.items() if agent == "alice"}
    assert reserved == {one.contact.key for one in second.records.shown if one.contact}


@define(eq=False)
class NotThe:
    """A policy that lets nobody call this number."""

    number: str

    @hookimpl
    def review_contact(self, contact: Contact) -> Refusal | None:
        if contact.phone_number != self.number:
            return None
        return Refusal(rule="not_this_one", reason="nobody calls this number")


async def test_a_next_contact_that_may_not_be_called_is_replaced_at_once(open_centre: OpenCentre) -> None:
    """It is reviewed when it comes, so that the agent does not wait for another one later."""
    centre = await open_centre(**AHEAD, plugins=(NotThe("+12125550002"),))
    await called(centre)
    await asyncio.sleep(60)
    following = await next_of(centre)
    assert following.contact
    assert following.contact.phone_number == "+12125550003"
    (refused,) = await centre.ledger.attempts(states=(AttemptState.REFUSED,))
    assert [one.rule for one in refused.refusals] == ["not_this_one"]


async def test_the_next_contact_is_reviewed_again_when_it_is_offered(open_centre: OpenCentre) -> None:
    """What speaks against it by then is heard."""
    policy = NotThe("")
    centre = await open_centre(**AHEAD, plugins=(policy,))
    call = await called(centre)
    following = await next_of(centre)
    assert following.contact
    policy.number = following.contact.phone_number
    await centre.disposes(call, SAID)
    assert (await centre.recorded(following)).state is AttemptState.REFUSED
    assert following.id not in [one.id for one, _ in centre.dialer.dialed]


async def test_a_next_contact_that_expires_is_followed_by_another(open_centre: OpenCentre) -> None:
    """A reservation that ended is not called; the agent gets the LCM's next."""
    centre = await open_centre(people(5), sandbox={"reserve_seconds": 600}, **AHEAD)
    call = await called(centre)
    following = await next_of(centre)
    assert following.contact
    assert following.contact.expires_at
    left = following.contact.expires_at - centre.ledger.now()
    await asyncio.sleep((left + timedelta(seconds=1)).total_seconds())
    await centre.disposes(call, SAID)
    await asyncio.sleep(5)
    assert (await centre.recorded(following)).state is AttemptState.EXPIRED
    assert len(centre.dialer.dialed) == 2


async def test_a_stop_covers_what_is_fetched_ahead(open_centre: OpenCentre) -> None:
    """Where dialing is stopped nothing is fetched, and what was fetched is not dialed."""
    centre = await open_centre(**AHEAD)
    call = await called(centre)
    following = await next_of(centre)
    await lcm_of(centre.host).stop_dialing(actor="sue")
    await centre.disposes(call, SAID)
    await asyncio.sleep(30)
    assert [one.id for one, _ in centre.dialer.dialed] == [call.id]
    assert (await centre.recorded(following)).state is AttemptState.OFFERED
    await lcm_of(centre.host).resume_dialing()
    await asyncio.sleep(30)
    assert [one.id for one, _ in centre.dialer.dialed] == [call.id, following.id]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_nobody_is_lost_or_called_twice(open_centre: OpenCentre, seed: int) -> None:
    """Agents who come, go, call and dispose in any order at two hosts: each contact is called once."""
    random = Random(seed)
    first = await open_centre(12, **AHEAD, after_disposition="next")
    hosts = [first, await open_centre(beside=first)]
    agents = [Agent(id=name, endpoint="PJSIP/1") for name in ("alice", "bob")]
    for _ in range(120):
        await _something(random, hosts, random.choice(agents))
        await asyncio.sleep(random.choice([0.0, 0.01, 0.3, 3.0]))
    for agent in agents:
        await _settle(hosts, agent)
    dialed = [one.contact.key for centre in hosts for one, _ in centre.dialer.dialed if one.contact]
    assert len(dialed) == len(set(dialed)) == 12
    assert not first.lcm.account.reservations


async def _something(random: Random, hosts: list[Centre], agent: Agent) -> None:
    centre = random.choice(hosts)
    what = random.choice(["ready", "leaves", "clears", "disposes", "works"])
    if what == "ready":
        await centre.logs_on(agent)
        await centre.ready(agent)
    elif what == "leaves":
        await centre.logs_off(agent)
    elif what == "works":
        await centre.host.hooks.all("on_agent_working_after_call", agent=agent)
    elif what == "clears":
        await _clear(hosts, agent)
    else:
        await _dispose(centre, agent)


async def _clear(hosts: list[Centre], agent: Agent) -> None:
    for centre in hosts:
        for one in centre.ledger.held:
            if one.agent.id == agent.id and one.state is AttemptState.CALLING:
                await centre.dialer.event(CallEventKind.CALL_CLEARED, one)


async def _dispose(centre: Centre, agent: Agent) -> None:
    for one in await centre.ledger.attempts(agent_id=agent.id, states=(AttemptState.ENDED,)):
        facts = {"agent": agent, "attempt_id": one.id, "disposition": SAID, "actor": agent.id}
        await centre.host.hooks.first("dispose_attempt", **facts)


async def _settle(hosts: list[Centre], agent: Agent) -> None:
    """Work at one host until nothing is left."""
    hosts[1].dialer.found.clear()
    await hosts[1].logs_off(agent)
    await asyncio.sleep(20)
    await hosts[0].logs_on(agent)
    await hosts[0].ready(agent)
    for _ in range(30):
        await _clear(hosts, agent)
        await asyncio.sleep(1)
        await _dispose(hosts[0], agent)
        await asyncio.sleep(10)
