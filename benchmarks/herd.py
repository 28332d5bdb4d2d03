"""The LCM is gone while thousands wait, and comes back with a contact for each: how long until all have one.

    python -m benchmarks.herd [AGENTS [SECONDS_GONE]]

Beside it the time that `max_per_second` (100) allows. Nobody may be dialed twice, and no second may have more
questions than the cap, but for what was saved up in the second before.
"""

import asyncio
import logging
import sys
import tempfile
import time
from collections import Counter

from attrs import define, field, frozen

from benchmarks.lcm_server import LcmServer, lcm_server
from benchmarks.waiting import Lines, config
from cti_hooks import Agent, Attempt, Call, ConnectionState, Dial, Host, hookimpl

GROUPS = 20
PER_SECOND = 100
LONGEST = 10.0
"""Times as long as the cap allows it is waited for at the most."""


@define(eq=False)
class Phones:
    """Takes each call, which goes on."""

    dialed: Counter[str] = field(factory=Counter)

    @hookimpl
    def make_call(self, attempt: Attempt, dial: Dial) -> Call:  # noqa: ARG002  (the hook's)
        """Note whom."""
        self.dialed[attempt.contact.key if attempt.contact else "?"] += 1
        return Call(id=attempt.id, attempt_id=attempt.id, state=ConnectionState.INITIATED)


@frozen(kw_only=True)
class Recovered:
    """How it went."""

    agents: int
    seconds: float
    allowed: float
    """Seconds, by the cap."""
    dialed_twice: int
    most_in_a_second: int
    log_lines: int

    @property
    def ratio(self) -> float:
        """Of what the cap allows."""
        return self.seconds / self.allowed


async def recovered(server: LcmServer, agents: int, gone: float) -> Recovered:
    """So many agents wait for so many seconds; then the LCM is back."""
    lines, phones = Lines(), Phones()
    logging.getLogger().addHandler(lines)
    logging.getLogger().setLevel(logging.INFO)
    server.order(gone=True)
    with tempfile.TemporaryDirectory(prefix="lcm-benchmark-") as directory:
        settings = {"max_per_second": PER_SECOND, "reserved_first": False}
        host = Host.from_config(config(server.url, directory, **settings))
        host.register(phones)
        async with host:
            for number in range(agents):
                agent = Agent(id=f"agent-{number}", campaign_groups=(f"G{number % GROUPS}",))
                await host.hooks.all("on_agent_ready", agent=agent)
                if number % GROUPS == 0:
                    await asyncio.sleep(0)
            await asyncio.sleep(gone)
            server.order(contacts=agents)
            server.counts()
            began, allowed = time.perf_counter(), agents / PER_SECOND
            while len(phones.dialed) < agents and time.perf_counter() - began < LONGEST * allowed:  # noqa: ASYNC110  (nobody tells)
                await asyncio.sleep(0.05)
            seconds, counts = time.perf_counter() - began, server.counts()
    logging.getLogger().removeHandler(lines)
    return Recovered(
        agents=agents,
        seconds=seconds,
        allowed=allowed,
        dialed_twice=sum(count > 1 for count in phones.dialed.values()),
        most_in_a_second=counts["most in a second"],
        log_lines=lines.count,
    )


def main() -> None:
    """Run it."""
    agents, gone = (*map(int, sys.argv[1:]), *(5000, 20)[len(sys.argv) - 1 :])
    with lcm_server() as server:
        found = asyncio.run(recovered(server, agents, gone))
    print(found, f"{found.ratio:.2f} of what the cap allows")


if __name__ == "__main__":
    main()
