"""How contacts come to an agent's desk: by its own questions, and by those of a host that asks itself."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve

from cti_hooks import (
    Agent,
    AttemptState,
    hookimpl,
)
from lcm_plugin.errors import LcmRejected
from lcm_plugin.plugin import lcm_of
from tests.desk.centre import OpenCentre, contact_of
from tests.people import ALICE_AT_1001 as ALICE
from tests.people import GROUP


async def test_no_contact_is_polled_with_jitter(open_centre: OpenCentre) -> None:
    """Without a contact the LCM is asked again every 1 to 5 s."""
    centre = await open_centre(0)
    await centre.ready(ALICE)
    await asyncio.sleep(60)
    at = [request.at for request in centre.lcm.requests]
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert all(0.9 <= gap <= 5.5 for gap in gaps)
    assert len({round(gap, 2) for gap in gaps}) > 5


@pytest.mark.parametrize("leaves", ["on_agent_not_ready", "on_agent_logged_off"])
async def test_not_ready_stops_polling(open_centre: OpenCentre, leaves: str) -> None:
    """An agent who is not ready or logs off is fetched for no more."""
    centre = await open_centre(0)
    await centre.ready(ALICE)
    await asyncio.sleep(10)
    facts = {"reason": None} if leaves == "on_agent_not_ready" else {}
    await centre.host.hooks.all(leaves, agent=ALICE, **facts)
    await asyncio.sleep(1)
    seen = len(centre.lcm.requests)
    await asyncio.sleep(60)
    assert len(centre.lcm.requests) == seen


async def test_a_contact_that_arrives_too_late_is_held(open_centre: OpenCentre) -> None:
    """A contact that comes when its agent is no longer ready is held, not dialed; the next ready gets it."""
    centre = await open_centre()
    centre.lcm.order("late,seconds=3,times=1")
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.not_ready(ALICE)
    await asyncio.sleep(30)
    assert centre.dialer.dialed == []
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    assert [contact_of(attempt).key for attempt, _ in centre.dialer.dialed] == ["0|0|000|0|0|00|1"]
    assert len(centre.lcm.account.handed) == 1


@pytest.mark.long
async def test_a_held_contact_that_expires_is_not_dialed(open_centre: OpenCentre) -> None:
    """A contact held past its expiry is closed as expired, and the next one is fetched."""
    centre = await open_centre()
    await centre.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)
    await asyncio.sleep(3600)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    assert len(centre.records.states(AttemptState.EXPIRED)) == 1
    assert len(centre.dialer.dialed) == 1
    assert centre.dialer.dialed[0][0].id != centre.records.states(AttemptState.EXPIRED)[0].id


async def test_the_host_may_ask_for_a_contact_itself(open_centre: OpenCentre) -> None:
    """request_next_contact gives the contact, and the same one again while it is held."""
    centre = await open_centre()
    asked = {"agent": ALICE, "campaign_group": GROUP}
    first = await centre.host.hooks.first("request_next_contact", **asked)
    again = await centre.host.hooks.first("request_next_contact", **asked)
    assert first == again
    assert len(centre.lcm.account.handed) == 1


async def test_a_fetch_outlives_whoever_asked(open_centre: OpenCentre) -> None:
    """A host that is cut off loses nothing: what its fetch brings is held for whoever asks again."""
    centre = await open_centre()
    centre.lcm.order("late,seconds=3,times=1")
    asked = {"agent": ALICE, "campaign_group": GROUP}
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(centre.host.hooks.first("request_next_contact", **asked), timeout=1)
    await asyncio.sleep(5)
    (held,) = centre.records.states(AttemptState.OFFERED)
    assert await centre.host.hooks.first("request_next_contact", **asked) == held.contact
    assert len(centre.lcm.account.handed) == 1
    assert await centre.ledger.doubts() == {}


async def test_a_fetch_cut_off_says_that_a_contact_may_be_reserved(open_centre: OpenCentre) -> None:
    """A fetch that the end of the host cuts off leaves doubt, and its attempt says so: not "no contact"."""
    centre = await open_centre()
    centre.lcm.order("late,seconds=3,times=1")
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    closing = asyncio.create_task(lcm_of(centre.host).desks.close())
    await asyncio.sleep(0.5)
    closing.cancel()
    await asyncio.wait({closing})
    (closed,) = await centre.ledger.attempts(states={AttemptState.EMPTY})
    assert closed.reason == "the fetch was cancelled before its answer: the LCM may have reserved a contact"
    assert set(await centre.ledger.doubts()) == {"alice"}


async def test_a_fetch_that_failed_says_why(open_centre: OpenCentre) -> None:
    """A fetch the LCM does not answer closes its attempt with the LCM's error, not with "no contact"."""
    centre = await open_centre()
    centre.lcm.order("reject,status=403")
    with pytest.raises(LcmRejected):
        await centre.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)
    (closed,) = centre.records.states(AttemptState.EMPTY)
    assert closed.reason.startswith("LcmRejected: ")


async def test_no_contact_is_fetched_during_a_call(open_centre: OpenCentre) -> None:
    """A host that asks for a contact while the agent's call is up is told so."""
    centre = await open_centre()
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    with pytest.raises(RuntimeError, match="has a call in hand"):
        await centre.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)


