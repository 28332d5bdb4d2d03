"""Offers: how long they stay, what a person says to them, and what becomes of them when somebody leaves."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, field

from cti_hooks import (
    Agent,
    AgentState,
    AnswerKind,
    AttemptState,
    CallEventKind,
    Outcome,
    hookimpl,
)
from lcm_plugin.errors import ConflictError, InvalidError
from lcm_plugin.sandbox import SandboxContact, SandboxMode

GROUP = "AD Dev Manual Group"
ALICE, BOB = Agent(id="alice", endpoint="PJSIP/1001"), Agent(id="bob")
OpenCentre = Callable[..., Awaitable[Any]]
PREVIEW = {"preview": {"seconds": 20}}
TALK = (CallEventKind.DELIVERED, CallEventKind.ESTABLISHED)


@define(eq=False)
class OurHost:
    """Grants what a plugin wishes, or does not."""

    grants: bool | None = True
    asked: list[tuple[str, AgentState]] = field(factory=list)

    @hookimpl
    def request_agent_state(self, agent: Agent, state: AgentState) -> bool | None:
        self.asked.append((agent.id, state))
        return self.grants


async def offered(open_centre: OpenCentre, contacts: Any = 3, **facts: Any) -> Any:
    """A contact centre in which alice has an offer."""
    centre = await open_centre(contacts, **{**PREVIEW, **facts})
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    assert len(centre.records.offered) == 1
    return centre


async def test_an_offer_is_shown_and_waits(open_centre: OpenCentre) -> None:
    """Within its preview nothing happens to an offer: the agent looks at it."""
    centre = await offered(open_centre)
    await asyncio.sleep(18)
    (shown,) = centre.records.offered
    assert (shown.state, shown.contact.key) == (AttemptState.OFFERED, "0|0|000|0|0|00|1")
    assert centre.dialer.dialed == []


async def test_a_preview_that_is_not_answered_skips(open_centre: OpenCentre) -> None:
    """By default the contact is skipped, and the next one offered; the LCM keeps the first reserved."""
    centre = await offered(open_centre)
    await asyncio.sleep(21)
    (skipped,) = centre.records.states(AttemptState.SKIPPED)
    assert skipped.reason == "the preview was not answered"
    assert [one.contact.key[-1] for one in centre.records.offered] == ["1", "2"]
    assert len(centre.lcm.account.reservations) == 2


async def test_a_preview_may_end_in_a_call(open_centre: OpenCentre) -> None:
    """With on_timeout = dial a contact whose consent is given is dialed when its preview is over."""
    centre = await offered(open_centre, preview={"seconds": 20, "on_timeout": "dial"})
    await asyncio.sleep(18)
    assert centre.dialer.dialed == []
    await asyncio.sleep(2)
    assert len(centre.dialer.dialed) == 1


@pytest.mark.parametrize("grants", [True, False, None], ids=["granted", "refused", "nobody does that"])
async def test_a_preview_may_end_in_a_wish(open_centre: OpenCentre, *, grants: bool | None) -> None:
    """With on_timeout = not_ready the host is asked, never forced; the offer stays, whatever it says."""
    host = OurHost(grants=grants)
    centre = await offered(open_centre, preview={"seconds": 20, "on_timeout": "not_ready"}, plugins=(host,))
    await asyncio.sleep(30)
    assert host.asked == [("alice", AgentState.NOT_READY)]
    assert centre.records.states(AttemptState.SKIPPED) == []
    assert (await centre.answer(ALICE, "dial")).state is AttemptState.DIALING


async def test_a_person_has_it_dialed(open_centre: OpenCentre) -> None:
    """DIAL places the call, and the attempt tells who said so and when."""
    centre = await offered(open_centre)
    attempt = await centre.answer(ALICE, "dial", actor="supervisor sue")
    assert (attempt.answer, attempt.actor) == (AnswerKind.DIAL, "supervisor sue")
    assert attempt.answered_at is not None
    await asyncio.sleep(1)
    assert [one.id for one, _ in centre.dialer.dialed] == [attempt.id]
    with pytest.raises(ConflictError, match="cannot be dialed"):
        await centre.answer(ALICE, "dial")


async def test_without_consent_only_a_person_has_it_dialed(open_centre: OpenCentre) -> None:
    """Without consent no preview ends: the offer waits, and is dialed for the person who says so."""
    person = SandboxContact(key="1", phone_number="+12125550101", campaign_group=GROUP, consent="No")
    centre = await offered(open_centre, [person], preview={"seconds": 5, "on_timeout": "dial"})
    await asyncio.sleep(200)
    assert centre.dialer.dialed == []
    await centre.answer(ALICE, "dial")
    await asyncio.sleep(1)
    assert len(centre.dialer.dialed) == 1


async def test_skip_offers_it_again_later(open_centre: OpenCentre) -> None:
    """A skipped contact comes to the same agent again after skip_again_after, when there is nobody else."""
    centre = await offered(open_centre, 1, skip_again_after=100)
    skipped = await centre.answer(ALICE, "skip", reason="busy with notes")
    assert (skipped.state, skipped.reason) == (AttemptState.SKIPPED, "skip: busy with notes")
    await asyncio.sleep(90)
    assert len(centre.records.offered) == 1
    await asyncio.sleep(20)
    assert [one.contact.key for one in centre.records.offered] == [skipped.contact.key] * 2
    assert centre.records.offered[1].id != skipped.id


async def test_reject_lasts_for_this_login(open_centre: OpenCentre) -> None:
    """A rejected contact does not come again to this agent before the next login."""
    centre = await offered(open_centre, 1, skip_again_after=10)
    await centre.answer(ALICE, "reject", reason="a relative")
    await asyncio.sleep(60)
    assert len(centre.records.offered) == 1
    await centre.told("logged_off", ALICE)
    await centre.told("logged_on", ALICE)
    await centre.ready(ALICE)
    await asyncio.sleep(10)
    assert len(centre.records.offered) == 2


async def test_close_disposes_of_it(open_centre: OpenCentre) -> None:
    """CLOSE needs an outcome id and tells it to the LCM; nothing is dialed."""
    centre = await offered(open_centre)
    with pytest.raises(InvalidError, match="is needed"):
        await centre.answer(ALICE, "close")
    closed = await centre.answer(ALICE, "close", reason="9")
    await asyncio.sleep(2)
    assert [(one.key, one.outcome_id) for one in centre.lcm.account.dispositions] == [
        (closed.contact.key, "9")
    ]
    assert (await centre.now(closed)).state is AttemptState.CLOSED
    assert centre.dialer.dialed == []


async def test_another_agent_has_no_say(open_centre: OpenCentre) -> None:
    """An answer by another agent is a conflict that names whose attempt it is; the offer stays."""
    centre = await offered(open_centre)
    asked = {"attempt_id": centre.records.offered[0].id, "answer": "dial", "reason": None, "actor": "bob"}
    with pytest.raises(ConflictError, match="is agent alice's, not bob's"):
        await centre.host.hooks.first("answer_contact", agent=BOB, **asked)
    assert (await centre.answer(ALICE, "dial")).state is AttemptState.DIALING


async def test_an_inbound_call_stops_the_preview(open_centre: OpenCentre) -> None:
    """Busy with an ACD call the agent keeps the offer, and its preview stands still until the next ready."""
    centre = await offered(open_centre)
    await centre.told("busy", ALICE)
    await asyncio.sleep(100)
    assert centre.records.states(AttemptState.SKIPPED) == []
    await centre.ready(ALICE)
    await asyncio.sleep(18)
    assert centre.records.states(AttemptState.SKIPPED) == []
    await asyncio.sleep(3)
    assert len(centre.records.states(AttemptState.SKIPPED)) == 1


@pytest.mark.parametrize(
    ("moment", "dialed"), [("ready", [1, 1, 1]), ("not_ready:Manual outbound", [0, 0, 1])]
)
async def test_contacts_come_when_the_site_says(
    open_centre: OpenCentre, moment: str, dialed: list[int]
) -> None:
    """`fetch_when` names the state in which an agent gets contacts: ready, or not ready for this reason."""
    centre = await open_centre(fetch_when=[moment])
    tell = [centre.ready(ALICE), centre.not_ready(ALICE, "lunch"), centre.not_ready(ALICE, "Manual outbound")]
    seen = []
    for one in tell:
        await one
        await asyncio.sleep(5)
        seen.append(len(centre.dialer.dialed))
    assert seen == dialed


async def test_contacts_come_on_request(open_centre: OpenCentre) -> None:
    """With on_request nothing comes by itself; what was asked for is answered like any offer."""
    centre = await open_centre(fetch_when=["on_request"])
    await centre.ready(ALICE)
    await asyncio.sleep(30)
    assert centre.lcm.requests == []
    await centre.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)
    assert (await centre.answer(ALICE, "dial")).state is AttemptState.DIALING


async def test_what_is_reserved_comes_first(open_centre: OpenCentre) -> None:
    """What the LCM has reserved for an agent comes before anything fresh, personal callbacks first."""
    people = [
        SandboxContact(key="plain", phone_number="+12125550101", campaign_group=GROUP),
        SandboxContact(key="mine", phone_number="+12125550102", campaign_group=GROUP, call_type="2"),
        SandboxContact(key="fresh", phone_number="+12125550103", campaign_group=GROUP),
    ]
    words = {"0": "regular", "2": "personal_callback"}
    centre = await open_centre(people, reserved_first=True, call_types=words)
    for _ in range(2):  # as another system of the site's would: reserved, and unknown here
        await centre.host.plugins["lcm"].client.next_contact(ALICE, GROUP)
    dialed = []
    for _ in range(3):
        await centre.ready(ALICE)
        await asyncio.sleep(3)
        dialed.append(centre.dialer.dialed[-1][0].contact.key)
        await centre.call(ALICE, *TALK, CallEventKind.CALL_CLEARED)
    assert dialed == ["mine", "plain", "fresh"]


async def test_a_person_may_redial(open_centre: OpenCentre) -> None:
    """An ended call is made once more for a person: another attempt, reviewed again; disposed of once."""
    centre = await open_centre(1, auto_dispose={}, contact_modes=True)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    first = await centre.call(ALICE, CallEventKind.DELIVERED, CallEventKind.CALL_CLEARED, q850=19)
    assert (first.state, first.outcome) == (AttemptState.ENDED, Outcome.NO_ANSWER)
    again = await centre.answer(ALICE, "dial")
    await asyncio.sleep(1)
    assert (again.redial_of, again.id != first.id) == (first.id, True)
    assert (await centre.now(first)).state is AttemptState.CLOSED
    assert len(centre.dialer.dialed) == 2
    ended = await centre.call(ALICE, *TALK, CallEventKind.CALL_CLEARED)
    await centre.dispose(ALICE, ended.id, outcome_id="0")
    await asyncio.sleep(2)
    assert len(centre.lcm.account.dispositions) == 1


async def test_a_person_may_call_another_number(open_centre: OpenCentre) -> None:
    """Another of the contact's numbers is called for a person; one it does not have is named."""
    modes = (
        SandboxMode(id="1", phone_number="+12125550101"),
        SandboxMode(id="3", phone_number="+12125550199"),
    )
    person = SandboxContact(key="1", phone_number="+12125550101", campaign_group=GROUP, modes=modes)
    centre = await offered(open_centre, [person], contact_modes=True)
    lcm, attempt = centre.host.plugins["lcm"], centre.records.offered[0]
    with pytest.raises(InvalidError, match="it has 1 Home, 3 Mobile"):
        await lcm.answer(ALICE, attempt.id, "dial", None, "alice", mode_id="2")
    await lcm.answer(ALICE, attempt.id, "dial", None, "alice", mode_id="3")
    await asyncio.sleep(1)
    assert centre.dialer.numbers == ["+12125550199"]


