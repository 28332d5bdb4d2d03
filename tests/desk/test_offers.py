"""Offers: how long they stay, who answers what, and what becomes of them."""

import asyncio
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from attrs import define, evolve, field

from cti_hooks import (
    Agent,
    AnswerKind,
    Attempt,
    AttemptState,
    CallEvent,
    CallEventKind,
    Contact,
    Disposition,
    Outcome,
    Refusal,
    hookimpl,
)
from lcm_plugin.errors import ConflictError, InvalidError
from lcm_plugin.ledger import OPEN, housekeeping
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import SandboxContact, SandboxMode
from tests.desk.centre import Centre, OpenCentre, changed_at, contact_of
from tests.people import ALICE_AT_1001 as ALICE
from tests.people import BOB, GROUP

WAITS = {"seconds": 20, "on_timeout": "skip"}


def person(number: int, **facts: Any) -> SandboxContact:
    told = {"key": f"{number}", "phone_number": f"+1212555{number:04}", "campaign_group": GROUP}
    return SandboxContact(**{**told, **facts})


async def offered(centre: Centre, agent: Agent = ALICE, number: int = -1) -> Attempt:
    """The last contact that was shown to the agent who went ready."""
    await centre.ready(agent)
    await asyncio.sleep(1)
    shown: Attempt = centre.records.shown[number]
    return shown


def key(attempt: Attempt) -> str:
    assert attempt.contact
    return attempt.contact.key


# -- previews -----------------------------------------------------------------------------------------------


async def test_a_preview_that_is_not_answered_is_skipped(open_centre: OpenCentre) -> None:
    """After `preview.seconds` the offer is skipped, and an agent who is still ready gets the next one."""
    centre = await open_centre(preview=WAITS)
    first = await offered(centre)
    await asyncio.sleep(18)
    assert (await centre.recorded(first)).state is AttemptState.OFFERED
    await asyncio.sleep(7)
    skipped = await centre.recorded(first)
    assert (skipped.state, skipped.reason) == (AttemptState.SKIPPED, "the preview was not answered")
    assert [key(one) for one in centre.records.shown] == ["0|0|000|0|0|00|1", "0|0|000|0|0|00|2"]
    assert centre.dialer.dialed == []


async def test_a_preview_may_end_in_a_call(open_centre: OpenCentre) -> None:
    """`on_timeout = "dial"` dials the contact whose consent is given, when its time is over."""
    centre = await open_centre(preview={"seconds": 20, "on_timeout": "dial"})
    await offered(centre)
    await asyncio.sleep(18)
    assert centre.dialer.dialed == []
    await asyncio.sleep(2)
    assert centre.dialer.numbers == ["+12125550001"]


async def test_a_preview_may_end_in_not_ready(open_centre: OpenCentre) -> None:
    """`on_timeout = "not_ready"` asks the host for that state, and leaves offer and state to it."""
    centre = await open_centre(preview={"seconds": 20, "on_timeout": "not_ready"})
    first = await offered(centre)
    await asyncio.sleep(60)
    assert centre.records.asked == [("not_ready", "the preview was not answered")]
    assert (await centre.recorded(first)).state is AttemptState.OFFERED


@pytest.mark.long
async def test_refused_when_the_preview_is_over_pauses(open_centre: OpenCentre) -> None:
    """Refusals at the end of previews slow the fetching down and stop it, as any others in a row."""
    centre = await open_centre(20, plugins=(Closes(after=1),), preview={"seconds": 10, "on_timeout": "dial"})
    await centre.ready(ALICE)
    await asyncio.sleep(600)
    assert centre.dialer.dialed == []
    refused = centre.records.states(AttemptState.REFUSED)
    gaps = [
        round((later.opened_at - changed_at(earlier)).total_seconds()) for earlier, later in pairwise(refused)
    ]
    assert gaps == [1, 2, 4, 8]
    assert "nothing is fetched until the agent is ready anew" in refused[-1].reason


@define(eq=False)
class Closes:
    """Lets each contact be offered, and not be dialed: it says no from the review `after` so many on."""

    after: int
    rule: str = "closed"
    wait: timedelta | None = None
    seen: dict[str, int] = field(factory=dict)
    open_now: bool = False

    @hookimpl
    def review_contact(self, contact: Contact, moment: Any) -> Refusal | None:
        times = self.seen[contact.key] = self.seen.get(contact.key, 0) + 1
        if self.open_now or times <= self.after:
            return None
        return Refusal(
            rule=self.rule, reason="not any more", not_before=moment + self.wait if self.wait else None
        )


