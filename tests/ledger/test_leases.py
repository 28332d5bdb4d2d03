"""What happens to attempts when their host ends: taken over once, looked up, never dialed."""

import asyncio
import os
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import define

from cti_hooks import Agent, Attempt, AttemptState, Contact
from lcm_plugin.attempt.transitions import DOUBTED, ENDED, FETCHED, PLACED
from lcm_plugin.ledger import AttemptLostError, DialingStoppedError, Ledger
from lcm_plugin.ledger.place import is_dead, own_place
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.ledger.wire import OpenLedger, Told
from tests.people import ALICE, BOB, CAROL, DAVE

STATES = [AttemptState.REQUESTED, AttemptState.OFFERED, AttemptState.DIALING, AttemptState.CALLING]


async def stop(ledger: Ledger) -> None:
    """As a process that is frozen: it renews nothing, and ends nothing."""
    ledger.freeze()
    await asyncio.sleep(0)


async def bring(ledger: Ledger, agent: Agent, state: AttemptState, **facts: Any) -> Attempt:
    attempt = await ledger.open(agent, "G")
    if state is AttemptState.REQUESTED:
        return attempt
    contact = Contact(key=f"key of {agent.id}", phone_number="+12125550101", **facts)
    attempt = ledger.change(attempt, FETCHED, contact=contact)
    if state is AttemptState.OFFERED:
        return attempt
    attempt = await ledger.dial(attempt)
    after = {AttemptState.CALLING: PLACED, AttemptState.UNKNOWN: DOUBTED, AttemptState.ENDED: ENDED}
    return ledger.change(attempt, after[state]) if state in after else attempt


async def test_a_held_row_is_taken_over_only_after_its_lease(open_ledger: OpenLedger) -> None:
    """While its host renews the lease nothing is taken over; once it stood still for so long, all is."""
    one = await open_ledger("h1", lease_seconds=30)
    adopted: list[Attempt] = []
    two = await open_ledger("h2", lease_seconds=30, news=Told(adopted_ones=adopted))
    held = await bring(one, ALICE, AttemptState.DIALING)
    await asyncio.sleep(300)
    assert adopted == []
    await stop(one)
    await asyncio.sleep(22)  # it may have renewed a quarter of the lease before it was stopped
    assert adopted == []
    await asyncio.sleep(22)
    assert [(one.id, one.state, one.host) for one in adopted] == [(held.id, AttemptState.UNKNOWN, "h2")]
    assert (await two.get(held.id)).state is AttemptState.UNKNOWN  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize("leaves", ["frozen", "closed"])
async def test_each_state_is_left_as_the_design_says(open_ledger: OpenLedger, leaves: str) -> None:
    """requested: empty, with doubt. offered: free to be taken up. dialing, calling: unknown, never dialed."""
    one = await open_ledger("h1", lease_seconds=30)
    adopted: list[Attempt] = []
    two = await open_ledger("h2", lease_seconds=30, news=Told(adopted_ones=adopted))
    agents = (ALICE, BOB, CAROL, DAVE)
    left = [await bring(one, agent, state) for agent, state in zip(agents, STATES, strict=True)]
    await (stop(one) if leaves == "frozen" else one.close())
    await asyncio.sleep(60)
    requested, offered, dialing, calling = [await two.get(attempt.id) for attempt in left]
    assert requested is not None
    assert requested.state is AttemptState.EMPTY
    assert set(await two.doubts()) == {"alice"}
    assert {one.id for one in adopted} == {left[2].id, left[3].id}
    assert {one.state for one in (dialing, calling) if one} == {AttemptState.UNKNOWN}
    taken_up = await two.open(BOB, "G")
    assert taken_up.id == left[1].id
    assert taken_up.host == "h2"
    assert offered is not None
    assert taken_up.contact == offered.contact


async def test_a_host_that_comes_back_sees_what_it_lost(open_ledger: OpenLedger) -> None:
    """A host stopped for longer than its lease dials nothing of what it held, and is told so."""
    lost: list[Attempt] = []
    one = await open_ledger("h1", lease_seconds=30, news=Told(lost_ones=lost))
    await open_ledger("h2", lease_seconds=30)
    held = await bring(one, ALICE, AttemptState.OFFERED)
    await stop(one)
    await asyncio.sleep(60)
    with pytest.raises(AttemptLostError):
        await one.dial(held)
    assert [attempt.id for attempt in lost] == [held.id]
    with pytest.raises(AttemptLostError):
        await one.held_for(20)
    assert await one.held_for(20) == 20, "it has begun a lease of its own again"


