"""A site may limit the time in which an agent writes up a call, and say what follows then."""

import asyncio
from datetime import timedelta

import pytest

from cti_hooks import Attempt, AttemptState, CallEventKind, ConfigError, Disposition
from lcm_plugin.plugin import lcm_of
from tests.desk.centre import Centre, OpenCentre
from tests.people import ALICE_AT_1001 as ALICE

LIMIT = {"auto_dispose": {}, "preview": {"seconds": 0}}
SAID = Disposition(outcome_id="0")


async def ended(centre: Centre) -> Attempt:
    await centre.logs_on(ALICE)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    return await centre.call(ALICE, CallEventKind.ESTABLISHED, CallEventKind.CALL_CLEARED)


async def test_a_forgotten_call_is_disposed_of(open_centre: OpenCentre) -> None:
    """By the site's outcome, told to the LCM as any other; and the next contact comes."""
    centre = await open_centre(**LIMIT, wrap_up={"seconds": 60, "then": "outcome:3"})
    call = await ended(centre)
    await asyncio.sleep(59)
    assert (await centre.recorded(call)).state is AttemptState.ENDED
    await asyncio.sleep(2)
    disposed = await centre.recorded(call)
    assert (disposed.state, disposed.actor) == (AttemptState.CLOSED, "auto")
    assert [one.outcome_id for one in centre.lcm.account.dispositions] == ["3"]
    assert len(centre.dialer.dialed) == 2


async def test_its_end_is_told(open_centre: OpenCentre) -> None:
    """A desktop can count down: the attempt says when it has to be disposed of."""
    centre = await open_centre(**LIMIT, wrap_up={"seconds": 60, "then": "outcome:3"})
    call = await ended(centre)
    told = centre.records.states(AttemptState.ENDED)[-1]
    assert told.wrap_up_ends_at
    assert abs(told.wrap_up_ends_at - (centre.ledger.now() + timedelta(seconds=60))) < timedelta(seconds=0.2)
    assert (await centre.recorded(call)).wrap_up_ends_at is None  # it is not recorded


@pytest.mark.parametrize("then", ["ready", "not_ready"])
async def test_the_host_is_asked_for_the_state_that_follows(open_centre: OpenCentre, then: str) -> None:
    """Once; the call waits for its disposition all the same."""
    centre = await open_centre(**LIMIT, wrap_up={"seconds": 60, "then": then})
    call = await ended(centre)
    await asyncio.sleep(600)
    assert centre.records.asked == [(then, "after 60 s the last call has no disposition")]
    assert (await centre.recorded(call)).state is AttemptState.ENDED


async def test_who_disposes_in_time_is_left_alone(open_centre: OpenCentre) -> None:
    """What was said is not said again, nor is the next call cut short by the last one's limit."""
    centre = await open_centre(**LIMIT, wrap_up={"seconds": 60, "then": "outcome:3"})
    call = await ended(centre)
    await asyncio.sleep(50)
    await centre.disposes(call, SAID)
    await asyncio.sleep(1)
    second = await centre.call(ALICE, CallEventKind.CALL_CLEARED)
    await asyncio.sleep(30)
    assert (await centre.recorded(second)).state is AttemptState.ENDED
    assert [one.outcome_id for one in centre.lcm.account.dispositions] == ["0"]


async def test_without_a_limit_nothing_follows(open_centre: OpenCentre) -> None:
    """By default an agent writes up a call for as long as they want, and its age is shown."""
    centre = await open_centre(**LIMIT)
    call = await ended(centre)
    at = centre.ledger.now()
    await asyncio.sleep(3600)
    assert (await centre.recorded(call)).state is AttemptState.ENDED
    assert not centre.records.asked
    activity = lcm_of(centre.host).desks.activity("alice")
    assert activity
    assert abs(activity.since - at) < timedelta(seconds=1)


async def test_what_is_taken_up_has_its_time_there(open_centre: OpenCentre) -> None:
    """An agent who comes to another host with a call to write up has the limit there, from then on."""
    first = await open_centre(**LIMIT, wrap_up={"seconds": 60, "then": "outcome:3"})
    second = await open_centre(beside=first)
    call = await ended(first)
    await first.logs_off(ALICE)
    await asyncio.sleep(120)
    await second.logs_on(ALICE)
    await second.ready(ALICE)
    await asyncio.sleep(70)
    assert (await second.recorded(call)).state is AttemptState.CLOSED


@pytest.mark.parametrize("then", ["later", "outcome:"])
async def test_what_cannot_follow_is_refused(open_centre: OpenCentre, then: str) -> None:
    """A wrong setting is told before the host starts, with what would be right."""
    with pytest.raises(ConfigError, match="outcome:"):
        await open_centre(**LIMIT, wrap_up={"seconds": 60, "then": then})
