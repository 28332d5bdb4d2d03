"""What a hook call costs, beside pluggy's own synchronous call and beside `asyncio.gather`.

    python -m benchmarks.dispatch [SECONDS]

With 1, 5 and 20 implementations that are plain functions, and as many that are `async def`; rounds in turn.
`first` asks implementations of which the last one answers, as pluggy's `firstresult` call does.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pluggy

from cti_hooks import Agent, Attempt, AttemptState, Hooks, SystemClock, hookimpl, spec

COUNTS = (1, 5, 20)
ROUNDS = 7
AGENT = Agent(id="1001")
FACTS: dict[str, Any] = {"contact": None, "campaign_group": "G", "opened_at": SystemClock().now()}
ATTEMPT = Attempt(id="a", agent=AGENT, state=AttemptState.OFFERED, **FACTS)
LIMIT = 5

Call = Callable[[], Awaitable[object]]


class Plain:
    """Implements two hooks by plain functions."""

    @hookimpl
    def on_contact_offered(self, attempt: Attempt) -> None:
        """Nothing to do."""

    @hookimpl
    def select_campaign_groups(self, agent: Agent) -> None:
        """No opinion."""


class Awaited:
    """Implements them by coroutines."""

    @hookimpl
    async def on_contact_offered(self, attempt: Attempt) -> None:
        """Nothing to do."""

    @hookimpl
    async def select_campaign_groups(self, agent: Agent) -> None:
        """No opinion."""


def manager(kind: type, count: int) -> pluggy.PluginManager:
    """A manager with so many plugins."""
    pm = pluggy.PluginManager("cti")
    pm.add_hookspecs(spec)
    for number in range(count):
        pm.register(kind(), f"p{number}")
    return pm


def calls(count: int) -> dict[str, Call]:
    """Each way to call, by name."""
    plain, awaited = manager(Plain, count), manager(Awaited, count)
    hooks, async_hooks = Hooks(plain), Hooks(awaited)

    async def pluggys() -> object:
        return plain.hook.on_contact_offered(attempt=ATTEMPT)

    async def gathered() -> object:
        async with asyncio.timeout(LIMIT):
            return await asyncio.gather(*awaited.hook.on_contact_offered(attempt=ATTEMPT))

    return {
        "pluggy": pluggys,
        "all": lambda: hooks.all("on_contact_offered", attempt=ATTEMPT),
        "first": lambda: hooks.first("select_campaign_groups", agent=AGENT),
        "gather": gathered,
        "all async": lambda: async_hooks.all("on_contact_offered", attempt=ATTEMPT),
    }


async def microseconds(call: Call, seconds: float) -> float:
    """How long one takes."""
    count, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        for _ in range(20):
            await call()
        count += 20
    return 1e6 * took / count


async def measured(seconds: float) -> dict[tuple[str, int], list[float]]:
    """Microseconds a call, by way and number of implementations, in each round."""
    found: dict[tuple[str, int], list[float]] = {}
    for count in COUNTS:
        ways: dict[str, Any] = calls(count)
        for _ in range(ROUNDS):
            for way, call in ways.items():
                found.setdefault((way, count), []).append(await microseconds(call, seconds))
    return found


def main() -> None:
    """Run it."""
    found = asyncio.run(measured(float(sys.argv[1]) if len(sys.argv) > 1 else 0.2))
    for (way, count), times in found.items():
        beside = "gather" if "async" in way or way == "gather" else "pluggy"
        ratios = [mine / its for mine, its in zip(times, found[beside, count], strict=True)]
        print(
            f"{way:10}{count:4} implementations {statistics.median(times):9.1f} us"
            f"{statistics.median(ratios):7.1f} times {beside} ({min(ratios):.1f} to {max(ratios):.1f})"
        )


if __name__ == "__main__":
    main()
