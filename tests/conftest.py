"""Every async test runs on virtual time, unless it is marked `real_time`: no test sleeps."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

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
