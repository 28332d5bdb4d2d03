"""Do-not-call at once: whom a disposition bars nobody dials, on any host, whatever the LCM has had of it."""

import asyncio
from typing import Any

import pytest

from cti_hooks import Agent, Attempt, AttemptState, CallEventKind, Disposition
from lcm_plugin.errors import ConflictError
from lcm_plugin.sandbox import SandboxContact, SandboxMode
from tests.desk.centre import Centre, OpenCentre, changed_at, contact_of
from tests.people import ALICE, BOB

NUMBER, ANOTHER = "+12125550301", "+12125550302"
HELD_BACK = "busy,message=SetDNC"
"""The LCM has not had it, and goes on handing the number out."""
BY_HAND = {"auto_dispose": {}, "after_disposition": "ready", "preview": {"seconds": 60, "on_timeout": "dial"}}
NEVER_AGAIN = Disposition(outcome_id="5", business_outcome_id="106", do_not_call=True)


def person(key: str, number: str = NUMBER, **facts: Any) -> SandboxContact:
    return SandboxContact(key=key, phone_number=number, consent="Yes", **facts)


async def offered(centre: Centre, agent: Agent) -> Attempt:
    await centre.ready(agent)
    await asyncio.sleep(1)
    offer: Attempt = centre.records.shown[-1]
    assert offer.agent.id == agent.id
    return offer


async def called(centre: Centre, agent: Agent) -> Attempt:
    """A call of the agent's that has ended, and waits for its disposition."""
    offer = await offered(centre, agent)
    await centre.answers(agent, offer, "dial")
    await centre.dialer.event(CallEventKind.ESTABLISHED, offer)
    await centre.dialer.event(CallEventKind.CALL_CLEARED, offer, q850=16)
    ended: Attempt = await centre.recorded(offer)
    return ended


async def bars(centre: Centre, agent: Agent = ALICE, said: Disposition = NEVER_AGAIN) -> Attempt:
    """The agent's next contact is called, and wants no call any more."""
    centre.lcm.order(HELD_BACK)
    call = await called(centre, agent)
    disposed: Attempt = await centre.disposes(call, said)
    return disposed


@pytest.mark.parametrize("said_by", ["a person", "the timer"])
async def test_barred_while_it_is_offered_at_another_host(open_centre: OpenCentre, said_by: str) -> None:
    """A number barred at one host while another host offers it is refused there at dial."""
    here = await open_centre([person("1"), person("2")], **BY_HAND)
    there = await open_centre(beside=here, **BY_HAND)
    here.lcm.order(HELD_BACK)
    ended = await called(here, ALICE)
    offer = await offered(there, BOB)
    barred = await here.disposes(ended, NEVER_AGAIN)
    if said_by == "a person":
        with pytest.raises(ConflictError, match="alice barred this number") as conflict:
            await there.answers(BOB, offer, "dial")
        assert [one.rule for one in conflict.value.refusals] == ["barred"]
    await asyncio.sleep(60)
    refused = await there.recorded(offer)
    assert refused.state is AttemptState.REFUSED
    (refusal,) = refused.refusals
    assert refusal.rule == "barred"
    assert refusal.evidence["by"] == "alice"
    assert refusal.evidence["since"] == changed_at(barred).isoformat()
    assert "5550301" not in f"{refusal.reason} {refusal.evidence}"
    assert there.dialer.dialed == []


@pytest.mark.parametrize("seconds", [0, 60], ids=["dialed at once", "offered first"])
async def test_fetched_and_barred(open_centre: OpenCentre, seconds: int) -> None:
    """A barred number that the LCM hands out is refused at once, and not offered; no policy is enabled."""
    here = await open_centre([person("1"), person("2"), person("3", ANOTHER)], **BY_HAND)
    await bars(here)
    settings = {**BY_HAND, "preview": {"seconds": seconds, "on_timeout": "dial"}}
    there = await open_centre(beside=here, **settings)
    await there.ready(BOB)
    await asyncio.sleep(70)
    (refused,) = there.records.states(AttemptState.REFUSED)
    assert (contact_of(refused).key, [one.rule for one in refused.refusals]) == ("2", ["barred"])
    assert {contact_of(one).key for one in there.records.shown} <= {"3"}
    assert there.dialer.numbers == [ANOTHER]


async def test_the_contact_is_barred_too(open_centre: OpenCentre) -> None:
    """A contact who is barred is refused under another key and at another number, a person's choice too."""
    modes = (SandboxMode(id="7", phone_number=ANOTHER, description="Office", consent="Yes"),)
    twice = [person("1", contact_id="c"), person("2", "+12125550303", contact_id="c", modes=modes)]
    here = await open_centre(twice, contact_modes=True, **BY_HAND)
    there = await open_centre(beside=here, **BY_HAND)
    here.lcm.order(HELD_BACK)
    ended = await called(here, ALICE)
    offer = await offered(there, BOB)
    await here.disposes(ended, NEVER_AGAIN)
    with pytest.raises(ConflictError, match="alice barred this contact"):
        await there.answers(BOB, offer, "dial", mode_id="7")
    assert (await there.recorded(offer)).state is AttemptState.REFUSED
    assert there.dialer.dialed == []


async def test_barred_at_another_of_its_numbers(open_centre: OpenCentre) -> None:
    """A person who dials another of a contact's numbers is refused if that one is barred."""
    modes = (SandboxMode(id="7", phone_number=NUMBER, description="Office", consent="Yes"),)
    centre = await open_centre(
        [person("1"), person("2", ANOTHER, modes=modes)], contact_modes=True, **BY_HAND
    )
    await bars(centre)
    offer = await offered(centre, BOB)
    with pytest.raises(ConflictError, match="alice barred this number"):
        await centre.answers(BOB, offer, "dial", mode_id="7")
    assert centre.dialer.numbers == [NUMBER]


async def test_a_call_once_more(open_centre: OpenCentre) -> None:
    """A call to be made once more, to whom another agent barred: refused, and still to be disposed of."""
    centre = await open_centre([person("1"), person("2")], **BY_HAND)
    centre.lcm.order(HELD_BACK)
    mine, theirs = await called(centre, ALICE), await called(centre, BOB)
    await centre.disposes(mine, NEVER_AGAIN)
    with pytest.raises(ConflictError, match="alice barred this number") as conflict:
        await centre.answers(BOB, theirs, "dial")
    assert [one.rule for one in conflict.value.refusals] == ["barred"]
    assert (await centre.recorded(theirs)).state is AttemptState.ENDED
    assert len(centre.dialer.dialed) == 2


async def test_an_offer_disposed_of(open_centre: OpenCentre) -> None:
    """Who is disposed of with do-not-call before any call is barred as well."""
    centre = await open_centre([person("1"), person("2")], **BY_HAND)
    centre.lcm.order(HELD_BACK)
    await centre.disposes(await offered(centre, ALICE), NEVER_AGAIN)
    await centre.ready(BOB)
    await asyncio.sleep(1)
    assert [contact_of(one).key for one in centre.records.states(AttemptState.REFUSED)] == ["2"]


async def test_others_are_dialed(open_centre: OpenCentre) -> None:
    """A disposition without do-not-call bars nobody, and a bar is nobody else's."""
    centre = await open_centre([person("1"), person("2"), person("3", ANOTHER)], **BY_HAND)
    await centre.disposes(await called(centre, ALICE), Disposition(outcome_id="0"))
    await bars(centre, ALICE)
    await called(centre, BOB)
    assert centre.dialer.numbers == [NUMBER, NUMBER, ANOTHER]
