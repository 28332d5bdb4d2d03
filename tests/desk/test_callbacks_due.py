"""An agent who asks for no contact is told of their own callback at its minute; nothing is fetched for it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from attrs import define, field

from cti_hooks import Agent, Callback, CallEventKind, Disposition, hookimpl
from tests.desk.centre import Centre, OpenCentre
from tests.people import ALICE_AT_1001 as ALICE
from tests.people import BOB

ELEVEN = datetime(2024, 1, 30, 16, 0, tzinfo=UTC)
"""In New York, an hour after the tests' clock begins."""
SELDOM = {"poll_min_seconds": 40, "poll_max_seconds": 50, "lease_seconds": 3600}


@define(eq=False)
class Desktop:
    """Hears of callbacks."""

    told: list[tuple[str, datetime]] = field(factory=list)

    @hookimpl
    def on_callback_due(self, agent: Agent, at: datetime) -> None:
        self.told.append((agent.id, at))


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour of a second each is many."""
    monkeypatch.setattr("lcm_plugin.ledger.outbox.POLL", 600.0)


async def booked(open_centre: OpenCentre, *plugins: object) -> Centre:
    """A centre where alice has booked a callback of her own for eleven, by her first call."""
    facts = {"auto_dispose": {}, "callback_time_zone": "America/New_York", **SELDOM}
    centre = await open_centre(2, plugins=plugins, reserved_first=True, **facts)
    await centre.logs_on(ALICE)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    call = await centre.call(ALICE, CallEventKind.CALL_CLEARED)
    await centre.not_ready(ALICE)
    window = Callback(kind="personal", starts_at=ELEVEN, ends_at=ELEVEN + timedelta(minutes=30))
    await centre.disposes(call, Disposition(outcome_id="4", callback=window))
    return centre


async def until(centre: Centre, moment: datetime) -> None:
    await asyncio.sleep((moment - centre.host.clock.now()).total_seconds())


async def test_an_agent_who_is_not_ready_is_told(open_centre: OpenCentre) -> None:
    """Once, at the minute; the LCM is asked nothing."""
    desktop = Desktop()
    centre = await booked(open_centre, desktop)
    await until(centre, ELEVEN - timedelta(seconds=1))
    asked = len(centre.lcm.requests)
    assert desktop.told == []
    await asyncio.sleep(1.5)
    assert desktop.told == [("alice", ELEVEN)]
    await asyncio.sleep(600)
    assert desktop.told == [("alice", ELEVEN)]
    assert len(centre.lcm.requests) == asked


async def test_an_agent_in_a_call_is_told(open_centre: OpenCentre) -> None:
    """They learn that somebody waits for their call, while they talk to somebody else."""
    desktop = Desktop()
    centre = await booked(open_centre, desktop)
    await centre.ready(ALICE)
    await asyncio.sleep(60)
    assert len(centre.dialer.dialed) == 2
    await until(centre, ELEVEN + timedelta(seconds=1))
    assert desktop.told == [("alice", ELEVEN)]


async def test_an_agent_who_waits_gets_the_callback_instead(open_centre: OpenCentre) -> None:
    """Whoever wants a contact is offered it, and told nothing else."""
    desktop = Desktop()
    centre = await booked(open_centre, desktop)
    await centre.ready(ALICE)
    await asyncio.sleep(60)
    second = await centre.call(ALICE, CallEventKind.CALL_CLEARED)
    await centre.disposes(second, Disposition(outcome_id="0"))
    await until(centre, ELEVEN + timedelta(seconds=30))
    assert len(centre.dialer.dialed) == 3
    assert desktop.told == []


@pytest.mark.parametrize("there", ["logged off", "never here"])
async def test_who_is_not_here_is_not_told(open_centre: OpenCentre, there: str) -> None:
    """An agent who has logged off is told nothing, nor is anybody else."""
    desktop = Desktop()
    centre = await booked(open_centre, desktop)
    await centre.logs_off(ALICE)
    if there == "never here":
        centre = await open_centre(beside=centre)
        await centre.logs_on(BOB)
    await until(centre, ELEVEN + timedelta(minutes=5))
    assert desktop.told == []


async def test_a_callback_booked_at_another_host_is_told_here(open_centre: OpenCentre) -> None:
    """Whichever host the agent is at, and one who came after the minute began."""
    desktop = Desktop()
    first = await booked(open_centre, desktop)
    second = await open_centre(beside=first)
    await first.logs_off(ALICE)
    await until(second, ELEVEN - timedelta(minutes=10))
    await second.logs_on(ALICE)
    await second.not_ready(ALICE)
    await until(second, ELEVEN + timedelta(seconds=1))
    assert desktop.told == [("alice", ELEVEN)]