async def test_the_host_and_the_desk_may_ask_at_once(open_centre: OpenCentre) -> None:
    """A host that asks while the desk is asking gets the same contact; one is fetched, and one is dialed."""
    centre = await open_centre()
    centre.lcm.order("late,seconds=1")
    asking = asyncio.gather(
        centre.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP),
        centre.ready(ALICE),
    )
    await asyncio.sleep(5)
    contact, _ = await asking
    assert [contact_of(attempt).key for attempt, _ in centre.dialer.dialed] == [contact.key]
    assert len(centre.lcm.account.handed) == 1
    opened = {one.id for one in centre.records.states(AttemptState.REQUESTED)}
    closed = {one.id for one in centre.records.states(AttemptState.EMPTY, AttemptState.CALLING)}
    assert opened == closed


async def test_the_lcm_lists_the_groups_nobody_configured(open_centre: OpenCentre) -> None:
    """Without groups from the site, the agent or the config, the LCM's list for the agent is used."""
    centre = await open_centre(campaign_groups=[])
    await centre.ready(ALICE)
    await asyncio.sleep(0.5)
    assert centre.lcm.requests[0].subtopic == "GetCampaignGroups"
    assert len(centre.dialer.dialed) == 1


async def test_groups_are_asked_in_order(open_centre: OpenCentre) -> None:
    """The agent's own groups come before the configured ones, in order, until one has a contact."""
    centre = await open_centre()
    await centre.ready(evolve(ALICE, campaign_groups=("Empty Group", GROUP)))
    await asyncio.sleep(0.5)
    assert [request.data["CampaignGroup"] for request in centre.lcm.requests] == ["Empty Group", GROUP]


async def test_the_round_stops_at_doubt(open_centre: OpenCentre) -> None:
    """When one group's download may have reserved, the next group is not asked for another contact."""
    centre = await open_centre(campaign_groups=[GROUP, "Second Group"])
    centre.lcm.order("drop,message=GetDownloadContactsForDialing,times=1")
    centre.lcm.order("error,status=500,message=GetReservedManualDialContact,times=4")
    await centre.ready(ALICE)
    await asyncio.sleep(60)
    assert [one.data.get("CampaignGroup") for one in centre.lcm.requests if "CampaignGroup" in one.data] == [
        GROUP
    ]
    assert len(centre.dialer.dialed) == 1


async def test_a_lost_contact_reaches_the_dialer(open_centre: OpenCentre) -> None:
    """A reply that is lost on the way still ends in one call, and in one reservation."""
    centre = await open_centre()
    centre.lcm.order("drop,times=1")
    await centre.ready(ALICE)
    await asyncio.sleep(5)
    assert [contact_of(attempt).key for attempt, _ in centre.dialer.dialed] == ["0|0|000|0|0|00|1"]
    assert len(centre.lcm.account.reservations) == 1


@pytest.mark.long
async def test_the_lcm_comes_back(open_centre: OpenCentre) -> None:
    """After an outage of ten minutes a ready agent gets a contact within 20 s, by itself."""
    centre = await open_centre()
    centre.lcm.order("busy,status=503")
    await centre.ready(ALICE)
    await asyncio.sleep(600)
    assert centre.dialer.dialed == []
    centre.lcm.faults.clear()
    await asyncio.sleep(20)
    assert len(centre.dialer.dialed) == 1


async def test_shutdown_waits_for_a_fetch_under_way(open_centre: OpenCentre) -> None:
    """A host that stops lets a fetch in flight finish, dials nothing more, and leaves no task behind."""
    centre = await open_centre()
    centre.lcm.order("late,seconds=3")
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.host.__aexit__(None, None, None)
    assert centre.dialer.dialed == []
    assert [entry.delivered for entry in centre.lcm.account.handed] == [True]
    assert not [task for task in asyncio.all_tasks() if "desk" in task.get_name()]


async def test_what_a_site_adds_to_the_envelope_is_sent(open_centre: OpenCentre) -> None:
    """lcm_adjust_request changes what goes out, lcm_adjust_reply what comes in."""

    class Gateway:
        @hookimpl
        def lcm_adjust_request(self, message: dict[str, Any]) -> dict[str, Any]:
            return {**message, "tenant": "acme"}

        @hookimpl
        def lcm_adjust_reply(self, message: dict[str, Any]) -> dict[str, Any]:
            message["message"]["response"]["CampaignId"] = "adjusted"
            return message

    centre = await open_centre(plugins=(Gateway(),))
    await centre.ready(ALICE)
    await asyncio.sleep(0.5)
    assert centre.lcm.requests[0].envelope["tenant"] == "acme"
    assert contact_of(centre.dialer.dialed[0][0]).campaign == "adjusted"


async def test_a_site_may_bring_its_own_transport(open_centre: OpenCentre) -> None:
    """lcm_transport replaces the way to the LCM, per agent."""

    class Bridge:
        seen: list[str]

        def __init__(self) -> None:
            self.seen = []

        @hookimpl
        def lcm_transport(self) -> object:
            return self

        async def send(self, agent: Agent, message: Any, deadline: float) -> dict[str, Any]:
            self.seen.append(agent.id)
            reply = message.type.reply
            return {"channel": "LCM", "topic": "WebService", "subtopic": reply, "message": {"response": None}}

        async def close(self) -> None:
            self.seen.append("closed")

    bridge = Bridge()
    centre = await open_centre(plugins=(bridge,))
    await centre.ready(ALICE)
    await asyncio.sleep(0.5)
    await centre.host.__aexit__(None, None, None)
    assert bridge.seen == ["alice", "closed"]
