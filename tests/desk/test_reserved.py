"""What the LCM has reserved for an agent is asked for when it is due; personal callbacks are among it."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from attrs import define

from cti_hooks import (
    Agent,
    AnswerKind,
    Attempt,
    AttemptState,
    Callback,
    CallEventKind,
    CallType,
    Disposition,
    Health,
    health_of,
)
from lcm_plugin.errors import LcmUnavailable
from lcm_plugin.sandbox import SandboxContact
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.desk.centre import Centre, OpenCentre, contact_of
from tests.people import ALICE, BOB, GROUP

OTHER = "Renewals"
RESERVED = "GetReservedManualDialContact"
FRESH = "GetDownloadContactsForDialing"
DONE = Disposition(outcome_id="0")
SELDOM: Final = {"poll_min_seconds": 40, "poll_max_seconds": 50, "lease_seconds": 3600}
OFTEN: Final = {"poll_min_seconds": 1, "poll_max_seconds": 5}
"""So that hours of waiting are few steps; nor is it by polling that a callback's minute is met."""


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours of a second each are many: the outbox is woken by what is written into it."""
    monkeypatch.setattr("lcm_plugin.ledger.outbox.POLL", 600.0)


def person(number: int, **facts: Any) -> SandboxContact:
    return SandboxContact(
        key=f"0|0|000|0|0|00|{number}",
        phone_number=f"+1212555{number:04}",
        contact_id=str(number),
        **facts,
    )


def callback(at: datetime) -> Disposition:
    window = Callback(kind="personal", starts_at=at, ends_at=at + timedelta(minutes=30))
    return Disposition(outcome_id="4", callback=window)


async def until(centre: Centre, moment: datetime) -> None:
    await asyncio.sleep((moment - centre.host.clock.now()).total_seconds())


async def shift(open_centre: OpenCentre, contacts: list[SandboxContact], **table: Any) -> Any:
    """A centre whose LCM gives fresh contacts by fresh downloads only."""
    options = {"sandbox": {"callbacks": "reserved", "reserve_seconds": 36000}, **SELDOM, **table}
    return await open_centre(
        contacts, reserved_first=True, callback_time_zone="America/New_York", auto_dispose={}, **options
    )


async def ends(centre: Centre, agent: Agent) -> Attempt:
    """The agent's call ends; it waits to be disposed of."""
    attempt: Attempt = await centre.call(agent, CallEventKind.CALL_CLEARED)
    return attempt


def keys(centre: Centre) -> list[str]:
    """Whom this host called, in order."""
    return [contact_of(attempt).contact_id for attempt, _ in centre.dialer.dialed]


async def health(centre: Centre) -> list[Health]:
    return health_of(await centre.host.hooks.all("report_health"))


async def books_at_half_past_ten(centre: Centre, clock: LoopClock) -> datetime:
    """Logged on at 8:00, and at 10:30 a personal callback is booked for 11:00, which is returned."""
    eleven = clock.start + timedelta(hours=3)
    await centre.logs_on(ALICE)
    await centre.ready(ALICE)
    await until(centre, eleven - timedelta(minutes=35))
    attempt = await ends(centre, ALICE)
    await until(centre, eleven - timedelta(minutes=30))
    await centre.disposes(attempt, callback(eleven), actor="alice")
    return eleven


async def test_a_personal_callback_booked_during_a_login_is_called(
    open_centre: OpenCentre, clock: LoopClock
) -> None:
    """Logged on at 8:00, booked at 10:30 for 11:00: an agent who waits calls within 30 s of 11:00."""
    centre = await shift(open_centre, [person(1)])
    eleven = await books_at_half_past_ten(centre, clock)
    await centre.ready(ALICE)
    await until(centre, eleven + timedelta(seconds=30))
    first, called = centre.records.states(AttemptState.DIALING)
    assert (called.contact.contact_id, called.contact.reserved) == (first.contact.contact_id, True)
    assert called.contact.call_type is CallType.PERSONAL_CALLBACK
    assert called.agent == ALICE
    assert timedelta(0) <= called.changed_at - eleven <= timedelta(seconds=1)


