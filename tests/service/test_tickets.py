"""Tickets: what a page shows in the place of a token, once."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from cti_hooks import Agent
from lcm_plugin.identity import Caller, Role
from lcm_plugin.identity.tickets import MOST, Tickets
from lcm_plugin.sandbox.virtual_time import LoopClock

SERVICE = {
    "token_env": "API_TOKEN",
    "tokens": {"rob": {"role": "agent", "env": "ROBS_TOKEN", "agent": "bob"}},
}


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "host-t0ken")
    monkeypatch.setenv("ROBS_TOKEN", "bob-t0ken")


def as_(who: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {who}-t0ken"}}


async def ticket(here: Any, who: str, **body: Any) -> str:
    status, told = await here.ask("POST", "/v1/tickets", body, **as_(who))
    assert status == 201
    return str(told["ticket"])


async def opened(here: Any, shown: str) -> aiohttp.ClientWebSocketResponse:
    """As a page does it: a browser's WebSocket sets no header but the protocols it asks for."""
    protocols = ("lcm-events", f"ticket.{shown}")
    socket: aiohttp.ClientWebSocketResponse = await here.http.ws_connect("/v1/events", protocols=protocols)
    return socket


async def refused(here: Any, shown: str) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await opened(here, shown)
    return error.value.status


async def test_a_ticket_opens_one_websocket(site: Any) -> None:
    """It is good once, for the events of whoever had it made; the answer does not hold it."""
    async with site(service=SERVICE) as here:
        shown = await ticket(here, "bob")
        socket = await opened(here, shown)
        assert socket.protocol == "lcm-events"
        await here.ledger.open(Agent(id="alice"))
        await here.ask("PUT", "/v1/agents/alice", {"state": "not_ready"}, **as_("host"))
        await here.ask("PUT", "/v1/agents/bob", {"state": "not_ready"}, **as_("host"))
        assert (await socket.receive_json(timeout=1))["agent"] == "bob"
        assert await refused(here, shown) == 401


async def test_a_ticket_is_good_for_a_minute(site: Any) -> None:
    """One that nobody has shown for 60 s opens nothing."""
    async with site(service=SERVICE) as here:
        fresh, old = await ticket(here, "bob"), await ticket(here, "bob")
        await asyncio.sleep(59)
        await (await opened(here, fresh)).close()
        await asyncio.sleep(1)
        assert await refused(here, old) == 401


async def test_a_ticket_opens_events_only(site: Any) -> None:
    """It is no token: shown elsewhere, or as one, it lets nobody in."""
    async with site(service=SERVICE) as here:
        shown = await ticket(here, "bob")
        header = {"headers": {"Sec-WebSocket-Protocol": f"ticket.{shown}"}}
        assert (await here.get("/v1/agents", **header))[0] == 401
        assert (await here.get("/v1/agents", headers={"Authorization": f"Bearer {shown}"}))[0] == 401


async def test_a_sites_program_has_tickets_made_for_its_agents(site: Any) -> None:
    """The host's token makes a ticket for an agent it knows to be at the page; an agent's for themself."""
    async with site(service=SERVICE) as here:
        socket = await opened(here, await ticket(here, "host", agent="bob"))
        await here.ask("PUT", "/v1/agents/alice", {"state": "not_ready"}, **as_("host"))
        await here.ask("PUT", "/v1/agents/bob", {"state": "not_ready"}, **as_("host"))
        assert (await socket.receive_json(timeout=1))["agent"] == "bob"
        assert (await here.ask("POST", "/v1/tickets", {"agent": "alice"}, **as_("bob")))[0] == 403


async def test_a_ticket_is_in_no_log_and_no_repr(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reads a log, or a traceback, can open nothing by it."""
    caplog.set_level(logging.DEBUG)
    async with site(service=SERVICE) as here:
        shown = await ticket(here, "bob")
        await (await opened(here, shown)).close()
        await refused(here, shown)
        assert shown not in repr(here.host)
    mine = [record.getMessage() for record in caplog.records if record.name.startswith("lcm_plugin")]
    assert not [line for line in mine if shown in line]


async def test_tickets_nobody_shows_are_not_kept_for_ever(clock: LoopClock) -> None:
    """Ten thousand wait at the most; the oldest makes room."""
    tickets = Tickets(clock)
    caller = Caller(role=Role.AGENT, subject="rob", agent="bob")
    first, *_, last = [tickets.make(caller).ticket for _ in range(MOST + 1)]
    assert (tickets.take(first.encode()), tickets.take(last.encode())) == (None, caller)


async def test_a_ticket_ends_with_the_token_it_was_had_for(clock: LoopClock) -> None:
    """Who is let in for 10 s more makes no ticket that lasts for 60."""
    until = clock.now() + timedelta(seconds=10)
    made = Tickets(clock).make(Caller(role=Role.AGENT, subject="rob", agent="bob", until=until))
    assert made.expires_at == until
