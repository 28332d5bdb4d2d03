"""Nothing is drained: offers that nobody answers stop the fetching, and the last one stays held."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, field

from cti_hooks import Agent, AttemptState, CallEventKind, ConfigError, Disposition, Refusal, hookimpl
from lcm_plugin.errors import ConflictError, InvalidError
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import SandboxContact
from tests.desk.centre import Centre, OpenCentre, contact_of
from tests.people import ALICE_AT_1001 as ALICE
from tests.people import GROUP

WAITS = {"seconds": 20, "on_timeout": "skip"}
TEN_MINUTES = 600
UNANSWERED = "no answer to 2 offers in a row"


def keys(centre: Centre) -> list[str]:
    return [contact_of(one).key[-1] for one in centre.records.shown]


async def unattended(open_centre: OpenCentre, seconds: float = TEN_MINUTES, **table: Any) -> Any:
    """A centre whose agent went ready and then for a walk."""
    centre = await open_centre(
        **{"contacts": 20, "preview": WAITS, "sandbox": {"reserve_seconds": 7200}, **table}
    )
    await centre.ready(ALICE)
    await asyncio.sleep(seconds)
    return centre


@define(eq=False)
class Grants:
    """A host that puts agents into the states a plugin wishes for."""

    host: Any = None
    asked: list[str] = field(factory=list)

    @hookimpl
    def on_startup(self, host: Any) -> None:
        self.host = host

    @hookimpl(tryfirst=True)
    async def request_agent_state(self, agent: Agent, reason: str) -> bool:
        self.asked.append(reason)
        await self.host.hooks.all("on_agent_not_ready", agent=agent, reason=reason)
        return True


@pytest.mark.parametrize("consent", ["Yes", "No"])
@pytest.mark.long
async def test_ten_minutes_unattended(open_centre: OpenCentre, consent: str) -> None:
    """Two contacts are taken, whatever their consent; the second is held, and not ready is asked for."""
    people = [
        SandboxContact(key=f"k{n}", phone_number=f"+1212555{n:04}", campaign_group=GROUP, consent=consent)
        for n in range(1, 10)
    ]
    centre = await unattended(open_centre, contacts=people)
    await asyncio.sleep(TEN_MINUTES)
    assert len(centre.lcm.account.keys_handed()) == 2
    first, second = [await centre.recorded(one) for one in centre.records.shown]
    assert (first.state, second.state) == (AttemptState.SKIPPED, AttemptState.OFFERED)
    assert UNANSWERED in second.reason
    assert centre.records.asked == [("not_ready", UNANSWERED)]
    assert UNANSWERED in lcm_of(centre.host).waits_for("alice")


@pytest.mark.long
async def test_how_many_is_a_setting(open_centre: OpenCentre) -> None:
    """`preview.unanswered` says how many offers may end without an answer; it is one at least."""
    centre = await unattended(open_centre, preview=WAITS | {"unanswered": 3})
    assert keys(centre) == ["1", "2", "3"]
    with pytest.raises(ConfigError, match=r"preview\.unanswered"):
        await open_centre(preview=WAITS | {"unanswered": 0})


@pytest.mark.long
async def test_the_held_one_may_be_answered(open_centre: OpenCentre) -> None:
    """An answer ends the stop: the agent is there, and if still ready gets the next contact."""
    centre = await unattended(open_centre)
    await centre.answers(ALICE, centre.records.shown[-1], "skip")
    await asyncio.sleep(5)
    assert keys(centre) == ["1", "2", "3"]
    await asyncio.sleep(TEN_MINUTES)
    assert keys(centre) == ["1", "2", "3", "4"]


@pytest.mark.long
async def test_the_held_one_expires(open_centre: OpenCentre) -> None:
    """The held one stays until its reservation ends, without a timer; then nothing else is fetched."""
    centre = await unattended(open_centre, sandbox={"reserve_seconds": 1800})
    await asyncio.sleep(1000)
    held = centre.records.shown[-1]
    assert (await centre.recorded(held)).state is AttemptState.OFFERED
    await asyncio.sleep(1000)
    assert (await centre.recorded(held)).state is AttemptState.EXPIRED
    assert keys(centre) == ["1", "2"]
    assert UNANSWERED in lcm_of(centre.host).waits_for("alice")


@pytest.mark.long
async def test_an_offer_that_expires_on_the_screen_is_unanswered_too(open_centre: OpenCentre) -> None:
    """Reservations shorter than the preview do not drain the campaign either."""
    centre = await unattended(open_centre, preview=WAITS | {"seconds": 60}, sandbox={"reserve_seconds": 30})
    assert keys(centre) == ["1", "2"]
    assert centre.records.asked == [("not_ready", UNANSWERED)]


@pytest.mark.long
async def test_an_answer_in_between_begins_the_count_anew(open_centre: OpenCentre) -> None:
    """In a row: one that is answered starts the count again."""
    centre = await unattended(open_centre, seconds=25)
    await centre.answers(ALICE, centre.records.shown[-1], "skip")
    await asyncio.sleep(TEN_MINUTES)
    assert keys(centre) == ["1", "2", "3", "4"]


@pytest.mark.long
async def test_a_host_without_the_wish_has_to_send_another_state(open_centre: OpenCentre) -> None:
    """If the host does not grant not ready, ready told again fetches nothing; after not ready it does."""
    centre = await unattended(open_centre)
    held = centre.records.shown[-1]
    for _ in range(20):
        await centre.ready(ALICE)
        await asyncio.sleep(30)
    assert keys(centre) == ["1", "2"]
    assert (await centre.recorded(held)).state is AttemptState.OFFERED
    await centre.not_ready(ALICE)
    await centre.ready(ALICE)
    await asyncio.sleep(19)
    assert (await centre.recorded(held)).state is AttemptState.OFFERED
    await asyncio.sleep(10)
    assert keys(centre) == ["1", "2", "3"]


@pytest.mark.long
async def test_a_host_that_grants_the_wish(open_centre: OpenCentre) -> None:
    """Put into not ready, the agent has the held one still; a new ready gives it the whole preview again."""
    grants = Grants()
    centre = await unattended(open_centre, plugins=(grants,))
    assert grants.asked == [UNANSWERED]
    await asyncio.sleep(TEN_MINUTES)
    held = centre.records.shown[-1]
    assert (await centre.recorded(held)).state is AttemptState.OFFERED
    await centre.ready(ALICE)
    await asyncio.sleep(19)
    assert (await centre.recorded(held)).state is AttemptState.OFFERED
    await asyncio.sleep(5)
    assert keys(centre) == ["1", "2", "3"]


@pytest.mark.long
async def test_refusals_in_a_row_ask_for_not_ready_too(open_centre: OpenCentre) -> None:
    """After five refusals a host that repeats ready has to send another state first; its reason is shown."""
    centre = await open_centre(20, timezone="Asia/Tokyo")
    await centre.ready(ALICE)
    for _ in range(20):
        await asyncio.sleep(30)
        await centre.ready(ALICE)
    assert len(centre.lcm.account.handed) == 5
    assert [state for state, _ in centre.records.asked] == ["not_ready"]
    assert "5 refusals in a row" in lcm_of(centre.host).waits_for("alice")


async def test_an_agents_phone_that_is_not_reached(open_centre: OpenCentre) -> None:
    """A call whose agent's leg failed stops the fetching: no contact after contact for a phone nobody has."""
    centre = await open_centre(20)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    call, _ = centre.dialer.dialed[0]
    await centre.dialer.event(CallEventKind.FAILED, call, party="agent", q850=20)
    await centre.dialer.event(CallEventKind.CALL_CLEARED, call, party="agent", q850=20)
    await asyncio.sleep(60)
    assert len(centre.dialer.dialed) == 1
    assert centre.records.asked == [("not_ready", "the agent's phone was not reached")]


