"""What came of a call, told to the LCM: by which message, when, and how often."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, evolve

from cti_hooks import (
    Agent,
    Attempt,
    AttemptState,
    Callback,
    CallEventKind,
    Disposition,
    hookimpl,
)
from lcm_plugin.errors import ConflictError, InvalidError
from lcm_plugin.ledger import LetterState
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import SandboxContact, SandboxMode
from tests.desk.centre import Centre, OpenCentre
from tests.people import ALICE_AT_1001 as ALICE

ZONE = "America/New_York"
BY_HAND = {"auto_dispose": {}, "callback_time_zone": ZONE, "callid": "call 7"}


async def ended(centre: Centre, agent: Agent = ALICE) -> Attempt:
    """An answered call of the agent's that has ended."""
    await centre.ready(agent)
    await asyncio.sleep(1)
    call: Attempt = centre.dialer.dialed[-1][0]
    await centre.dialer.event(CallEventKind.DELIVERED, call)
    await centre.dialer.event(CallEventKind.ESTABLISHED, call)
    await centre.dialer.event(CallEventKind.CALL_CLEARED, call, q850=16)
    return call


def callback(centre: Centre, kind: str, hours: float = 2.0, minutes: float = 30.0) -> Callback:
    starts_at = centre.host.clock.now() + timedelta(hours=hours)
    return Callback(kind=kind, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=minutes))


async def letters(centre: Centre, attempt: Attempt) -> list[tuple[str, LetterState]]:
    told = await lcm_of(centre.host).desks.ledger.letters_of(attempt.id)
    return [(one.message, one.state) for one in told]


CONTENT = [
    ({"outcome_id": "0"}, None, "SetCallOutcomeWithComments"),
    ({"business_outcome_id": "101"}, None, "SetBusinessOutcomeWithComments"),
    ({"outcome_id": "0", "business_outcome_id": "101"}, None, "SetBusinessOutcomeWithCallOutcome"),
    ({}, "regular", "SetCallbackWithComments"),
    ({}, "personal", "SetPersonalCallbackWithComments"),
    ({"outcome_id": "4", "business_outcome_id": "102"}, "regular", "SetBusinessOutcomeWithCallback"),
    ({"outcome_id": "4", "business_outcome_id": "102"}, "personal", "SetBusinessOutcomeWithPersonalCallback"),
]


@pytest.mark.parametrize(("said", "kind", "message"), CONTENT, ids=[row[2] for row in CONTENT])
async def test_the_setter_that_fits(
    open_centre: OpenCentre, said: dict[str, Any], kind: str | None, message: str
) -> None:
    """`by_content` sends the one setter that says just this, and the sandbox takes it."""
    centre = await open_centre(1, disposition_message="by_content", **BY_HAND)
    call = await ended(centre)
    wanted = callback(centre, kind) if kind else None
    await centre.disposes(call, Disposition(comments="as agreed", callback=wanted, **said))
    assert [one.subtopic for one in centre.sent()] == [message]
    (told,) = centre.lcm.account.dispositions
    assert (told.key, told.comments) == ("0|0|000|0|0|00|1", "as agreed")
    assert (told.callback is not None and told.callback.personal) == (kind == "personal")
    assert (await centre.recorded(call)).state is AttemptState.CLOSED


@pytest.mark.parametrize("kind", ["regular", "personal"])
async def test_set_call_result(open_centre: OpenCentre, kind: str) -> None:
    """By default SetCallResult tells outcome, comments and callback in the site's zone, and no callid."""
    centre = await open_centre(1, **BY_HAND)
    call = await ended(centre)
    wanted = callback(centre, kind)
    await centre.disposes(call, Disposition(outcome_id="4", comments="as agreed", callback=wanted))
    (sent,) = centre.sent()
    assert sent.subtopic == "SetCallResult"
    assert "callid" not in {name.lower() for name in sent.data}
    (booked,) = centre.lcm.account.callbacks
    assert (booked.personal, booked.agent_id) == (kind == "personal", "alice")
    assert booked.starts_at == wanted.starts_at.replace(second=0, microsecond=0)


