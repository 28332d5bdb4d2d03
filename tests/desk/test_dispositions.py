"""What came of a call, told to the LCM: checked by its lists, recorded first, in order, and never twice."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from cti_hooks import Agent, AttemptState, Callback, CallEventKind
from lcm_plugin.errors import ConflictError, InvalidError
from lcm_plugin.lcm.catalogue import FAMILIES, dispositions
from lcm_plugin.lcm.catalogue.downloads import SKIP
from lcm_plugin.lcm.catalogue.non_pewc import DIALER_DETAIL
from lcm_plugin.ledger import LetterState

ALICE = Agent(id="alice", lcm_id="alice@acme")
OpenCentre = Callable[..., Awaitable[Any]]
LISTS = ["SetCallOutComeOffline", "GetOutcomeByOutcomegroup"]


async def ended(open_centre: OpenCentre, **facts: Any) -> tuple[Any, Any]:
    """A centre in which alice has talked, and has not said what came of it."""
    settings = {"auto_dispose": {}, "callback_time_zone": "America/New_York", "callid": "0", **facts}
    centre = await open_centre(3, **settings)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    kinds = (CallEventKind.DELIVERED, CallEventKind.ESTABLISHED, CallEventKind.CALL_CLEARED)
    return centre, await centre.call(ALICE, *kinds)


def told(centre: Any) -> list[str]:
    """What the LCM was told of calls, in order."""
    setters = {message.subtopic for message in (*FAMILIES[dispositions], SKIP, DIALER_DETAIL)}
    return [one.subtopic for one in centre.lcm.requests if one.subtopic in setters]


def callback(clock_now: datetime, kind: str = "personal", minutes: int = 60) -> Callback:
    starts_at = clock_now + timedelta(minutes=minutes)
    return Callback(kind=kind, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=30))


CONTENT: list[tuple[dict[str, Any], str | None, str]] = [
    ({"outcome_id": "0"}, None, "SetCallOutcomeWithComments"),
    ({"business_outcome_id": "101"}, None, "SetBusinessOutcomeWithComments"),
    ({"outcome_id": "0", "business_outcome_id": "101"}, None, "SetBusinessOutcomeWithCallOutcome"),
    ({"outcome_id": "4"}, "regular", "SetCallbackWithComments"),
    ({"outcome_id": "4"}, "personal", "SetPersonalCallbackWithComments"),
    ({"outcome_id": "4", "business_outcome_id": "101"}, "regular", "SetBusinessOutcomeWithCallback"),
    ({"outcome_id": "4", "business_outcome_id": "101"}, "personal", "SetBusinessOutcomeWithPersonalCallback"),
]


@pytest.mark.parametrize("by_content", [False, True], ids=["SetCallResult", "by content"])
@pytest.mark.parametrize(("facts", "kind", "message"), CONTENT, ids=[message for *_, message in CONTENT])
async def test_each_disposition_has_its_message(
    open_centre: OpenCentre, facts: dict[str, Any], kind: str | None, message: str, *, by_content: bool
) -> None:
    """SetCallResult says all of them; with by_content each is said by the setter that fits."""
    setting = "by_content" if by_content else "SetCallResult"
    centre, attempt = await ended(open_centre, disposition_message=setting)
    when = callback(centre.host.clock.now(), kind) if kind else None
    await centre.dispose(ALICE, attempt.id, **facts, callback=when, comments="called")
    await asyncio.sleep(2)
    assert told(centre) == [message if by_content else "SetCallResult"]
    (entry,) = centre.lcm.account.dispositions
    assert (entry.key, entry.agent_id, entry.comments) == (attempt.contact.key, "alice@acme", "called")
    assert [one.personal for one in centre.lcm.account.callbacks] == ([kind == "personal"] if kind else [])
    assert (await centre.now(attempt)).state is AttemptState.CLOSED


async def test_do_not_call(open_centre: OpenCentre) -> None:
    """Do-not-call is told by SetDNC, which blocks the number."""
    centre, attempt = await ended(open_centre)
    await centre.dispose(ALICE, attempt.id, outcome_id="5", business_outcome_id="106", do_not_call=True)
    await asyncio.sleep(2)
    assert told(centre) == ["SetDNC"]
    assert [one.key for one in centre.lcm.account.do_not_call] == [attempt.contact.key]


async def test_two_messages_where_the_site_needs_them(open_centre: OpenCentre) -> None:
    """With dialer_detail the row-creating message goes first, and the outcome once that is confirmed."""
    centre, attempt = await ended(open_centre, dialer_detail=True)
    centre.lcm.order("busy,status=503,message=SetNonPEWCContactOutcome,times=3")
    await centre.dispose(ALICE, attempt.id, outcome_id="0")
    await asyncio.sleep(60)
    messages = told(centre)
    assert messages[-1] == "SetCallResult"
    assert set(messages[:-1]) == {"SetNonPEWCContactOutcome"}


async def test_an_offer_of_an_all_download_is_skipped(open_centre: OpenCentre) -> None:
    """Only what GetDownloadAllContactsForDialing gave is closed by SkipManualDialContact."""
    facts = {"download_with": "GetDownloadAllContactsForDialing", "preview": {"seconds": 20}}
    centre = await open_centre(2, **facts)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.answer(ALICE, "close", reason="9")
    await asyncio.sleep(2)
    assert told(centre) == ["SkipManualDialContact"]


async def test_outcome_lists_are_kept(open_centre: OpenCentre) -> None:
    """The LCM is asked for its lists once for a campaign, and again after lists_seconds."""
    centre, attempt = await ended(open_centre, lists_seconds=100)
    lcm = centre.host.plugins["lcm"]
    for _ in range(2):
        lists = await lcm.outcomes(ALICE, attempt)
    assert {"0", "9"} <= {one.id for one in lists.telephony}
    assert "101" in {one.id for one in lists.business}
    assert [one.subtopic for one in centre.lcm.requests if one.subtopic in LISTS] == LISTS
    await asyncio.sleep(101)
    await lcm.outcomes(ALICE, attempt)
    assert [one.subtopic for one in centre.lcm.requests if one.subtopic in LISTS] == LISTS * 2


async def test_an_lcm_that_is_down_is_told_later(open_centre: OpenCentre) -> None:
    """During an outage a disposition is taken, kept, and told once when the LCM is back."""
    centre, attempt = await ended(open_centre)
    centre.lcm.order("busy,status=503")
    await centre.dispose(ALICE, attempt.id, outcome_id="0")
    await asyncio.sleep(120)
    assert (await centre.now(attempt)).state is AttemptState.DISPOSED
    centre.lcm.faults.clear()
    await asyncio.sleep(300)
    assert [one.outcome_id for one in centre.lcm.account.dispositions] == ["0"]
    assert (await centre.now(attempt)).state is AttemptState.CLOSED


@pytest.mark.parametrize("again", [False, True], ids=["kept", "resend_unconfirmed"])
async def test_what_may_have_arrived(open_centre: OpenCentre, *, again: bool) -> None:
    """A lost answer leaves it unconfirmed: kept and shown; told again only where the site wants that."""
    centre, attempt = await ended(open_centre, resend_unconfirmed=again)
    centre.lcm.order("drop,message=SetCallResult,times=1")
    await centre.dispose(ALICE, attempt.id, outcome_id="0")
    await asyncio.sleep(300)
    (letter,) = await centre.ledger.letters_of(attempt.id)
    assert letter.state is (LetterState.CONFIRMED if again else LetterState.UNCONFIRMED)
    assert len(centre.lcm.account.dispositions) == (2 if again else 1)
    assert (await centre.now(attempt)).state is (AttemptState.CLOSED if again else AttemptState.DISPOSED)


async def test_no_new_contact_before_the_disposition(open_centre: OpenCentre) -> None:
    """An agent who is ready again gets the next contact once the last call is disposed of."""
    centre, attempt = await ended(open_centre)
    await centre.ready(ALICE)
    await asyncio.sleep(60)
    assert len(centre.dialer.dialed) == 1
    await centre.dispose(ALICE, attempt.id, outcome_id="0")
    await asyncio.sleep(2)
    assert len(centre.dialer.dialed) == 2


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "outcome_id: is needed"),
    ({"outcome_id": "99"}, "does not list '99'; it has 0 Success"),
    ({"business_outcome_id": "7"}, "does not list '7'; it has 100 Interested"),
    ({"outcome_id": "4", "minutes": -60}, "callback.starts_at: is in the past"),
    ({"do_not_call": True, "business_outcome_id": "101"}, "SetDNC wants one"),
]


@pytest.mark.parametrize(("facts", "said"), WRONG, ids=[said for _, said in WRONG])
async def test_what_cannot_be_right_is_told(
    open_centre: OpenCentre, facts: dict[str, Any], said: str
) -> None:
    """A wrong disposition says what would be right, nothing is sent, and the right one is taken after it."""
    centre, attempt = await ended(open_centre)
    when = callback(centre.host.clock.now(), minutes=facts["minutes"]) if "minutes" in facts else None
    given = {name: value for name, value in facts.items() if name != "minutes"}
    with pytest.raises(InvalidError, match=said):
        await centre.dispose(ALICE, attempt.id, **given, callback=when)
    assert told(centre) == []
    await centre.dispose(ALICE, attempt.id, outcome_id="0")


async def test_a_callback_needs_its_zone(open_centre: OpenCentre) -> None:
    """The LCM's dates carry no zone, so a callback without callback_time_zone is refused, and says so."""
    centre, attempt = await ended(open_centre, callback_time_zone=None)
    when = callback(centre.host.clock.now())
    with pytest.raises(InvalidError, match="needs the setting callback_time_zone"):
        await centre.dispose(ALICE, attempt.id, outcome_id="4", callback=when)


