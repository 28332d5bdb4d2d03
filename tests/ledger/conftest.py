"""Ledgers on SQLite files, one for each host that a test starts."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lcm_plugin.ledger import Ledger, database_for
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.ledger.wire import OpenLedger


@pytest.fixture
async def open_ledger(clock: LoopClock, tmp_path: Path) -> AsyncIterator[OpenLedger]:
    """Starts a ledger for a host, all on one file; closed at the end of the test, if it is not before."""
    async with AsyncExitStack() as stack:

        async def opened(host: str = "h1", *, lease_seconds: float = 30, **facts: Any) -> Ledger:
            ledger = Ledger(
                database=facts.pop("database", None) or database_for("sqlite:///ledger.db", tmp_path),
                clock=facts.pop("clock", clock),
                random=Random(host),
                host=host,
                lease_seconds=lease_seconds,
                **facts,
            )
            await ledger.start()
            stack.push_async_callback(ledger.close)
            return ledger

        yield opened