@pytest.mark.parametrize(("chosen", "sent"), [(None, "3"), ("2", "2")], ids=["the one called", "another"])
async def test_the_number_to_call_back(open_centre: OpenCentre, chosen: str | None, sent: str) -> None:
    """A callback is for the number called, by the id the LCM gave it, or for another of the contact's."""
    modes = (
        SandboxMode(id="3", phone_number="+12125550001", description="Mobile"),
        SandboxMode(id="2", phone_number="+12125550999", description="Office"),
    )
    person = SandboxContact(key="1", phone_number="+12125550001", modes=modes)
    centre = await open_centre([person], contact_modes=True, **BY_HAND)
    call = await ended(centre)
    no_such = evolve(callback(centre, "regular"), mode_id="7")
    with pytest.raises(InvalidError, match="has no number '7'; it has 3 Mobile, 2 Office"):
        await centre.disposes(call, Disposition(outcome_id="4", callback=no_such))
    assert centre.sent() == []
    wanted = evolve(no_such, mode_id=chosen)
    await centre.disposes(call, Disposition(outcome_id="4", callback=wanted))
    assert [one.mode_id for one in centre.lcm.account.callbacks] == [sent]


async def test_do_not_call(open_centre: OpenCentre) -> None:
    """A do-not-call is told by SetDNC with both its outcomes; that number is handed out no more."""
    centre = await open_centre(1, **BY_HAND)
    call = await ended(centre)
    await centre.disposes(call, Disposition(outcome_id="5", business_outcome_id="106", do_not_call=True))
    assert [one.subtopic for one in centre.sent()] == ["SetDNC"]
    assert [one.phone_number for one in centre.lcm.account.do_not_call] == ["+12125550001"]


async def test_the_dialer_detail_comes_first(open_centre: OpenCentre) -> None:
    """If two messages are needed, the row comes first, once, even if the second has to be sent again."""
    centre = await open_centre(1, dialer_detail=True, sandbox={"require_dialer_detail": True}, **BY_HAND)
    call = await ended(centre)
    centre.lcm.order("busy,status=503,message=SetCallResult,times=4")
    await centre.disposes(call, Disposition(outcome_id="0"))
    await asyncio.sleep(60)
    names = [one.subtopic for one in centre.sent()]
    assert names[0] == "SetNonPEWCContactOutcome"
    assert names.count("SetNonPEWCContactOutcome") == 1
    assert names.count("SetCallResult") == 5
    assert len(centre.lcm.account.dispositions) == 1
    assert (await centre.recorded(call)).state is AttemptState.CLOSED


@pytest.mark.long
async def test_an_unconfirmed_dialer_detail_is_not_repeated(open_centre: OpenCentre) -> None:
    """A first message that may have been delivered is shown and not repeated, and the second waits for it."""
    centre = await open_centre(1, dialer_detail=True, **BY_HAND)
    call = await ended(centre)
    centre.lcm.order("drop,message=SetNonPEWCContactOutcome,times=1")
    await centre.disposes(call, Disposition(outcome_id="0"))
    await asyncio.sleep(600)
    assert [one.subtopic for one in centre.sent()] == ["SetNonPEWCContactOutcome"]
    assert await letters(centre, call) == [
        ("SetNonPEWCContactOutcome", LetterState.UNCONFIRMED),
        ("SetCallResult", LetterState.WAITING),
    ]


ALL = "GetDownloadAllContactsForDialing"
MORE = [
    ({"outcome_id": "2"}, "SkipManualDialContact"),
    ({"outcome_id": "2", "comments": "no such firm"}, "SetCallResult"),
    ({"outcome_id": "2", "business_outcome_id": "106"}, "SetCallResult"),
    ({"outcome_id": "4", "callback": "regular"}, "SetCallResult"),
]


@pytest.mark.parametrize(("said", "message"), MORE, ids=["id only", "comments", "both ids", "callback"])
async def test_an_offer_is_closed(open_centre: OpenCentre, said: dict[str, Any], message: str) -> None:
    """SkipManualDialContact closes an offer of an All download if it can say all there is to say."""
    centre = await open_centre(1, download_with=ALL, preview={"seconds": 99}, **BY_HAND)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    (offer,) = centre.records.shown
    wanted = callback(centre, said["callback"]) if "callback" in said else None
    await centre.disposes(offer, Disposition(**{**said, "callback": wanted}))
    assert [one.subtopic for one in centre.sent()] == [message]
    (told,) = centre.lcm.account.dispositions
    assert told.comments == said.get("comments", "")
    assert (told.callback is not None) == ("callback" in said)


async def test_close_needs_an_outcome(open_centre: OpenCentre) -> None:
    """CLOSE without an outcome id is answered with what is missing; the offer stays."""
    centre = await open_centre(1, preview={"seconds": 99}, **BY_HAND)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    with pytest.raises(InvalidError, match="reason: is needed with close"):
        await centre.answers(ALICE, centre.records.shown[0], "close")
    assert (await centre.recorded(centre.records.shown[0])).state is AttemptState.OFFERED