async def test_busy_keeps_the_offer_and_stops_its_time(open_centre: OpenCentre) -> None:
    """An ACD call that collides with an offer keeps it, with its time stopped until the agent is ready."""
    centre = await open_centre(preview={"seconds": 20, "on_timeout": "dial"})
    first = await offered(centre)
    await centre.busy(ALICE)
    await asyncio.sleep(120)
    assert (await centre.recorded(first)).state is AttemptState.OFFERED
    await centre.ready(ALICE)
    await asyncio.sleep(19)
    assert centre.dialer.dialed == []
    await asyncio.sleep(2)
    assert [attempt.id for attempt, _ in centre.dialer.dialed] == [first.id]


@pytest.mark.parametrize("seconds", [0, 20])
async def test_nothing_is_dialed_at_a_busy_agent(open_centre: OpenCentre, seconds: int) -> None:
    """A contact that comes while the agent has an ACD call is held until the next ready."""
    centre = await open_centre(1, preview={"seconds": seconds, "on_timeout": "dial"})
    centre.lcm.order("late,seconds=3,times=1")
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.busy(ALICE)
    await asyncio.sleep(120)
    assert centre.dialer.dialed == []
    await centre.ready(ALICE)
    await asyncio.sleep(30)
    assert len(centre.dialer.dialed) == 1


# -- answers ------------------------------------------------------------------------------------------------

ANSWERS = [
    ("skip", "later", AttemptState.SKIPPED),
    ("reject", "a friend of mine", AttemptState.SKIPPED),
    ("close", "2", AttemptState.DISPOSED),
    ("dial", None, AttemptState.DIALING),
]


@pytest.mark.parametrize(("answer", "reason", "state"), ANSWERS, ids=[row[0] for row in ANSWERS])
async def test_who_answered_what_and_when_is_recorded(
    open_centre: OpenCentre, answer: str, reason: str | None, state: AttemptState
) -> None:
    """SKIP, REJECT, CLOSE and DIAL each record who said it and when, a supervisor for the agent too."""
    centre = await open_centre(1, preview=WAITS)
    first = await offered(centre)
    before = centre.host.clock.now()
    said = await centre.answers(ALICE, first, answer, reason=reason, actor="supervisor 7")
    assert said.state is state
    recorded = await centre.recorded(first)
    assert (recorded.answer, recorded.actor) == (AnswerKind(answer), "supervisor 7")
    assert recorded.answered_at
    assert before <= recorded.answered_at <= before + timedelta(seconds=1)


async def test_after_an_answer_the_next_contact_comes(open_centre: OpenCentre) -> None:
    """An agent who is ready and skips, rejects or closes an offer gets the next one without another ready."""
    centre = await open_centre(4, preview=WAITS)
    await offered(centre)
    for answer, reason in (("skip", None), ("reject", None), ("close", "2")):
        await centre.answers(ALICE, centre.records.shown[-1], answer, reason=reason)
        await asyncio.sleep(1)
    assert [contact_of(one).key[-1] for one in centre.records.shown] == ["1", "2", "3", "4"]


async def test_skipped_comes_again_after_a_while(open_centre: OpenCentre) -> None:
    """A skipped contact is offered to the same agent again after `skip_again_after`, while it is reserved."""
    centre = await open_centre(1, preview=WAITS, skip_again_after=120)
    first = await offered(centre)
    await centre.answers(ALICE, first, "skip")
    await asyncio.sleep(110)
    assert len(centre.records.shown) == 1
    await asyncio.sleep(20)
    assert [key(one) for one in centre.records.shown] == [key(first)] * 2
    assert len(centre.lcm.account.keys_handed()) == 1


@pytest.mark.long
async def test_a_forgotten_contact_does_not_come_again(open_centre: OpenCentre) -> None:
    """Who was skipped and then forgotten is never offered or dialed again; nothing said of them is left."""
    centre = await open_centre(1, preview={"seconds": 20, "on_timeout": "dial"}, skip_again_after=60)
    first = await offered(centre)
    await centre.answers(ALICE, first, "skip", reason="she is ill")
    step = partial(housekeeping.forget, key=key(first), now=centre.ledger.now())
    assert await centre.ledger.run(step) == 1
    await asyncio.sleep(200)
    assert [key(one) for one in centre.records.shown] == [key(first)]
    assert centre.dialer.numbers == []
    lines = await centre.ledger.history(first.id)
    assert [lines[-1].reason, (await centre.recorded(first)).reason] == ["skip", "skip"]


