"""What agents cost who are ready while the LCM has nothing: requests, CPU, memory, log, ledger, the end.

    python -m benchmarks.waiting [AGENTS [SECONDS]]

10 000 agents in 20 campaign groups, one host with a SQLite file, the LCM in a process of its own.
"""

import asyncio
import gc
import logging
import sys
import tempfile
import time
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

from attrs import define, field, frozen

from benchmarks.lcm_server import RESERVED, SINGLE, LcmServer, lcm_server
from cti_hooks import Agent, Host

GROUPS = 20


@define(eq=False)
class Lines(logging.Handler):
    """Counts what is logged at info or above."""

    count: int = field(default=0, init=False)

    def __attrs_pre_init__(self) -> None:
        super().__init__(logging.INFO)

    def emit(self, _: logging.LogRecord) -> None:
        """One more."""
        self.count += 1


@frozen(kw_only=True)
class Waited:
    """What so many waiting agents cost."""

    agents: int
    core: float
    """Of one core."""
    fresh_a_second: float
    reserved_a_second: float
    log_lines: int
    ledger_growth: int
    """Bytes."""
    agent_bytes: float
    ready_seconds: float
    stop_seconds: float


def cpu() -> float:
    """Seconds of CPU of this process."""
    used = getrusage(RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident() -> int:
    """Bytes of memory of this process."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def config(url: str, directory: str, **settings: Any) -> dict[str, Any]:
    """A host's, with one LCM."""
    lcm = {
        "url": url,
        "source": "benchmark",
        "timezone": "UTC",
        "ledger": f"sqlite:///{directory}/ledger.db",
        "preview": {"seconds": 0},
        **settings,
    }
    return {"cti": {"plugins": ["lcm"]}, "plugins": {"lcm": lcm}}


def size(directory: str) -> int:
    """Bytes of the ledger's files."""
    return sum(file.stat().st_size for file in Path(directory).iterdir())


async def waited(server: LcmServer, agents: int, seconds: float) -> Waited:
    """So many agents ready for so many seconds, after as many for getting warm."""
    lines = Lines()
    logging.getLogger().addHandler(lines)
    logging.getLogger().setLevel(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="lcm-benchmark-") as directory:
        host = Host.from_config(config(server.url, directory))
        async with host:
            before = resident()
            began = time.perf_counter()
            for number in range(agents):
                agent = Agent(id=f"agent-{number}", campaign_groups=(f"G{number % GROUPS}",))
                await host.hooks.all("on_agent_ready", agent=agent)
                if number % 100 == 0:
                    await asyncio.sleep(0)
            ready = time.perf_counter() - began
            await asyncio.sleep(seconds)
            memory = (resident() - before) / agents
            server.counts()
            lines.count, grown, used, began = 0, size(directory), cpu(), time.perf_counter()
            await asyncio.sleep(seconds)
            used, took = cpu() - used, time.perf_counter() - began
            counts, grown, logged = server.counts(), size(directory) - grown, lines.count
            began = time.perf_counter()
        stopped = time.perf_counter() - began
    logging.getLogger().removeHandler(lines)
    return Waited(
        agents=agents,
        core=used / took,
        fresh_a_second=counts[SINGLE] / took,
        reserved_a_second=counts[RESERVED] / took,
        log_lines=logged,
        ledger_growth=grown,
        agent_bytes=memory,
        ready_seconds=ready,
        stop_seconds=stopped,
    )


def main() -> None:
    """Run it."""
    agents, seconds = (*map(int, sys.argv[1:]), *(10_000, 20)[len(sys.argv) - 1 :])
    with lcm_server() as server:
        print(asyncio.run(waited(server, agents, seconds)))


if __name__ == "__main__":
    main()
