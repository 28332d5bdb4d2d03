"""Who has an attempt: one host at a time, whatever stops, and it is never let go unseen.

Each way that real systems got wrong is a test here (what peers do, section 2).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import pytest
import sqlalchemy as sa
from attrs import define

from cti_hooks import (
    Attempt,
    AttemptState,
    Call,
    CallEventKind,
    ConnectionState,
    Contact,
    Dial,
    Host,
    Outcome,
    hookimpl,
)
from lcm_plugin.attempt.transitions import ENDED, FETCHED, PLACED
from lcm_plugin.ledger import (
    AttemptLostError,
    Database,
    DialingStoppedError,
    KeyTakenError,
    Ledger,
    LedgerUnavailable,
    database_for,
)
from lcm_plugin.ledger.database import Step
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import SandboxContact
from lcm_plugin.sandbox.virtual_time import LoopClock, VirtualTimeLoop
from tests.people import ALICE, BOB, GROUP

LEASE = 30
Running: TypeAlias = Any
Site: TypeAlias = Any
SetBack: TypeAlias = Any
"""All are conftest's."""
OpenSite = Callable[..., AbstractAsyncContextManager[Any]]


async def called(host: Running) -> Attempt:
    """The attempt of a call that alice has now."""
    await host.ready()
    await asyncio.sleep(1)
    attempt: Attempt = host.dialer.dialed[-1]
    return attempt


async def frozen_in_a_call(site: Site) -> tuple[Running, Running, Attempt]:
    """Host A, frozen while it had a call; host B, which has just taken the attempt over."""
    a, b = await site.start("a"), await site.start("b")
    attempt = await called(a)
    b.dialer.unreachable = True  # so that it stays unknown
    a.freeze_lease()
    await asyncio.sleep(1.5 * LEASE)
    assert await b.state(attempt) is AttemptState.UNKNOWN
    return a, b, attempt


# -- a host that was frozen, and comes back ----------------------------------------------------------------


async def test_a_held_row_is_taken_over(site: Site) -> None:
    """A row that a dead host still holds is found, though it is held; its call is looked up and settled."""
    _, b, attempt = await frozen_in_a_call(site)
    b.dialer.unreachable = False
    await asyncio.sleep(60)
    assert await b.state(attempt) is AttemptState.CLOSED
    reasons = [line.reason for line in await b.ledger.history(attempt.id)]
    assert "host a ended while it was calling" in reasons


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize(("down", "state"), [("bob", AttemptState.CLOSED), ("alice", AttemptState.UNKNOWN)])
async def test_only_its_own_engine_leaves_an_attempt_open(
    site: Site, down: str, state: AttemptState, *, recorded: bool
) -> None:
    """An engine that cannot be asked leaves unknown what it was given, or would have been; nothing else."""
    a, b = await site.start("a"), await site.start("b")
    for host in (a, b):
        host.dialer.engines, host.dialer.down = ("alice", "bob"), down
    a.dialer.error = None if recorded else RuntimeError("the host ended before it had an answer")
    attempt = await called(a)
    a.freeze_lease()
    await asyncio.sleep(10 * LEASE)
    assert await b.state(attempt) is state
    assert len(b.dialer.dialed) == 0


@pytest.mark.long
async def test_a_dialer_s_name_may_have_blanks(site: Site) -> None:
    """A call that its dialer never saw is over once its deadline is, whatever the dialer is called."""
    a = await site.start("a", dialer_name="my dialer")
    a.dialer.error = ConnectionError("lost")
    attempt = await called(a)
    await asyncio.sleep(600)
    assert await a.state(attempt) is AttemptState.CLOSED


async def test_a_call_that_goes_on_is_asked_for_once_its_dialer_has_started(site: Site) -> None:
    """After a restart, a dialer that starts behind lcm is asked when it can tell: people go on talking."""
    first = await site.start("a")
    attempt = await called(first)
    await asyncio.sleep(2 * LEASE)  # its deadline is long over
    await first.ledger.close()
    second = await site.start("b", talks=True)
    await asyncio.sleep(2 * LEASE)
    assert await second.state(attempt) is AttemptState.CALLING


async def test_a_host_that_observes_asks_for_no_call(site: Site) -> None:
    """What was left behind is looked up by a host that runs, never by one that only observes beside it."""
    first = await site.start("a")
    attempt = await called(first)
    await first.ledger.close()
    observer = await site.start("b", observes=True)
    await asyncio.sleep(2 * LEASE)
    assert await observer.state(attempt) is AttemptState.UNKNOWN


