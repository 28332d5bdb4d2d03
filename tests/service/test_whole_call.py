"""The whole call over plain HTTP, against `lcm-plugin run` as a site runs it; the LCM's books are witness."""

import asyncio
import json
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

pytestmark = pytest.mark.real_time

PROGRAM = Path(sys.executable).parent / "lcm-plugin"
ZONE = "America/New_York"
GROUP = "AD Dev Manual Group"
BUSY = "+12125550002"


def people(count: int) -> list[SandboxContact]:
    return [
        SandboxContact(key=f"0|0|000|0|0|00|{n}", phone_number=f"+1212555{n:04}", campaign_group=GROUP)
        for n in range(1, count + 1)
    ]


@define
class Desktop:
    """An agent's desktop: it knows the API, and nothing else."""

    http: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        async with self.http.request(method, path, json=body) as reply:
            answer = await reply.json(content_type=None)
            assert reply.status < 400, answer
            return answer

    async def ready(self, agent: str) -> None:
        await self.ask("PUT", f"/v1/agents/{agent}", {"state": "ready"})

    async def attempt_of(self, agent: str, *states: str) -> Any:
        """The attempt before an agent, once it is in one of these states."""

        async def found() -> Any:
            attempt = (await self.ask("GET", f"/v1/agents/{agent}"))["attempt"]
            return attempt if attempt and attempt["state"] in states else None

        return await eventually(found)

    async def closed(self, attempt_id: str) -> Any:
        async def found() -> Any:
            attempt = await self.ask("GET", f"/v1/attempts/{attempt_id}")
            return attempt if attempt["state"] == "closed" else None

        return await eventually(found)

    async def attempts(self) -> list[Any]:
        found: list[Any] = await self.ask("GET", "/v1/attempts?limit=1000")
        return [attempt for attempt in found if attempt["contact"]]


async def eventually(found: Callable[[], Any]) -> Any:
    async with asyncio.timeout(20):
        while not (value := await found()):  # noqa: ASYNC110  (another process)
            await asyncio.sleep(0.05)
        return value


@asynccontextmanager
async def desktop(directory: Path, lcm: Sandbox, **settings: Any) -> AsyncIterator[Desktop]:
    """`lcm-plugin run` with a loopback dialer, until it is interrupted; it then drains and ends well."""
    own = {
        "url": lcm.url,
        "source": "whole-call",
        "timezone": ZONE,
        "campaign_groups": [GROUP],
        "ledger": "sqlite:///ledger.db",
        "call_types": {"0": "regular", "1": "regular_callback", "2": "personal_callback"},
        "callback_time_zone": ZONE,
        "callid": "1",
        **settings,
    }
    dialer = {"agent_seconds": 0.05, "ring_seconds": 0.1, "talk_seconds": 0.3, "numbers": {BUSY: "busy"}}
    tables: dict[str, Any] = {"cti": {"plugins": ["lcm", "loopback"]}, "service": {"port": 0}}
    config = directory / "cti.toml"
    config.write_text(toml({**tables, "plugins.lcm": own, "plugins.loopback": dialer}))
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "run", "--config", config, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout
        line = (await process.stdout.readline()).decode()
        async with aiohttp.ClientSession(line.removeprefix("listening on ").strip()) as http:
            yield Desktop(http)
    finally:
        process.terminate()
        await process.communicate()


def toml(tables: dict[str, dict[str, Any]]) -> str:
    return "\n".join(
        line
        for name, table in tables.items()
        for line in (f"[{name}]", *(f"{key} = {inline(value)}" for key, value in table.items()))
    )


def inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {inline(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


def agrees(lcm: Sandbox, attempts: list[Any]) -> None:
    """The LCM's books and the ledger say the same: contacts, reservations, dispositions, callbacks."""
    account, disposed = lcm.account, [one for one in attempts if one["disposition"]]
    assert sorted(one["contact"]["key"] for one in attempts) == sorted(account.keys_handed())
    assert account.reservations == {
        one["contact"]["key"]: one["agent"]["id"] for one in attempts if one["state"] != "closed"
    }
    assert sorted((one.key, one.agent_id, one.outcome_id) for one in account.dispositions) == sorted(
        (one["contact"]["key"], one["agent"]["id"], one["disposition"]["outcome_id"]) for one in disposed
    )
    booked = {one.key: (one.agent_id, one.personal, one.starts_at, one.ends_at) for one in account.callbacks}
    assert len(booked) == len(account.callbacks)
    assert booked == {
        one["contact"]["key"]: (
            one["agent"]["id"],
            wanted["kind"] == "personal",
            to_the_minute(wanted["starts_at"]),
            to_the_minute(wanted["ends_at"]),
        )
        for one in disposed
        if (wanted := one["disposition"]["callback"])
    }


def to_the_minute(told: str) -> datetime:
    return datetime.fromisoformat(told).replace(second=0, microsecond=0)


async def test_a_personal_callback_comes_back_first(tmp_path: Path) -> None:
    """Ready, offer, dial, answered, personal callback; due, it is its agent's next, before fresh contacts."""
    async with Sandbox(contacts=people(5)) as lcm, desktop(tmp_path, lcm, preview={"seconds": 60}) as site:
        await site.ready("alice")
        offer = await site.attempt_of("alice", "offered")
        dialed = await site.ask("POST", f"/v1/attempts/{offer['id']}/answer", {"answer": "dial"})
        assert (dialed["id"], dialed["actor"]) == (offer["id"], "alice")
        ended = await site.attempt_of("alice", "ended")
        assert (ended["id"], ended["outcome"]) == (offer["id"], "answered")
        agrees(lcm, await site.attempts())
        starts_at = datetime.now(UTC) + timedelta(seconds=2)
        window = {
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(minutes=9)).isoformat(),
        }
        said = {"outcome_id": "4", "comments": "in a moment", "callback": {"kind": "personal", **window}}
        await site.ask("POST", f"/v1/attempts/{offer['id']}/disposition", said)
        closed = await site.closed(offer["id"])
        assert [(one["message"], one["state"]) for one in closed["messages"]] == [
            ("SetCallResult", "confirmed")
        ]
        await site.ready("bob")
        assert (await site.attempt_of("bob", "offered"))["contact"]["call_type"] == "regular"
        await asyncio.sleep((starts_at - datetime.now(UTC)).total_seconds())
        await site.ready("alice")
        again = await site.attempt_of("alice", "offered")
        contact = again["contact"]
        assert (contact["phone_number"], contact["call_type"]) == ("+12125550001", "personal_callback")
        agrees(lcm, await site.attempts())
        await site.ask("POST", f"/v1/attempts/{again['id']}/answer", {"answer": "dial"})
        await site.attempt_of("alice", "ended")
        await site.ask("POST", f"/v1/attempts/{again['id']}/disposition", {"outcome_id": "0"})
        await site.closed(again["id"])
        agrees(lcm, await site.attempts())


async def test_busy_is_disposed_of_by_itself(tmp_path: Path) -> None:
    """With `auto_dispose` a busy call is told to the LCM without an agent's step; an answered one waits."""
    settings = {"preview": {"seconds": 0}, "auto_dispose": {"busy": "3"}}
    first, second, third = people(3)
    async with Sandbox(contacts=[second, first, third]) as lcm, desktop(tmp_path, lcm, **settings) as site:
        await site.ready("alice")
        (busy,) = await eventually(site.attempts)
        closed = await site.closed(busy["id"])
        assert (closed["outcome"], closed["actor"]) == ("busy", "auto")
        assert closed["disposition"]["outcome_id"] == "3"
        agrees(lcm, await site.attempts())
        await site.ready("alice")
        ended = await site.attempt_of("alice", "ended")
        assert (ended["outcome"], ended["contact"]["phone_number"]) == ("answered", first.phone_number)
        agrees(lcm, await site.attempts())
        await site.ask("POST", f"/v1/attempts/{ended['id']}/disposition", {"outcome_id": "0"})
        await site.closed(ended["id"])
        agrees(lcm, await site.attempts())
