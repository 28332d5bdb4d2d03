"""The pytest fixture `lcm_sandbox`, for whoever tests a plugin against an LCM.

Every pytest run loads this module wherever the package is installed, so it imports nothing heavy.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lcm_plugin.sandbox import Sandbox


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, as `--strict-markers` wants it."""
    config.addinivalue_line("markers", "lcm_sandbox(**options): arguments of the Sandbox of this test")


@pytest.fixture
def lcm_sandbox(request: pytest.FixtureRequest) -> "Iterator[Sandbox]":
    """A sandbox LCM on a real socket, for sync and async tests alike.

    `lcm_sandbox.url` and `.ws_url` are where it listens, `.order("drop,times=1")` lets it misbehave,
    `.requests` is what it received, `.account` what it handed to whom. Its contacts are of the campaign group
    "AD Dev Manual Group", all with consent; `.add(SandboxContact(...))` adds one. Arguments of `Sandbox` are
    those of a marker: `@pytest.mark.lcm_sandbox(callbacks="both")`.
    """
    from lcm_plugin.sandbox import Sandbox  # noqa: PLC0415  (see the module's docstring)

    marker = request.node.get_closest_marker("lcm_sandbox")
    with in_a_thread(Sandbox(**(marker.kwargs if marker else {}))) as sandbox:
        yield sandbox


@contextmanager
def in_a_thread(sandbox: "Sandbox") -> "Iterator[Sandbox]":
    """Serve a sandbox beside tests that block, from a thread of its own."""
    with _loop_in_a_thread() as loop:
        asyncio.run_coroutine_threadsafe(sandbox.__aenter__(), loop).result(10)
        try:
            yield sandbox
        finally:
            asyncio.run_coroutine_threadsafe(sandbox.__aexit__(None, None, None), loop).result(10)


@contextmanager
def _loop_in_a_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="lcm_sandbox", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