@define
class Forgets:
    """A site's hook that brings a contact back as the ledger keeps it once it is forgotten."""

    @hookimpl
    def enrich_contact(self, contact: Contact) -> Contact:
        return evolve(contact, phone_number="-", e164=None)


async def test_nobody_is_dialed_where_no_number_is_left(open_centre: OpenCentre) -> None:
    """What stands for a forgotten number is never dialed, by a timer or for a person: it is refused."""
    centre = await open_centre(2, plugins=(Forgets(),), preview={"seconds": 20, "on_timeout": "dial"})
    first = await offered(centre)
    with pytest.raises(ConflictError, match="nobody to call"):
        await centre.answers(ALICE, first, "dial")
    await asyncio.sleep(60)
    assert centre.dialer.dialed == []
    refused = centre.records.states(AttemptState.REFUSED)
    assert {one.rule for attempt in refused for one in attempt.refusals} == {"no_contact"}


@pytest.mark.long
async def test_rejected_never_again_in_this_login(open_centre: OpenCentre) -> None:
    """A rejected contact is not offered to this agent again before the next login; then it is."""
    centre = await open_centre(1, preview=WAITS, skip_again_after=60, sandbox={"reserve_seconds": 7200})
    await centre.logs_on(ALICE)
    first = await offered(centre)
    await centre.answers(ALICE, first, "reject")
    await asyncio.sleep(300)
    assert len(centre.records.shown) == 1
    await centre.logs_off(ALICE)
    await centre.logs_on(ALICE)
    again = await offered(centre)
    assert key(again) == key(first)
    assert again.id != first.id


async def test_an_offer_ends_after_offer_seconds(open_centre: OpenCentre) -> None:
    """Without consent no preview ends; after `offer_seconds` it is skipped and the next one is offered."""
    centre = await open_centre([person(1, consent="No"), person(2, consent="No")], offer_seconds=100)
    first = await offered(centre)
    await asyncio.sleep(98)
    assert len(centre.records.shown) == 1
    await asyncio.sleep(10)
    assert (await centre.recorded(first)).reason == "nobody answered within 100 s"
    assert [key(one) for one in centre.records.shown] == ["1", "2"]


async def test_an_offer_ends_when_it_expires(open_centre: OpenCentre) -> None:
    """An offer whose reservation ends is closed as expired, at once, and is not dialed any more."""
    centre = await open_centre(1, preview=WAITS | {"seconds": 500}, sandbox={"reserve_seconds": 90})
    first = await offered(centre)
    await asyncio.sleep(90)
    assert (await centre.recorded(first)).state is AttemptState.EXPIRED
    with pytest.raises(ConflictError, match="is not open"):
        await centre.answers(ALICE, first, "dial")
    assert centre.dialer.dialed == []


async def test_only_its_agent_answers(open_centre: OpenCentre) -> None:
    """An answer by another agent is a conflict that names whose it is; the offer stays."""
    centre = await open_centre(1, preview=WAITS)
    first = await offered(centre)
    with pytest.raises(ConflictError, match="is agent alice's, not bob's"):
        await centre.answers(BOB, first, "dial")
    assert (await centre.recorded(first)).state is AttemptState.OFFERED
    assert centre.dialer.dialed == []


# -- when contacts are fetched ------------------------------------------------------------------------------


async def test_fetched_while_not_ready(open_centre: OpenCentre) -> None:
    """A site that dials by hand while not ready fetches in that state, by its reason, and in no other."""
    centre = await open_centre(1, preview=WAITS, fetch_when=["not_ready:Manual outbound"])
    await centre.ready(ALICE)
    await centre.not_ready(ALICE, "Lunch")
    await asyncio.sleep(30)
    assert centre.lcm.requests == []
    await centre.not_ready(ALICE, "Manual outbound")
    await asyncio.sleep(1)
    assert len(centre.records.shown) == 1


