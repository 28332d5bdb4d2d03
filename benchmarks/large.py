"""What opening an attempt costs in a ledger with ten million closed attempts, beside an empty one.

    python -m benchmarks.large [CLOSED [SECONDS]]

Both are SQLite files. The closed attempts have digests of their own in every index, spread as real ones are,
and a small body: opening reads none. Needs some 7 GB in the temporary directory, and ten minutes.
"""

import asyncio
import logging
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from attrs import frozen

from cti_hooks import Agent, SystemClock
from lcm_plugin.ledger import Ledger, database_for

ROUNDS = 7
_FILL = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
INSERT INTO attempts (id, state, agent_digest, key_digest, opened_at, changed_at, dialed_at, body)
SELECT printf('%016x', n) || lower(hex(randomblob(8))), 'closed', printf('%064d', n % 5000),
       lower(hex(randomblob(32))), 1700000000000000 + n, 1700000000000000 + n, 1700000000000000 + n, '{}'
FROM numbers
"""


@frozen(kw_only=True)
class Opened:
    """Seconds to open an attempt and to drop it, of each round."""

    empty: Sequence[float]
    large: Sequence[float]

    @property
    def ratios(self) -> list[float]:
        """The large one's beside the empty one's, of each round."""
        return [large / empty for large, empty in zip(self.large, self.empty, strict=True)]


def ledger_in(directory: Path) -> Ledger:
    """A host's, on a file in this directory."""
    database, clock = database_for("sqlite:///ledger.db", directory), SystemClock()
    random = Random(1)  # noqa: S311  (ids that repeat)
    return Ledger(database=database, clock=clock, random=random, host="benchmark", lease_seconds=30)


async def made(directory: Path) -> None:
    """An empty ledger, with its tables."""
    ledger = ledger_in(directory)
    await ledger.start()
    await ledger.close()


def fill(directory: Path, closed: int) -> None:
    """Put so many closed attempts into it; the indexes are built once they are there."""
    with sqlite3.connect(directory / "ledger.db", isolation_level=None) as connection:
        made_by = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%attempts%'"
        indexes = connection.execute(made_by).fetchall()
        connection.execute("PRAGMA synchronous = OFF")
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        connection.execute(_FILL, (closed,))
        for _, sql in indexes:
            connection.execute(sql)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def opening(ledger: Ledger, agents: int, seconds: float) -> float:
    """Seconds to open an attempt, and to drop it, as a question that brings nothing does."""
    ends, count, began = time.perf_counter() + seconds, 0, time.perf_counter()
    while time.perf_counter() < ends:
        attempt = await ledger.open(Agent(id=f"agent-{count % agents}"), "G")
        ledger.drop(attempt, "nothing came")
        count += 1
    return (time.perf_counter() - began) / count


async def measured(closed: int, seconds: float) -> Opened:
    """Both, in turn."""
    with tempfile.TemporaryDirectory(prefix="lcm-benchmark-") as directory:
        places = {"empty": Path(directory) / "empty", "large": Path(directory) / "large"}
        for place in places.values():
            place.mkdir()
            await made(place)
        await asyncio.to_thread(fill, places["large"], closed)
        ledgers = {name: ledger_in(place) for name, place in places.items()}
        found: dict[str, list[float]] = {name: [] for name in places}
        for ledger in ledgers.values():
            await ledger.start()
            await opening(ledger, 5000, seconds)
        for _ in range(ROUNDS):
            for name, ledger in ledgers.items():
                found[name].append(await opening(ledger, 5000, seconds))
        for ledger in ledgers.values():
            await ledger.close()
    return Opened(**found)


def main() -> None:
    """Run it."""
    logging.disable(logging.CRITICAL)
    closed, seconds = (*map(int, sys.argv[1:]), *(10_000_000, 2)[len(sys.argv) - 1 :])
    found = asyncio.run(measured(closed, seconds))
    ratios = found.ratios
    for name, times in (("empty", found.empty), ("large", found.large)):
        print(f"{name}: an attempt opened in {1000 * statistics.median(times):.3f} ms")
    print(
        f"{closed} closed attempts: {statistics.median(ratios):.2f} of an empty ledger"
        f" ({min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