async def test_a_callback_comes_before_fresh_contacts(open_centre: OpenCentre, clock: LoopClock) -> None:
    """An agent at work when it is due gets it next, however many fresh contacts there are."""
    centre = await shift(open_centre, [person(n) for n in range(1, 20)])
    eleven = await books_at_half_past_ten(centre, clock)
    for _ in range(4):
        await centre.ready(ALICE)
        await asyncio.sleep(400)
        await centre.disposes(await ends(centre, ALICE), DONE, actor="alice")
    assert "1" not in keys(centre)[1:]
    await centre.ready(ALICE)
    await until(centre, eleven + timedelta(seconds=10))
    await centre.disposes(await ends(centre, ALICE), DONE, actor="alice")
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    assert keys(centre) == ["1", "2", "3", "4", "5", "6", "1"]


@pytest.mark.parametrize("how", ["logs off", "its host dies"])
@pytest.mark.long
async def test_another_host_knows_of_the_callback(
    open_centre: OpenCentre, clock: LoopClock, how: str
) -> None:
    """What the agent booked is in the ledger: whichever host they are at asks at its minute."""
    centre = await shift(open_centre, [person(1)], reserved_every_seconds=36000)
    eleven = await books_at_half_past_ten(centre, clock)
    await centre.logs_off(ALICE)
    if how == "its host dies":
        centre.die()
    other = await open_centre(beside=centre)
    await other.logs_on(ALICE)
    await other.ready(ALICE)
    await until(centre, eleven + timedelta(seconds=30))
    assert keys(other) == ["1"]


async def test_a_callback_booked_at_another_host_meanwhile(open_centre: OpenCentre, clock: LoopClock) -> None:
    """A callback that somebody books for a waiting agent at another host is known within a minute."""
    centre = await shift(open_centre, [person(1)], reserved_every_seconds=36000)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    attempt = await ends(centre, ALICE)
    other = await open_centre(beside=centre)
    await centre.ready(ALICE)
    await asyncio.sleep(600)
    due = clock.now().replace(second=0, microsecond=0) + timedelta(minutes=5)
    asked = {"agent": ALICE, "attempt_id": attempt.id, "disposition": callback(due), "actor": "boss"}
    await other.host.hooks.first("dispose_attempt", **asked)
    await centre.ready(ALICE)
    await until(centre, due + timedelta(seconds=30))
    assert keys(centre) == ["1", "1"]


@define
class Behind:
    """A clock 40 s behind another."""

    clock: LoopClock

    def now(self) -> datetime:
        return self.clock.now() - timedelta(seconds=40)


async def test_it_is_asked_for_once_more(open_centre: OpenCentre, clock: LoopClock) -> None:
    """An LCM whose clock is 40 s behind has nothing at the callback's minute: it is asked a minute later."""
    sandbox = {"clock": Behind(clock), "reserve_seconds": 36000}
    centre = await shift(open_centre, [person(1)], sandbox=sandbox, reserved_every_seconds=36000)
    eleven = await books_at_half_past_ten(centre, clock)
    await centre.ready(ALICE)
    await until(centre, eleven + timedelta(seconds=62))
    at = [one.at for one in centre.sent(RESERVED)][-2:]
    assert [round(clock.start.timestamp() + one - eleven.timestamp()) for one in at] == [0, 60]
    assert keys(centre) == ["1", "1"]


