"""One agent's flow, from ready to the dialer and free again."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from attrs import define, evolve, field

from cti_hooks import (
    Agent,
    AttemptState,
    Call,
    CallEventKind,
    ConnectionState,
    Consent,
    Contact,
    Refusal,
    hookimpl,
)
from lcm_plugin.dialers.uri import UriDialer
from lcm_plugin.errors import LcmRejected
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import SandboxContact
from tests.desk.centre import OpenCentre, contact_of
from tests.people import ALICE_AT_1001 as ALICE
from tests.people import BOB, GROUP


@define(eq=False)
class Policy:
    """Refuses what it is told to, and counts how often it was asked."""

    refuses: int = 0
    error: Exception | None = None
    asked: list[str] = field(factory=list)

    @hookimpl
    def review_contact(self, contact: Contact) -> Refusal | None:
        self.asked.append(contact.key)
        if self.error:
            raise self.error
        if self.refuses:
            self.refuses -= 1
            return Refusal(rule="policy", reason="not today")
        return None


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


async def test_two_agents_get_two_contacts(open_centre: OpenCentre) -> None:
    """Each agent has contacts of their own."""
    centre = await open_centre()
    await asyncio.gather(centre.ready(ALICE), centre.ready(BOB))
    await asyncio.sleep(1)
    assert len({contact_of(attempt).key for attempt, _ in centre.dialer.dialed}) == 2


NO_CONSENT = ["No", "", "Both", "maybe"]


@pytest.mark.parametrize("word", NO_CONSENT)
@pytest.mark.long
async def test_without_consent_nothing_is_dialed(open_centre: OpenCentre, word: str) -> None:
    """A contact without consent given is offered, and waits for a person; a ready agent is no human act."""
    person = SandboxContact(key="1", phone_number="+12125550101", campaign_group=GROUP, consent=word)
    centre = await open_centre([person])
    await centre.ready(ALICE)
    for _ in range(5):
        await asyncio.sleep(50)
        await centre.ready(ALICE)
    assert len(centre.records.states(AttemptState.OFFERED)) == 1
    await asyncio.sleep(100)
    assert centre.dialer.dialed == []
    (skipped,) = centre.records.states(AttemptState.SKIPPED)
    assert skipped.reason == "nobody answered within 300 s"
    assert contact_of(skipped).consent is not Consent.GIVEN


@pytest.mark.long
async def test_refusals_do_not_drain_the_campaign(open_centre: OpenCentre) -> None:
    """Refusals in a row double the pause; after five, nothing is fetched until ready anew."""
    policy = Policy(refuses=7)
    centre = await open_centre(20, plugins=(policy,))
    await centre.ready(ALICE)
    await asyncio.sleep(600)
    at = [request.at for request in centre.lcm.requests]
    assert len(at) == 5
    assert [round(later - earlier) for earlier, later in pairwise(at)] == [1, 2, 4, 8]
    last = centre.records.states(AttemptState.REFUSED)[-1]
    assert "5 refusals in a row: nothing is fetched until the agent is ready anew" in last.reason
    await centre.not_ready(ALICE)
    await centre.ready(ALICE)
    await asyncio.sleep(60)
    assert len(centre.dialer.dialed) == 1


async def test_every_refusal_is_shown(open_centre: OpenCentre) -> None:
    """All policies are asked, and every reason is in the attempt."""
    other = evolve(Policy(refuses=1))
    centre = await open_centre(plugins=(Policy(refuses=1), _Named(other)))
    await centre.ready(ALICE)
    await asyncio.sleep(0.5)
    (refused,) = centre.records.states(AttemptState.REFUSED)
    assert [refusal.rule for refusal in refused.refusals] == ["policy", "policy"]


@define(eq=False)
class _Named:
    """A second policy under another name."""

    policy: Policy

    @hookimpl
    def review_contact(self, contact: Contact) -> Refusal | None:
        return self.policy.review_contact(contact)


async def test_a_policy_that_fails_is_a_refusal(open_centre: OpenCentre) -> None:
    """Nobody is dialed on the word of a policy that raised: it fails closed, and names its plugin."""
    centre = await open_centre(plugins=(Policy(error=OSError("down")),))
    await centre.ready(ALICE)
    await asyncio.sleep(0.5)
    assert centre.dialer.dialed == []
    (refused,) = centre.records.states(AttemptState.REFUSED)
    assert refused.refusals[0].rule == "review_failed"
    assert refused.refusals[0].evidence["plugin"] == "Policy"


async def test_a_contact_is_reviewed_twice(open_centre: OpenCentre) -> None:
    """Policies are asked when a contact was fetched, and again right before dialing."""
    policy = Policy()
    centre = await open_centre(plugins=(policy,))
    await centre.ready(ALICE)
    await asyncio.sleep(0.5)
    assert policy.asked == ["0|0|000|0|0|00|1"] * 2


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


async def test_a_key_that_was_dialed_is_not_dialed_again(open_centre: OpenCentre) -> None:
    """A key that comes again after its call is refused, with the attempt it was dialed in."""

    class Stuck:
        @hookimpl
        def request_next_contact(self) -> Contact:
            return Contact(key="own|1", phone_number="+12125550177", consent=Consent.GIVEN)

    centre = await open_centre(plugins=(Stuck(),), auto_dispose={})
    await centre.ready(ALICE)
    await asyncio.sleep(0.5)
    attempt, _ = centre.dialer.dialed[0]
    await centre.dialer.event(CallEventKind.CALL_CLEARED, attempt)
    for agent in (ALICE, BOB):
        await centre.ready(agent)
        await asyncio.sleep(30)
    assert len(centre.dialer.dialed) == 1
    refused = centre.records.states(AttemptState.REFUSED)
    assert {refusal.rule for one in refused for refusal in one.refusals} == {"dialed_before"}
    assert refused[0].refusals[0].evidence["attempt"] == attempt.id


async def test_a_contact_another_agent_holds_is_refused(open_centre: OpenCentre) -> None:
    """A key that is open for one agent is refused to another, with who holds it."""

    class Stuck:
        @hookimpl
        def request_next_contact(self) -> Contact:
            return Contact(key="own|1", phone_number="+12125550177", consent=Consent.GIVEN)

    class HoldsUpAlice:
        @hookimpl
        async def review_contact(self, agent: Agent) -> None:
            if agent.id == "alice":
                await asyncio.sleep(4)

    centre = await open_centre(plugins=(Stuck(), HoldsUpAlice()))
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.ready(BOB)
    await asyncio.sleep(1)
    refused = centre.records.states(AttemptState.REFUSED)
    assert {(one.agent.id, one.refusals[0].rule) for one in refused} == {("bob", "open_elsewhere")}
    assert refused[0].refusals[0].evidence["agent"] == "alice"
    await asyncio.sleep(10)
    assert len(centre.dialer.dialed) == 1


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


async def test_no_dialer_is_a_refusal(open_centre: OpenCentre) -> None:
    """When no dialer takes a call nothing rang: refused, and nothing is fetched until ready anew."""

    class Declines:
        @hookimpl(wrapper=True)
        def make_call(self) -> Any:
            yield
            return None

    centre = await open_centre(plugins=(Declines(),))
    await centre.ready(ALICE)
    await asyncio.sleep(60)
    assert [one.refusals[0].rule for one in centre.records.states(AttemptState.REFUSED)] == ["no_dialer"]


async def test_a_phone_that_may_not_be_rung_costs_no_doubt(open_centre: OpenCentre) -> None:
    """If a dialer refuses the agent's endpoint, nothing was placed: refused with its words, not unknown."""
    uri = UriDialer({"command": ["true", "{agent}", "{uri}"]})
    centre = await open_centre(plugins=(uri,))
    await centre.ready(Agent(id="DOM\\anna m"))
    await asyncio.sleep(60)
    assert not centre.records.states(AttemptState.UNKNOWN)
    ((refusal,),) = [one.refusals for one in centre.records.states(AttemptState.REFUSED)]
    assert refusal.rule == "no_dialer"
    assert "tell the agent's endpoint: the id has characters" in refusal.reason
    assert not centre.dialer.dialed


@pytest.mark.long
async def test_contacts_that_come_expired_do_not_drain_the_campaign(open_centre: OpenCentre) -> None:
    """If contacts have expired when they come (a wrong zone), the fetching slows down and stops."""
    centre = await open_centre(20, timezone="Asia/Tokyo")
    await centre.ready(ALICE)
    await asyncio.sleep(600)
    assert len(centre.lcm.account.handed) == 5
    refused = centre.records.states(AttemptState.REFUSED)
    assert [one.refusals[0].rule for one in refused] == ["expiry"] * 5


async def test_an_unreadable_expiry_refuses(open_centre: OpenCentre) -> None:
    """An ExpiryTime that cannot be read is no permission to dial, and the reason says so."""
    centre = await open_centre(datetime_formats=["%Y-%m-%d"])
    await centre.ready(ALICE)
    await asyncio.sleep(0.5)
    assert centre.dialer.dialed == []
    (refused,) = centre.records.states(AttemptState.REFUSED)
    assert refused.refusals[0].rule == "expiry"


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
