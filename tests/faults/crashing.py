"""A host that is stopped by a signal at ordered moments of its attempts' lives.

Run with a JSON object on standard input: `config` (a host's), `directory`, and moments, each a list
`[state, "before" | "after", which]`:

- `kills`: at each, the host is killed with SIGKILL and started again. Each host is a process of its own,
  forked from this one, which has all imports done, so that a start costs little. After the last kill one more
  host works until the lists are empty.
- `stops`: one host, this process, that stops itself with SIGSTOP at each, for somebody else to continue it,
  and works until the lists are empty. Its agents rest after each call, as a host beside it would never get
  one of the same agents otherwise.

Prints a JSON line for each host: how it ended, and what was left open then.
"""

import asyncio
import gc
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import define, field

from cti_hooks import Agent, Attempt, AttemptState, Contact, Host, hookimpl
from lcm_plugin.errors import ConflictError
from lcm_plugin.ledger import OPEN, Doubtful, Ledger, LedgerUnavailable
from lcm_plugin.plugin import lcm_of

GROUP = "AD Dev Manual Group"
NOBODY = "Group without contacts"
AGENTS = [Agent(id=f"agent-{n}", campaign_groups=(NOBODY, GROUP) if n < 2 else (GROUP,)) for n in range(10)]
SHORT_LIVED = "S"
"""A contact with a key that ends so expires in a moment, and its agent goes away until it has."""
UNWANTED = "N"
"""A contact with a key that ends so is skipped by its agent."""
MOMENT = 0.3
OVER = "over"
"""The file that tells hosts beside each other that the campaign gets no more contacts."""
MISSED_AFTER = 40.0
"""Seconds; a machine that is busy with other tests takes its time to come to each moment."""
GIVES_UP_AFTER = 120.0
"""Seconds; a host beside another that stops itself works until that has come to its last stop."""


