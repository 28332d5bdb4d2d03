"""A whole call by plain HTTP against `lcm-plugin run`: no Python of ours on the agent's side."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from attrs import define

from lcm_plugin.sandbox import Sandbox, SandboxContact
from tests.people import GROUP

pytestmark = pytest.mark.real_time

PROGRAM = Path(sys.executable).parent / "lcm-plugin"
CONFIG = """
[cti]
plugins = ["lcm", "loopback"]
[plugins.lcm]
url = "{url}"
source = "whole"
timezone = "UTC"
campaign_groups = ["AD Dev Manual Group"]
callback_time_zone = "UTC"
after_disposition = "ready"
callid = "0"
call_types = {{ 0 = "regular", 1 = "regular_callback", 2 = "personal_callback" }}
poll_min_seconds = 0.1
poll_max_seconds = 0.2
{more}
[plugins.loopback]
agent_seconds = 0.05
ring_seconds = 0.05
talk_seconds = 30
numbers = {{ "+12125550109" = "busy" }}
[service]
port = 0
"""


@define
class Desktop:
    """What an agent's desktop does: requests, and looking again until something is so."""

    http: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self.http.request(method, path, json=body) as reply:
            return reply.status, await reply.json(content_type=None)

    async def good(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = await self.ask(method, path, body)
        assert status == 200, answer
        return answer

    async def attempt(self, agent: str, *, where: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The agent's newest attempt, once it is so."""
        async with asyncio.timeout(20):
            while True:
                found: list[dict[str, Any]] = await self.good("GET", f"/v1/attempts?agent={agent}")
                if found and where(found[0]):
                    return found[0]
                await asyncio.sleep(0.05)  # another process, asked over HTTP


def in_state(state: str) -> Callable[[dict[str, Any]], bool]:
    return lambda attempt: attempt["state"] == state


@define
class Watch:
    """The LCM's clock, which can be set forward: a callback is due without anybody waiting for it."""

    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@define
class Centre:
    lcm: Sandbox
    desktop: Desktop
    lcm_clock: Watch


def is_connected(attempt: dict[str, Any]) -> bool:
    return bool(attempt["calls"]) and attempt["calls"][0]["state"] == "connected"


@asynccontextmanager
async def centre(tmp_path: Path, people: list[SandboxContact], more: str = "") -> AsyncIterator[Centre]:
    clock = Watch()
    async with Sandbox(contacts=people, timezone="UTC", clock=clock) as lcm:
        config = tmp_path / "cti.toml"
        config.write_text(CONFIG.format(url=lcm.url, more=more))
        process = await asyncio.create_subprocess_exec(
            *(PROGRAM, "run", "--config", config),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().removeprefix("listening on ").strip()
        try:
            async with aiohttp.ClientSession(url) as http:
                yield Centre(lcm, Desktop(http), clock)
        finally:
            process.terminate()
            await process.wait()


def person(number: int) -> SandboxContact:
    phone_number = f"+121255501{number:02}"
    return SandboxContact(key=f"5|3|1|0|0|44|{number}", phone_number=phone_number, campaign_group=GROUP)


def minutes_from_now(minutes: int) -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=minutes)


async def agrees(site: Centre) -> None:
    """What the LCM was told is what the ledger says was told, row by row."""
    lcm = site.lcm
    ended = [one for one in await site.desktop.good("GET", "/v1/attempts") if one["disposition"]]
    by_ledger = sorted((one["contact"]["key"], one["disposition"]["outcome_id"]) for one in ended)
    by_lcm = sorted((one.key, one.outcome_id) for one in lcm.account.dispositions)
    assert by_ledger == by_lcm
    assert {one["state"] for one in ended} == {"closed"}


async def test_a_call_and_its_personal_callback(tmp_path: Path) -> None:
    """Ready, offer, dial, answered, a personal callback; when due, it is offered to that agent first."""
    async with centre(tmp_path, [person(1), person(2)], "reserved_every_seconds = 0") as site:
        lcm, desktop = site.lcm, site.desktop
        await desktop.good("PUT", "/v1/agents/1001", {"state": "ready", "endpoint": "PJSIP/1001"})
        offer = await desktop.attempt("1001", where=in_state("offered"))
        path = f"/v1/attempts/{offer['id']}"
        assert (await desktop.good("POST", f"{path}/answer", {"answer": "dial"}))["state"] == "dialing"
        await desktop.attempt("1001", where=is_connected)
        assert await desktop.good("POST", f"{path}/clear") == {"cleared": True}
        ended = await desktop.attempt("1001", where=in_state("ended"))
        assert ended["outcome"] == "answered"

        status, problem = await desktop.ask("POST", f"{path}/disposition", {"outcome_id": "99"})
        assert (status, "0 Success" in problem["detail"]) == (422, True)
        late = {"kind": "personal", "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-01-01T01:00:00Z"}
        status, problem = await desktop.ask(
            "POST", f"{path}/disposition", {"outcome_id": "4", "callback": late}
        )
        assert (status, "is in the past" in problem["detail"]) == (422, True)
        assert lcm.account.dispositions == []

        starts_at, ends_at = minutes_from_now(5), minutes_from_now(30)
        window = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
        told = {"outcome_id": "4", "comments": "after lunch", "callback": {"kind": "personal", **window}}
        await desktop.good("PUT", "/v1/agents/1001", {"state": "not_ready"})
        await desktop.good("POST", f"{path}/disposition", told)
        await desktop.attempt("1001", where=in_state("closed"))
        (callback,) = lcm.account.callbacks
        assert (callback.personal, callback.starts_at, callback.ends_at) == (True, starts_at, ends_at)
        status, problem = await desktop.ask("POST", f"{path}/disposition", told)
        assert (status, "is closed" in problem["detail"]) == (409, True)
        await agrees(site)

        site.lcm_clock.ahead = timedelta(minutes=10)
        await desktop.good("PUT", "/v1/agents/1001", {"state": "ready"})
        again = await desktop.attempt("1001", where=in_state("offered"))
        assert again["contact"]["call_type"] == "personal_callback"
        assert again["contact"]["phone_number"] == person(1).phone_number
        assert again["contact"]["key"] != offer["contact"]["key"]


async def test_busy_and_disposed_of_by_itself(tmp_path: Path) -> None:
    """Busy, with auto_dispose: nobody has to say anything, and the next contact is offered."""
    more = 'preview = { seconds = 0 }\nauto_dispose = { busy = "3" }'
    async with centre(tmp_path, [person(9), person(10)], more) as site:
        lcm, desktop = site.lcm, site.desktop
        await desktop.good("PUT", "/v1/agents/1001", {"state": "ready"})
        busy = await desktop.attempt("1001", where=in_state("closed"))
        assert (busy["outcome"], busy["actor"]) == ("busy", "auto")
        await desktop.good("PUT", "/v1/agents/1001", {"state": "ready"})
        await desktop.attempt("1001", where=lambda one: one["id"] != busy["id"] and one["state"] == "calling")
        await agrees(site)
        assert [one.outcome_id for one in lcm.account.dispositions] == ["3"]
