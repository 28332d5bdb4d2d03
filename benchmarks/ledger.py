"""What durability costs: from ready to `make_call`, with the ledger in a SQLite file and without.

    python benchmarks/ledger.py [SECONDS]

Three ledgers in turn, three rounds each, in one run: `file` (the default: write-ahead log, flushed at each
commit), `memory` (the same statements, SQLite in memory, nothing flushed), `none` (no database at all: the
attempts are a dictionary, as they were before there was a ledger). All else is the same: an LCM that always
has a contact, in a process of its own and over HTTP on 127.0.0.1, and a dialer whose calls end at once.
"""

import asyncio
import logging
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from aiohttp import web
from attrs import define, field

from cti_hooks import (
    Agent,
    Attempt,
    AttemptState,
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
from lcm_plugin.lcm.catalogue import CATALOGUE
from lcm_plugin.ledger import Doubtful, Ledger
from lcm_plugin.ledger.ids import new_attempt_id

AGENTS = 50
ROUNDS = 3
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

    async def open(self, agent: Agent, campaign_group: str = "") -> Attempt:
        """A new attempt."""
        now = self.now()
        attempt = Attempt(
            id=new_attempt_id(now, self.random),
            agent=agent,
            contact=None,
            state=AttemptState.REQUESTED,
            campaign_group=campaign_group,
            opened_at=now,
            changed_at=now,
            host=self.host,
        )
        self._remember(attempt)
        return attempt

    async def dial(self, attempt: Attempt, **facts: Any) -> Attempt:
        """The attempt, `dialing`."""
        dialing = self._evolved(attempt, AttemptState.DIALING, facts)
        self._remember(dialing)
        return dialing

    def change(self, attempt: Attempt, state: AttemptState, *, seen: bool = False, **facts: Any) -> Attempt:  # noqa: ARG002  (Ledger's)
        """The attempt in its new state."""
        changed = self._evolved(attempt, state, facts)
        self._remember(changed)
        return changed

    async def owners(self, keys: Sequence[str]) -> dict[str, str]:
        """The open ones."""
        mine = {one.contact.key: one.agent.id for one in self._open.values() if one.contact}
        return {key: mine[key] for key in keys if key in mine}

    async def doubt(self, agent: Agent) -> Doubtful | None:  # noqa: ARG002  (Ledger's)
        """No doubt here."""
        return None

    async def other_with_key(self, attempt: Attempt) -> Attempt | None:  # noqa: ARG002  (Ledger's)
        """Each key comes once."""
        return None

    async def past_calls(self, contact: Contact, since: datetime) -> list[PastCall]:  # noqa: ARG002  (Ledger's)
        """Forgotten."""
        return []


@define(eq=False)
class Phones:
    """Takes each call, which ends at once; its agent is ready again."""

    host: Host
    agents: set[str] = field(factory=set)
    ready_at: dict[str, float] = field(factory=dict)
    took: list[float] = field(factory=list)
    _tasks: set[asyncio.Task[None]] = field(factory=set)

    @hookimpl
    async def make_call(self, attempt: Attempt, dial: Dial) -> Call:  # noqa: ARG002  (the hook's)
        """Note how long it took since ready."""
        self.took.append(time.perf_counter() - self.ready_at[attempt.agent.id])
        self._later(self._end(attempt))
        return Call(id=attempt.id, attempt_id=attempt.id, state=ConnectionState.INITIATED)

    async def ready(self, agent: Agent) -> None:
        """The agent wants a contact."""
        self.ready_at[agent.id] = time.perf_counter()
        await self.host.hooks.all("on_agent_ready", agent=agent)

    async def _end(self, attempt: Attempt) -> None:
        at = self.host.clock.now()
        event = CallEvent(kind=CallEventKind.CALL_CLEARED, call_id=attempt.id, attempt_id=attempt.id, at=at)
        await self.host.hooks.all("on_call_event", event=event)
        if attempt.agent.id in self.agents:
            await self.ready(attempt.agent)

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def measured(ledger: str, url: str, agents: int, seconds: float) -> list[float]:
    """How long each call took from ready to `make_call`, in seconds."""
    plugin.Ledger = Forgetful if ledger == "none" else Ledger  # type: ignore[attr-defined]  # what is measured
    with tempfile.TemporaryDirectory(prefix="lcm-benchmark-") as directory:
        lcm = {
            "url": url,
            "source": "benchmark",
            "timezone": "UTC",
            "campaign_groups": [GROUP],
            "max_per_second": 100_000,
            "ledger": f"sqlite:///{directory}/ledger.db" if ledger == "file" else "sqlite://",
        }
        host = Host.from_config({"cti": {"plugins": ["lcm"]}, "plugins": {"lcm": lcm}})
        phones = Phones(host, agents={f"agent-{n}" for n in range(agents)})
        host.register(phones)
        async with host:
            await asyncio.gather(*(phones.ready(Agent(id=name)) for name in phones.agents))
            await asyncio.sleep(seconds)
            phones.agents.clear()
            await asyncio.sleep(0.2)
    return phones.took


def lcm_process(pipe: Connection) -> None:
    """An LCM that always has a contact."""
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    count = 0

    async def message(request: web.Request) -> web.Response:
        nonlocal count
        await request.read()
        count += 1
        contact = {
            "PhoneNumber": "+12125550101",
            "AccountNumber": f"0|{count}",
            "Consent": "Yes",
            "CallType": 0,
        }
        reply = {
            "channel": "LCM",
            "topic": "WebService",
            "subtopic": CATALOGUE["GetDownloadContactsForDialing"].reply,
            "message": {"response": contact},
        }
        return web.json_response(reply)

    app = web.Application()
    app.router.add_post("/message", message)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pipe.send(f"http://127.0.0.1:{runner.addresses[0][1]}/message")
    await asyncio.to_thread(pipe.recv)
    await runner.cleanup()


def rounds(url: str, agents: int, seconds: float) -> dict[str, list[list[float]]]:
    """Each ledger's rounds, taken in turn."""
    found: dict[str, list[list[float]]] = {ledger: [] for ledger in LEDGERS}
    for _ in range(ROUNDS):
        for ledger in LEDGERS:
            found[ledger].append(asyncio.run(measured(ledger, url, agents, seconds)))
    return found


def p50(times: Iterable[list[float]]) -> float:
    """The median, in milliseconds."""
    return 1000 * statistics.median(one for each in times for one in each)


def report(url: str, seconds: float) -> None:
    """Measure and print."""
    many = rounds(url, AGENTS, seconds)
    rate = {ledger: statistics.median(len(each) / seconds for each in many[ledger]) for ledger in LEDGERS}
    one = rounds(url, 1, seconds / 2)
    print(f"{'ledger':10}{f'{AGENTS} agents: calls/s':>22}{'p50 ms':>9}{'1 agent: p50 ms':>18}")
    for ledger in LEDGERS:
        print(f"{ledger:10}{rate[ledger]:22.0f}{p50(many[ledger]):9.1f}{p50(one[ledger]):18.2f}")
    for other in LEDGERS[1:]:
        ratio, added = rate["file"] / rate[other], p50(one["file"]) - p50(one[other])
        print(f"file to {other}: {ratio:.2f} of the throughput; one agent's p50 longer by {added:.2f} ms")


def main() -> None:
    """Run it."""
    logging.disable(logging.CRITICAL)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    lcm = context.Process(target=lcm_process, args=(there,), daemon=True)
    lcm.start()
    try:
        report(here.recv(), float(sys.argv[1]) if len(sys.argv) > 1 else 4.0)
    finally:
        here.send("end")
        lcm.join(5)


if __name__ == "__main__":
    main()