async def test_a_callback_that_overlaps(open_centre: OpenCentre) -> None:
    """A callback at the time of another one of the agent's is a conflict, asked of the LCM beforehand."""
    centre, attempt = await ended(open_centre)
    when = callback(centre.host.clock.now())
    await centre.dispose(ALICE, attempt.id, outcome_id="4", callback=when)
    await centre.ready(ALICE)
    await asyncio.sleep(2)
    second = await centre.call(ALICE, CallEventKind.ESTABLISHED, CallEventKind.CALL_CLEARED)
    with pytest.raises(ConflictError, match="overlaps another one"):
        await centre.dispose(ALICE, second.id, outcome_id="4", callback=when)
    assert len(centre.lcm.account.dispositions) == 1


async def test_a_closed_attempt_is_not_disposed_of_again(open_centre: OpenCentre) -> None:
    """A second disposition is a conflict that tells the state, and the LCM hears nothing of it."""
    centre, attempt = await ended(open_centre)
    await centre.dispose(ALICE, attempt.id, outcome_id="0")
    await asyncio.sleep(2)
    with pytest.raises(ConflictError, match="is closed: only an ended call or an offer"):
        await centre.dispose(ALICE, attempt.id, outcome_id="9")
    assert [one.outcome_id for one in centre.lcm.account.dispositions] == ["0"]
