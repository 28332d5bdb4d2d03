"""A clock that was ahead for a moment: rules, expiries and callbacks go by the clock as it is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import pytest
from attrs import define

from cti_hooks import Agent, AttemptState, Callback, Contact, Disposition, Refusal, health_of, hookimpl
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.people import ALICE, BOB, GROUP

AHEAD = timedelta(minutes=10)
PREVIEW = {"seconds": 7200, "on_timeout": "skip"}
Running: TypeAlias = Any
Site: TypeAlias = Any
SetBack: TypeAlias = Any
"""All are conftest's."""


@pytest.fixture
async def site(open_site: Callable[..., AbstractAsyncContextManager[Site]]) -> AsyncIterator[Site]:
    """An LCM whose own clock is right, and whose reservations last for twice as long as its host is ahead."""
    async with open_site(LoopClock(), reserve_seconds=2 * AHEAD.total_seconds()) as site:
        yield site


@define(eq=False)
class Window:
    """Calls may be placed from this moment on."""

    opens: datetime

    @hookimpl
    def review_contact(self, contact: Contact, moment: datetime) -> Refusal | None:
        return None if moment >= self.opens else Refusal(rule="window", reason="it is not open yet")


async def fetched_ahead(host: Running, clock: SetBack, by: timedelta = AHEAD) -> Contact:
    """A contact comes for bob while the clock is ahead; then the clock is right again."""
    clock.offset = by
    contact: Contact = await host.host.hooks.first("request_next_contact", agent=BOB, campaign_group=GROUP)
    await asyncio.sleep(3)
    clock.offset = timedelta(0)
    return contact


async def clock_of(host: Running) -> list[str]:
    """What health says of the clock, if it is not good."""
    health = health_of(await host.host.hooks.all("report_health"))
    return [one.seen for one in health if one.what == "clock" and not one.good]


async def test_no_window_opens_early(site: Site, set_back: SetBack) -> None:
    """Nothing is dialed before the window opens by the clock as it is now, here and after a restart."""
    window = Window(set_back.now() + AHEAD / 2)
    a = await site.start("a", clock=set_back, plugins=[window])
    await fetched_ahead(a, set_back)
    await a.ready(ALICE)
    b = await site.start("b", clock=set_back, plugins=[window])
    await b.ready(Agent(id="carol"))
    await asyncio.sleep(AHEAD.total_seconds() / 3)
    assert (a.dialer.dialed, b.dialer.dialed) == ([], [])


async def test_a_clock_behind_the_ledger_refuses(site: Site, set_back: SetBack) -> None:
    """Whose clock is behind what the ledger knows fetches and dials nothing, and says so."""
    a = await site.start("a", clock=set_back, offer_seconds=7200)
    assert await clock_of(a) == []
    await fetched_ahead(a, set_back)
    await a.ready(ALICE)
    await a.ready(BOB)  # who holds a contact
    await asyncio.sleep(60)
    (seen,) = await clock_of(a)
    (held,) = a.ledger.held
    assert "behind" in seen
    assert (held.agent.id, held.reason, lcm_of(a.host).waits_for("alice")) == ("bob", seen, seen)
    assert (len(site.lcm.account.keys_handed()), a.dialer.dialed) == (1, [])
    await asyncio.sleep(AHEAD.total_seconds())
    assert {one.agent.id for one in a.dialer.dialed} == {"alice", "bob"}
    assert await clock_of(a) == []


async def test_a_second_of_difference_is_no_reason(site: Site, set_back: SetBack) -> None:
    """Clocks of two hosts are never quite the same: one a second behind the other dials."""
    a = await site.start("a")
    await a.ready(BOB)
    await asyncio.sleep(1)
    set_back.offset = -timedelta(seconds=1)
    b = await site.start("b", clock=set_back)
    await b.ready(ALICE)
    await asyncio.sleep(0.5)
    assert len(b.dialer.dialed) == 1
    assert await clock_of(b) == []


async def test_nobody_waits_for_another_host_s_clock(site: Site, set_back: SetBack) -> None:
    """What waits at a host whose clock is a minute ahead comes along at once all the same."""
    set_back.offset = timedelta(minutes=1)
    a = await site.start("a", clock=set_back, preview={"seconds": 600}, offer_seconds=3600)
    b = await site.start("b", preview={"seconds": 600}, offer_seconds=3600)
    await a.ready()
    await asyncio.sleep(5)
    (offer,) = a.ledger.held
    await b.ready()
    await asyncio.sleep(5)
    assert [one.id for one in b.ledger.held] == [offer.id]


async def test_what_lives_has_not_expired(site: Site, set_back: SetBack) -> None:
    """An offer whose contact is still reserved is taken up after a restart, whatever the clock said."""
    a = await site.start("a", clock=set_back, preview=PREVIEW)
    contact = await fetched_ahead(a, set_back, by=3 * AHEAD)
    await a.host.hooks.all("on_agent_logged_off", agent=BOB)
    b = await site.start("b", clock=set_back, preview=PREVIEW)
    await b.ready(BOB)
    await asyncio.sleep(1)
    (offer,) = b.ledger.held
    assert (offer.contact.key, offer.state) == (contact.key, AttemptState.OFFERED)


async def test_a_callback_in_twenty_minutes_is_not_past(site: Site, set_back: SetBack) -> None:
    """A callback is in the past by the clock as it is now."""
    a = await site.start("a", clock=set_back, preview=PREVIEW, callback_time_zone="UTC")
    await fetched_ahead(a, set_back)
    (offer,) = await a.ledger.attempts(agent_id="bob")
    starts_at = set_back.now() + AHEAD / 3
    callback = Callback(kind="regular", starts_at=starts_at, ends_at=starts_at + AHEAD / 3)
    disposition = Disposition(outcome_id="4", callback=callback)
    told = {"agent": BOB, "attempt_id": offer.id, "actor": "bob"}
    disposed = await a.host.hooks.first("dispose_attempt", disposition=disposition, **told)
    assert disposed.state is AttemptState.DISPOSED