# -- how often ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "least", "most"), [(60, 9, 11), (0, 100, 600), (36000, 1, 1)])
@pytest.mark.long
async def test_how_often_it_is_asked(open_centre: OpenCentre, seconds: float, least: int, most: int) -> None:
    """While a contact is wanted, every `reserved_every_seconds`; 0 asks each time; a login asks at once."""
    centre = await shift(open_centre, [], **OFTEN, reserved_every_seconds=seconds)
    await centre.ready(ALICE)
    await asyncio.sleep(590)
    assert least <= len(centre.sent(RESERVED)) <= most
    fresh = len(centre.sent(FRESH))
    assert len(centre.sent(RESERVED)) == fresh if seconds == 0 else fresh >= 100
    before = len(centre.sent(RESERVED))
    await centre.logs_on(ALICE)
    await centre.ready(ALICE)
    await asyncio.sleep(6)
    assert len(centre.sent(RESERVED)) > before


async def test_a_site_may_leave_it_out(open_centre: OpenCentre) -> None:
    """`reserved_first = false`: the question is never asked."""
    centre = await open_centre([person(1)], reserved_first=False)
    await centre.ready(ALICE)
    await asyncio.sleep(200)
    assert centre.sent(RESERVED) == []


async def test_a_host_that_asks_by_itself_gets_the_reserved_first(open_centre: OpenCentre) -> None:
    """`on_request`: request_next_contact asks for what is reserved before fresh ones, whenever it is due."""
    mine = person(2, due_in=100, personal_agent="alice")
    centre = await shift(open_centre, [person(1), mine], fetch_when=["on_request"])
    found = []
    for _ in range(3):
        contact = await centre.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)
        found.append(contact and contact.contact_id)
        if contact:
            await centre.answer(ALICE, AnswerKind.SKIP)
        await asyncio.sleep(70)
    assert found == ["1", None, "2"]
    assert [one.subtopic for one in centre.lcm.requests] == [RESERVED, FRESH, RESERVED, FRESH, RESERVED]


async def test_both_questions_take_no_longer_than_a_fetch(open_centre: OpenCentre) -> None:
    """A host that waits for request_next_contact waits `fetch_seconds` for both, so it is not cut off."""
    centre = await shift(open_centre, [person(1)], fetch_when=["on_request"])
    centre.lcm.order(f"busy,status=503,retry_after=4,message={RESERVED},times=1")
    centre.lcm.order(f"busy,status=503,retry_after=4,message={FRESH}")
    began = asyncio.get_running_loop().time()
    with pytest.raises(LcmUnavailable):
        await centre.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)
    assert 8 < asyncio.get_running_loop().time() - began <= 15


# -- by the single download ---------------------------------------------------------------------------------


async def test_by_the_single_download_each_group_is_asked(open_centre: OpenCentre) -> None:
    """recover_with = GetDownloadContactsForDialing: in each group, one at a time, until nothing is new."""
    mine = [person(n, campaign_group=OTHER, due_in=0, personal_agent="alice") for n in (2, 3)]
    centre = await shift(open_centre, [person(1), *mine], recover_with=FRESH, campaign_groups=[GROUP, OTHER])
    for _ in range(3):
        await centre.ready(ALICE)
        await asyncio.sleep(1)
        await centre.disposes(await ends(centre, ALICE), DONE, actor="alice")
    assert keys(centre) == ["2", "3", "1"]
    asked = [one.data for one in centre.lcm.requests if one.data.get("ReservedContacts") == "true"]
    assert [one["CampaignGroup"] for one in asked] == [GROUP, OTHER, OTHER, OTHER]
    assert {one["NumberofContactsRequired"] for one in asked} == {1}


# -- an LCM that does not know the question -----------------------------------------------------------------

UNKNOWN = ["reject,status=404", "reject,status=400", "not_json", "wrong_subtopic", "redirect"]


