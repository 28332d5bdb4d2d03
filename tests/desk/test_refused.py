"""Why a contact is not called: what policies, its past and its own facts say, and what follows of it."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from attrs import define, evolve, field

from cti_hooks import (
    Agent,
    AttemptState,
    CallEventKind,
    Consent,
    Contact,
    Refusal,
    hookimpl,
)
from lcm_plugin.dialers.uri import UriDialer
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


@pytest.mark.parametrize(("seconds", "reviews"), [(0, 1), (30, 2)], ids=["dialed at once", "previewed"])
async def test_a_contact_is_reviewed_before_each_step(
    open_centre: OpenCentre, seconds: float, reviews: int
) -> None:
    """Policies are asked before it is offered, and right before it is dialed; once, if that is at once."""
    policy = Policy()
    preview = {"seconds": seconds, "on_timeout": "dial"}
    centre = await open_centre(plugins=(policy,), preview=preview)
    await centre.ready(ALICE)
    await asyncio.sleep(31)
    assert policy.asked == ["0|0|000|0|0|00|1"] * reviews
    assert len(centre.dialer.dialed) == 1


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
