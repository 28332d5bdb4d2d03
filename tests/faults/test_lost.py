"""An attempt that another host has by now: what this one goes on with, and what it shows."""

import asyncio
from typing import Any, TypeAlias

from cti_hooks import AttemptState, CallEventKind, Outcome

LEASE = 30
Site: TypeAlias = Any
"""Conftest's."""


async def test_a_call_s_outcome_is_told_by_its_own_events(site: Site) -> None:
    """A call that was busy is busy, though the one before it, lost to another host, was answered."""
    a, b = await site.start("a"), await site.start("b")
    a.dialer.error, a.dialer.unreachable = ConnectionError("lost"), True
    await a.ready()
    await asyncio.sleep(1)
    await a.sees(CallEventKind.ESTABLISHED, a.dialer.dialed[0])
    a.freeze_lease()
    await asyncio.sleep(2 * LEASE)
    assert await b.state(a.dialer.dialed[0]) is AttemptState.CLOSED
    await a.resume()
    a.dialer.error = None
    await a.ready()
    await asyncio.sleep(20)
    busy = a.dialer.dialed[1]
    await a.sees(CallEventKind.CALL_CLEARED, busy, q850=17)
    await asyncio.sleep(1)
    assert (await a.ledger.get(busy.id)).outcome is Outcome.BUSY


async def test_a_call_that_is_over_elsewhere_keeps_nobody(site: Site) -> None:
    """Whose call another host has settled, while this one was frozen, gets the next contact here."""
    a, b = await site.start("a"), await site.start("b")
    await a.ready()
    await asyncio.sleep(1)
    (lost,) = a.dialer.dialed
    a.freeze_lease()
    await asyncio.sleep(3 * LEASE)
    assert await b.state(lost) is AttemptState.CLOSED
    await a.resume()
    await asyncio.sleep(LEASE)
    await a.ready()
    await asyncio.sleep(20)
    assert len(a.dialer.dialed) == 2
    assert not b.dialer.dialed
