"""While an agent is busy with another call nothing is dialed for them, and an offer's time stands still."""

import asyncio

import pytest

from cti_hooks import Attempt, AttemptState, Call, CallEventKind, ConnectionState, hookimpl
from lcm_plugin.errors import ConflictError
from lcm_plugin.plugin import lcm_of
from tests.desk.centre import Centre, OpenCentre
from tests.people import ALICE_AT_1001 as ALICE

WAITS = {"seconds": 20, "on_timeout": "skip"}


async def offered(centre: Centre) -> Attempt:
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    shown: Attempt = centre.records.shown[-1]
    return shown


@pytest.mark.parametrize("actor", ["alice", "supervisor 7"])
async def test_nobody_has_a_busy_agents_offer_dialed(open_centre: OpenCentre, actor: str) -> None:
    """A person's dial, whoever says it, is refused while the agent is busy; later it is not."""
    centre = await open_centre(preview=WAITS)
    offer = await offered(centre)
    await centre.busy(ALICE)
    with pytest.raises(ConflictError, match="agent alice is busy with another call"):
        await centre.answers(ALICE, offer, "dial", actor=actor)
    assert (await centre.recorded(offer)).state is AttemptState.OFFERED
    await centre.not_ready(ALICE)
    await centre.answers(ALICE, offer, "dial", actor=actor)
    assert [attempt.id for attempt, _ in centre.dialer.dialed] == [offer.id]


async def test_busy_that_begins_during_the_review(open_centre: OpenCentre) -> None:
    """An ACD call that comes while a person's dial is being reviewed keeps it from being dialed."""

    class Slow:
        seen = 0

        @hookimpl
        async def review_contact(self) -> None:
            self.seen += 1
            if self.seen > 1:
                await asyncio.sleep(2)

    centre = await open_centre(preview=WAITS, plugins=(Slow(),))
    offer = await offered(centre)
    answer = asyncio.create_task(centre.answers(ALICE, offer, "dial"))
    await asyncio.sleep(1)
    await centre.busy(ALICE)
    with pytest.raises(ConflictError, match="busy with another call"):
        await answer
    assert centre.dialer.dialed == []


async def test_a_call_once_more_at_a_busy_agent(open_centre: OpenCentre) -> None:
    """A call that ended is not made once more while its agent is busy with another."""
    centre = await open_centre(1, auto_dispose={})
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    first, _ = centre.dialer.dialed[0]
    await centre.dialer.event(CallEventKind.CALL_CLEARED, first)
    await centre.busy(ALICE)
    with pytest.raises(ConflictError, match="busy with another call"):
        await centre.answers(ALICE, first, "dial")
    assert (await centre.recorded(first)).state is AttemptState.ENDED


async def test_busy_with_the_call_itself_is_no_other_call(open_centre: OpenCentre) -> None:
    """A host that tells busy with the attempt's own call keeps nobody from making it once more."""
    centre = await open_centre(1, auto_dispose={})
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    first, _ = centre.dialer.dialed[0]
    own = Call(id=f"call-{first.id}", attempt_id=first.id, state=ConnectionState.CONNECTED)
    await centre.host.hooks.all("on_agent_busy", agent=ALICE, call=own)
    await centre.dialer.event(CallEventKind.CALL_CLEARED, first)
    await centre.answers(ALICE, first, "dial")
    assert len(centre.dialer.dialed) == 2


@pytest.mark.parametrize("after", ["ready", "not_ready"])
@pytest.mark.long
async def test_the_whole_offers_time_stands_still(open_centre: OpenCentre, after: str) -> None:
    """`offer_seconds` do not pass while the agent is busy; afterwards those that are left do."""
    centre = await open_centre(preview=WAITS | {"seconds": 500}, offer_seconds=60)
    offer = await offered(centre)
    await asyncio.sleep(29)
    await centre.busy(ALICE)
    await asyncio.sleep(300)
    assert (await centre.recorded(offer)).state is AttemptState.OFFERED
    await getattr(centre, after)(ALICE)
    await asyncio.sleep(28)
    assert (await centre.recorded(offer)).state is AttemptState.OFFERED
    await asyncio.sleep(4)
    assert (await centre.recorded(offer)).state is AttemptState.SKIPPED


@pytest.mark.long
async def test_an_offer_put_to_a_busy_agents_screen(open_centre: OpenCentre) -> None:
    """After-call work of the other call starts no timer: the offer waits until the agent is ready again."""
    centre = await open_centre(preview=WAITS, offer_seconds=60)
    offer = await offered(centre)
    await centre.busy(ALICE)
    await asyncio.sleep(10)
    await centre.host.hooks.all("on_agent_working_after_call", agent=ALICE)
    await asyncio.sleep(300)
    assert (await centre.recorded(offer)).state is AttemptState.OFFERED
    await centre.ready(ALICE)
    await asyncio.sleep(25)
    assert (await centre.recorded(offer)).state is AttemptState.SKIPPED


async def test_a_contact_expires_while_its_agent_is_busy(open_centre: OpenCentre) -> None:
    """The LCM's reservation waits for nobody: a contact that expires meanwhile is closed at its moment."""
    centre = await open_centre(1, preview=WAITS, sandbox={"reserve_seconds": 90})
    offer = await offered(centre)
    await centre.busy(ALICE)
    await asyncio.sleep(90)
    assert (await centre.recorded(offer)).state is AttemptState.EXPIRED


async def test_busy_of_a_host_that_names_no_call(open_centre: OpenCentre) -> None:
    """While the attempt's own call is up busy is that one: the agent hears of no other, and may redial."""
    centre = await open_centre(1, auto_dispose={})
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    first, _ = centre.dialer.dialed[0]
    await centre.busy(ALICE)
    assert lcm_of(centre.host).waits_for("alice") == ""
    await centre.dialer.event(CallEventKind.CALL_CLEARED, first)
    await centre.answers(ALICE, first, "dial")
    assert len(centre.dialer.dialed) == 2