async def test_only_one_host_takes_over(open_ledger: OpenLedger) -> None:
    """Of several that see a lease end, one adopts each attempt."""
    one = await open_ledger("h1", lease_seconds=30)
    adopted: list[Attempt] = []
    for host in ("h2", "h3", "h4"):
        await open_ledger(host, lease_seconds=30, news=Told(adopted_ones=adopted))
    held = await bring(one, ALICE, AttemptState.CALLING)
    await stop(one)
    await asyncio.sleep(120)
    assert [attempt.id for attempt in adopted] == [held.id]


async def test_what_is_seen_of_a_call_holds_whoever_has_it(open_ledger: OpenLedger) -> None:
    """A host that lost an attempt and still hears its call end records that: it is what happened."""
    one = await open_ledger("h1", lease_seconds=30)
    two = await open_ledger("h2", lease_seconds=30)
    held = await bring(one, ALICE, AttemptState.CALLING)
    await stop(one)
    await asyncio.sleep(60)
    one.change(held, ENDED, reason="call_cleared")
    await one.doubts()
    adopted = two.get_open(held.id)
    assert adopted is not None
    assert not await two.still_has(adopted)
    recorded = await two.get(held.id)
    assert recorded is not None
    assert recorded.state is AttemptState.ENDED
    assert two.get_open(held.id) is None


async def test_an_offer_that_expired_meanwhile_is_closed(open_ledger: OpenLedger) -> None:
    """Nobody takes up an offer past its contact's expiry: it is closed, and a new attempt opened."""
    one = await open_ledger("h1")
    held = await bring(one, ALICE, AttemptState.OFFERED, expires_at=one.now() + timedelta(seconds=60))
    one.release(held)
    await asyncio.sleep(61)
    fresh = await one.open(ALICE, "G")
    assert (fresh.id != held.id, fresh.state) == (True, AttemptState.REQUESTED)
    assert (await one.get(held.id)).state is AttemptState.EXPIRED  # type: ignore[union-attr]  # it is there


@define
class SetBack:
    """A clock that can be set."""

    clock: LoopClock
    by: timedelta = timedelta(0)

    def now(self) -> datetime:
        return self.clock.now() - self.by


async def test_a_clock_set_back_revives_nothing_and_ends_no_lease(
    open_ledger: OpenLedger, clock: LoopClock
) -> None:
    """Set back an hour: what has expired is not dialed, leases live on, and the order's time stands still."""
    set_back = SetBack(clock)
    adopted: list[Attempt] = []
    one = await open_ledger("h1", lease_seconds=30, clock=set_back)
    await open_ledger("h2", lease_seconds=30, news=Told(adopted_ones=adopted))
    expiring = await bring(one, ALICE, AttemptState.OFFERED, expires_at=one.now() + timedelta(seconds=60))
    held = await bring(one, BOB, AttemptState.CALLING)
    one.release(expiring)
    await asyncio.sleep(90)
    before = one.timeline.now()
    set_back.by = timedelta(hours=1)
    assert one.timeline.now() == before
    await asyncio.sleep(300)
    assert adopted == []
    with pytest.raises(DialingStoppedError, match="clock is behind"):
        await one.dial(await one.open(ALICE, "G"))
    assert one.get_open(held.id) is not None
    set_back.by = timedelta(days=30)
    assert one.timeline.now() < before, "a clock that was a month ahead is believed once it is set right"


def test_a_process_that_ended_is_proven_dead() -> None:
    """On this machine a host is succeeded at once when its process is gone, and never while it lives."""
    code = "from lcm_plugin.ledger.place import own_place; print(own_place(), flush=True); input()"
    with subprocess.Popen(  # noqa: S603  (our own code)
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        place = running.stdout.readline().strip()
        assert not is_dead(place)
        running.communicate("\n")
    assert is_dead(place)
    assert not is_dead(own_place())
    elsewhere = place.replace(place.split(":")[0], "another-boot")
    assert not is_dead(elsewhere)
    assert not is_dead("")
    reused = ":".join([*own_place().split(":")[:3], "1"])
    assert is_dead(reused), f"pid {os.getpid()} is another process's now"
