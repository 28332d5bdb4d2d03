"""Rules and stops that say no between the offer and the call: they are asked again right before it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cti_hooks import Agent, AttemptState, CallEventKind
from lcm_plugin.errors import ConflictError
from lcm_plugin.sandbox import SandboxContact

ALICE, BOB = Agent(id="alice"), Agent(id="bob")
OpenCentre = Callable[..., Awaitable[Any]]
TALK = (CallEventKind.DELIVERED, CallEventKind.ESTABLISHED)


async def test_a_preview_that_outlives_its_window(open_centre: OpenCentre) -> None:
    """Offered in time, dialed too late: refused at dial time, with the next moment it may be called."""
    hours = {"calling-hours": {"window": "08:00-10:01"}}
    centre = await open_centre(1, policies=hours, preview={"seconds": 100})
    await centre.ready(ALICE)
    await asyncio.sleep(71)
    with pytest.raises(ConflictError) as raised:
        await centre.answer(ALICE, "dial")
    (refusal,) = raised.value.refusals
    assert refusal.rule == "calling-hours"
    assert refusal.not_before == datetime(2024, 1, 31, 13, tzinfo=UTC)
    assert centre.dialer.dialed == []


async def test_a_cap_reached_by_another_host(open_centre: OpenCentre) -> None:
    """Calls of another host on the ledger count: the same number is refused here, with the next moment."""
    caps = {"call-caps": {"per_number": {"per_day": 1}}}
    number = "+12125550101"
    people = [SandboxContact(key=key, contact_id=key, phone_number=number) for key in ("1", "2")]
    centre = await open_centre(people, policies=caps)
    other = await centre.another("other")
    await centre.ready(ALICE)
    await asyncio.sleep(2)
    began = centre.dialer.dialed[0][0].changed_at
    await centre.call(ALICE, *TALK, CallEventKind.CALL_CLEARED)
    await other.ready(BOB)
    await asyncio.sleep(2)
    assert other.dialer.dialed == []
    (refused,) = other.records.states(AttemptState.REFUSED)
    assert refused.refusals[0].rule.startswith("call-caps")
    assert refused.refusals[0].not_before >= began + timedelta(hours=24)


STOPS = [
    ({}, "site"),
    ({"campaign": "AD Manual Dial Campaign"}, "campaign"),
    ({"agent_id": "alice"}, "agent"),
]


@pytest.mark.parametrize(("scope", "name"), STOPS, ids=[name for _, name in STOPS])
async def test_dialing_stopped(open_centre: OpenCentre, scope: dict[str, str], name: str) -> None:
    """Nothing is placed from then on, by any host, after a restart too; offers stay; resume goes on."""
    centre = await open_centre(2)
    await centre.host.plugins["lcm"].stop_dialing(**scope, actor="sue")
    await centre.ready(ALICE)
    await asyncio.sleep(30)
    (held,) = await centre.ledger.attempts(agent_id="alice")
    assert held.state is AttemptState.OFFERED
    assert "sue stopped dialing" in held.reason
    with pytest.raises(ConflictError, match="sue stopped dialing"):
        await centre.answer(ALICE, "dial")
    await centre.host.__aexit__(None, None, None)
    other = await centre.another("other")
    await other.ready(ALICE)
    await asyncio.sleep(30)
    assert centre.dialer.dialed + other.dialer.dialed == []
    assert await other.host.plugins["lcm"].resume_dialing(**scope)
    await asyncio.sleep(10)
    assert [one.id for one, _ in other.dialer.dialed] == [held.id]
    assert await other.host.plugins["lcm"].dialing_stops() == []
