"""What durability costs: from ready to `make_call`, with the ledger in a SQLite file and without.

    python -m benchmarks.ledger [SECONDS]

Three ledgers in turn, round by round, in one run: `file` (the default: write-ahead log, flushed at each
commit), `memory` (the same statements, SQLite in memory, nothing flushed), `none` (no database at all: the
attempts are a dictionary, as they were before there was a ledger). All else is the same: an LCM that always
has a contact, in a process of its own and over HTTP on 127.0.0.1, and a dialer whose calls end at once.
"""

import asyncio
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from attrs import define, field

from benchmarks.lcm_server import lcm_server
from cti_hooks import (
    Agent,
    Attempt,
    Call,
    CallEvent,
    CallEventKind,
    ConnectionState,
    Contact,
    Dial,
    Host,
    PastCall,
    hookimpl,
)
from lcm_plugin import plugin
from lcm_plugin.attempt.transition import Transition
from lcm_plugin.attempt.transitions import DIAL, NOTHING
from lcm_plugin.ledger import Doubtful, Ledger, LedgerUnavailable, Objection, Stop
from lcm_plugin.ledger.database import Step

AGENTS = 50
ROUNDS = 3
ROUNDS_OF_ONE = 9
"""More, and shorter: how quickly a machine wakes a thread changes from second to second."""
LEDGERS = ("file", "memory", "none")
GROUP = "G"


