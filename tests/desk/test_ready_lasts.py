"""Ready lasts: one that is told counts until another state is, and one told again is no news."""

import asyncio
from typing import Any

import pytest
from attrs import define, field

from cti_hooks import (
    Attempt,
    Call,
    CallEvent,
    CallEventKind,
    ConnectionState,
    Disposition,
    Host,
    hookimpl,
)
from lcm_plugin.plugin import lcm_of
from tests.desk.centre import Centre, OpenCentre
from tests.people import ALICE_AT_1001 as ALICE


async def ended(centre: Centre) -> Attempt:
    """The call of an agent who went ready, once it is over."""
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    return await clear(centre)


async def clear(centre: Centre) -> Attempt:
    call: Attempt
    call, _ = centre.dialer.dialed[-1]
    await centre.dialer.event(CallEventKind.CALL_CLEARED, call)
    await asyncio.sleep(1)
    return call


def waits_for(centre: Centre) -> str:
    told: str = lcm_of(centre.host).waits_for("alice")
    return told


async def test_the_next_contact_comes_after_the_disposition(open_centre: OpenCentre) -> None:
    """An agent who is still ready gets the next contact once the last is disposed of, and not before."""
    centre = await open_centre(auto_dispose={})
    call = await ended(centre)
    await asyncio.sleep(60)
    assert len(centre.dialer.dialed) == 1
    assert waits_for(centre) == "finish your last call first: it has no disposition"
    await centre.disposes(call, Disposition(outcome_id="0"))
    assert len(centre.dialer.dialed) == 2
    assert waits_for(centre) == ""


@define(eq=False)
class LateAnswer:
    """A dialer that answers when its call has long been over."""

    host: Host | None = None
    dialed: list[str] = field(factory=list)

    @hookimpl
    def on_startup(self, host: Host) -> None:
        self.host = host

    @hookimpl(tryfirst=True)
    async def make_call(self, attempt: Attempt) -> Call:
        assert self.host
        self.dialed.append(attempt.id)
        call = Call(id=f"c-{attempt.id}", attempt_id=attempt.id, state=ConnectionState.NULL)
        cleared = CallEvent(
            kind=CallEventKind.CALL_CLEARED, call_id=call.id, attempt_id=attempt.id, at=self.host.clock.now()
        )
        await self.host.hooks.all("on_call_event", event=cleared)
        await asyncio.sleep(3)
        return call


async def test_a_call_that_is_over_before_its_dialer_answers(open_centre: OpenCentre) -> None:
    """The next contact comes also if the last was disposed of while its dialer had not answered yet."""
    dialer = LateAnswer()
    centre = await open_centre(3, plugins=(dialer,))
    await centre.ready(ALICE)
    await asyncio.sleep(60)
    assert len(dialer.dialed) == 3


FACTS: dict[str, Any] = {"not_ready": {"reason": "lunch"}, "busy": {"call": None}, "working_after_call": {}}


@pytest.mark.parametrize("state", FACTS)
async def test_who_is_not_ready_any_more_gets_none(open_centre: OpenCentre, state: str) -> None:
    """Another state told during the call ends what ready stood for; the next ready brings a contact."""
    centre = await open_centre()
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.host.hooks.all(f"on_agent_{state}", agent=ALICE, **FACTS[state])
    await clear(centre)
    await asyncio.sleep(60)
    assert len(centre.dialer.dialed) == 1
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    assert len(centre.dialer.dialed) == 2


async def test_a_site_may_want_another_ready(open_centre: OpenCentre) -> None:
    """`after_disposition = "ready"`: the next contact needs another ready, and the agent is told so."""
    centre = await open_centre(after_disposition="ready")
    await ended(centre)
    await asyncio.sleep(60)
    assert len(centre.dialer.dialed) == 1
    assert waits_for(centre) == "be ready again for the next contact"
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    assert len(centre.dialer.dialed) == 2


async def test_ready_told_again_restarts_no_preview(open_centre: OpenCentre) -> None:
    """A desktop that repeats ready every few seconds does not keep an offer from its end."""
    centre = await open_centre(preview={"seconds": 20, "on_timeout": "dial"})
    await centre.ready(ALICE)
    for _ in range(6):
        await asyncio.sleep(4)
        await centre.ready(ALICE)
    assert centre.dialer.numbers == ["+12125550001"]


async def test_ready_counts_after_an_answer(open_centre: OpenCentre) -> None:
    """An agent who has answered says something by ready: the next offer's preview begins anew, once."""
    centre = await open_centre(preview={"seconds": 20, "on_timeout": "dial"})
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.answers(ALICE, centre.records.shown[-1], "skip")
    await asyncio.sleep(10)
    for _ in range(2):
        await centre.ready(ALICE)
        await asyncio.sleep(9)
    assert centre.dialer.dialed == []
    await asyncio.sleep(3)
    assert centre.dialer.numbers == ["+12125550002"]


async def test_ready_told_again_cuts_no_pause_short(open_centre: OpenCentre) -> None:
    """A desktop that repeats ready each second does not make its agent ask the LCM more often."""
    centre = await open_centre(0, poll_min_seconds=10, poll_max_seconds=10)
    for _ in range(60):
        await centre.ready(ALICE)
        await asyncio.sleep(1)
    assert 5 <= len(centre.lcm.requests) <= 7


async def test_why_nothing_comes_is_told_all_the_time(open_centre: OpenCentre) -> None:
    """While the LCM does not answer the agent's reason stands, also while it is being asked once more."""
    centre = await open_centre(2)
    centre.lcm.order("drop")
    await centre.ready(ALICE)
    await asyncio.sleep(20)
    told = []
    for _ in range(60):
        await asyncio.sleep(1)
        told.append(bool(waits_for(centre)))
    assert all(told)


async def test_an_offer_disposed_of_needs_another_ready(open_centre: OpenCentre) -> None:
    """With `after_disposition = "ready"` an offer disposed of without a call uses ready up, too."""
    centre = await open_centre(preview={"seconds": 600, "on_timeout": "skip"}, after_disposition="ready")
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.disposes(centre.records.shown[-1], Disposition(outcome_id="2"))
    await asyncio.sleep(60)
    assert len(centre.records.shown) == 1
    assert waits_for(centre) == "be ready again for the next contact"
    await centre.ready(ALICE)
    await asyncio.sleep(5)
    assert len(centre.records.shown) == 2
