"""An embedded host with its LCM plugin and a ledger in memory, spoken to over a real socket."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import MappingProxyType
from typing import Any

import aiohttp
import pytest
from attrs import define

from cti_hooks import Agent, Attempt, Contact, Host
from lcm_plugin.attempt.transitions import FETCHED
from lcm_plugin.ledger import Ledger
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox.virtual_time import LoopClock
from lcm_plugin.service import Service, service_settings

NOBODY = "http://127.0.0.1:9/message"


@define
class Site:
    """A running service, and who asks it."""

    host: Host
    http: aiohttp.ClientSession
    url: str

    @property
    def ledger(self) -> Ledger:
        return lcm_of(self.host).desks.ledger

    async def ask(self, method: str, path: str, body: Any = None, **kwargs: Any) -> tuple[int, Any]:
        """Status and JSON of an answer; a problem's media type is held to be one's."""
        data = None if body is None else json.dumps(body)
        async with self.http.request(method, path, data=data, **kwargs) as reply:
            good = reply.status < 400
            assert reply.content_type == ("application/json" if good else "application/problem+json")
            return reply.status, await reply.json(content_type=None)

    async def get(self, path: str, **kwargs: Any) -> tuple[int, Any]:
        return await self.ask("GET", path, **kwargs)

    async def offered(self, agent_id: str, key: str = "", **facts: Any) -> Attempt:
        """An attempt in the ledger, offered to this agent."""
        attempt = await self.ledger.open(Agent(id=agent_id))
        contact = Contact(key=key or f"0|{agent_id}", phone_number="2125550123", **facts)
        return self.ledger.change(attempt, FETCHED, contact=contact)


Open = Callable[..., AbstractAsyncContextManager[Site]]


@pytest.fixture
def site(clock: LoopClock) -> Open:
    """Opens a site; `names` are its plugins, `plugins` are registered, `tables` are others' settings.

    The rest are settings of the LCM plugin.
    """

    @asynccontextmanager
    async def opened(
        *plugins: object,
        names: tuple[str, ...] = ("lcm",),
        host: str = "cti",
        url: str = NOBODY,
        service: Mapping[str, Any] = MappingProxyType({}),
        tables: Mapping[str, Any] = MappingProxyType({}),
        **lcm: Any,
    ) -> AsyncIterator[Site]:
        table = {"url": url, "source": "s", "timezone": "America/New_York", "ledger": "sqlite://", **lcm}
        own = {"lcm": table} if "lcm" in names else {}
        config = {"cti": {"name": host, "plugins": list(names)}, "plugins": {**own, **tables}}
        started = Host.from_config(config, clock=clock)
        for one in plugins:
            started.register(one)
        async with (
            Service(started, service_settings({"port": 0, **service}, "cti.toml")) as running,
            aiohttp.ClientSession(running.url) as http,
        ):
            yield Site(started, http, running.url)

    return opened