LEAVING = ["an offer", "a ringing call", "a talking call", "an undisposed call"]


async def holding(open_centre: OpenCentre, what: str) -> Any:
    centre = await open_centre(1, auto_dispose={}, preview={"seconds": 20 if what == "an offer" else 0})
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    if what == "a ringing call":
        await centre.call(ALICE, CallEventKind.DELIVERED)
    if what in LEAVING[2:]:
        await centre.call(ALICE, *TALK)
    if what == "an undisposed call":
        await centre.call(ALICE, CallEventKind.CALL_CLEARED)
    return centre


@pytest.mark.parametrize("what", LEAVING)
async def test_an_agent_logs_off_while_holding(open_centre: OpenCentre, what: str) -> None:
    """An offer is let go and comes again; a call goes on and waits to be disposed of, by a supervisor too."""
    centre = await holding(open_centre, what)
    await centre.told("logged_off", ALICE)
    await asyncio.sleep(60)
    (attempt,) = await centre.ledger.attempts(agent_id="alice")
    assert centre.records.states(AttemptState.SKIPPED) == []
    if what == "an offer":
        assert attempt.reason == "the agent logged off"
        await centre.ready(ALICE)
        await asyncio.sleep(1)
        assert [one.id for one in centre.records.offered] == [attempt.id] * 2
        return
    if what != "an undisposed call":
        assert attempt.state is AttemptState.CALLING
        await centre.call(ALICE, CallEventKind.CALL_CLEARED, q850=16)
    assert (await centre.now(attempt)).state is AttemptState.ENDED
    await centre.dispose(ALICE, attempt.id, outcome_id="0", actor="sue")
    await asyncio.sleep(2)
    assert (await centre.now(attempt)).state is AttemptState.CLOSED
    assert [one.outcome_id for one in centre.lcm.account.dispositions] == ["0"]


