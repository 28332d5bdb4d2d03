"""Two hosts on one PostgreSQL that want the same rows in the same moment."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy.util import await_only

from cti_hooks import Agent, AttemptState, Contact, SystemClock
from lcm_plugin.attempt.transitions import ENDED, FETCHED
from lcm_plugin.ledger import AttemptLostError, Draft, Ledger, LedgerUnavailable, database_for, opening
from tests.people import ALICE

pytestmark = pytest.mark.real_time

CONTACT = Contact(key="k", phone_number="+12125550101", consent="given")
RESULT = Draft(message="SetCallResult", values={})


@pytest.fixture
async def open_shared(postgres_url: str) -> AsyncIterator[Callable[[str], Awaitable[Ledger]]]:
    """Starts a host's ledger on PostgreSQL."""
    async with AsyncExitStack() as stack:

        async def opened(host: str) -> Ledger:
            ledger = Ledger(
                database=database_for(postgres_url, Path.cwd()),
                clock=SystemClock(),
                random=Random(host),
                host=host,
                lease_seconds=30,
            )
            await ledger.start()
            stack.push_async_callback(ledger.close)
            return ledger

        yield opened


async def test_what_is_disposed_of_while_it_is_taken_up_stays_so(
    open_shared: Callable[[str], Awaitable[Ledger]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ended attempt is not reopened by its agent's going ready as a supervisor disposes of it."""
    here, there = await open_shared("h1"), await open_shared("h2")
    attempt = here.change(await here.open(ALICE), FETCHED, contact=CONTACT)
    attempt = here.change(await here.dial(attempt), ENDED)
    here.release(attempt)
    await here.recorded()
    real, disposing = opening._taken_up, []

    def between(connection: Any, *facts: Any) -> Any:
        disposing.append(asyncio.create_task(here.dispose(attempt, [RESULT])))
        await_only(asyncio.wait(disposing, timeout=0.5))
        return real(connection, *facts)

    monkeypatch.setattr(opening, "_taken_up", between)
    taken = await there.open(ALICE)
    await asyncio.wait(disposing)
    assert [one.state for one in await there.attempts()] == [AttemptState.DISPOSED]
    with pytest.raises(AttemptLostError):
        await there.dispose(taken, [RESULT])
    assert len(await there.letters_of(attempt.id)) == 1


async def test_hosts_that_open_the_same_agents_in_opposite_order(
    open_shared: Callable[[str], Awaitable[Ledger]],
) -> None:
    """If PostgreSQL ends one of two transactions that wait for each other, no agent notices."""
    here, there = await open_shared("h1"), await open_shared("h2")
    for round_ in range(3):
        agents = [Agent(id=f"{round_}-{number}") for number in range(50)]
        opened = [*(here.open(one) for one in agents), *(there.open(one) for one in reversed(agents))]
        answers = await asyncio.gather(*opened, return_exceptions=True)
        assert not [one for one in answers if isinstance(one, LedgerUnavailable)]
        assert len([one for one in answers if not isinstance(one, BaseException)]) == len(agents)


async def test_hosts_that_dial_one_number_at_once(open_shared: Callable[[str], Awaitable[Ledger]]) -> None:
    """Of two hosts that were told of no call to a number, one may place its own; the other looks again."""
    dialing = []
    for number, host in enumerate(("h1", "h2")):
        ledger = await open_shared(host)
        contact = Contact(key=host, contact_id=host, phone_number="+12125550101", consent="given")
        attempt = await ledger.open(Agent(id=f"agent-{number}"))
        attempt = ledger.change(attempt, FETCHED, contact=contact)
        await ledger.recorded()
        assert await ledger.past_calls(contact, ledger.now() - timedelta(days=1)) == []
        dialing.append(ledger.dial(attempt))
    answers = await asyncio.gather(*dialing, return_exceptions=True)
    assert sorted(type(one).__name__ for one in answers) == ["Attempt", "CalledMeanwhileError"]