@pytest.mark.long
async def test_a_host_that_observes_sends_nothing_that_waits(site: Site) -> None:
    """What the LCM is still to be told is sent by a host that runs, never by one that only observes."""
    first = await site.start("a")
    attempt = await called(first)
    site.lcm.order("busy,status=503")
    await first.sees(CallEventKind.CALL_CLEARED, attempt)
    await asyncio.sleep(1)
    await lcm_of(first.host).desks.disposing.outbox.close()
    site.lcm.faults.clear()
    await site.start("b", observes=True)
    await asyncio.sleep(20 * LEASE)
    assert site.lcm.account.dispositions == []
    await site.start("c")
    await asyncio.sleep(20 * LEASE)
    assert len(site.lcm.account.dispositions) == 1


async def test_a_row_of_a_living_host_is_left_alone(site: Site) -> None:
    """However long a call lasts, nobody takes it from a host that renews its lease."""
    a, b = await site.start("a"), await site.start("b")
    attempt = await called(a)
    await asyncio.sleep(10 * LEASE)
    assert await b.state(attempt) is AttemptState.CALLING


async def test_who_sees_the_call_has_it(site: Site) -> None:
    """The resumed host sees its call go on: it has the attempt again, and the other's agent is free."""
    a, b, attempt = await frozen_in_a_call(site)
    await a.sees(CallEventKind.DELIVERED, attempt)  # before it notices that it was frozen
    await asyncio.sleep(1)
    assert await b.state(attempt) is AttemptState.UNKNOWN
    await a.resume()
    await a.sees(CallEventKind.ESTABLISHED, attempt)
    await asyncio.sleep(60)
    assert await b.state(attempt) is AttemptState.CALLING
    await a.sees(CallEventKind.CALL_CLEARED, attempt)
    await asyncio.sleep(1)
    assert await b.state(attempt) is AttemptState.CLOSED
    await b.ready()
    await asyncio.sleep(20)
    assert len(b.keys) == 1
    assert b.keys != a.keys


async def test_what_is_seen_too_late_reopens_nothing(site: Site) -> None:
    """Events of a call that was settled meanwhile are told by the history; agent and ledger stay free."""
    a, b, attempt = await frozen_in_a_call(site)
    b.dialer.unreachable = False
    await asyncio.sleep(60)
    await b.ready()
    await asyncio.sleep(5)
    await a.resume()
    await a.sees(CallEventKind.ESTABLISHED, attempt)
    await a.sees(CallEventKind.CALL_CLEARED, attempt)
    await asyncio.sleep(1)
    assert await b.state(attempt) is AttemptState.CLOSED
    assert [line.reason for line in await b.ledger.history(attempt.id)][-2:] == [
        "established; seen by a host that had lost it",
        "call_cleared; seen by a host that had lost it",
    ]
    assert len(b.keys) == 1
    assert await b.state(b.dialer.dialed[0]) is AttemptState.CALLING
    assert a.ledger.health().good


async def test_an_agent_is_free_where_a_doubtful_call_was_lost(site: Site) -> None:
    """A host that lost an attempt in doubt does not keep its agent from the next contact."""
    a, b = await site.start("a"), await site.start("b")
    a.dialer.error, a.dialer.unreachable = ConnectionError("lost"), True
    attempt = await called(a)
    a.freeze_lease()
    await asyncio.sleep(2 * LEASE)
    assert await b.state(attempt) is AttemptState.CLOSED
    await a.resume()
    a.dialer.error = None
    await a.ready()
    await asyncio.sleep(20)
    assert len(a.keys) == 2
    assert not b.keys


async def test_nothing_is_kept_of_a_call_that_another_host_has_closed(site: Site) -> None:
    """What was heard of a call here is dropped once it is watched no more."""
    a, _ = await site.start("a"), await site.start("b")
    attempt = await called(a)
    await a.sees(CallEventKind.DELIVERED, attempt)
    a.freeze_lease()
    await asyncio.sleep(2 * LEASE)
    assert await a.state(attempt) is AttemptState.CLOSED
    await a.resume()
    await asyncio.sleep(LEASE)
    await a.host.hooks.all("on_agent_logged_off", agent=ALICE)
    await asyncio.sleep(1)
    assert lcm_of(a.host).desks.of(ALICE).is_left


