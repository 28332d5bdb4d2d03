"""A batch of fifty attempts written to a SQLite file: in one thread, and by a driver that hops between two.

    python benchmarks/ledger_drivers.py [ROUNDS]

`one thread` is the ledger's own way: the batch is a function that runs in the ledger's thread, on sqlite3.
`hops` is SQLAlchemy's async engine on aiosqlite, which hands each statement to its thread and waits for it;
`run_sync` runs the same function. Same statements, same pragmas, in turn in one run. Needs `aiosqlite`.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from cti_hooks import Agent, Attempt, AttemptState
from lcm_plugin.ledger.database import BUSY_SECONDS, Sqlite
from lcm_plugin.ledger.ids import new_attempt_id
from lcm_plugin.ledger.opening import Taker, open_attempt
from lcm_plugin.ledger.upgrade import prepare

BATCH = 50
_CHANCE = Random(1)  # noqa: S311  (ids)


def batch(connection: sa.Connection) -> None:
    """Fifty agents' attempts, as they are opened."""
    now = datetime.now(UTC)
    for _ in range(BATCH):
        attempt_id = new_attempt_id(now, _CHANCE)
        attempt = Attempt(
            id=attempt_id,
            agent=Agent(id=f"agent of {attempt_id}"),
            contact=None,
            state=AttemptState.REQUESTED,
            campaign_group="G",
            opened_at=now,
        )
        open_attempt(connection, attempt, Taker(holder="holder", now=now))


async def timed(run: Callable[[], Awaitable[None]]) -> float:
    """Milliseconds it took."""
    began = time.perf_counter()
    await run()
    return 1000 * (time.perf_counter() - began)


async def measured(directory: Path, rounds: int) -> tuple[float, float]:
    """The median of a batch in each way, in milliseconds."""
    own = Sqlite(directory / "own.db")
    await own.run(lambda connection: prepare(connection, "own"))
    hopping = create_async_engine(f"sqlite+aiosqlite:///{directory}/hops.db")

    async def hops() -> None:
        async with hopping.begin() as connection:
            await connection.run_sync(batch)

    async with hopping.begin() as connection:
        await connection.run_sync(lambda sync: prepare(sync, "hops"))
    async with hopping.connect() as connection:
        for pragma in (f"busy_timeout={BUSY_SECONDS * 1000}", "journal_mode=WAL", "synchronous=FULL"):
            await connection.exec_driver_sql(f"PRAGMA {pragma}")
    found = [(await timed(lambda: own.run(batch)), await timed(hops)) for _ in range(rounds)]
    await own.close()
    await hopping.dispose()
    return statistics.median(one for one, _ in found), statistics.median(two for _, two in found)


def main() -> None:
    """Run it."""
    with tempfile.TemporaryDirectory(prefix="lcm-benchmark-") as directory:
        own, hops = asyncio.run(measured(Path(directory), int(sys.argv[1]) if len(sys.argv) > 1 else 40))
    print(f"a batch of {BATCH}: {own:.1f} ms in one thread, {hops:.1f} ms with hops: {hops / own:.1f} times")


if __name__ == "__main__":
    main()