async def test_fetched_on_request_only(open_centre: OpenCentre) -> None:
    """`on_request` fetches for request_next_contact only, and dials for a person only."""
    centre = await open_centre(1, fetch_when=["on_request"])
    await centre.ready(ALICE)
    await asyncio.sleep(30)
    assert centre.lcm.requests == []
    await centre.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)
    await asyncio.sleep(60)
    assert centre.dialer.dialed == []
    await centre.answers(ALICE, centre.records.states(AttemptState.OFFERED)[-1], "dial")
    assert len(centre.dialer.dialed) == 1


async def test_what_is_reserved_comes_first(open_centre: OpenCentre) -> None:
    """`reserved_first`: what the LCM has reserved, personal callbacks before it, then fresh ones."""
    people = [person(n, call_type="2" if n == 2 else "0") for n in (1, 2, 3)]
    centre = await open_centre(
        people, preview=WAITS, reserved_first=True, call_types={"0": "regular", "2": "personal_callback"}
    )
    for _ in range(2):
        lists = centre.lcm._lists
        assert lists.reserve("alice", GROUP)
    await offered(centre)
    for _ in range(2):
        await centre.answers(ALICE, centre.records.shown[-1], "skip")
        await asyncio.sleep(5)
    assert [key(one) for one in centre.records.shown] == ["2", "1", "3"]


async def test_a_fetch_of_the_hosts_own_while_the_reserved_are_asked_for(open_centre: OpenCentre) -> None:
    """What the host fetched meanwhile stays in hand; what was reserved is offered after it."""
    centre = await open_centre([person(1), person(2)], preview=WAITS, reserved_first=True)
    assert centre.lcm._lists.reserve("alice", GROUP)
    centre.lcm.order("late,message=GetReservedManualDialContact,seconds=2,times=1")
    await centre.ready(ALICE)
    await asyncio.sleep(0.5)  # of virtual time: the answer is on its way
    fetched = await centre.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)
    await asyncio.sleep(5)
    assert key(centre.records.shown[-1]) == fetched.key.rpartition("|")[2]
    await centre.answers(ALICE, centre.records.shown[-1], "skip")
    await asyncio.sleep(5)
    assert sorted(key(one) for one in centre.records.shown) == ["1", "2"]
    assert len(await centre.ledger.attempts()) == 2


async def test_a_fetch_of_the_hosts_own_that_the_reserved_overtake(open_centre: OpenCentre) -> None:
    """What comes of it then does not displace what was offered meanwhile; the LCM is asked for it again."""
    centre = await open_centre([person(1), person(2)], preview={"seconds": 600}, reserved_first=True)
    assert centre.lcm._lists.reserve("alice", GROUP)
    centre.lcm.order("late,message=GetReservedManualDialContact,seconds=2,times=1")
    centre.lcm.order("late,message=GetDownloadContactsForDialing,seconds=4,times=1")
    await centre.ready(ALICE)
    await asyncio.sleep(0.5)  # of virtual time: the answer is on its way
    fetched = await centre.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)
    await asyncio.sleep(5)
    (offer,) = await centre.ledger.attempts(agent_id="alice", states=OPEN)
    assert fetched.key.rpartition("|")[2] == key(offer) == key(centre.records.shown[0])
    await centre.answers(ALICE, offer, "skip")
    await asyncio.sleep(30)
    assert sorted(key(one) for one in centre.records.shown) == ["1", "2"]


# -- a person's calls ---------------------------------------------------------------------------------------

OFFICE = SandboxMode(id="2", phone_number="+12125550999", description="Office", consent="No")
MOBILE = SandboxMode(id="3", phone_number="+12125550001", description="Mobile")


async def test_a_person_may_dial_another_number(open_centre: OpenCentre) -> None:
    """DIAL with one of the contact's modes calls that number; any other is answered with those it has."""
    centre = await open_centre([person(1, modes=(MOBILE, OFFICE))], preview=WAITS, contact_modes=True)
    first = await offered(centre)
    with pytest.raises(InvalidError, match="it has 3 Mobile, 2 Office"):
        await centre.answers(ALICE, first, "dial", mode_id="7")
    await centre.answers(ALICE, first, "dial", mode_id="2")
    assert centre.dialer.numbers == ["+12125550999"]


