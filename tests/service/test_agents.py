"""The agents of a host over its API: who may be one, for how long, and what is shown of them."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from attrs import evolve

from cti_hooks import Agent, Attempt, AttemptState
from lcm_plugin.attempt.transitions import SKIPPED
from lcm_plugin.attempts import LedgerTool
from lcm_plugin.ledger import database_for
from lcm_plugin.sandbox.virtual_time import LoopClock
from lcm_plugin.service import agents
from lcm_plugin.service.agents import FORGOTTEN, LOOKED_FOR
from lcm_plugin.service.routes import agents as agents_routes


async def put(site: Any, agent_id: str, state: str = "ready", **facts: Any) -> int:
    path = f"/v1/agents/{quote(agent_id, safe='')}"
    return int((await site.ask("PUT", path, body={"state": state, **facts}))[0])


async def ids(site: Any) -> list[str]:
    return [one["id"] for one in (await site.get("/v1/agents"))[1]]


FORGED = "a\n2026-11-25 ERROR FORGED"


@pytest.mark.parametrize("agent_id", [FORGED, "\x1b[2J", "a\u2028b", "x" * 201], ids=ascii)
async def test_an_agents_id_is_short_and_can_be_shown(site: Any, agent_id: str) -> None:
    """A line of its own in the log, or an order to a terminal, is no id: 422, and nobody is told."""
    async with site(names=()) as one:
        assert await put(one, agent_id) == 422
        assert await put(one, "Åse 日本 x200") == 200
        assert await ids(one) == ["Åse 日本 x200"]


def contents(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.iterdir())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/agents/1001", {"state": "ready", "name": "a\x1b[2Jb"}),
        ("/v1/agents/1001", {"state": "ready", "campaign_groups": ["g" * 201]}),
        ("/v1/dialing/stop", {"actor": "a\nb"}),
        ("/v1/attempts/x/answer", {"answer": "dial", "actor": "a\nb"}),
        ("/v1/attempts/x/disposition", {"actor": "x" * 201}),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
async def test_who_says_something_has_a_name(site: Any, path: str, body: dict[str, Any]) -> None:
    """Names, groups and actors have 200 characters at the most, and no control characters."""
    async with site() as one:
        method = "PUT" if "agents" in path else "POST"
        status, problem = await one.ask(method, path, body=body)
        assert status == 422
        assert "characters" in problem["detail"]


async def test_agents_are_listed_in_pages(site: Any) -> None:
    """By id, so many a page, and the header Link leads on to the last."""
    async with site(names=()) as one:
        for number in range(5):
            await put(one, f"a{number}")
        path, found = "/v1/agents?limit=2", []
        while path:
            async with one.http.get(path) as reply:
                found.append([agent["id"] for agent in await reply.json()])
                path = str(reply.links["next"]["url"].relative()) if "next" in reply.links else ""
        assert found == [["a0", "a1"], ["a2", "a3"], ["a4"]]


async def test_who_logged_off_is_forgotten(site: Any, clock: LoopClock) -> None:
    """An hour after; who came back, or has something open, is not."""
    async with site(names=()) as one:
        for agent_id in ("gone", "back", "open"):
            await put(one, agent_id, "logged_off")
        facts: Any = {"contact": None, "campaign_group": "G", "opened_at": clock.now()}
        attempt = Attempt(id="1", agent=Agent(id="open"), state=AttemptState.OFFERED, **facts)
        await one.host.hooks.all("on_attempt_changed", attempt=attempt)
        await put(one, "back")
        await asyncio.sleep(FORGOTTEN + 1)
        assert await ids(one) == ["back", "open"]
        ended = evolve(attempt, state=AttemptState.EXPIRED)
        await one.host.hooks.all("on_attempt_changed", attempt=ended)
        await asyncio.sleep(FORGOTTEN + 1)
        assert await ids(one) == ["back"]


async def test_there_are_so_many_agents(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is 409; those that are known go on."""
    monkeypatch.setattr(agents_routes, "AGENTS", 3)
    assert agents.AGENTS == 20_000
    async with site(names=()) as one:
        assert [await put(one, f"a{number}") for number in range(5)] == [200, 200, 200, 409, 409]
        assert await put(one, "a0", "logged_off") == 200


async def test_whom_another_process_forgets_is_not_shown(site: Any, clock: LoopClock, tmp_path: Path) -> None:
    """`attempts forget` beside a running host: in 2 s it shows the person no more; no file has the number."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    async with site(ledger=url) as one:
        await put(one, "a", "logged_on")
        attempt = await one.offered("a", "0|7", extra={"note": "Liddell"})
        one.ledger.change(attempt, SKIPPED, reason="skip: Alice asked for it")
        await asyncio.sleep(1)
        assert (await one.get("/v1/agents/a"))[1]["last_attempt"]["contact"]["phone_number"] == "2125550123"
        beside = database_for(url, tmp_path)
        assert (await LedgerTool(beside, clock).forget("0|7"))[0] == 1
        await asyncio.sleep(LOOKED_FOR)
        for path in ("/v1/agents/a", "/v1/agents"):
            async with one.http.get(path) as reply:
                told = await reply.text()
            assert "Alice" not in told
            assert "2125550123" not in told
            assert '"last_attempt": null' in told
        await beside.close()
        held = contents(tmp_path)
        assert b"Liddell" not in held
        assert b"2125550123" not in held
