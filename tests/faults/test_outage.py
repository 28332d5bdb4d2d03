"""A database that is away for longer than a lease: living hosts keep what is theirs."""

import asyncio
from typing import Any, TypeAlias

import pytest

from cti_hooks import AttemptState
from tests.ledger.wire import Wire
from tests.people import ALICE, BOB

Running: TypeAlias = Any
Site: TypeAlias = Any
"""Both are conftest's."""


def wire_of(host: Running) -> Wire:
    """The way to the host's database, from now on."""
    wire = Wire(host.ledger.database)
    host.ledger.write_by(wire)
    return wire


@pytest.mark.parametrize("lease", [30, 4], ids=["as by default", "short"])
async def test_an_outage_longer_than_the_lease_makes_nobody_succeed(
    site: Site, caplog: pytest.LogCaptureFixture, lease: int
) -> None:
    """Time in which nobody could renew a lease, or see one, ends none: calls stay where they are."""
    facts = {"lease_seconds": lease, "dial_seconds": 1}
    hosts = [await site.start("a", **facts)]
    await asyncio.sleep(lease / 8)  # so that they renew in turn, each a quarter of the lease
    hosts.append(await site.start("b", **facts))
    for host, agent in zip(hosts, (ALICE, BOB), strict=True):
        await host.ready(agent)
    await asyncio.sleep(2 * lease - lease / 16)  # a has seen b's last renewal
    wires = [wire_of(host) for host in hosts]
    for wire in wires:
        wire.broken = True
    await asyncio.sleep(3 * lease + 3 * lease / 8)  # a sees the lease again before b has renewed it
    for wire in wires:
        wire.broken = False
    await asyncio.sleep(3 * lease)
    for host, agent in zip(hosts, (ALICE, BOB), strict=True):
        (attempt,) = await host.ledger.attempts(agent_id=agent.id)
        assert (attempt.state, attempt.host) == (AttemptState.CALLING, host.host.name)
    assert "stopped for longer than its lease" not in caplog.text


async def test_a_host_that_ended_during_the_outage_is_succeeded(site: Site) -> None:
    """Its lease runs on from when the database can be read again."""
    a, b = await site.start("a"), await site.start("b")
    await a.ready(ALICE)
    await asyncio.sleep(60)
    wire = wire_of(b)
    wire.broken = True
    a.freeze_lease()
    await asyncio.sleep(100)
    wire.broken = False
    await asyncio.sleep(90)
    (attempt,) = await b.ledger.attempts(agent_id="alice")
    assert (attempt.state, attempt.host) == (AttemptState.CLOSED, "b")
