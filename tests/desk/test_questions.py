"""A question is no attempt until it brings something: a shift without contacts leaves nothing behind."""

import asyncio

import pytest
import sqlalchemy as sa
from attrs import define

from cti_hooks import Agent, AttemptState, hookimpl
from lcm_plugin.errors import LcmError
from lcm_plugin.ledger.schema import attempts, history
from lcm_plugin.plugin import lcm_of
from tests.desk.centre import Centre, OpenCentre, people
from tests.people import ALICE, BOB, GROUP


async def kept(centre: Centre) -> list[int]:
    """How many attempts and lines of history there are, once all that is known is written."""
    await centre.ledger.recorded()

    def counted(connection: sa.Connection) -> list[int]:
        tables = (attempts, history)
        return [
            connection.execute(sa.select(sa.func.count()).select_from(one)).scalar_one() for one in tables
        ]

    return await centre.ledger.run(counted)


async def test_a_shift_without_contacts_leaves_nothing(open_centre: OpenCentre) -> None:
    """However often the LCM is asked in vain, no attempt and no line is kept; who listens is told of each."""
    centre = await open_centre(0)
    await centre.ready(ALICE)
    await asyncio.sleep(600)
    await centre.not_ready(ALICE)
    asked = len(centre.records.states(AttemptState.EMPTY))
    assert asked > 100
    assert len(centre.lcm.requests) >= asked
    assert await kept(centre) == [0, 0]


async def test_a_question_that_failed_leaves_nothing(open_centre: OpenCentre) -> None:
    """What surely brought nothing is gone, whatever went wrong."""
    centre = await open_centre()
    centre.lcm.order("reject,status=403")
    with pytest.raises(LcmError):
        await centre.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)
    assert await kept(centre) == [0, 0]


async def test_a_question_that_left_doubt_stays(open_centre: OpenCentre) -> None:
    """It is kept, with its reason: the LCM may have reserved a contact on its account."""
    centre = await open_centre(try_seconds=1, fetch_seconds=2)
    centre.lcm.order("late,seconds=9")
    with pytest.raises(LcmError):
        await centre.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)
    (empty,) = await centre.ledger.attempts()
    assert empty.state is AttemptState.EMPTY
    assert "did not answer" in empty.reason
    assert set(await centre.ledger.doubts()) == {"alice"}


async def test_who_was_given_a_call_meanwhile_asks_nothing(open_centre: OpenCentre) -> None:
    """A waiting agent for whom a supervisor dials what another host had let go of waits no longer."""
    by_hand = {"preview": {"seconds": 60}, "auto_dispose": {}}
    there = await open_centre(people(1, campaign_group="Another"), **by_hand)
    here = await open_centre(beside=there, **by_hand)
    await here.ready(ALICE)
    await asyncio.sleep(7)
    asked = {"agent": ALICE, "campaign_group": "Another"}
    await there.host.hooks.first("request_next_contact", **asked)
    (offer,) = there.records.states(AttemptState.OFFERED)
    await there.logs_off(ALICE)
    await there.ledger.recorded()
    dialed = await here.answers(ALICE, offer, "dial", actor="carol")
    assert dialed.state is AttemptState.DIALING
    there.lcm.requests.clear()
    await asyncio.sleep(60)
    assert there.lcm.requests == []
    assert lcm_of(here.host).waits_for("alice") == ""


async def test_everybody_who_waits_is_told_of_an_outage(
    open_centre: OpenCentre, caplog: pytest.LogCaptureFixture
) -> None:
    """Also who has asked nothing since it began; the log has it once, and once that it is over."""
    caplog.set_level("INFO", "lcm_plugin.desk")
    centre = await open_centre(0)
    await centre.ready(ALICE)
    await centre.ready(BOB)
    await centre.ready(Agent(id="carol"))
    await asyncio.sleep(10)
    desks = lcm_of(centre.host).desks
    assert desks.waits_for("carol").startswith(f"{GROUP} had nothing ")
    centre.lcm.order("drop,times=30")
    await asyncio.sleep(6)
    assert desks.waits_for("carol").startswith("the LCM does not answer, for ")
    await asyncio.sleep(300)
    assert desks.waits_for("carol").startswith(f"{GROUP} had nothing ")
    assert [line.partition(",")[0] for line in caplog.messages if line.startswith("the LCM")] == [
        "the LCM does not answer",
        "the LCM answers again",
    ]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@define(eq=False)
class Chooser:
    """Chooses an agent's groups; broken, it takes its time and fails."""

    broken: bool = False

    @hookimpl
    async def select_campaign_groups(self) -> list[str]:
        if self.broken:
            await asyncio.sleep(3)
            raise ValueError("no groups today")
        return [GROUP]


async def test_a_question_granted_during_a_look_that_failed_is_not_asked(open_centre: OpenCentre) -> None:
    """Its agent has left the line, and looks again by themselves, soon: it must not keep them from that."""
    chooser = Chooser()
    centre = await open_centre(0, plugins=(chooser,), poll_min_seconds=1, poll_max_seconds=1)
    await centre.ready(ALICE)
    await asyncio.sleep(10)
    chooser.broken = True
    centre.lcm.order("busy,status=503,times=10")
    await lcm_of(centre.host).stop_dialing(campaign="Another", actor="carol")  # every desk looks again
    await asyncio.sleep(6)
    chooser.broken = False
    await asyncio.sleep(30)
    centre.lcm.requests.clear()
    await asyncio.sleep(30)
    assert len(centre.lcm.requests) > 20
