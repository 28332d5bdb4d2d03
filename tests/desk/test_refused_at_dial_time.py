"""What was allowed when it was offered is asked again right before dialing, and refused until when."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cti_hooks import Agent, Attempt, AttemptState, CallEventKind
from lcm_plugin.errors import ConflictError
from lcm_plugin.sandbox import SandboxContact
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.desk.centre import Centre, OpenCentre, changed_at, contact_of
from tests.people import ALICE, BOB, GROUP

DIALS = {"seconds": 120, "on_timeout": "dial"}
PATIENT = {"offer_seconds": 7200, "sandbox": {"reserve_seconds": 86_400}}
NEW_YORK, LONDON = "America/New_York", "Europe/London"


def person(number: str = "+12125550123", **facts: Any) -> SandboxContact:
    return SandboxContact(**{"key": "1", "phone_number": number, "campaign_group": GROUP, **facts})


async def offered_at(centre: Centre, clock: LoopClock, moment: datetime) -> Attempt:
    """The offer of an agent who goes ready at this moment."""
    clock.start = moment.astimezone(UTC) - timedelta(seconds=asyncio.get_running_loop().time())
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    offer: Attempt = centre.records.shown[-1]
    return offer


def at(wall: str, zone: str = NEW_YORK) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone))


WINDOWS = [
    ("an ordinary evening", NEW_YORK, "2026-07-01T20:59", "2026-07-02T08:00"),
    ("the clock is put on that night", NEW_YORK, "2026-03-07T20:59", "2026-03-08T08:00"),
    ("the clock is put back that night", NEW_YORK, "2026-10-31T20:59", "2026-11-01T08:00"),
    ("put on, in London", LONDON, "2026-03-28T20:59", "2026-03-29T08:00"),
    ("put back, in London", LONDON, "2026-10-24T20:59", "2026-10-25T08:00"),
]


@pytest.mark.parametrize("by_person", [False, True], ids=["the timer", "a person"])
@pytest.mark.parametrize(
    ("zone", "wall", "next_wall"), [row[1:] for row in WINDOWS], ids=[row[0] for row in WINDOWS]
)
@pytest.mark.long
async def test_a_preview_outlives_its_window(
    open_centre: OpenCentre, clock: LoopClock, zone: str, wall: str, next_wall: str, *, by_person: bool
) -> None:
    """Offered a minute before the window ends, dialed after it: refused, until the next morning there."""
    clock.start = at(wall, zone).astimezone(UTC)
    number = "+442071838750" if zone == LONDON else "+12125550123"
    centre = await open_centre([person(number)], policies={"calling-hours": {}}, preview=DIALS, **PATIENT)
    offer = await offered_at(centre, clock, at(wall, zone))
    await asyncio.sleep(100)
    if by_person:
        with pytest.raises(ConflictError) as refused:
            await centre.answers(ALICE, offer, "dial")
        assert at(next_wall, zone) in [one.not_before for one in refused.value.refusals]
    await asyncio.sleep(60)
    closed = await centre.recorded(offer)
    assert closed.state is AttemptState.REFUSED
    assert max(one.not_before for one in closed.refusals if one.not_before) == at(next_wall, zone)
    assert centre.dialer.dialed == []


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01"], ids=["put on", "put back"])
@pytest.mark.long
async def test_held_until_morning(open_centre: OpenCentre, clock: LoopClock, day: str) -> None:
    """Held until it may be called, it is dialed when the window opens by the wall clock, and not before."""
    clock.start = at(f"{day}T07:50").astimezone(UTC)
    hold = {"calling-hours": "hold", "calling-hours-zone": "hold"}
    centre = await open_centre(
        [person()], policies={"calling-hours": {}}, preview={"seconds": 0}, on_refusal=hold,
        offer_seconds=7200, sandbox={"reserve_seconds": 86_400},
    )  # fmt: skip
    await centre.ready(ALICE)
    await asyncio.sleep(595)
    assert centre.dialer.dialed == []
    await asyncio.sleep(10)
    ((attempt, _),) = centre.dialer.dialed
    assert at(f"{day}T08:00") <= changed_at(attempt) <= at(f"{day}T08:00:10")


@pytest.mark.long
async def test_forty_two_candidate_zones(open_centre: OpenCentre, clock: LoopClock) -> None:
    """A toll-free number's window is over as soon as it is in the easternmost of its 42 zones."""
    moment = datetime(2026, 1, 21, 0, 29, tzinfo=UTC)  # 20:59 in St. John's
    clock.start = moment
    centre = await open_centre(
        [person("+18005550123")], policies={"calling-hours": {}}, preview=DIALS, **PATIENT
    )
    await centre.ready(ALICE)
    await asyncio.sleep(300)
    (refused,) = centre.records.states(AttemptState.REFUSED)
    (refusal,) = refused.refusals
    assert len(refusal.evidence["zones"]) == 42
    assert refusal.not_before == datetime(2026, 1, 21, 22, tzinfo=UTC)
    assert centre.dialer.dialed == []


async def test_a_cap_reached_by_another_host(open_centre: OpenCentre) -> None:
    """A number called from another host while it was offered here is refused until its gap is over."""
    twice = [person(key="1", contact_id="7"), person(key="2", contact_id="7")]
    caps = {"policies": {"call-caps": {}}, "preview": {"seconds": 600, "on_timeout": "dial"}, **PATIENT}
    here = await open_centre(twice, **caps)
    there = await open_centre(beside=here, **caps)
    await here.ready(ALICE)
    await there.ready(BOB)
    await asyncio.sleep(1)
    ours, theirs = here.records.shown[-1], there.records.shown[-1]
    assert contact_of(ours).key != contact_of(theirs).key
    await there.answers(BOB, theirs, "dial")
    await there.dialer.event(CallEventKind.DELIVERED, theirs)
    await there.dialer.event(CallEventKind.CALL_CLEARED, theirs, q850=19)
    ended_at = changed_at(await there.recorded(theirs))
    with pytest.raises(ConflictError) as refused:
        await here.answers(ALICE, ours, "dial")
    gaps = {one.rule: one.not_before for one in refused.value.refusals}
    assert set(gaps) == {"call-caps-number-gap"}
    (when,) = gaps.values()
    assert when
    assert abs(when - ended_at - timedelta(minutes=5)) < timedelta(seconds=5)
    assert here.dialer.dialed == []


@pytest.mark.parametrize("hosts", [1, 2])
async def test_agents_who_get_one_number_at_once(open_centre: OpenCentre, hosts: int) -> None:
    """A number under several keys, for agents ready in one moment, is called once, and refused to others."""
    people = [person(key=f"k{number}", contact_id=f"c{number}") for number in range(4)]
    caps = {"policies": {"call-caps": {"per_number": {"per_day": 1}}}, "preview": {"seconds": 0}}
    first = await open_centre(people, **caps)
    centres = [first, *([await open_centre(beside=first, **caps)] if hosts > 1 else [])]
    agents = [Agent(id=f"agent-{number}") for number in range(4)]
    await asyncio.gather(*(centres[n % hosts].ready(agent) for n, agent in enumerate(agents)))
    await asyncio.sleep(2)
    assert sum(len(centre.dialer.dialed) for centre in centres) == 1
    refused = await first.ledger.attempts(states=[AttemptState.REFUSED])
    assert len(refused) == 3
    assert all("call-caps-number" in refusal.rule for one in refused for refusal in one.refusals)