async def test_an_offer_that_was_lost_is_put_again(site: Site) -> None:
    """An agent whose offer was lost with its host's lease has it again at once, without another ready."""
    a, b = await site.start("a", preview={"seconds": 600}, offer_seconds=3600), await site.start("b")
    await a.ready()
    await asyncio.sleep(5)
    (offer,) = a.ledger.held
    a.freeze_lease()
    await asyncio.sleep(2 * LEASE)
    await a.resume()
    await asyncio.sleep(1)
    assert [one.id for one in a.ledger.held] == [offer.id]
    assert await a.ledger.still_has(offer)
    assert await b.ledger.doubts() == {}


async def test_what_is_asked_for_by_hand_comes_along(site: Site) -> None:
    """If an agent asks for each contact, one that waits at a living host is theirs here too."""
    by_hand = {"fetch_when": ["on_request"], "preview": {"seconds": 600, "on_timeout": "skip"}}
    a, b = await site.start("a", **by_hand), await site.start("b", **by_hand)
    for host in (a, b, a):
        await host.ready()
        await asyncio.sleep(20)
        contact = await host.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)
        assert (contact.key, [one.contact for one in host.ledger.held]) == ("0|0|0|0|0|0|0", [contact])
    (offer,) = a.ledger.held
    await b.ready()
    await asyncio.sleep(20)
    said = {"attempt_id": offer.id, "answer": "skip", "reason": None, "actor": "alice"}
    await b.host.hooks.first("answer_contact", agent=ALICE, **said)
    assert await b.state(offer) is AttemptState.SKIPPED


class Slow:
    """Takes its time over every contact."""

    @hookimpl
    async def enrich_contact(self, contact: Contact) -> Contact:
        await asyncio.sleep(2)
        return contact


async def test_ready_told_again_while_a_contact_comes_is_no_arrival(site: Site) -> None:
    """Nothing is taken back later from the host that its agent has gone to."""
    a = await site.start("a", plugins=[Slow()], preview={"seconds": 600}, offer_seconds=3600)
    b = await site.start("b", preview={"seconds": 600}, offer_seconds=3600)
    await a.ready()
    await asyncio.sleep(1)
    await a.ready()
    await asyncio.sleep(10)
    (offer,) = a.ledger.held
    await b.ready()
    await asyncio.sleep(60)
    assert (a.ledger.held, [one.id for one in b.ledger.held]) == ([], [offer.id])


async def test_ready_told_again_where_nothing_came_is_no_later_arrival(
    open_site: OpenSite, clock: LoopClock
) -> None:
    """What an agent gets at the host that they have gone to is theirs there."""
    async with open_site(clock, people=0) as site:
        waits = {"preview": {"seconds": 600}, "offer_seconds": 3600}
        a, b = await site.start("a", **waits), await site.start("b", **waits)
        await a.ready()
        await asyncio.sleep(300)
        await a.ready()
        await asyncio.sleep(1)
        site.lcm.add(SandboxContact(key="0|1", phone_number="+12125550001", campaign_group=GROUP))
        await b.ready()
        await asyncio.sleep(120)
        assert (a.ledger.held, len(b.ledger.held)) == ([], 1)


async def test_a_contact_that_came_after_its_attempt_was_lost(site: Site) -> None:
    """What the LCM gave a host that had lost its attempt meanwhile is asked for again, not lost."""
    a, b = await site.start("a"), await site.start("b")
    attempt = await a.ledger.open(ALICE, GROUP)
    a.freeze_lease()
    await asyncio.sleep(2 * LEASE)
    b.ledger.end_doubt(ALICE)
    await b.ledger.recorded()
    a.ledger.change(attempt, FETCHED, contact=Contact(key="k", phone_number="+12125550101"))
    await asyncio.sleep(1)
    assert (await b.ledger.doubts())["alice"].campaign_group == GROUP


async def test_the_doubt_of_another_group_survives_a_crash(site: Site) -> None:
    """A host that dies while it settles doubt leaves that doubt, not one of the group asked for next."""
    a, b = await site.start("a"), await site.start("b")
    a.ledger.note_doubt(ALICE, "The group that left it", "no answer")
    await a.ledger.open(ALICE, GROUP)
    a.freeze_lease()
    await asyncio.sleep(2 * LEASE)
    assert (await b.ledger.doubts())["alice"].campaign_group == "The group that left it"


# -- the lessons of others ---------------------------------------------------------------------------------


