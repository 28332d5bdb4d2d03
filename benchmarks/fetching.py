"""What a contact's way from the LCM to the host costs, beside a bare request and beside a hand-made client.

    python -m benchmarks.fetching [SECONDS]

Rounds interleaved in one run, with 1, 50 and 500 at once:
`bare`: aiohttp POST and `json.loads`; `client`: `LcmClient.next_contact`; `hook`: `request_next_contact` by
the host, with a ledger in a SQLite file, each contact skipped at once; `httpx`: httpx and tenacity as the
latter's documentation shows, if httpx is installed.
"""

import asyncio
import json
import logging
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any, Self, cast

import aiohttp
import tenacity
from attrs import define, field

from benchmarks.lcm_server import LcmServer, lcm_server
from benchmarks.waiting import config
from cti_hooks import Agent, Host
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.ledger import Ledger  # noqa: TC001  (cast by its name)
from lcm_plugin.plugin import lcm_of

with suppress(ImportError):
    import httpx

AT_ONCE = (1, 50, 500)
ROUNDS = 5
GROUP = "G"
BODY = {
    "channel": "LCM",
    "topic": "WebService",
    "subtopic": "GetDownloadContactsForDialing",
    "data": {"CampaignGroup": GROUP, "Count": 1},
}

Fetch = Callable[[int], Awaitable[object]]
"""Fetches one contact for the agent of this number."""


class Untold:
    """Instead of a ledger: the client alone is measured."""

    living = 1

    async def doubt(self, _: Agent) -> None:
        """Nothing was lost."""

    def handed_here(self, _: object) -> dict[str, str]:
        """Nobody has any of these keys."""
        return {}


@define(eq=False)
class Ways:
    """The ways to fetch, open for as long as the context lasts."""

    url: str
    fetch: dict[str, Fetch] = field(factory=dict, init=False)
    _stack: AsyncExitStack = field(factory=AsyncExitStack, init=False)

    async def __aenter__(self) -> Self:
        directory = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="lcm-benchmark-"))
        limits = {"max_per_second": 1_000_000, "max_concurrency": max(AT_ONCE), "reserved_first": False}
        settings = {"fetch_when": ["on_request"], "campaign_groups": [GROUP], **limits}
        host = Host.from_config(config(self.url, directory, **settings))
        await self._stack.enter_async_context(host)
        session = await self._stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=max(AT_ONCE)))
        )
        self.fetch["bare"] = self._bare(session)
        own = lcm_of(host).client
        facts: dict[str, Any] = {"settings": own.settings, "transport": own.transport, "random": own.random}
        self.fetch["client"] = self._client(LcmClient(ledger=cast("Ledger", Untold()), **facts))
        self.fetch["hook"] = self._hook(host)
        if "httpx" in globals():
            client = httpx.AsyncClient(limits=httpx.Limits(max_connections=max(AT_ONCE)))
            self.fetch["httpx"] = self._httpx(await self._stack.enter_async_context(client))
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    def _bare(self, session: aiohttp.ClientSession) -> Fetch:
        async def fetch(_: int) -> object:
            async with session.post(self.url, json=BODY) as reply:
                return json.loads(await reply.read())

        return fetch

    def _httpx(self, client: Any) -> Fetch:
        @tenacity.retry(
            stop=tenacity.stop_after_attempt(3),
            wait=tenacity.wait_exponential(multiplier=0.2, max=2),
            retry=tenacity.retry_if_exception_type(httpx.TransportError),
        )
        async def fetch(_: int) -> object:
            reply = await client.post(self.url, json=BODY)
            reply.raise_for_status()
            return reply.json()

        return fetch

    @staticmethod
    def _client(client: LcmClient) -> Fetch:
        agents = [Agent(id=f"client-{number}") for number in range(max(AT_ONCE))]

        async def fetch(number: int) -> object:
            return await client.next_contact(agents[number], GROUP)

        return fetch

    @staticmethod
    def _hook(host: Host) -> Fetch:
        agents = [Agent(id=f"hook-{number}") for number in range(max(AT_ONCE))]
        desks = lcm_of(host).desks

        async def fetch(number: int) -> object:
            agent = agents[number]
            contact = await host.hooks.first("request_next_contact", agent=agent, campaign_group=GROUP)
            attempt = desks.of(agent).hand.attempt
            if attempt is None:
                raise RuntimeError(f"{agent.id} got {contact}, and has nothing in hand")
            told = {"answer": "skip", "reason": None, "actor": agent.id}
            await host.hooks.first("answer_contact", agent=agent, attempt_id=attempt.id, **told)
            return contact

        return fetch


async def rate(fetch: Fetch, at_once: int, seconds: float) -> float:
    """Contacts a second."""
    loop = asyncio.get_running_loop()
    ends, count = loop.time() + seconds, 0

    async def worker(number: int) -> None:
        nonlocal count
        while loop.time() < ends:
            await fetch(number)
            count += 1

    began = loop.time()
    await asyncio.gather(*(worker(number) for number in range(at_once)))
    return count / (loop.time() - began)


async def measured(server: LcmServer, seconds: float) -> dict[tuple[str, int], list[float]]:
    """Contacts a second, of each way, with so many at once, in each round."""
    found: dict[tuple[str, int], list[float]] = {}
    async with Ways(server.url) as ways:
        for at_once in AT_ONCE:
            for _ in range(ROUNDS):
                for way, fetch in ways.fetch.items():
                    found.setdefault((way, at_once), []).append(await rate(fetch, at_once, seconds))
    return found


def main() -> None:
    """Run it."""
    logging.disable(logging.CRITICAL)
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    with lcm_server(contacts=100_000_000) as server:
        found = asyncio.run(measured(server, seconds))
    for (way, at_once), rates in found.items():
        to_bare = [mine / bare for mine, bare in zip(rates, found["bare", at_once], strict=True)]
        print(
            f"{way:8}{at_once:5} at once {statistics.median(rates):8.0f}/s"
            f"{statistics.median(to_bare):7.2f} of bare ({min(to_bare):.2f} to {max(to_bare):.2f})"
        )


if __name__ == "__main__":
    main()