@pytest.mark.parametrize("what", LEAVING)
async def test_a_host_stops_while_holding(open_centre: OpenCentre, what: str) -> None:
    """The next host offers it again, looks up the call, or waits for its disposition."""
    centre = await holding(open_centre, what)
    (attempt,) = await centre.ledger.attempts(agent_id="alice")
    await centre.host.__aexit__(None, None, None)
    other = await centre.another("other")
    await asyncio.sleep(40)
    await other.ready(ALICE)
    await asyncio.sleep(2)
    now = await other.now(attempt)
    if what == "an offer":
        assert [one.id for one in other.records.offered] == [attempt.id]
        return
    assert (now.state, now.host) == (AttemptState.ENDED, "other")
    assert other.dialer.dialed == []
    await other.dispose(ALICE, attempt.id, outcome_id="0")
    await asyncio.sleep(2)
    assert (await other.now(attempt)).state is AttemptState.CLOSED


async def test_a_refusal_may_hold(open_centre: OpenCentre) -> None:
    """`on_refusal` hold keeps the offer until the rule's next moment, and then goes on by itself."""
    opens = datetime(2024, 1, 30, 15, 30, tzinfo=UTC)  # half an hour after the clock starts
    hours = {"calling-hours": {"window": "10:30-21:00"}}
    centre = await open_centre(1, policies=hours, on_refusal={"calling-hours": "hold"})
    await centre.ready(ALICE)
    await asyncio.sleep(60)
    (held,) = await centre.ledger.attempts(agent_id="alice")
    assert (held.state, held.refusals[0].not_before) == (AttemptState.OFFERED, opens)
    await asyncio.sleep(1750)
    assert len(centre.dialer.dialed) == 1
    assert centre.dialer.dialed[0][1].not_after > opens + timedelta(seconds=1)