async def offered(ledger: Ledger, agent: Any = ALICE, key: str = "k") -> Attempt:
    attempt = await ledger.open(agent, GROUP)
    return ledger.change(
        attempt, FETCHED, contact=Contact(key=key, phone_number="+12125550101"), reason="fetched"
    )


async def test_three_calls_do_not_become_fifty_one(site: Site) -> None:
    """Of fifty-one workers with the same stale snapshot of an attempt, one may dial it."""
    a = await site.start("a")
    attempt = await offered(a.ledger)
    results = await asyncio.gather(*(a.ledger.dial(attempt) for _ in range(51)), return_exceptions=True)
    assert sum(isinstance(one, Attempt) for one in results) == 1
    assert sum(isinstance(one, AttemptLostError) for one in results) == 50


async def test_two_agents_do_not_ring_one_contact(site: Site) -> None:
    """A key that the LCM handed to two agents at two hosts is dialed by one of them."""
    a, b = await site.start("a"), await site.start("b")
    first = await offered(a.ledger)
    await a.ledger.recorded()
    second = await offered(b.ledger, BOB)
    dialing = await a.ledger.dial(first)
    assert dialing.state is AttemptState.DIALING
    with pytest.raises(KeyTakenError):
        await b.ledger.dial(second)
    a.ledger.change(dialing, ENDED)
    with pytest.raises(KeyTakenError):
        await b.ledger.dial(second)


@define(eq=False)
class Hanging:
    """A gateway that places its calls when everybody has gone home."""

    asked: int = 0
    placed: int = 0

    @hookimpl
    async def make_call(self, attempt: Attempt, dial: Dial) -> Call:
        self.asked += 1
        await asyncio.sleep(49 * 60)
        self.placed += 1
        return Call(id="late", attempt_id=attempt.id, state=ConnectionState.INITIATED)


@pytest.mark.long
async def test_no_call_49_minutes_late(tmp_path: Path, clock: LoopClock, site: Site) -> None:
    """A call that could not be placed before its deadline is never placed later, nor asked for again."""
    hanging = Hanging()
    settings = {
        "url": site.lcm.url,
        "source": "late",
        "timezone": "UTC",
        "campaign_groups": [GROUP],
        "ledger": f"sqlite:///{tmp_path}/ledger.db",
        "preview": {"seconds": 0},
        "reserved_first": False,
    }
    config = {"cti": {"plugins": ["lcm"]}, "plugins": {"lcm": settings}}
    host = Host.from_config(config, clock=clock, random=Random(1))
    host.register(hanging)
    async with host:
        await host.hooks.all("on_agent_ready", agent=ALICE)
        await asyncio.sleep(3600)
    assert (hanging.asked, hanging.placed) == (1, 0)


async def test_an_orphan_between_recorded_and_dialed(site: Site) -> None:
    """An attempt recorded as dialing by a host that died before it dialed is settled in bounded time."""
    a, b = await site.start("a"), await site.start("b")
    attempt = await a.ledger.dial(await offered(a.ledger), not_after=site.clock.now() + timedelta(seconds=10))
    a.freeze_lease()
    await asyncio.sleep(2 * LEASE)
    assert await b.state(attempt) is AttemptState.DISPOSED, "this LCM never heard of its key"
    assert not b.keys


@define(eq=False)
class Breaking:
    """A database that can be broken."""

    database: Database
    broken: bool = False

    @property
    def name(self) -> str:
        return self.database.name

    async def run(self, step: Step[Any]) -> Any:
        if self.broken:
            raise sa.exc.OperationalError("", None, OSError("no space left on device"))
        return await self.database.run(step)

    async def close(self) -> None:
        await self.database.close()


@pytest.fixture
async def breaking(tmp_path: Path, clock: LoopClock) -> AsyncIterator[tuple[Ledger, Breaking]]:
    database = Breaking(database_for("sqlite:///ledger.db", tmp_path))
    ledger = Ledger(database=database, clock=clock, random=Random(1), host="h", lease_seconds=LEASE)
    await ledger.start()
    try:
        yield ledger, database
    finally:
        database.broken = False
        await ledger.close()


async def test_accepted_but_not_recorded_is_held(breaking: tuple[Ledger, Breaking]) -> None:
    """A call that the dialer took while the ledger could not be written is held, and recorded later."""
    ledger, database = breaking
    offer = await offered(ledger)
    attempt = await ledger.dial(offer)
    database.broken = True
    ledger.change(attempt, PLACED, reason="placed")
    await asyncio.sleep(20)
    assert not ledger.health().good
    with pytest.raises(LedgerUnavailable):
        await ledger.open(BOB)
    database.broken = False
    await asyncio.sleep(20)
    assert ledger.health().good
    assert [line.state.value for line in await ledger.history(attempt.id)][-2:] == ["dialing", "calling"]
    with pytest.raises(AttemptLostError):
        await ledger.dial(offer)