@define(eq=False)
class Agents:
    """Plays ten agents: ready, and ready again after each call or refusal."""

    host: Host
    until_empty: Callable[[], bool]
    """Whether an agent who gets no contact goes home."""
    rests: float = 0.0
    """Seconds, after each call."""
    away: set[str] = field(factory=set)
    done: set[str] = field(factory=set)
    tasks: set[asyncio.Task[None]] = field(factory=set)

    @hookimpl
    def lcm_adjust_reply(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        expiry = datetime.now(UTC) + timedelta(seconds=MOMENT)
        return {key: _expiring(value, expiry) for key, value in message.items()}

    @hookimpl
    async def enrich_contact(self, contact: Contact, agent: Agent) -> None:
        if contact.key.endswith(SHORT_LIVED):
            await self._away_for(agent, MOMENT)

    @hookimpl
    def on_contact_offered(self, attempt: Attempt) -> None:
        if attempt.contact and attempt.contact.key.endswith(UNWANTED):
            self._later(self._skip(attempt))

    async def _skip(self, attempt: Attempt) -> None:
        said = {"answer": "skip", "reason": None, "actor": attempt.agent.id}
        with suppress(ConflictError):
            await self.host.hooks.first("answer_contact", agent=attempt.agent, attempt_id=attempt.id, **said)

    @hookimpl
    async def on_attempt_changed(self, attempt: Attempt) -> None:
        empty = attempt.state is AttemptState.EMPTY and attempt.campaign_group == GROUP
        if empty and attempt.reason == "no contact" and self.until_empty():
            self.done.add(attempt.agent.id)
            await self.host.hooks.all("on_agent_not_ready", agent=attempt.agent, reason=None)
        if self.rests and attempt.state is AttemptState.CLOSED:
            await self._away_for(attempt.agent, self.rests)

    async def ready(self, agent: Agent, after: float = 0) -> None:
        await asyncio.sleep(after)
        self.away.discard(agent.id)
        await self.host.hooks.all("on_agent_ready", agent=agent)

    async def keep_working(self) -> None:
        """Agents do not wait for the pauses after refusals and errors: they go away and come back."""
        while True:
            for agent in AGENTS:
                if agent.id not in self.away | self.done:
                    await self.host.hooks.all("on_agent_not_ready", agent=agent, reason=None)
                    await self.ready(agent)
            await asyncio.sleep(0.2)

    async def _away_for(self, agent: Agent, seconds: float) -> None:
        self.away.add(agent.id)
        await self.host.hooks.all("on_agent_not_ready", agent=agent, reason=None)
        self._later(self.ready(agent, seconds))

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def _expiring(value: Any, expiry: datetime) -> Any:
    if isinstance(value, list):
        return [_expiring(one, expiry) for one in value]
    if not isinstance(value, Mapping):
        return value
    if str(value.get("AccountNumber", "")).endswith(SHORT_LIVED):
        return {**value, "ExpiryTime": expiry.strftime("%m/%d/%Y %H:%M:%S.%f")}
    return {key: _expiring(one, expiry) for key, one in value.items()}


async def work(
    config: Mapping[str, Any], kill: list[Any] | None, stops: Sequence[list[Any]] | None = None
) -> dict[str, Any]:
    """One host's life."""
    host = Host.from_config(config)
    host.directory = Path.cwd()
    over = (Path.cwd() / OVER).exists if stops is not None else lambda: kill is None
    agents = Agents(host, until_empty=over, rests=MOMENT if stops is not None else 0)
    host.register(agents)
    plugin = lcm_of(host)
    async with host:
        ledger = plugin.desks.ledger
        moments, how = ([kill], signal.SIGKILL) if kill else ([*(stops or ())], signal.SIGSTOP)
        ledger.watch = Stopper(moments, how, ledger)
        working = asyncio.create_task(agents.keep_working())
        try:
            if kill:
                await asyncio.sleep(MISSED_AFTER)
                return {"missed": kill}
            async with asyncio.timeout(GIVES_UP_AFTER):
                return await settled(agents, ledger)
        finally:
            working.cancel()


async def settled(agents: Agents, ledger: Ledger) -> dict[str, Any]:
    """What is left once no agent gets a contact any more, and nothing is under way."""
    left: list[AttemptState] = []
    doubts: dict[str, Doubtful] = {}
    try:
        while True:
            await asyncio.sleep(0.1)
            try:
                left = [one.state for one in await ledger.attempts(states=OPEN)]
                doubts = await ledger.doubts()
            except LedgerUnavailable:  # frozen for longer than a question may take: it is asked again
                continue
            if not left and not doubts and len(agents.done) == len(AGENTS):
                return {"open": [], "doubts": []}
    except (TimeoutError, asyncio.CancelledError):
        return {"open": left, "doubts": [one.reason for one in doubts.values()]}


@define
class Stopper:
    """Stops this process, at once, at each of these moments in turn; not twice under the same lease."""

    moments: list[list[Any]]
    signal: signal.Signals
    ledger: Ledger
    stopped_as: str = ""

    def __call__(self, attempt: Attempt, when: str) -> None:
        if self.stopped_as == self.ledger.holder:  # it has not noticed yet that it lost its lease
            return
        if not self.moments or [attempt.state.value, when] != self.moments[0][:2]:
            return
        self.moments[0][2] -= 1
        if self.moments[0][2] == 0:
            self.moments.pop(0)
            self.stopped_as = self.ledger.holder
            os.kill(os.getpid(), self.signal)


def started(config: Mapping[str, Any], kill: list[Any] | None) -> dict[str, Any]:
    """Start a host in a process of its own, and wait for its end."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, json.dumps(asyncio.run(work(config, kill))).encode())
        except BaseException:  # noqa: BLE001  (this process must not go on as the other one's twin)
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return {"killed": kill, "signal": os.WTERMSIG(status)}
    return json.loads(told) if told else {"failed": kill}


def main() -> None:
    """Run the order on standard input."""
    order = json.load(sys.stdin)
    os.chdir(order["directory"])
    if "stops" in order:
        print(json.dumps(asyncio.run(work(order["config"], None, order["stops"]))))  # noqa: T201  (as below)
        return
    gc.freeze()  # a process that is forked need not look through, and so copy, what all of them import
    for kill in [*order["kills"], None]:
        print(json.dumps(started(order["config"], kill)), flush=True)  # noqa: T201  (what it is for)


if __name__ == "__main__":
    main()
