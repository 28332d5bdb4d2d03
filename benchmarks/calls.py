"""What a whole call costs the host: fetched, reviewed, dialed, ended, disposed of, told to the LCM, the next.

    python -m benchmarks.calls [AGENTS [SECONDS]]

The LCM is `lcm-plugin sandbox`, a process of its own; the ledger a SQLite file; the policy call-caps is on,
which asks the ledger for past calls. The dialer's calls end at once, and `auto_dispose` disposes of them.
"""

import asyncio
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from benchmarks.waiting import config, cpu
from cti_hooks import Agent, Attempt, Call, CallEvent, CallEventKind, ConnectionState, Dial, Host, hookimpl
from lcm_plugin.sandbox.people import GROUP

PEOPLE = 4000


@define(eq=False)
class Phones:
    """Takes each call, which is answered, and ends at once."""

    host: Host
    numbers: list[str] = field(factory=list)
    _tasks: set[asyncio.Task[None]] = field(factory=set)

    @hookimpl
    def make_call(self, attempt: Attempt, dial: Dial) -> Call:
        """Place it."""
        self.numbers.append(dial.to)
        task = asyncio.create_task(self._goes_on(attempt))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Call(id=attempt.id, attempt_id=attempt.id, state=ConnectionState.INITIATED)

    async def _goes_on(self, attempt: Attempt) -> None:
        for kind in (CallEventKind.DELIVERED, CallEventKind.ESTABLISHED, CallEventKind.CALL_CLEARED):
            at = self.host.clock.now()
            event = CallEvent(kind=kind, call_id=attempt.id, attempt_id=attempt.id, at=at)
            await self.host.hooks.all("on_call_event", event=event)


@frozen(kw_only=True)
class Called:
    """How many whole calls, and what each cost."""

    agents: int
    a_second: float
    cpu_ms: float
    """Of the host, a call."""


@contextmanager
def sandbox(directory: str) -> Iterator[str]:
    """The address of a sandbox with many people."""
    file = Path(directory) / "people.json"
    people = [
        {"key": f"0|{number}", "phone_number": f"+1212{2_000_000 + number}", "contact_id": str(number)}
        for number in range(PEOPLE)
    ]
    file.write_text(json.dumps(people), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("lcm-plugin")), "sandbox", "--contacts", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  (our own)
        try:
            yield process.stdout.readline().split()[-1] if process.stdout else ""
        finally:
            process.terminate()


def table_for(url: str, directory: str, name: str = "cti", ledger: str = "", **lcm: Any) -> dict[str, Any]:
    """The configuration of a host whose agents call without end."""
    table = config(
        url,
        directory,
        campaign_groups=[GROUP],
        auto_dispose={"*": "0"},
        timezone="America/New_York",
        **{"max_per_second": 100_000, **lcm},
    )
    table["cti"] |= {"name": name, "plugins": ["lcm", "call-caps"]}
    table["plugins"] |= {"call-caps": {}}
    if ledger:
        table["plugins"]["lcm"]["ledger"] = ledger
    return table


async def called(url: str, directory: str, agents: int, seconds: float, **lcm: Any) -> Called:
    """So many agents call one after another for so many seconds; settings of lcm by keyword."""
    host = Host.from_config(table_for(url, directory, **lcm))
    phones = Phones(host)
    host.register(phones)
    async with host:
        for number in range(agents):
            await host.hooks.all("on_agent_ready", agent=Agent(id=f"agent-{number}"))
            if number % 100 == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(2)
        before, used = len(phones.numbers), cpu()
        await asyncio.sleep(seconds)
        count, used = len(phones.numbers) - before, cpu() - used
    return Called(agents=agents, a_second=count / seconds, cpu_ms=1000 * used / max(1, count))


def main() -> None:
    """Run it."""
    logging.disable(logging.CRITICAL)
    agents, seconds = (*map(int, sys.argv[1:]), *(50, 8)[len(sys.argv) - 1 :])
    with tempfile.TemporaryDirectory(prefix="lcm-benchmark-") as directory, sandbox(directory) as url:
        print(asyncio.run(called(url, directory, agents, seconds)))


if __name__ == "__main__":
    main()