class Forgetful(Ledger):
    """Keeps this host's open attempts in a dictionary, and nothing else anywhere."""

    async def start(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def held_for(self, seconds: float) -> float:
        """Nobody else is there."""
        return seconds

    async def open(self, agent: Agent, campaign_group: str = "", **how: Any) -> Attempt:  # noqa: ARG002  (Ledger's)
        """A new attempt."""
        attempt = self._requested(agent, campaign_group)
        self._custody.keep(attempt)
        return attempt

    async def take_up(self, agent: Agent, *, arrived: bool = False) -> Attempt | None:  # noqa: ARG002  (Ledger's)
        """Nothing waits for anybody."""
        return None

    def drop(self, attempt: Attempt, reason: str) -> None:
        """Nothing came."""
        self._custody.keep(self._after(NOTHING, attempt, reason=reason))

    async def left_behind(self) -> set[str]:
        """Nothing was."""
        return set()

    async def dial(self, attempt: Attempt, *, by_person: bool = False, **facts: Any) -> Attempt:  # noqa: ARG002  (Ledger's)
        """The attempt, `dialing`."""
        dialing = self._after(DIAL, attempt, **facts)
        self._custody.keep(dialing)
        return dialing

    def change(self, attempt: Attempt, transition: Transition, **facts: Any) -> Attempt:
        """The attempt after this transition."""
        changed = self._after(transition, attempt, **facts)
        self._custody.keep(changed)
        return changed

    async def run(self, step: Step[Any], undo: Any = None) -> Any:  # noqa: ARG002  (Ledger's)
        """There is no database: the outbox finds nothing to do."""
        raise LedgerUnavailable("this one forgets")

    async def doubt(self, agent: Agent) -> Doubtful | None:  # noqa: ARG002  (Ledger's)
        """No doubt here."""
        return None

    async def objection(self, attempt: Attempt) -> Objection:  # noqa: ARG002  (Ledger's)
        """Each key comes once, and nobody is barred."""
        return Objection()

    async def dialing_stops(self) -> list[Stop]:
        """Nobody stopped anything."""
        return []

    async def stops_on(self, agent: Agent, contact: Contact) -> list[Stop]:  # noqa: ARG002  (Ledger's)
        """Nor anywhere."""
        return []

    async def past_calls(self, contact: Contact, since: datetime) -> list[PastCall]:  # noqa: ARG002  (Ledger's)
        """Forgotten."""
        return []


@define(eq=False)
class Phones:
    """Takes each call, which ends at once; another agent is ready in place of its own.

    So nothing has to be told to the LCM meanwhile: what is measured is the way from ready to `make_call`.
    """

    host: Host
    working: bool = True
    agents: int = 0
    ready_at: dict[str, float] = field(factory=dict)
    took: list[float] = field(factory=list)
    _tasks: set[asyncio.Task[None]] = field(factory=set)

    @hookimpl
    async def make_call(self, attempt: Attempt, dial: Dial) -> Call:  # noqa: ARG002  (the hook's)
        """Note how long it took since ready."""
        self.took.append(time.perf_counter() - self.ready_at[attempt.agent.id])
        self._later(self._end(attempt))
        return Call(id=attempt.id, attempt_id=attempt.id, state=ConnectionState.INITIATED)

    async def next_ready(self) -> None:
        """Another agent wants a contact."""
        self.agents += 1
        agent = Agent(id=f"agent-{self.agents}")
        self.ready_at[agent.id] = time.perf_counter()
        await self.host.hooks.all("on_agent_ready", agent=agent)

    async def _end(self, attempt: Attempt) -> None:
        at = self.host.clock.now()
        event = CallEvent(kind=CallEventKind.CALL_CLEARED, call_id=attempt.id, attempt_id=attempt.id, at=at)
        await self.host.hooks.all("on_call_event", event=event)
        if self.working:
            await self.next_ready()

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def measured(ledger: str, url: str, agents: int, seconds: float) -> list[float]:
    """How long each call took from ready to `make_call`, in seconds."""
    vars(plugin)["Ledger"] = Forgetful if ledger == "none" else Ledger  # what is measured
    with tempfile.TemporaryDirectory(prefix="lcm-benchmark-") as directory:
        lcm = {
            "url": url,
            "source": "benchmark",
            "timezone": "UTC",
            "campaign_groups": [GROUP],
            "max_per_second": 100_000,
            "ledger": f"sqlite:///{directory}/ledger.db" if ledger == "file" else "sqlite://",
            "preview": {"seconds": 0},
            "reserved_first": False,
        }
        host = Host.from_config({"cti": {"plugins": ["lcm"]}, "plugins": {"lcm": lcm}})
        phones = Phones(host)
        host.register(phones)
        async with host:
            await asyncio.gather(*(phones.next_ready() for _ in range(agents)))
            await asyncio.sleep(seconds)
            phones.working = False
            await asyncio.sleep(0.2)
    return phones.took


def rounds(url: str, agents: int, count: int, seconds: float) -> dict[str, list[list[float]]]:
    """Each ledger's rounds, taken in turn."""
    found: dict[str, list[list[float]]] = {ledger: [] for ledger in LEDGERS}
    for _ in range(count):
        for ledger in LEDGERS:
            found[ledger].append(asyncio.run(measured(ledger, url, agents, seconds)))
    return found


def p50s(times: Iterable[list[float]]) -> list[float]:
    """Each round's median, in milliseconds."""
    return [1000 * statistics.median(each) for each in times]


def report(url: str, seconds: float) -> None:
    """Measure and print."""
    many = rounds(url, AGENTS, ROUNDS, seconds)
    rate = {ledger: statistics.median(len(each) / seconds for each in many[ledger]) for ledger in LEDGERS}
    waits = {ledger: statistics.median(p50s(many[ledger])) for ledger in LEDGERS}
    one = {ledger: p50s(each) for ledger, each in rounds(url, 1, ROUNDS_OF_ONE, seconds / 4).items()}
    print(f"{'ledger':10}{f'{AGENTS} agents: calls/s':>22}{'p50 ms':>9}{'1 agent: p50 ms':>18}")
    for ledger in LEDGERS:
        print(f"{ledger:10}{rate[ledger]:22.0f}{waits[ledger]:9.1f}{statistics.median(one[ledger]):18.2f}")
    for other in LEDGERS[1:]:
        added = sorted(mine - its for mine, its in zip(one["file"], one[other], strict=True))
        print(
            f"file to {other}: {rate['file'] / rate[other]:.2f} of the throughput; one agent's p50 longer by "
            f"{statistics.median(added):.2f} ms ({added[0]:.2f} to {added[-1]:.2f} in {len(added)} rounds)"
        )


def main() -> None:
    """Run it."""
    logging.disable(logging.CRITICAL)
    with lcm_server(contacts=100_000_000) as server:
        report(server.url, float(sys.argv[1]) if len(sys.argv) > 1 else 4.0)


if __name__ == "__main__":
    main()
