"""An LCM, or a gateway before it, that sends what nobody asked for: it costs its own contact, and no more."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from attrs import define, field

from cti_hooks import Contact, hookimpl
from tests.service.conftest import Open

CONTACT = {"AccountNumber": "0|1", "PhoneNumber": "2125550123", "Consent": "Yes"}


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@define(eq=False)
class HostileLcm:
    """Answers every download with these records, or not at all."""

    records: list[dict[str, Any]] = field(factory=list)
    busy: dict[str, str] | None = None
    """The headers of a 503."""
    asked: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        asked = json.loads(await request.text())
        if "Download" not in asked["subtopic"]:
            return web.json_response({"subtopic": "DownloadContactsForDialing", "message": {"response": []}})
        self.asked += 1
        if self.busy is not None:
            return web.Response(status=503, headers=self.busy)
        body = {"subtopic": "DownloadContactsForDialing", "message": {"response": {"Contacts": self.records}}}
        return web.json_response(body)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
        await runner.cleanup()


@pytest.fixture
def lcm() -> HostileLcm:
    return HostileLcm()


LCM = {"campaign_groups": ["G"], "reserved_first": False}


@pytest.mark.parametrize("depth", [33, 400, 800, 5000])
async def test_a_record_nested_without_end_breaks_nobody(site: Open, lcm: HostileLcm, depth: int) -> None:
    """It is a bad reply: the list of agents is told, the ledger is well, and its agent may log off."""
    lcm.records = [{**CONTACT, "Deep": nested(depth)}]
    async with lcm.listening() as url, site(url=url, **LCM) as one:
        await one.ask("PUT", "/v1/agents/victim", {"state": "ready"})
        await one.ask("PUT", "/v1/agents/other", {"state": "not_ready"})
        await asyncio.sleep(60)
        status, agents = await one.get("/v1/agents")
        assert status == 200
        assert {agent["id"]: agent["attempt"] for agent in agents} == {"victim": None, "other": None}
        assert (await one.get("/v1/agents/victim"))[0] == 200
        assert (await one.ask("PUT", "/v1/agents/victim", {"state": "logged_off"}))[0] == 200
        assert one.ledger.health().good


async def test_a_plugins_contact_nested_without_end_breaks_nobody(site: Open) -> None:
    """What a source of contacts nests deeper than anybody reads is cut off when it is written and shown."""

    class Source:
        @hookimpl
        def request_next_contact(self) -> Contact:
            return Contact(key="k", phone_number="2125550123", extra={"deep": nested(5000), "flat": [1]})

    async with site(Source(), **LCM) as one:
        await one.ask("PUT", "/v1/agents/victim", {"state": "ready"})
        await asyncio.sleep(5)
        status, agents = await one.get("/v1/agents")
        assert status == 200
        extra = agents[0]["attempt"]["contact"]["extra"]
        assert extra["flat"] == [1]
        assert "nested too deep" in json.dumps(extra["deep"])
        assert one.ledger.health().good
        (written,) = await one.ledger.attempts(agent_id="victim")
        assert written.contact


@pytest.mark.parametrize(
    "records",
    [
        [{"AccountNumber": f"0|{n}"} for n in range(30_000)],
        [{**CONTACT, **{f"f{n}": 1 for n in range(60_000)}}],
        [{**CONTACT, **{f"f{n}": 1 for n in range(900)}, "AccountNumber": f"0|{m}"} for m in range(100)],
    ],
    ids=["30 000 records", "60 000 fields", "100 records of 900 fields"],
)
async def test_a_flood_of_records_holds_up_nobody(
    site: Open, lcm: HostileLcm, caplog: pytest.LogCaptureFixture, records: list[dict[str, Any]]
) -> None:
    """More than was asked for, with some slack, is refused before it is read; its log is a line."""
    lcm.records = records
    async with lcm.listening() as url, site(url=url, fetch_seconds=1, max_requests=1, **LCM) as one:
        began = time.perf_counter()
        await one.ask("PUT", "/v1/agents/a", {"state": "ready"})
        await asyncio.sleep(0.9)
        await one.ask("PUT", "/v1/agents/a", {"state": "not_ready"})
        assert lcm.asked == 1
        assert time.perf_counter() - began < 2.5
    assert sum(len(record.getMessage()) for record in caplog.records) < 2000


async def test_contacts_that_cannot_be_used_are_counted(
    site: Open, lcm: HostileLcm, caplog: pytest.LogCaptureFixture
) -> None:
    """Of many contacts without a number, or without a key, one line is logged, with their count."""
    caplog.set_level(logging.WARNING)
    lcm.records = [{"AccountNumber": f"0|{n}"} for n in range(60)] + [{"PhoneNumber": "2125550123"}] * 30
    async with lcm.listening() as url, site(url=url, max_requests=1, **LCM) as one:
        await one.ask("PUT", "/v1/agents/a", {"state": "ready"})
        await asyncio.sleep(0.5)
    lines = [record.getMessage() for record in caplog.records if "cannot be used" in record.getMessage()]
    assert lines == [
        "60 contacts of agent a cannot be used: the LCM's contact has no number",
        "30 contacts of agent a cannot be used: the LCM's contact has no key",
    ]


@pytest.mark.parametrize("wish", ["1000000000", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT", "86400"])
async def test_a_gateway_silences_nobody_for_long(site: Open, lcm: HostileLcm, wish: str) -> None:
    """However long a 503 asks to wait, an agent's next question comes within a minute and a bit."""
    lcm.busy = {"Retry-After": wish}
    async with lcm.listening() as url, site(url=url, **LCM) as one:
        await one.ask("PUT", "/v1/agents/a", {"state": "ready"})
        await asyncio.sleep(10)
        lcm.busy, before = None, lcm.asked
        assert before
        await asyncio.sleep(60)
        assert lcm.asked > before
