"""A server that does as the test says, and a transport to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from ssl import SSLContext
from typing import Any

import pytest
from aiohttp import web

from cti_hooks import Agent
from cti_hooks import settings as plugin_settings
from lcm_plugin.config import ConsentFilter, LcmSettings
from lcm_plugin.lcm.catalogue import DOWNLOAD
from lcm_plugin.lcm.envelope import Request, request
from lcm_plugin.lcm.transports import Transport, transport_for
from lcm_plugin.sandbox.virtual_time import LoopClock

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[..., Awaitable[str]]
Connect = Callable[..., Transport]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves a handler at any path of 127.0.0.1; gives its address without a scheme."""
    async with AsyncExitStack() as stack:

        async def served(handler: Handler, ssl: SSLContext | None = None) -> str:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", handler)
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            stack.push_async_callback(runner.cleanup)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=ssl).start()
            return f"127.0.0.1:{runner.addresses[0][1]}"

        yield served


@pytest.fixture
async def connect(clock: LoopClock, tmp_path: Path) -> AsyncIterator[Connect]:
    """Makes a transport with these settings; files are relative to tmp_path."""
    async with AsyncExitStack() as stack:

        def connected(url: str, **table: Any) -> Transport:
            table = {"url": url, "source": "tests", "timezone": "UTC", **table}
            transport = transport_for(plugin_settings.read(LcmSettings, table), tmp_path, clock)
            stack.push_async_callback(transport.close)
            return transport

        yield connected


@pytest.fixture
def message() -> Request:
    """A fresh download."""
    return request(
        DOWNLOAD,
        source="tests",
        agent=Agent(id="alice"),
        attempt_id="attempt-1",
        idempotency_key="attempt-1",
        campaign_group="G",
        count=1,
        consent=ConsentFilter.BOTH,
        reserved=False,
    )