async def test_close_by_other_downloads(open_centre: OpenCentre) -> None:
    """CLOSE of an offer that another download gave is told by the disposition message, not by Skip."""
    centre = await open_centre(1, preview={"seconds": 99}, **BY_HAND)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.answers(ALICE, centre.records.shown[0], "close", reason="2")
    assert [one.subtopic for one in centre.sent()] == ["SetCallResult"]


# -- the lists ----------------------------------------------------------------------------------------------


@pytest.mark.long
async def test_lists_are_asked_for_once_in_a_while(open_centre: OpenCentre) -> None:
    """The LCM's outcome lists are kept for `lists_seconds`, then asked for again; no id is known without."""
    centre = await open_centre(4, lists_seconds=600, **BY_HAND)
    for _ in range(3):
        await centre.disposes(await ended(centre), Disposition(outcome_id="0"))
    assert len(centre.sent("SetCallOutComeOffline")) == 1
    await asyncio.sleep(600)
    await centre.disposes(await ended(centre), Disposition(outcome_id="0"))
    assert len(centre.sent("SetCallOutComeOffline")) == 2


async def test_lists_that_have_grown_old_serve_while_the_lcm_is_down(open_centre: OpenCentre) -> None:
    """Lists that cannot be renewed are gone by still: an id they do not have is refused."""
    centre = await open_centre(2, lists_seconds=60, **BY_HAND)
    await centre.disposes(await ended(centre), Disposition(outcome_id="0"))
    second = await ended(centre)
    await asyncio.sleep(120)
    centre.lcm.order("busy,status=503")
    with pytest.raises(InvalidError, match="does not list '77'"):
        await centre.disposes(second, Disposition(outcome_id="77"))


@define(eq=False)
class Lists:
    """Between the LCM and us; what it is told to, it leaves out of the next outcome lists."""

    empty: bool = False
    without: str = ""

    @hookimpl
    def lcm_adjust_reply(self, message: dict[str, Any]) -> dict[str, Any] | None:
        if message["subtopic"] not in {"SetCallOutComeOfflineResponse", "BusinessOutCome"}:
            return None
        listed = [one for one in message["message"]["response"] if one["OutComeID"] != self.without]
        return {**message, "message": {"response": None if self.empty else listed}}


async def test_an_empty_answer_is_not_kept(open_centre: OpenCentre) -> None:
    """Lists that come empty refuse what is said now, and not what is said next."""
    lists = Lists(empty=True)
    centre = await open_centre(1, plugins=(lists,), **BY_HAND)
    call = await ended(centre)
    with pytest.raises(InvalidError, match="does not list '0'; it has none"):
        await centre.disposes(call, Disposition(outcome_id="0"))
    lists.empty = False
    await centre.disposes(call, Disposition(outcome_id="0"))
    assert (await centre.recorded(call)).state is AttemptState.CLOSED


async def test_an_empty_answer_takes_no_list_away(open_centre: OpenCentre) -> None:
    """If renewed lists come empty, the lists kept still count."""
    lists = Lists()
    centre = await open_centre(2, plugins=(lists,), lists_seconds=60, **BY_HAND)
    await centre.disposes(await ended(centre), Disposition(outcome_id="0"))
    second = await ended(centre)
    await asyncio.sleep(120)
    lists.empty = True
    await centre.disposes(second, Disposition(outcome_id="0"))
    assert (await centre.recorded(second)).state is AttemptState.CLOSED


async def test_a_new_outcome_is_looked_for(open_centre: OpenCentre) -> None:
    """An id that kept lists lack is looked for at the LCM, every 10 s at most, before it is refused."""
    lists = Lists(without="3")
    centre = await open_centre(2, plugins=(lists,), **BY_HAND)
    await centre.disposes(await ended(centre), Disposition(outcome_id="0"))
    second, busy = await ended(centre), Disposition(outcome_id="3")
    await asyncio.sleep(10)
    for _ in range(3):
        with pytest.raises(InvalidError, match="does not list '3'"):
            await centre.disposes(second, busy)
    assert len(centre.sent("SetCallOutComeOffline")) == 2
    lists.without = ""
    await asyncio.sleep(10)
    await centre.disposes(second, busy)
    assert (await centre.recorded(second)).state is AttemptState.CLOSED


