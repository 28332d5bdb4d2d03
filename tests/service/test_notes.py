"""What an agent is told over the API: why there is no contact now, and what to do for the next one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from attrs import define

from lcm_plugin.sandbox import Sandbox, SandboxContact
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.people import GROUP


@define
class Seat:
    """One agent's desktop, and the LCM behind it."""

    lcm: Sandbox
    site: Any

    async def told(self) -> Any:
        """The agent as shown, a moment later."""
        await asyncio.sleep(1)  # of virtual time
        return (await self.site.get("/v1/agents/alice"))[1]

    async def ready(self) -> Any:
        await self.site.ask("PUT", "/v1/agents/alice", {"state": "ready"})
        return await self.told()

    async def post(self, path: str, body: Any = None) -> None:
        status, answer = await self.site.ask("POST", path, body)
        assert status == 200, answer

    async def called(self) -> str:
        """A call that the agent had, and that is over; its attempt."""
        attempt: str = (await self.ready())["attempt"]["id"]
        await self.post(f"/v1/attempts/{attempt}/answer", {"answer": "dial"})
        await asyncio.sleep(10)
        await self.post(f"/v1/attempts/{attempt}/clear")
        return attempt

    async def disposes(self, attempt: str) -> Any:
        await self.post(f"/v1/attempts/{attempt}/disposition", {"outcome_id": "0"})
        return await self.told()


Open = Callable[..., AbstractAsyncContextManager[Seat]]


@pytest.fixture
def seat(site: Any, clock: LoopClock) -> Open:
    """Opens a seat; settings of the LCM plugin by keyword."""

    @asynccontextmanager
    async def opened(**lcm: Any) -> AsyncIterator[Seat]:
        people = [
            SandboxContact(key=f"0|{n}", phone_number=f"+1212555{n:04}", campaign_group=GROUP, consent="Yes")
            for n in range(1, 9)
        ]
        settings = {
            "names": ("lcm", "loopback"),
            "campaign_groups": [GROUP],
            "tables": {"loopback": {"talk_seconds": 60}},
            **lcm,
        }
        async with (
            Sandbox(contacts=people, clock=clock) as there,
            site(url=there.url, **settings) as here,
        ):
            yield Seat(there, here)

    return opened


async def test_ready_while_a_call_is_not_disposed_of(seat: Open) -> None:
    """Who is ready with a call that has no disposition is told to finish it; then the next one comes."""
    async with seat() as here:
        attempt = await here.called()
        shown = await here.ready()
        assert (shown["attempt"]["id"], shown["state"]) == (attempt, "ready")
        assert shown["note"] == "finish your last call first: it has no disposition"
        shown = await here.disposes(attempt)
        assert (shown["attempt"]["state"], shown["attempt"]["contact"]["key"]) == ("offered", "0|2")
        assert shown["note"] == "fetched"


async def test_another_ready_is_asked_for_where_the_site_wants_one(seat: Open) -> None:
    """With `after_disposition = "ready"` an agent shown as ready is told what the next contact needs."""
    async with seat(after_disposition="ready") as here:
        shown = await here.disposes(await here.called())
        assert (shown["state"], shown["attempt"]) == ("ready", None)
        assert shown["note"] == "be ready again for the next contact"
        assert (await here.ready())["attempt"]["state"] == "offered"


async def test_who_is_not_there_is_put_into_not_ready(seat: Open) -> None:
    """Ten minutes unattended: two contacts taken; the agent is not ready, and reason and note say why."""
    async with seat() as here:
        await here.ready()
        await asyncio.sleep(600)
        shown = await here.told()
    assert len(here.lcm.account.handed) == 2
    assert (shown["state"], shown["reason"]) == ("not_ready", "no answer to 2 offers in a row")
    assert shown["note"].startswith("no answer to 2 offers in a row: nothing more is fetched until")
    assert shown["attempt"]["state"] == "offered"


async def test_why_nothing_is_fetched_is_shown(seat: Open) -> None:
    """A ready agent of a stopped site is told who stopped it; once resumed the offer comes by itself."""
    async with seat() as here:
        await here.post("/v1/dialing/stop", {"actor": "sue"})
        shown = await here.ready()
        assert shown["note"].startswith("sue stopped dialing at ")
        await here.post("/v1/dialing/resume")
        await asyncio.sleep(5)
        assert (await here.told())["attempt"]["state"] == "offered"


async def test_busy_is_told_of_a_kept_offer(seat: Open) -> None:
    """An agent with another call is told that the offer waits."""
    async with seat() as here:
        await here.ready()
        await here.site.ask("PUT", "/v1/agents/alice", {"state": "busy"})
        note = (await here.told())["note"]
        assert note == "you are busy with another call: nothing is fetched or dialed until it is over"
