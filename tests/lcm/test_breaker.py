"""The circuit breaker: open after failures in a row, then one probe at a time."""

import asyncio

import pytest

from lcm_plugin.errors import Fault, LcmRejected, LcmUnavailable
from lcm_plugin.lcm.breaker import Breaker, BreakerState


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(LcmUnavailable, match="down"), breaker.watch():
            raise LcmUnavailable("down", fault=Fault.NO_ANSWER)


async def test_opens_after_failures_in_a_row() -> None:
    """Ten failures in a row open it, and then nothing is sent."""
    breaker = Breaker(failures=10, seconds=5)
    fail(breaker, 10)
    assert breaker.state is BreakerState.OPEN
    with pytest.raises(LcmUnavailable) as refused, breaker.watch():
        pytest.fail("it was let through")
    assert refused.value.fault is Fault.NOT_SENT
    assert refused.value.retry_after == pytest.approx(5)


async def test_a_success_starts_the_count_again() -> None:
    """Failures count only in a row."""
    breaker = Breaker(failures=2, seconds=5)
    fail(breaker)
    with breaker.watch():
        pass
    fail(breaker)
    assert breaker.state is BreakerState.CLOSED


async def test_a_refusal_proves_the_lcm_alive() -> None:
    """A request the LCM rejects is no failure of the LCM's."""
    breaker = Breaker(failures=2, seconds=5)
    fail(breaker)
    with pytest.raises(LcmRejected), breaker.watch():
        raise LcmRejected("no", fault=Fault.REJECTED)
    fail(breaker)
    assert breaker.state is BreakerState.CLOSED


async def test_half_open_admits_one_probe() -> None:
    """Of fifty requests at a half-open breaker, one is sent."""
    breaker = Breaker(failures=1, seconds=5)
    fail(breaker)
    await asyncio.sleep(5)
    sent = 0

    async def one() -> None:
        nonlocal sent
        with breaker.watch():
            sent += 1
            await asyncio.sleep(1)

    results = await asyncio.gather(*(one() for _ in range(50)), return_exceptions=True)
    assert sent == 1
    assert sum(isinstance(result, LcmUnavailable) for result in results) == 49
    assert breaker.state is BreakerState.CLOSED


async def test_a_failed_probe_opens_it_again() -> None:
    """A probe that fails opens the breaker for its full time."""
    breaker = Breaker(failures=3, seconds=5)
    fail(breaker, 3)
    await asyncio.sleep(5)
    fail(breaker)
    await asyncio.sleep(4.9)
    assert breaker.state is BreakerState.OPEN


async def test_a_cancelled_probe_makes_room_for_the_next() -> None:
    """A probe that is cancelled says nothing, and does not keep the breaker half open for ever."""
    breaker = Breaker(failures=1, seconds=5)
    fail(breaker)
    await asyncio.sleep(5)
    with pytest.raises(asyncio.CancelledError), breaker.watch():
        raise asyncio.CancelledError
    with breaker.watch():
        pass
    assert breaker.state is BreakerState.CLOSED