@pytest.mark.parametrize(("codes", "told"), [(("33101", "33101"), "33101"), (("33101", "10001"), None)])
async def test_the_lcms_zip_code_tells_where_somebody_lives(
    open_centre: OpenCentre, codes: tuple[str, str], told: str | None
) -> None:
    """What all numbers of a contact state is in its `extra`, by which states' rules hold; a doubt is not."""
    modes = tuple(evolve(mode, zip_code=code) for mode, code in zip((MOBILE, OFFICE), codes, strict=True))
    centre = await open_centre([person(1, modes=modes)], preview=WAITS, contact_modes=True)
    contact = (await centre.recorded(await offered(centre))).contact
    assert contact is not None
    assert contact.extra.get("ZipCode") == told


async def test_a_person_may_have_it_called_once_more(open_centre: OpenCentre) -> None:
    """DIAL on an ended call is another attempt with a call of its own, reviewed again, at any number."""
    policy = Closes(after=99)
    centre = await open_centre(
        [person(1, modes=(MOBILE, OFFICE))], plugins=(policy,), contact_modes=True, auto_dispose={}
    )
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    first, _ = centre.dialer.dialed[0]
    await centre.dialer.event(CallEventKind.CALL_CLEARED, first)
    reviewed = policy.seen["1"]
    again = await centre.answers(ALICE, first, "dial", mode_id="2")
    assert again.id != first.id
    assert again.redial_of == first.id
    assert policy.seen["1"] > reviewed
    assert centre.dialer.numbers == ["+12125550001", "+12125550999"]
    assert (await centre.recorded(first)).state is AttemptState.CLOSED


async def test_once_more_is_refused_by_the_rules_too(open_centre: OpenCentre) -> None:
    """A rule that says no to a second call is a conflict with its refusal; the call waits for its outcome."""
    policy = Closes(after=99)
    centre = await open_centre(1, plugins=(policy,), auto_dispose={})
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    first, _ = centre.dialer.dialed[0]
    await centre.dialer.event(CallEventKind.CALL_CLEARED, first)
    policy.after = 0
    with pytest.raises(ConflictError, match="not any more") as refused:
        await centre.answers(ALICE, first, "dial")
    assert [one.rule for one in refused.value.refusals] == ["closed"]
    assert (await centre.recorded(first)).state is AttemptState.ENDED
    assert len(centre.dialer.dialed) == 1


async def test_once_more_and_no_dialer(open_centre: OpenCentre) -> None:
    """A second call that no dialer takes is none: the first is to be disposed of, as it went."""
    declines = Declines(after=1)
    centre = await open_centre(1, plugins=(declines,), auto_dispose={"failed": "3"})
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    first, _ = centre.dialer.dialed[0]
    await centre.dialer.event(CallEventKind.ESTABLISHED, first)
    await centre.dialer.event(CallEventKind.CALL_CLEARED, first, q850=16)
    again = await centre.answers(ALICE, first, "dial")
    await asyncio.sleep(60)
    assert (await centre.recorded(again)).state is AttemptState.REFUSED
    left = await centre.recorded(first)
    assert (left.state, left.outcome) == (AttemptState.ENDED, Outcome.ANSWERED)
    assert centre.sent() == []
    await centre.disposes(left, Disposition(outcome_id="0"))
    assert [one.outcome_id for one in centre.lcm.account.dispositions] == ["0"]


async def test_a_call_that_no_dialer_took_is_no_past_call(open_centre: OpenCentre) -> None:
    """The calls to a number are those that were placed: one to be made once more in vain does not count."""
    centre = await open_centre(1, plugins=(Declines(after=1),), auto_dispose={})
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    first, _ = centre.dialer.dialed[0]
    await centre.dialer.event(CallEventKind.CALL_CLEARED, first)
    await centre.answers(ALICE, first, "dial")
    await asyncio.sleep(5)
    assert len(await centre.ledger.past_calls(contact_of(first), first.opened_at)) == 1


@define(eq=False)
class Declines:
    """Takes no call, but the first `after`."""

    after: int = 0

    @hookimpl(wrapper=True)
    def make_call(self) -> Any:
        taken = yield
        self.after -= 1
        return taken if self.after >= 0 else None


