"""The asterisk dialer at an Asterisk that does what a real one does too seldom."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from cti_hooks import Host, health_of
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.dialers.fakes.ari import FakeAri
from tests.dialers.fakes.listening import Site, site

AGENT, CUSTOMER = "attempt-1-a", "attempt-1-c"


@pytest.fixture
async def ari() -> AsyncIterator[FakeAri]:
    one = FakeAri()
    async with one.listening():
        yield one


async def talking(one: Site, ari: FakeAri) -> None:
    """A call whose customer has answered."""
    await one.healthy()
    await one.placed()
    await ari.answers(AGENT)
    await asyncio.sleep(1)
    await ari.answers(CUSTOMER)
    await one.heard("established")


async def test_a_host_that_observes_leaves_a_running_one_its_calls(ari: FakeAri, clock: LoopClock) -> None:
    """Beside a running host, a second one that only observes can tell, and takes no answered call from it."""
    async with site(clock, "asterisk", url=ari.url) as one:
        await one.healthy()
        await one.placed()
        config = {"cti": {"plugins": ["asterisk"]}, "plugins": {"asterisk": {"url": ari.url}}}
        async with Host.from_config(config, clock=clock, observes=True) as beside:
            (health,) = health_of(await beside.hooks.all("report_health"))
            await ari.answers(AGENT)
            await asyncio.sleep(1)
        assert health.good
        assert (await one.health()).good
        assert CUSTOMER in ari.channels
        assert not ari.hung_up
