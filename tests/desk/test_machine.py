"""A machine, or somebody else, answered: the line cannot tell, an agent or a dialer that listens can."""

import asyncio
from datetime import timedelta

import pytest

from cti_hooks import AnsweredBy, Attempt, AttemptState, CallEventKind, Disposition, Outcome
from lcm_plugin.ledger import LedgerUnavailable, letters
from tests.desk.centre import Centre, OpenCentre, contact_of
from tests.ledger.wire import TOO_LATE, Wire, stall
from tests.people import ALICE_AT_1001 as ALICE

SAYS = {
    "auto_dispose": {},
    "preview": {"seconds": 0},
    "machine_outcomes": ["3"],
    "wrong_number_outcomes": ["4"],
}


async def answered(centre: Centre) -> Attempt:
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    call = await centre.call(ALICE, CallEventKind.ESTABLISHED, CallEventKind.CALL_CLEARED)
    assert call.outcome is Outcome.ANSWERED
    return call


async def counted(centre: Centre, call: Attempt) -> list[Outcome | None]:
    """What rules that count calls are told of it."""
    past = await centre.ledger.past_calls(contact_of(call), call.opened_at - timedelta(days=1))
    return [one.outcome for one in past]


@pytest.mark.parametrize(
    ("outcome_id", "outcome"), [("3", Outcome.MACHINE), ("4", Outcome.WRONG_NUMBER), ("0", Outcome.ANSWERED)]
)
async def test_what_an_agent_says_of_who_answered(
    open_centre: OpenCentre, outcome_id: str, outcome: Outcome
) -> None:
    """By the LCM's outcome that the site named: it is no conversation, for any rule that counts those."""
    centre = await open_centre(**SAYS)
    call = await answered(centre)
    await centre.disposes(call, Disposition(outcome_id=outcome_id))
    disposed = await centre.recorded(call)
    assert (disposed.outcome, await counted(centre, call)) == (outcome, [outcome])
    assert [one.outcome_id for one in centre.lcm.account.dispositions] == [outcome_id]


async def test_what_the_line_told_is_kept(open_centre: OpenCentre) -> None:
    """The history says both."""
    centre = await open_centre(**SAYS)
    call = await answered(centre)
    await centre.disposes(call, Disposition(outcome_id="3"))
    reasons = [line.reason for line in await centre.ledger.history(call.id)]
    assert "disposed of by alice: machine, where the line told answered" in reasons


async def test_a_busy_line_is_no_machine(open_centre: OpenCentre) -> None:
    """What the network told for sure no agent changes."""
    centre = await open_centre(**SAYS)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.call(ALICE, CallEventKind.FAILED, sip_status=486)
    call = await centre.call(ALICE, CallEventKind.CALL_CLEARED)
    await centre.disposes(call, Disposition(outcome_id="3"))
    assert (await centre.recorded(call)).outcome is Outcome.BUSY


async def test_what_is_taken_back_is_a_conversation_again(
    open_centre: OpenCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disposition that was recorded too late counts for nothing."""
    centre = await open_centre(**SAYS)
    call = await answered(centre)
    wire = Wire(centre.ledger.database)
    centre.ledger.write_by(wire)
    stall(wire, letters, "write", monkeypatch)
    with pytest.raises(LedgerUnavailable):
        await centre.disposes(call, Disposition(outcome_id="3"))
    await asyncio.sleep(TOO_LATE)
    assert (await centre.recorded(call)).state is AttemptState.ENDED
    assert await counted(centre, call) == [Outcome.ANSWERED]


@pytest.mark.parametrize(
    ("first", "last", "outcome"),
    [
        (None, AnsweredBy.MACHINE, Outcome.MACHINE),
        (AnsweredBy.MACHINE, None, Outcome.MACHINE),
        (AnsweredBy.MACHINE, AnsweredBy.PERSON, Outcome.ANSWERED),
        (AnsweredBy.PERSON, None, Outcome.ANSWERED),
    ],
)
async def test_what_a_dialer_hears(
    open_centre: OpenCentre, first: AnsweredBy | None, last: AnsweredBy | None, outcome: Outcome
) -> None:
    """A dialer that listens tells who answered, with the answer or later; its last word counts."""
    centre = await open_centre(**SAYS)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.call(ALICE, CallEventKind.ESTABLISHED, answered_by=first)
    call = await centre.call(ALICE, CallEventKind.CALL_CLEARED, answered_by=last)
    assert (call.outcome, await counted(centre, call)) == (outcome, [outcome])