async def test_what_comes_late_of_a_call_is_not_the_next_ones(open_centre: OpenCentre) -> None:
    """What is heard of a call after its end does not decide the next call's outcome."""
    centre = await open_centre(1, auto_dispose={})
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    first, _ = centre.dialer.dialed[0]
    await centre.dialer.event(CallEventKind.CALL_CLEARED, first, q850=19)
    await centre.dialer.event(CallEventKind.CONNECTION_CLEARED, first, party="agent")
    again = await centre.answers(ALICE, first, "dial")
    await centre.dialer.event(CallEventKind.FAILED, again, q850=17)
    await centre.dialer.event(CallEventKind.CALL_CLEARED, again, q850=17)
    assert (await centre.recorded(again)).outcome is Outcome.BUSY


# -- refusals -----------------------------------------------------------------------------------------------


async def test_held_until_it_may_be_called(open_centre: OpenCentre) -> None:
    """`on_refusal` hold leaves the contact with the agent, its reason shown, and dials it once it may be."""
    policy = Closes(after=0, wait=timedelta(seconds=90))
    centre = await open_centre(plugins=(policy,), on_refusal={"closed": "hold"})
    await centre.ready(ALICE)
    await asyncio.sleep(5)
    (held,) = await lcm_of(centre.host).desks.ledger.attempts(states=OPEN)
    assert (held.state, held.reason) == (AttemptState.OFFERED, "not any more")
    policy.open_now = True
    await asyncio.sleep(90)
    assert [attempt.id for attempt, _ in centre.dialer.dialed] == [held.id]


async def test_held_only_where_every_rule_may_change(open_centre: OpenCentre) -> None:
    """A contact that another rule refuses for good is not held for the one that would allow it later."""
    never = Closes(after=0, rule="never")
    centre = await open_centre(1, plugins=(Closes(after=0), Twice(never)), on_refusal={"closed": "hold"})
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    assert len(centre.records.states(AttemptState.REFUSED)) == 1


@define(eq=False)
class Twice:
    """The same kind of policy under another name."""

    policy: Closes

    @hookimpl
    def review_contact(self, contact: Contact, moment: Any) -> Refusal | None:
        return self.policy.review_contact(contact, moment)


async def test_disposed_with_the_sites_outcome(open_centre: OpenCentre) -> None:
    """`on_refusal` with an outcome id tells the LCM that outcome; nothing is dialed, the reason is kept."""
    centre = await open_centre(1, plugins=(Closes(after=0),), on_refusal={"closed": "9"})
    await centre.ready(ALICE)
    await asyncio.sleep(2)
    (told,) = centre.lcm.account.dispositions
    assert (told.key, told.outcome_id) == ("0|0|000|0|0|00|1", "9")
    (closed,) = centre.records.states(AttemptState.CLOSED)
    assert [one.rule for one in closed.refusals] == ["closed"]
    assert centre.dialer.dialed == []


async def test_an_outcome_of_the_config_that_is_not_listed(
    open_centre: OpenCentre, caplog: pytest.LogCaptureFixture
) -> None:
    """An `on_refusal` outcome that the LCM does not list is named in the log; the contact is just refused."""
    centre = await open_centre(1, plugins=(Closes(after=0),), on_refusal={"closed": "777"})
    await centre.ready(ALICE)
    await asyncio.sleep(60)
    (refused,) = centre.records.states(AttemptState.REFUSED)
    assert [one.rule for one in refused.refusals] == ["closed"]
    assert "777" in caplog.text
    assert centre.sent() == []


async def test_no_dialer_is_refused_whatever_the_site_wishes(open_centre: OpenCentre) -> None:
    """A wish for `no_dialer` holds nothing that is recorded as dialing: it is refused."""
    for wish in ("hold", "9"):
        centre = await open_centre(1, plugins=(Declines(),), on_refusal={"no_dialer": wish})
        await centre.ready(ALICE)
        await asyncio.sleep(60)
        assert len(centre.records.states(AttemptState.REFUSED)) == 1
        await centre.host.__aexit__(None, None, None)


async def test_an_event_of_no_call_of_its_own(open_centre: OpenCentre) -> None:
    """A call event that names an attempt which was not dialed yet is no call of the attempt's."""
    centre = await open_centre(preview=WAITS)
    offer = await offered(centre)
    at = centre.host.clock.now()
    event = CallEvent(kind=CallEventKind.DELIVERED, call_id="somebody-else's", attempt_id=offer.id, at=at)
    await centre.host.hooks.all("on_call_event", event=event)
    await centre.answer(ALICE, "dial")
    called = await centre.call(ALICE, CallEventKind.DELIVERED)
    assert [call.id for call in called.calls] == [f"call-{offer.id}"]