async def test_a_refusal_may_dispose(open_centre: OpenCentre) -> None:
    """`on_refusal` with an outcome id tells the LCM so, by itself, and nothing is dialed."""
    hours = {"calling-hours": {"window": "12:00-13:00"}}
    centre = await open_centre(1, policies=hours, on_refusal={"calling-hours": "9"})
    await centre.ready(ALICE)
    await asyncio.sleep(10)
    assert [one.outcome_id for one in centre.lcm.account.dispositions] == ["9"]
    assert centre.dialer.dialed == []


async def test_a_preview_that_outlives_its_window(open_centre: OpenCentre) -> None:
    """Offered in time, dialed too late: refused at dial time, with the next moment it may be called."""
    centre = await offered(
        open_centre, 1, policies={"calling-hours": {"window": "08:00-10:01"}}, preview={"seconds": 100}
    )
    await asyncio.sleep(70)
    with pytest.raises(ConflictError) as raised:
        await centre.answer(ALICE, "dial")
    (refusal,) = raised.value.refusals
    assert refusal.rule == "calling-hours"
    assert refusal.not_before == datetime(2024, 1, 31, 13, tzinfo=UTC)
    assert centre.dialer.dialed == []


async def test_a_cap_reached_by_another_host(open_centre: OpenCentre) -> None:
    """Calls of another host on the ledger count: the same number is refused here, with the next moment."""
    caps = {"call-caps": {"per_number": {"per_day": 1}}}
    number = "+12125550101"
    people = [SandboxContact(key=key, contact_id=key, phone_number=number) for key in ("1", "2")]
    centre = await open_centre(people, policies=caps)
    other = await centre.another("other")
    await centre.ready(ALICE)
    await asyncio.sleep(2)
    began = centre.dialer.dialed[0][0].changed_at
    await centre.call(ALICE, *TALK, CallEventKind.CALL_CLEARED)
    await other.ready(BOB)
    await asyncio.sleep(2)
    assert other.dialer.dialed == []
    (refused,) = other.records.states(AttemptState.REFUSED)
    assert refused.refusals[0].rule.startswith("call-caps")
    assert refused.refusals[0].not_before >= began + timedelta(hours=24)


STOPS = [
    ({}, "site"),
    ({"campaign": "AD Manual Dial Campaign"}, "campaign"),
    ({"agent_id": "alice"}, "agent"),
]


@pytest.mark.parametrize(("scope", "name"), STOPS, ids=[name for _, name in STOPS])
async def test_dialing_stopped(open_centre: OpenCentre, scope: dict[str, str], name: str) -> None:
    """Nothing is placed from then on, by any host, after a restart too; offers stay; resume goes on."""
    centre = await open_centre(2)
    await centre.host.plugins["lcm"].stop_dialing(**scope, actor="sue")
    await centre.ready(ALICE)
    await asyncio.sleep(30)
    (held,) = await centre.ledger.attempts(agent_id="alice")
    assert held.state is AttemptState.OFFERED
    assert "sue stopped dialing" in held.reason
    with pytest.raises(ConflictError, match="sue stopped dialing"):
        await centre.answer(ALICE, "dial")
    await centre.host.__aexit__(None, None, None)
    other = await centre.another("other")
    await other.ready(ALICE)
    await asyncio.sleep(30)
    assert centre.dialer.dialed + other.dialer.dialed == []
    assert await other.host.plugins["lcm"].resume_dialing(**scope)
    await asyncio.sleep(10)
    assert [one.id for one, _ in other.dialer.dialed] == [held.id]
    assert await other.host.plugins["lcm"].dialing_stops() == []