async def test_a_dial_that_cannot_be_confirmed_is_taken_back(breaking: tuple[Ledger, Breaking]) -> None:
    """Recorded as dialing, and then the lease cannot be checked: it is not dialed, and offered again."""
    ledger, database = breaking
    attempt = await offered(ledger)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)

    def stopped(changed: Attempt, when: str) -> None:
        if (changed.state, when) == (AttemptState.DIALING, "after"):
            database.broken = True
            loop.stand_still(LEASE)

    ledger.watch = stopped
    with pytest.raises(LedgerUnavailable):
        await ledger.dial(attempt)
    ledger.watch = lambda *_: None
    database.broken = False
    await asyncio.sleep(20)
    assert (await ledger.dial(attempt)).state is AttemptState.DIALING


# -- clocks ------------------------------------------------------------------------------------------------


async def test_a_clock_set_back_revives_nothing(open_site: OpenSite, set_back: SetBack) -> None:
    """What has expired is not dialed when the clock goes back an hour; in the next process neither."""
    async with open_site(set_back) as site:
        expires_at = set_back.now() + timedelta(seconds=60)
        contact = Contact(key="k", phone_number="+12125550101", expires_at=expires_at)
        async with site.stack:
            a = await site.start("a")
            attempt = await a.ledger.open(ALICE, GROUP)
            attempt = a.ledger.change(attempt, FETCHED, contact=contact)
            a.ledger.release(attempt)
            await asyncio.sleep(90)
            (await a.ledger.open(BOB, GROUP))  # the ledger learns what time it is
            set_back.offset = -timedelta(hours=1)
            assert a.ledger.timeline.now() > expires_at
    async with open_site(set_back) as site:
        b = await site.start("b")
        again = await b.ledger.open(ALICE, GROUP)
        with pytest.raises(DialingStoppedError, match="clock is behind"):
            await b.ledger.dial(again)
        b.ledger.release(again)
        set_back.offset = timedelta(0)
        assert (await b.ledger.open(ALICE, GROUP)).state is AttemptState.REQUESTED
        assert (await b.ledger.get(attempt.id)).state is AttemptState.EXPIRED


async def test_a_clock_set_back_or_forward_ends_no_lease(open_site: OpenSite, set_back: SetBack) -> None:
    """Leases run by the hosts' own running time: a clock that is set moves none."""
    async with open_site(set_back) as site:
        a, b = await site.start("a"), await site.start("b")
        attempt = await called(a)
        for hours in (-1, 1):
            set_back.offset = timedelta(hours=hours)
            await asyncio.sleep(2 * LEASE)
            assert await b.state(attempt) is AttemptState.CALLING


async def test_a_clock_set_back_delays_no_verdict(open_site: OpenSite, set_back: SetBack) -> None:
    """What became of a call is decided in the time its dialer had, whatever the clock says of it."""
    async with open_site(set_back) as site:
        a = await site.start("a")
        a.dialer.error = ConnectionError("lost")
        attempt = await called(a)
        set_back.offset = -timedelta(hours=1)
        await asyncio.sleep(2 * LEASE)
        assert await a.state(attempt) is AttemptState.CLOSED


@pytest.mark.parametrize(
    ("saw", "outcome"),
    [
        ([], Outcome.UNKNOWN),
        ([CallEventKind.DELIVERED], Outcome.UNKNOWN),
        ([CallEventKind.DELIVERED, CallEventKind.ESTABLISHED], Outcome.ANSWERED),
    ],
)
async def test_what_the_ledger_knew_of_a_call_is_its_outcome(
    site: Site, saw: list[CallEventKind], outcome: Outcome
) -> None:
    """A call that nobody has any more was answered if the host that died saw it; else it is unknown."""
    first = await site.start("a")
    attempt = await called(first)
    for kind in saw:
        await first.sees(kind, attempt)
    await asyncio.sleep(1)
    first.freeze_lease()
    second = await site.start("b", auto_dispose={})
    await asyncio.sleep(2 * LEASE)
    ended = await second.ledger.get(attempt.id)
    assert (ended.state, ended.outcome) == (AttemptState.ENDED, outcome)
