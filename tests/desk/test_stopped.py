"""Dialing stopped: for the site, a campaign, an agent; by every host on the ledger, after a restart too."""

import asyncio

import pytest

from cti_hooks import AttemptState, CallEventKind
from lcm_plugin.errors import ConflictError
from lcm_plugin.ledger import DialingStoppedError
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import SandboxContact
from tests.desk.centre import OpenCentre
from tests.people import ALICE, BOB, GROUP

CAMPAIGN = "AD Manual Dial Campaign"
DIALS = {"seconds": 10, "on_timeout": "dial"}


SCOPES: list[dict[str, str]] = [{}, {"campaign": CAMPAIGN}, {"agent_id": "alice"}]


@pytest.mark.parametrize("seconds", [0, 10], ids=["at once", "after a preview"])
@pytest.mark.parametrize("scope", SCOPES, ids=["site", "campaign", "agent"])
@pytest.mark.long
async def test_nothing_is_placed_by_any_host(
    open_centre: OpenCentre, scope: dict[str, str], seconds: int
) -> None:
    """A stop at one host holds at the other at once, and after its restart; offers stay; resume goes on."""
    settings = {"preview": {"seconds": seconds, "on_timeout": "dial"}}
    first = await open_centre(**settings)
    second = await open_centre(beside=first, **settings)
    await second.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)
    await lcm_of(first.host).stop_dialing(actor="supervisor 7", **scope)
    await second.ready(ALICE)
    await asyncio.sleep(60)
    assert second.dialer.dialed == []
    offer = second.records.states(AttemptState.OFFERED)[-1]
    assert (await second.recorded(offer)).state is AttemptState.OFFERED
    assert "supervisor 7 stopped dialing" in (await second.recorded(offer)).reason
    with pytest.raises(ConflictError, match="supervisor 7 stopped dialing"):
        await second.answers(ALICE, offer, "dial")
    await second.host.__aexit__(None, None, None)
    third = await open_centre(beside=first, **settings)
    await third.ready(ALICE)
    await asyncio.sleep(60)
    assert third.dialer.dialed == []
    assert await lcm_of(first.host).resume_dialing(**scope)
    await asyncio.sleep(20)
    assert [attempt.id for attempt, _ in third.dialer.dialed] == [offer.id]


STOPPED: list[dict[str, str]] = [*SCOPES, {"campaign": GROUP}]
IDS = ["site", "campaign", "agent", "campaign group"]


@pytest.mark.parametrize("scope", STOPPED, ids=IDS)
@pytest.mark.long
async def test_nothing_is_fetched_while_stopped(open_centre: OpenCentre, scope: dict[str, str]) -> None:
    """Nothing is fetched if another host stopped it; the reason is shown; resumed it goes on by itself."""
    first = await open_centre(preview=DIALS)
    second = await open_centre(beside=first, preview=DIALS)
    await lcm_of(first.host).stop_dialing(actor="supervisor 7", **scope)
    await second.ready(ALICE)
    await asyncio.sleep(600)
    assert first.lcm.account.handed == []
    assert await second.ledger.attempts() == []
    told = lcm_of(second.host).waits_for("alice")
    assert told.startswith("supervisor 7 stopped dialing")
    assert told.endswith("nothing is fetched until it is resumed")
    await lcm_of(first.host).resume_dialing(**scope)
    await asyncio.sleep(10)
    assert len(second.records.shown) == 1
    assert lcm_of(second.host).waits_for("alice") == ""


@pytest.mark.parametrize("scope", STOPPED, ids=IDS)
async def test_a_host_that_fetches_itself_is_told_of_the_stop(
    open_centre: OpenCentre, scope: dict[str, str]
) -> None:
    """`request_next_contact` raises why nothing is fetched; no attempt is opened, and the LCM not asked."""
    centre = await open_centre()
    await lcm_of(centre.host).stop_dialing(actor="supervisor 7", **scope)
    with pytest.raises(DialingStoppedError, match="supervisor 7 stopped dialing"):
        await centre.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)
    assert centre.lcm.account.handed == []
    assert await centre.ledger.attempts() == []


