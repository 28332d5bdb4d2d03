"""Every async test runs on virtual time, unless it is marked `real_time`: no test sleeps."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from random import Random

import pytest

from lcm_plugin.ledger import Ledger, database_for
from lcm_plugin.sandbox.virtual_time import LoopClock, VirtualTimeLoop


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real_time: talks to another process or thread, so runs on real time")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("real_time"):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualTimeLoop}


@pytest.fixture
def clock() -> LoopClock:
    return LoopClock()


@pytest.fixture
async def ledger(clock: LoopClock) -> AsyncIterator[Ledger]:
    """A ledger in memory, for what is tested without a host."""
    database = database_for("sqlite://", Path.cwd())
    made = Ledger(database=database, clock=clock, random=Random(1), host="h", lease_seconds=30)
    await made.start()
    yield made
    await made.close()
