"""How long an agent waits: from ready to `make_call`, beside a bare client; and to an offer, with look-ahead.

    python -m benchmarks.offers [CALLS]

`bare` is what any client does: an aiohttp POST to the same LCM, `json.loads`, and a call of the dialer. The
host has its ledger in a SQLite file, and the policy call-caps. With look-ahead the LCM answers after 300 ms.
"""

import asyncio
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any, Final

import aiohttp
from attrs import define, field, frozen

from benchmarks.fetching import BODY, GROUP
from benchmarks.lcm_server import LcmServer, lcm_server
from benchmarks.waiting import config
from cti_hooks import (
    Agent,
    Attempt,
    AttemptPlace,
    AttemptState,
    Call,
    CallEvent,
    CallEventKind,
    ConnectionState,
    Dial,
    Disposition,
    Host,
    hookimpl,
)

ROUNDS: Final = 5
LCM_SECONDS: Final = 0.3
AGENT: Final = Agent(id="agent")
SAID: Final = Disposition(outcome_id="0")


@define(eq=False)
class Floor:
    """A dialer and a desktop, which note what comes; each call ends at once."""

    host: Host
    dialed: "asyncio.Queue[tuple[float, Attempt]]" = field(factory=asyncio.Queue)
    offered: "asyncio.Queue[tuple[float, Attempt]]" = field(factory=asyncio.Queue)
    next_there: asyncio.Event = field(factory=asyncio.Event)
    closed: asyncio.Event = field(factory=asyncio.Event)

    @hookimpl
    def make_call(self, attempt: Attempt, dial: Dial) -> Call:  # noqa: ARG002  (the hook's)
        """Place it."""
        self.dialed.put_nowait((time.perf_counter(), attempt))
        return Call(id=attempt.id, attempt_id=attempt.id, state=ConnectionState.INITIATED)

    @hookimpl
    def on_contact_offered(self, attempt: Attempt) -> None:
        """It is on the agent's screen."""
        self.offered.put_nowait((time.perf_counter(), attempt))

    @hookimpl
    def on_attempt_changed(self, attempt: Attempt) -> None:
        """The next one is in custody; or the LCM knows all of the last."""
        if attempt.state is AttemptState.CLOSED:
            self.closed.set()
        if (attempt.place, attempt.state) == (AttemptPlace.NEXT, AttemptState.OFFERED):
            self.next_there.set()

    async def ends(self, attempt: Attempt) -> None:
        """Its call is over, and the agent writes it up."""
        at = self.host.clock.now()
        event = CallEvent(kind=CallEventKind.CALL_CLEARED, call_id=attempt.id, attempt_id=attempt.id, at=at)
        await self.host.hooks.all("on_call_event", event=event)
        await self.host.hooks.all("on_agent_working_after_call", agent=AGENT)

    async def disposes(self, attempt: Attempt) -> None:
        """The agent says what came of it, and the LCM is told."""
        self.closed.clear()
        told = {"attempt_id": attempt.id, "disposition": SAID, "actor": AGENT.id}
        await self.host.hooks.first("dispose_attempt", agent=AGENT, **told)
        await self.closed.wait()

    async def ready(self) -> float:
        """The agent is ready; when."""
        at = time.perf_counter()
        await self.host.hooks.all("on_agent_ready", agent=AGENT)
        return at


def floor(url: str, directory: str, **settings: Any) -> Floor:
    """A host that is not started."""
    facts = {"campaign_groups": [GROUP], "max_per_second": 100_000, "reserved_first": False, **settings}
    table = config(url, directory, **facts)
    table["cti"]["plugins"] += ["call-caps"]
    table["plugins"] |= {"call-caps": {}}
    found = Floor(Host.from_config(table))
    found.host.register(found)
    return found


async def dialed(url: str, calls: int) -> list[float]:
    """Seconds from ready to `make_call`, of each call."""
    with tempfile.TemporaryDirectory(prefix="lcm-benchmark-") as directory:
        here, took = floor(url, directory), []
        async with here.host:
            for _ in range(calls):
                began = await here.ready()
                at, attempt = await here.dialed.get()
                took.append(at - began)
                await here.ends(attempt)
                await here.disposes(attempt)
    return took


async def bare(url: str, calls: int) -> list[float]:
    """The same without us."""
    took = []
    async with aiohttp.ClientSession() as session:
        for number in range(calls):
            began = time.perf_counter()
            async with session.post(url, json=BODY) as reply:
                found = json.loads(await reply.read())
            Call(id=f"{number}", attempt_id=str(found), state=ConnectionState.INITIATED)
            took.append(time.perf_counter() - began)
    return took


async def offered_ahead(url: str, calls: int) -> list[float]:
    """Seconds from ready to the offer that was fetched ahead, of each call."""
    with tempfile.TemporaryDirectory(prefix="lcm-benchmark-") as directory:
        preview = {"seconds": 600, "on_timeout": "skip"}
        here, took = floor(url, directory, look_ahead=True, preview=preview), []
        async with here.host:
            began = await here.ready()
            for _ in range(calls + 1):
                at, attempt = await here.offered.get()
                took.append(at - began)
                told = {"attempt_id": attempt.id, "answer": "dial", "reason": None, "actor": AGENT.id}
                await here.host.hooks.first("answer_contact", agent=AGENT, **told)
                _, attempt = await here.dialed.get()
                here.next_there.clear()
                await here.ends(attempt)
                await here.next_there.wait()
                await here.disposes(attempt)
                began = await here.ready()
    return took[1:]


@frozen(kw_only=True)
class Waited:
    """Milliseconds, each round's median."""

    added: Sequence[float]
    """What the host adds to a bare client's, from ready to `make_call`."""
    ahead: Sequence[float]
    """From ready to the offer, with look-ahead."""


def measured(server: LcmServer, calls: int) -> Waited:
    """All of it, each comparison's rounds in turn."""
    added, ahead = [], []
    for _ in range(ROUNDS):
        server.order(contacts=100_000_000)
        ours, theirs = (statistics.median(asyncio.run(way(server.url, calls))) for way in (dialed, bare))
        added.append(1000 * (ours - theirs))
        server.order(contacts=100_000_000, seconds=LCM_SECONDS)
        found = asyncio.run(offered_ahead(server.url, max(5, calls // 20)))
        ahead.append(1000 * statistics.median(found))
    return Waited(added=added, ahead=ahead)


def main() -> None:
    """Run it."""
    logging.disable(logging.CRITICAL)
    with lcm_server() as server:
        print(measured(server, int(sys.argv[1]) if len(sys.argv) > 1 else 200))


if __name__ == "__main__":
    main()