async def test_auto_dispose_is_tried_again_when_lists_recover(open_centre: OpenCentre) -> None:
    """A disposition by auto_dispose that lists in disorder refused is made once they are good again."""
    lists = Lists(empty=True)
    centre = await open_centre(1, plugins=(lists,), auto_dispose={"*": "3"})
    call = await ended(centre)
    await asyncio.sleep(15)
    assert (await centre.recorded(call)).state is AttemptState.ENDED
    lists.empty = False
    await asyncio.sleep(15)
    assert [one.outcome_id for one in centre.lcm.account.dispositions] == ["3"]


@pytest.mark.long
async def test_auto_dispose_gives_up_what_is_not_listed(open_centre: OpenCentre) -> None:
    """An outcome of auto_dispose's that the LCM never lists is tried a few times, and left to a person."""
    centre = await open_centre(1, auto_dispose={"*": "77"})
    call = await ended(centre)
    await asyncio.sleep(900)
    assert len(centre.sent("SetCallOutComeOffline")) == 3
    await centre.disposes(call, Disposition(outcome_id="0"))
    assert (await centre.recorded(call)).state is AttemptState.CLOSED


# -- sending ------------------------------------------------------------------------------------------------


@pytest.mark.long
async def test_kept_while_the_lcm_is_down(open_centre: OpenCentre) -> None:
    """A disposition for an LCM that is down is recorded, and sent once when it is back."""
    centre = await open_centre(1, **BY_HAND)
    call = await ended(centre)
    centre.lcm.order("busy,status=503")
    await centre.disposes(call, Disposition(outcome_id="0"))
    await asyncio.sleep(300)
    assert centre.lcm.account.dispositions == []
    assert (await centre.recorded(call)).state is AttemptState.DISPOSED
    centre.lcm.faults.clear()
    await asyncio.sleep(400)
    assert [one.outcome_id for one in centre.lcm.account.dispositions] == ["0"]
    assert (await centre.recorded(call)).state is AttemptState.CLOSED


@pytest.mark.parametrize(("resend", "times"), [(False, 1), (True, 2)], ids=["kept", "sent again"])
@pytest.mark.long
async def test_unconfirmed(open_centre: OpenCentre, *, resend: bool, times: int) -> None:
    """What may have been delivered is kept and shown, and is sent again with `resend_unconfirmed` only."""
    centre = await open_centre(1, resend_unconfirmed=resend, **BY_HAND)
    call = await ended(centre)
    centre.lcm.order("drop,message=SetCallResult,times=1")
    await centre.disposes(call, Disposition(outcome_id="0"))
    await asyncio.sleep(600)
    assert len(centre.sent("SetCallResult")) == times
    state = LetterState.CONFIRMED if resend else LetterState.UNCONFIRMED
    assert await letters(centre, call) == [("SetCallResult", state)]
    over = AttemptState.CLOSED if resend else AttemptState.DISPOSED
    assert (await centre.recorded(call)).state is over


async def test_the_next_contact_does_not_wait_for_the_lcm(open_centre: OpenCentre) -> None:
    """A disposition that is not confirmed yet frees its agent: the next contact is a matter of the ledger."""
    centre = await open_centre(2, **BY_HAND)
    call = await ended(centre)
    centre.lcm.order("drop,message=SetCallResult,times=1")
    await centre.disposes(call, Disposition(outcome_id="0"))
    await centre.ready(ALICE)
    await asyncio.sleep(20)
    assert len(centre.dialer.dialed) == 2


# -- what cannot be right -----------------------------------------------------------------------------------

WRONG = [
    ({}, None, "outcome_id: is needed"),
    ({"outcome_id": "77"}, None, "does not list '77'; it has 0 Success"),
    ({"business_outcome_id": "0"}, None, "does not list '0'; it has 100 Interested"),
    ({"do_not_call": True, "business_outcome_id": "101"}, None, "is needed with do_not_call"),
    (
        {"do_not_call": True, "outcome_id": "5"},
        None,
        "business_outcome_id: is needed with do_not_call: SetDNC",
    ),
    ({"do_not_call": True, "outcome_id": "5"}, 2.0, "callback: cannot be told with do_not_call"),
    ({"outcome_id": "4"}, -1.0, "callback.starts_at: is in the past"),
]


