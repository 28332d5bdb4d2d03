"""The ledger's answer to an intent comes too late: what is said next is recorded as if it had never been."""

import asyncio
from datetime import timedelta

import pytest
from attrs import define

from cti_hooks import Attempt, AttemptState, CallEventKind, Disposition, Refusal, hookimpl
from lcm_plugin.ledger import OPEN, LedgerUnavailable, opening, placing
from tests.desk.centre import Centre, OpenCentre, contact_of
from tests.ledger.wire import TOO_LATE, Wire, stall
from tests.people import ALICE_AT_1001 as ALICE

WAITS = {"seconds": 500, "on_timeout": "skip"}


def wire_of(centre: Centre) -> Wire:
    """The way to the centre's database, from now on."""
    wire = Wire(centre.ledger.database)
    centre.ledger.write_by(wire)
    return wire


async def too_late(centre: Centre, attempt: Attempt, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """The agent says dial; the ledger does not answer in time, and records it all the same."""
    stall(wire_of(centre), placing, step, monkeypatch)
    with pytest.raises(LedgerUnavailable, match="did not answer"):
        await centre.answers(ALICE, attempt, "dial")


async def offered(centre: Centre) -> Attempt:
    await centre.logs_on(ALICE)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    attempt: Attempt = centre.records.shown[-1]
    return attempt


async def test_skipped_after_a_dial_that_came_too_late(
    open_centre: OpenCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was never dialed: it counts as no call, and is offered and dialed later as any that was skipped."""
    centre = await open_centre(1, preview=WAITS, skip_again_after=10)
    attempt = await offered(centre)
    await too_late(centre, attempt, monkeypatch, "dial_attempt")
    await centre.answers(ALICE, attempt, "skip")
    await asyncio.sleep(TOO_LATE)
    assert (await centre.recorded(attempt)).state is AttemptState.SKIPPED
    since = centre.ledger.now() - timedelta(hours=1)
    assert await centre.ledger.past_calls(contact_of(attempt), since) == []
    await centre.ready(ALICE)
    await asyncio.sleep(60)
    again = centre.records.shown[-1]
    assert again.id != attempt.id
    await centre.answers(ALICE, again, "dial")
    assert [one.id for one, _ in centre.dialer.dialed] == [again.id]


async def test_logged_off_after_a_dial_that_came_too_late(
    open_centre: OpenCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The offer waits for its agent at any host, and is dialed there."""
    first = await open_centre(1, preview=WAITS)
    second = await open_centre(beside=first, preview=WAITS)
    attempt = await offered(first)
    await too_late(first, attempt, monkeypatch, "dial_attempt")
    await first.logs_off(ALICE)
    await asyncio.sleep(TOO_LATE)
    assert [one.id for one in [await offered(second)]] == [attempt.id]
    await second.answers(ALICE, attempt, "dial")
    assert [one.id for one, _ in second.dialer.dialed] == [attempt.id]


async def test_an_offer_in_nobody_s_hand_is_let_go(
    open_centre: OpenCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An offer that its own living host does not know of is its agent's to take up at another one."""
    first = await open_centre(1, preview=WAITS)
    second = await open_centre(beside=first, preview=WAITS)
    attempt = await offered(first)
    await first.not_ready(ALICE)
    await first.logs_off(ALICE)
    stall(wire_of(first), opening, "take_up_attempt", monkeypatch, fault="deaf")
    await first.logs_on(ALICE)
    await first.ready(ALICE)
    await asyncio.sleep(0.1)
    await first.logs_off(ALICE)
    await asyncio.sleep(60)
    found = await second.ledger.take_up(ALICE)
    assert found
    assert found.id == attempt.id


async def called(centre: Centre) -> Attempt:
    """A call of alice's that was answered and has ended."""
    attempt = await offered(centre)
    await centre.answers(ALICE, attempt, "dial")
    return await called_to_its_end(centre)


async def called_to_its_end(centre: Centre) -> Attempt:
    attempt: Attempt = await centre.call(ALICE, CallEventKind.ESTABLISHED, CallEventKind.CALL_CLEARED)
    assert attempt.state is AttemptState.ENDED
    return attempt


async def disposed(centre: Centre, attempt: Attempt) -> None:
    """What came of the call is told, and to the LCM."""
    await centre.disposes(attempt, Disposition(outcome_id="3"))
    assert (await centre.recorded(attempt)).state is AttemptState.CLOSED
    assert [one.outcome_id for one in centre.lcm.account.dispositions] == ["3"]


async def test_dialed_once_more_too_late(open_centre: OpenCentre, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call that took place is to be disposed of still, and there is no other one."""
    centre = await open_centre(1, preview=WAITS, auto_dispose={})
    attempt = await called(centre)
    await too_late(centre, attempt, monkeypatch, "redial_attempt")
    await asyncio.sleep(TOO_LATE)
    (left,) = await centre.ledger.attempts(agent_id="alice", states=OPEN)
    assert (left.id, left.state, left.outcome) == (attempt.id, AttemptState.ENDED, attempt.outcome)
    await disposed(centre, attempt)


@define(eq=False)
class Closing:
    """Refuses, from when it is told to."""

    closed: bool = False

    @hookimpl
    def review_contact(self) -> Refusal | None:
        return Refusal(rule="closed", reason="nobody is called now") if self.closed else None


@pytest.mark.parametrize("ends", ["skip", "reject", "expire", "refuse"])
@pytest.mark.long
async def test_an_offer_to_call_once_more_that_is_over_without_a_call(
    open_centre: OpenCentre, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    """The call before it is to be disposed of then, as it went, and the agent sees it."""
    policy = Closing()
    centre = await open_centre(1, preview=WAITS, auto_dispose={}, plugins=(policy,))
    attempt = await called(centre)
    await too_late(centre, attempt, monkeypatch, "dial_attempt")
    await asyncio.sleep(TOO_LATE)
    (again,) = await centre.ledger.attempts(agent_id="alice", states=OPEN)
    assert (again.redial_of, again.state) == (attempt.id, AttemptState.OFFERED)
    if ends == "refuse":
        policy.closed = True
        with pytest.raises(Exception, match="nobody is called now"):
            await centre.answers(ALICE, again, "dial")
    elif ends == "expire":
        await asyncio.sleep(700)
        await centre.ready(ALICE)
    else:
        await centre.answers(ALICE, again, ends)
    await asyncio.sleep(1)
    shown = centre.records.attempts[-1]
    assert (shown.id, shown.state, shown.outcome) == (attempt.id, AttemptState.ENDED, attempt.outcome)
    assert len(centre.dialer.dialed) == 1
    await disposed(centre, attempt)
