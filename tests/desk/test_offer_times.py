"""An offer tells how long it stays on the screen and what follows; an agent may keep it a little longer."""

import asyncio
from datetime import datetime, timedelta

import pytest

from cti_hooks import Attempt, AttemptState, OfferTimes
from lcm_plugin.errors import ConflictError
from lcm_plugin.plugin import lcm_of
from tests.desk.centre import Centre, OpenCentre, people
from tests.people import ALICE_AT_1001 as ALICE

TIMED = {"preview": {"seconds": 20, "on_timeout": "skip", "unanswered": 2}, "offer_seconds": 60}


async def offered(centre: Centre) -> Attempt:
    await centre.logs_on(ALICE)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    return centre.records.shown[-1]


def times(attempt: Attempt) -> OfferTimes:
    assert attempt.offer
    return attempt.offer


def told(centre: Centre) -> OfferTimes:
    """What was told of the offer last."""
    return times(centre.records.attempts[-1])


async def kept(centre: Centre, attempt: Attempt) -> Attempt:
    found = await lcm_of(centre.host).keep(ALICE, attempt.id, "alice")
    assert found
    return found


def about(moment: datetime | None, when: datetime) -> bool:
    return moment is not None and abs(moment - when) < timedelta(seconds=0.1)


async def test_an_offer_tells_its_end_and_what_follows(open_centre: OpenCentre) -> None:
    """When the preview ends, when the offer ends, and what the end of the preview does."""
    centre = await open_centre(**TIMED)
    attempt = await offered(centre)
    shown, now = times(attempt), centre.ledger.now() - timedelta(seconds=1)
    assert about(shown.preview_ends_at, now + timedelta(seconds=20))
    assert about(shown.ends_at, now + timedelta(seconds=60))
    assert (shown.paused, shown.on_timeout, shown.person_only) == (False, "skip", False)
    assert shown.preview_ends_at
    await asyncio.sleep((shown.preview_ends_at - centre.ledger.now()).total_seconds() + 0.1)
    assert (await centre.recorded(attempt)).state is AttemptState.SKIPPED


async def test_without_consent_only_a_person_decides(open_centre: OpenCentre) -> None:
    """No preview runs, and the offer says so."""
    centre = await open_centre(people(1, consent="No"), **TIMED)
    shown = times(await offered(centre))
    assert (shown.preview_ends_at, shown.person_only) == (None, True)
    assert shown.ends_at


async def test_time_that_stands_still_is_told(open_centre: OpenCentre) -> None:
    """Busy, the offer has no end; ready again, it has one, later than before."""
    centre = await open_centre(**TIMED)
    first = times(await offered(centre))
    await centre.busy(ALICE)
    await asyncio.sleep(30)
    assert (told(centre).preview_ends_at, told(centre).paused) == (None, True)
    await centre.ready(ALICE)
    await asyncio.sleep(0.01)
    again = told(centre)
    assert first.ends_at
    assert about(again.ends_at, first.ends_at + timedelta(seconds=30))
    assert about(again.preview_ends_at, centre.ledger.now() + timedelta(seconds=20))
    assert not again.paused


async def test_a_reservation_ends_an_offer_whose_time_stands_still(open_centre: OpenCentre) -> None:
    """What the LCM reserved until then ends then, whatever the agent does."""
    centre = await open_centre(sandbox={"reserve_seconds": 50}, **TIMED)
    attempt = await offered(centre)
    assert attempt.contact
    await centre.busy(ALICE)
    await asyncio.sleep(0.01)
    assert attempt.contact.expires_at
    assert about(told(centre).ends_at, attempt.contact.expires_at)


async def test_kept_it_has_another_preview(open_centre: OpenCentre) -> None:
    """As often as the agent wants, within the offer's own time; it is no offer that nobody answered."""
    centre = await open_centre(**TIMED)
    attempt = await offered(centre)
    ends_at = times(attempt).ends_at
    for _ in range(3):
        await asyncio.sleep(18)
        await kept(centre, attempt)
        await asyncio.sleep(0.01)
        assert about(told(centre).preview_ends_at, centre.ledger.now() + timedelta(seconds=20))
        assert ends_at
        assert about(told(centre).ends_at, ends_at)
    assert (await centre.recorded(attempt)).reason == "kept by alice"
    await asyncio.sleep(10)
    assert (await centre.recorded(attempt)).state is AttemptState.SKIPPED


async def test_who_keeps_an_offer_is_there(open_centre: OpenCentre) -> None:
    """One unanswered offer and one that was kept are not two in a row."""
    centre = await open_centre(**TIMED)
    await offered(centre)
    await asyncio.sleep(21)
    second = centre.records.shown[-1]
    await kept(centre, second)
    await asyncio.sleep(21)
    assert (await centre.recorded(second)).state is AttemptState.SKIPPED
    assert not centre.records.asked


@pytest.mark.parametrize("why", ["a person's", "busy", "over"])
async def test_what_has_no_preview_is_not_kept(open_centre: OpenCentre, why: str) -> None:
    """A conflict that says why: nothing runs out, or it is no offer any more."""
    consent = "No" if why == "a person's" else "Yes"
    centre = await open_centre(people(3, consent=consent), **TIMED)
    attempt = await offered(centre)
    if why == "busy":
        await centre.busy(ALICE)
    elif why == "over":
        await centre.answers(ALICE, attempt, "skip")
    expected = "is not open" if why == "over" else "no preview of it runs"
    with pytest.raises(ConflictError, match=expected):
        await kept(centre, attempt)


async def test_what_is_over_has_no_times(open_centre: OpenCentre) -> None:
    """Times are those of what is on the screen: none is recorded."""
    centre = await open_centre(**TIMED)
    attempt = await offered(centre)
    await centre.answers(ALICE, attempt, "dial")
    assert centre.records.attempts[-1].offer is None
    assert (await centre.recorded(attempt)).offer is None
