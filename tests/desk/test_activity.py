"""What an agent is doing is told as it changes, beside the state that the host owns."""

import asyncio
from datetime import timedelta

import pytest
from attrs import define, field

from cti_hooks import Activity, ActivityKind, Agent, Attempt, CallEventKind, Disposition, hookimpl
from lcm_plugin.plugin import lcm_of
from tests.desk.centre import Centre, OpenCentre, people
from tests.people import ALICE_AT_1001 as ALICE

OFFERS = {"preview": {"seconds": 600}, "auto_dispose": {}}


@define(eq=False)
class Board:
    """Hears what agents do."""

    heard: list[Activity] = field(factory=list)
    attempts: list[str] = field(factory=list)

    @hookimpl
    def on_agent_activity(self, agent: Agent, activity: Activity) -> None:
        assert agent.id == "alice"
        self.heard.append(activity)
        self.attempts.append(activity.kind.value)

    @hookimpl
    def on_attempt_changed(self, attempt: Attempt) -> None:
        self.attempts.append(f"attempt {attempt.state}")

    @property
    def kinds(self) -> list[str]:
        return [one.kind.value for one in self.heard]


def now(centre: Centre) -> Activity:
    found = lcm_of(centre.host).desks.activity("alice")
    assert found
    return found


async def ready(centre: Centre) -> Attempt:
    await centre.logs_on(ALICE)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    return centre.records.shown[-1]


async def test_a_whole_call_step_by_step(open_centre: OpenCentre) -> None:
    """Each step of a call is told, once, with the instant it began."""
    board = Board()
    centre = await open_centre(plugins=(board,), **OFFERS)
    attempt = await ready(centre)
    await centre.answers(ALICE, attempt, "dial")
    await centre.call(ALICE, CallEventKind.DELIVERED)
    await asyncio.sleep(10)
    await centre.call(ALICE, CallEventKind.ESTABLISHED)
    began = now(centre).since
    await asyncio.sleep(100)
    call = await centre.call(ALICE, CallEventKind.CALL_CLEARED)
    await centre.not_ready(ALICE)
    await centre.disposes(call, Disposition(outcome_id="0"))
    steps = ["waiting", "fetching", "offered", "placing", "ringing", "talking", "wrap_up", "idle"]
    assert board.kinds == steps
    assert [one.since for one in board.heard if one.kind is ActivityKind.TALKING] == [began]
    moments = [one.since for one in board.heard]
    assert moments == sorted(moments)


async def test_told_after_the_attempt_that_it_follows_from(open_centre: OpenCentre) -> None:
    """A board hears of an offer before it hears that its agent has one."""
    board = Board()
    centre = await open_centre(plugins=(board,), **OFFERS)
    await ready(centre)
    assert board.attempts == [
        "waiting",
        "attempt requested",
        "fetching",
        "attempt offered",
        "offered",
    ]


async def test_who_waits_says_for_what(open_centre: OpenCentre) -> None:
    """An agent who wants a contact and gets none: waiting, with the reason in a sentence."""
    centre = await open_centre(0, poll_min_seconds=20, poll_max_seconds=20)
    await centre.ready(ALICE)
    await asyncio.sleep(5)
    assert (now(centre).kind, now(centre).wants) == (ActivityKind.WAITING, True)
    assert "had nothing" in now(centre).waits_for


async def test_who_is_stopped_says_why(open_centre: OpenCentre) -> None:
    """Ready, and nothing is fetched: by a stop of dialing, and no more once that is resumed."""
    centre = await open_centre(0)
    await lcm_of(centre.host).stop_dialing(actor="sue")
    await centre.ready(ALICE)
    await asyncio.sleep(5)
    assert now(centre).kind is ActivityKind.STOPPED
    assert "sue stopped dialing" in now(centre).waits_for
    await lcm_of(centre.host).resume_dialing()
    await asyncio.sleep(5)
    assert now(centre).kind is ActivityKind.WAITING


async def test_who_answers_no_offer_is_stopped(open_centre: OpenCentre) -> None:
    """The offer that is held is offered still; once it is gone, the agent is stopped until ready anew."""
    preview = {"seconds": 5, "on_timeout": "skip", "unanswered": 1}
    centre = await open_centre(people(1), preview=preview, sandbox={"reserve_seconds": 60})
    await ready(centre)
    await asyncio.sleep(10)
    assert (now(centre).kind, now(centre).wants) == (ActivityKind.OFFERED, False)
    await asyncio.sleep(60)
    assert now(centre).kind is ActivityKind.STOPPED
    assert "no answer to an offer" in now(centre).waits_for


async def test_a_call_nobody_knows_of_is_said_to_be_so(open_centre: OpenCentre) -> None:
    """While it is looked up whether a call rang, that is what its agent's activity says."""
    centre = await open_centre()
    centre.dialer.fails.append(ConnectionError("lost"))
    await centre.ready(ALICE)
    await asyncio.sleep(5)
    assert now(centre).kind is ActivityKind.UNKNOWN_CALL


@pytest.mark.parametrize("state", ["not_ready", "busy", "logs_off"])
async def test_who_does_something_else_is_idle(open_centre: OpenCentre, state: str) -> None:
    """Not ready, busy elsewhere or gone, with nothing in hand: idle, from that instant."""
    centre = await open_centre(0)
    await centre.ready(ALICE)
    await asyncio.sleep(5)
    await getattr(centre, state)(ALICE)
    at = centre.ledger.now()
    await asyncio.sleep(10)
    assert (now(centre).kind, now(centre).wants) == (ActivityKind.IDLE, False)
    assert abs(now(centre).since - at) < timedelta(seconds=0.1)


async def test_an_agent_at_another_host_is_idle_here(open_centre: OpenCentre) -> None:
    """What they do is told by the host where they are."""
    here = await open_centre(**OFFERS)
    there = await open_centre(beside=here)
    await ready(here)
    await asyncio.sleep(5)
    await ready(there)
    await asyncio.sleep(15)
    assert now(there).kind is ActivityKind.OFFERED
    assert now(here).kind is ActivityKind.IDLE