@pytest.mark.parametrize("fault", UNKNOWN)
async def test_an_lcm_without_the_question_gives_fresh_contacts(
    open_centre: OpenCentre, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """Refused or answered unreadably it is told once, shown in health, and fresh contacts go on."""
    centre = await shift(open_centre, [person(1), person(2)], **OFTEN, reserved_every_seconds=0)
    centre.lcm.order(f"{fault},message={RESERVED}")
    for agent in (ALICE, BOB):
        await centre.ready(agent)
        await asyncio.sleep(60)
    assert keys(centre) == ["1", "2"]
    (told,) = [
        one for one in caplog.records if RESERVED in one.getMessage() and one.levelno >= logging.WARNING
    ]
    (ill,) = [one for one in await health(centre) if not one.good]
    assert ill.seen == told.getMessage()
    assert "personal callbacks are not found" in ill.seen
    assert f'recover_with = "{FRESH}"' in ill.seen
    centre.lcm.faults.clear()
    await centre.disposes(await ends(centre, ALICE), DONE, actor="alice")
    await centre.ready(ALICE)
    await asyncio.sleep(10)
    assert all(one.good for one in await health(centre))


@pytest.mark.parametrize("fault", ["late,seconds=60", "drop", "truncated"])
async def test_an_lcm_that_is_silent_on_it_alone(open_centre: OpenCentre, fault: str) -> None:
    """On a bus nobody answers a question that nobody knows: after two of them fresh contacts come."""
    centre = await shift(open_centre, [person(1)], **OFTEN)
    centre.lcm.order(f"{fault},message={RESERVED}")
    await centre.ready(ALICE)
    await asyncio.sleep(60)
    assert keys(centre) == ["1"]
    (ill,) = [one for one in await health(centre) if not one.good]
    assert f"{RESERVED} is not answered" in ill.seen
    centre.lcm.faults.clear()
    await centre.disposes(await ends(centre, ALICE), DONE, actor="alice")
    await asyncio.sleep(70)
    await centre.ready(ALICE)
    await asyncio.sleep(10)
    assert all(one.good for one in await health(centre))


async def test_who_is_silent_on_it_costs_a_host_one_try(open_centre: OpenCentre) -> None:
    """A host that asks by itself gets a fresh contact within the time of one fetch, and without doubt."""
    centre = await shift(
        open_centre, [person(1), person(2)], fetch_when=["on_request"], reserved_every_seconds=0
    )
    centre.lcm.order(f"late,seconds=60,message={RESERVED}")
    asked = {"agent": ALICE, "campaign_group": GROUP}
    with pytest.raises(LcmUnavailable):
        await centre.host.hooks.first("request_next_contact", **asked)
    for seconds in (8, 6):
        began = asyncio.get_running_loop().time()
        assert await centre.host.hooks.first("request_next_contact", **asked)
        assert asyncio.get_running_loop().time() - began < seconds
        await centre.answer(ALICE, AnswerKind.SKIP)
    assert await centre.ledger.doubts() == {}


async def test_in_doubt_it_stays_strict(open_centre: OpenCentre) -> None:
    """After a lost reply, if the LCM refuses to say what it reserved, nothing fresh is asked for."""
    centre = await shift(open_centre, [person(1), person(2)], **OFTEN)
    centre.lcm.order(f"reject,status=404,message={RESERVED}")
    centre.lcm.order(f"drop,message={FRESH},times=1")
    await centre.ready(ALICE)
    await asyncio.sleep(300)
    assert len(centre.sent(FRESH)) == 1
    assert centre.dialer.dialed == []


async def test_an_lcm_that_is_down_is_not_asked_for_fresh_ones(open_centre: OpenCentre) -> None:
    """No answer at all says nothing of the question: it is asked again, and fresh contacts come after it."""
    centre = await shift(open_centre, [person(1)], **OFTEN)
    centre.lcm.order(f"busy,status=503,retry_after=1,message={RESERVED},times=30")
    await centre.ready(ALICE)
    await asyncio.sleep(20)
    assert centre.sent(FRESH) == []
    await asyncio.sleep(300)
    assert keys(centre) == ["1"]
    assert all(one.good for one in await health(centre))