async def test_the_groups_that_are_not_stopped_are_fetched_from(open_centre: OpenCentre) -> None:
    """A stopped campaign group is passed over; the agent's next one is asked."""
    centre = await open_centre(campaign_groups=["Second Group", GROUP])
    await lcm_of(centre.host).stop_dialing(campaign="Second Group", actor="supervisor 7")
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    asked = [one.data["CampaignGroup"] for one in centre.lcm.requests if "CampaignGroup" in one.data]
    assert asked == [GROUP]


@pytest.mark.long
async def test_one_contact_is_taken_where_the_lcm_does_not_list_campaigns(open_centre: OpenCentre) -> None:
    """Whose campaign is stopped cannot be told before it came: that one is held, and no other is fetched."""
    centre = await open_centre(preview=DIALS)
    centre.lcm.order("reject,message=GetCampaignGroups")
    await lcm_of(centre.host).stop_dialing(campaign=CAMPAIGN, actor="supervisor 7")
    await centre.ready(ALICE)
    await asyncio.sleep(300)
    assert len(centre.lcm.account.handed) == 1
    assert centre.dialer.dialed == []


@pytest.mark.parametrize("consent", ["Yes", "No"])
@pytest.mark.long
async def test_an_offer_is_kept_while_stopped(open_centre: OpenCentre, consent: str) -> None:
    """An offer whose time is over while nobody may dial it is not skipped: it stays, with the reason."""
    person = SandboxContact(key="k", phone_number="+12125550101", campaign_group=GROUP, consent=consent)
    centre = await open_centre([person], preview={"seconds": 20}, offer_seconds=60)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await lcm_of(centre.host).stop_dialing(actor="supervisor 7")
    await asyncio.sleep(500)
    offer = await centre.recorded(centre.records.shown[-1])
    assert (offer.state, offer.reason.startswith("supervisor 7 stopped")) == (AttemptState.OFFERED, True)
    await lcm_of(centre.host).resume_dialing()
    await centre.answers(ALICE, offer, "dial")
    assert centre.dialer.numbers == ["+12125550101"]


async def test_others_go_on(open_centre: OpenCentre) -> None:
    """A stop for one agent, or for another campaign, stops nobody else."""
    centre = await open_centre()
    await lcm_of(centre.host).stop_dialing(agent_id="alice", actor="supervisor 7")
    await lcm_of(centre.host).stop_dialing(campaign="another", actor="supervisor 7")
    await centre.ready(ALICE)
    await centre.ready(BOB)
    await asyncio.sleep(10)
    assert [attempt.agent.id for attempt, _ in centre.dialer.dialed] == ["bob"]


async def test_stopped_while_a_preview_runs(open_centre: OpenCentre) -> None:
    """A stop that comes while an offer's preview runs holds when it is over, and the offer stays."""
    centre = await open_centre(preview=DIALS)
    await centre.ready(ALICE)
    await asyncio.sleep(5)
    await lcm_of(centre.host).stop_dialing(actor="supervisor 7")
    await asyncio.sleep(30)
    assert centre.dialer.dialed == []
    assert (await centre.recorded(centre.records.shown[-1])).state is AttemptState.OFFERED


async def test_a_call_once_more_while_stopped(open_centre: OpenCentre) -> None:
    """A call to be made once more while dialing is stopped: the ended one stays, to be disposed of."""
    centre = await open_centre(auto_dispose={})
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    first, _ = centre.dialer.dialed[0]
    await centre.dialer.event(CallEventKind.CALL_CLEARED, first)
    await lcm_of(centre.host).stop_dialing(actor="supervisor 7")
    with pytest.raises(ConflictError, match="supervisor 7 stopped dialing"):
        await centre.answers(ALICE, first, "dial")
    assert (await centre.recorded(first)).state is AttemptState.ENDED
    assert len(centre.dialer.dialed) == 1