async def test_an_answer_that_cannot_be_right_is_none(open_centre: OpenCentre) -> None:
    """A close without its reason leaves the held offer as it is, and why nothing is fetched is told still."""
    centre = await unattended(open_centre)
    held = centre.records.shown[-1]
    with pytest.raises(InvalidError, match="reason"):
        await centre.answers(ALICE, held, "close")
    await asyncio.sleep(TEN_MINUTES)
    assert keys(centre) == ["1", "2"]
    assert (await centre.recorded(held)).state is AttemptState.OFFERED
    assert UNANSWERED in lcm_of(centre.host).waits_for("alice")


@pytest.mark.parametrize("wish", ["hold", "refuse"])
async def test_a_dial_of_the_held_one_that_rules_refuse(open_centre: OpenCentre, wish: str) -> None:
    """It ends the stop if it ends the offer; an offer that stays is held as before, and so is the stop."""

    class Closed:
        now = False

        @hookimpl
        def review_contact(self) -> Refusal | None:
            return Refusal(rule="closed", reason="not now") if self.now else None

    rule = Closed()
    centre = await unattended(open_centre, plugins=(rule,), on_refusal={"closed": wish})
    held, rule.now = centre.records.shown[-1], True
    with pytest.raises(ConflictError, match="not now"):
        await centre.answers(ALICE, held, "dial")
    rule.now = False
    await asyncio.sleep(15)
    is_held = wish == "hold"
    state = AttemptState.OFFERED if is_held else AttemptState.REFUSED
    assert (await centre.recorded(held)).state is state
    assert keys(centre) == (["1", "2"] if is_held else ["1", "2", "3"])
    assert (UNANSWERED in lcm_of(centre.host).waits_for("alice")) is is_held


async def test_the_held_one_may_be_disposed_of(open_centre: OpenCentre) -> None:
    """A person's disposition of the held offer is an answer: the agent who is still ready gets the next."""
    centre = await unattended(open_centre)
    await centre.disposes(centre.records.shown[-1], Disposition(outcome_id="2"))
    await asyncio.sleep(5)
    assert keys(centre) == ["1", "2", "3"]
    assert lcm_of(centre.host).waits_for("alice") == ""


async def test_nobody_may_dial_it_while_the_clock_is_in_doubt(open_centre: OpenCentre) -> None:
    """An offer whose time is over meanwhile was not left unanswered: it stays, with the reason."""
    centre = await open_centre(5, preview={"seconds": 20, "on_timeout": "dial"}, offer_seconds=60)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    centre.ledger.timeline.latest = centre.host.clock.now() + timedelta(minutes=30)
    await asyncio.sleep(300)
    offer = await centre.recorded(centre.records.shown[-1])
    assert keys(centre) == ["1"]
    assert (offer.state, "clock is behind" in offer.reason) == (AttemptState.OFFERED, True)


async def test_what_a_rule_holds_is_not_unanswered(open_centre: OpenCentre) -> None:
    """An offer held by its refusal stays while the rule says no; nobody could have answered it."""

    class Closes:
        seen = 0

        @hookimpl
        def review_contact(self) -> Refusal | None:
            self.seen += 1
            return Refusal(rule="closed", reason="not now") if self.seen > 1 else None

    centre = await open_centre(
        plugins=(Closes(),),
        preview={"seconds": 20, "on_timeout": "dial"},
        offer_seconds=60,
        on_refusal={"closed": "hold"},
    )
    await centre.ready(ALICE)
    await asyncio.sleep(400)
    assert keys(centre) == ["1"]
    assert (await centre.recorded(centre.records.shown[-1])).reason == "not now"