@pytest.mark.parametrize(("said", "hours", "text"), WRONG, ids=[row[2] for row in WRONG])
async def test_what_cannot_be_right_is_not_sent(
    open_centre: OpenCentre, said: dict[str, Any], hours: float | None, text: str
) -> None:
    """A disposition that cannot be right is answered with what would be; the LCM hears nothing of it."""
    centre = await open_centre(1, **BY_HAND)
    call = await ended(centre)
    wanted = None if hours is None else callback(centre, "regular", hours)
    with pytest.raises(InvalidError, match=text):
        await centre.disposes(call, Disposition(callback=wanted, **said))
    await asyncio.sleep(30)
    assert centre.sent() == []
    assert (await centre.recorded(call)).state is AttemptState.ENDED
    assert await letters(centre, call) == []


async def test_a_callback_with_a_business_outcome_needs_its_own(open_centre: OpenCentre) -> None:
    """`by_content`: a business outcome with a callback needs the callback's own outcome as well."""
    centre = await open_centre(1, disposition_message="by_content", **BY_HAND)
    call = await ended(centre)
    said = Disposition(business_outcome_id="102", callback=callback(centre, "regular"))
    with pytest.raises(InvalidError, match="outcome_id: is needed with business_outcome_id and a callback"):
        await centre.disposes(call, said)
    assert centre.sent() == []


async def test_a_callback_without_its_zone(open_centre: OpenCentre) -> None:
    """A callback without `callback_time_zone` is refused with the setting's name."""
    centre = await open_centre(1, auto_dispose={})
    call = await ended(centre)
    with pytest.raises(InvalidError, match="needs the setting callback_time_zone"):
        await centre.disposes(call, Disposition(outcome_id="4", callback=callback(centre, "regular")))
    assert centre.sent() == []


async def test_a_callback_that_overlaps(open_centre: OpenCentre) -> None:
    """A callback in another one's time is a conflict, and nothing is sent; another time is taken."""
    centre = await open_centre(2, **BY_HAND)
    first, starting = await ended(centre), callback(centre, "personal")
    await centre.disposes(first, Disposition(outcome_id="4", callback=starting))
    second = await ended(centre)
    with pytest.raises(ConflictError, match="overlaps another one of the agent's; choose another time"):
        await centre.disposes(second, Disposition(outcome_id="4", callback=callback(centre, "personal")))
    assert len(centre.sent()) == 1
    await centre.disposes(second, Disposition(outcome_id="4", callback=callback(centre, "personal", 3)))
    assert len(centre.lcm.account.callbacks) == 2


async def test_a_callback_while_the_lcm_hangs(
    open_centre: OpenCentre, caplog: pytest.LogCaptureFixture
) -> None:
    """An LCM that does not answer keeps no callback from being booked: 5 s later it is, unchecked."""
    centre = await open_centre(1, **BY_HAND)
    call = await ended(centre)
    centre.lcm.order("late,seconds=60")
    began = asyncio.get_running_loop().time()
    await centre.disposes(call, Disposition(outcome_id="4", callback=callback(centre, "personal")))
    assert asyncio.get_running_loop().time() - began < 7
    assert (await centre.recorded(call)).state is AttemptState.DISPOSED
    for said in ("are not checked", "whether a callback overlaps could not be asked"):
        assert caplog.text.count(said) == 1
    centre.lcm.faults.clear()
    await asyncio.sleep(60)
    assert [one.outcome_id for one in centre.lcm.account.dispositions] == ["4"]


async def test_a_closed_attempt(open_centre: OpenCentre) -> None:
    """A disposition for an attempt that is closed is a conflict that says so, and is not sent."""
    centre = await open_centre(1, **BY_HAND)
    call = await ended(centre)
    await centre.disposes(call, Disposition(outcome_id="0"))
    with pytest.raises(ConflictError, match="is closed: only an ended call or an offer"):
        await centre.disposes(call, Disposition(outcome_id="3"))
    assert [one.outcome_id for one in centre.lcm.account.dispositions] == ["0"]


async def test_a_call_that_is_up(open_centre: OpenCentre) -> None:
    """A call that has not ended cannot be disposed of."""
    centre = await open_centre(1, **BY_HAND)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    with pytest.raises(ConflictError, match="is calling"):
        await centre.disposes(centre.dialer.dialed[0][0], Disposition(outcome_id="0"))
    assert centre.sent() == []


async def test_disposed_of_twice_at_once(open_centre: OpenCentre) -> None:
    """Of two dispositions at the same moment one is taken, and the LCM hears that one."""
    centre = await open_centre(1, **BY_HAND)
    call = await ended(centre)
    said = [centre.disposes(call, Disposition(outcome_id=one)) for one in ("0", "3")]
    done = await asyncio.gather(*said, return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Attempt", "ConflictError"]
    assert len(centre.lcm.account.dispositions) == 1
