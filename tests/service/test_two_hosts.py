"""Two hosts on one ledger: what an agent sees at either, and which of them has what waits for the agent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cti_hooks import Attempt, AttemptState, hookimpl
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import Sandbox, SandboxContact
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.people import GROUP

PREVIEW = {"seconds": 3600, "on_timeout": "skip"}
Hosts = tuple[Any, Any]
Open = Callable[..., AbstractAsyncContextManager[Hosts]]


@pytest.fixture
def hosts(site: Any, clock: LoopClock, tmp_path: Path) -> Open:
    """Opens two hosts of one ledger, whose LCM has people to call."""

    @asynccontextmanager
    async def opened(*plugins: object) -> AsyncIterator[Hosts]:
        people = [
            SandboxContact(key=f"0|{n}", phone_number=f"+1212555{n:04}", campaign_group=GROUP, consent="Yes")
            for n in range(1, 9)
        ]
        lcm = {
            "campaign_groups": [GROUP],
            "reserved_first": False,
            "ledger": f"sqlite:///{tmp_path}/ledger.db",
            "preview": PREVIEW,
            "offer_seconds": 3600,
            "names": ("lcm", "loopback"),
            "tables": {"loopback": {"talk_seconds": 10}},
        }
        async with (
            Sandbox(contacts=people, clock=clock, reserve_seconds=7200) as there,
            site(*plugins, host="a", url=there.url, **lcm) as a,
            site(host="b", url=there.url, **lcm) as b,
        ):
            yield a, b

    return opened


async def ready(site: Any, state: str = "ready") -> Any:
    """Alice's state there; her screen five seconds later."""
    assert (await site.ask("PUT", "/v1/agents/alice", {"state": state}))[0] == 200
    await asyncio.sleep(5)
    return await screen(site)


async def screen(site: Any) -> Any:
    return (await site.get("/v1/agents/alice"))[1]


async def post(site: Any, attempt: Any, what: str, body: Any) -> int:
    status: int = (await site.ask("POST", f"/v1/attempts/{attempt['id']}/{what}", body))[0]
    return status


class Heard:
    """What a host's plugins are told of attempts."""

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []

    @hookimpl
    def on_attempt_changed(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)


async def test_what_was_disposed_of_at_another_host_leaves_the_screen(hosts: Open) -> None:
    """Within a part of the lease the screen is free, and everybody is told how the attempt is now."""
    heard = Heard()
    async with hosts(heard) as (a, b):
        offer = (await ready(a))["attempt"]
        await ready(a, "not_ready")
        assert await post(b, offer, "disposition", {"outcome_id": "2"}) == 200
        await asyncio.sleep(15)
        assert (await screen(a))["attempt"] is None
    assert heard.attempts[-1].id == offer["id"]
    assert heard.attempts[-1].state in {AttemptState.DISPOSED, AttemptState.CLOSED}


async def test_what_was_lost_with_the_lease_leaves_the_screen(hosts: Open) -> None:
    """A host that was frozen shows no more what its agent has before them at another one."""
    async with hosts() as (a, b):
        offer = (await ready(a))["attempt"]
        ledger = lcm_of(a.host).desks.ledger
        ledger.freeze()
        await asyncio.sleep(60)
        assert (await ready(b))["attempt"]["id"] == offer["id"]
        ledger.thaw()
        await asyncio.sleep(60)
        left = await screen(a)
        assert (left["attempt"], "host b" in left["note"]) == (None, True)
        assert (await screen(b))["attempt"]["state"] == "offered"


async def test_an_offer_comes_along_where_its_agent_is_ready(hosts: Open) -> None:
    """It is taken up from a host that lives, which lets go of it and wants nothing more for this agent."""
    async with hosts() as (a, b):
        offer = (await ready(a))["attempt"]
        assert (await ready(b))["attempt"]["id"] == offer["id"]
        await asyncio.sleep(120)
        left = await screen(a)
        assert (left["attempt"], "host b" in left["note"]) == (None, True)
        assert (await screen(b))["attempt"]["id"] == offer["id"]
        assert await post(b, offer, "answer", {"answer": "skip"}) == 200
        await asyncio.sleep(30)
        assert (await screen(a))["attempt"] is None
        following = (await screen(b))["attempt"]
        assert following["id"] != offer["id"]
        assert (await ready(a))["attempt"]["id"] == following["id"]


async def test_a_call_to_be_disposed_of_comes_along(hosts: Open) -> None:
    """A call that ended at one living host is disposed of at the host that has its agent."""
    async with hosts() as (a, b):
        offer = (await ready(a))["attempt"]
        assert await post(a, offer, "answer", {"answer": "dial"}) == 200
        await asyncio.sleep(60)
        ended = (await ready(b))["attempt"]
        assert (ended["id"], ended["state"]) == (offer["id"], "ended")
        assert await post(b, ended, "disposition", {"outcome_id": "3"}) == 200
        await asyncio.sleep(30)
        assert (await screen(a))["attempt"] is None


async def test_a_call_under_way_at_another_host_is_the_reason(hosts: Open) -> None:
    """An agent who is ready here, and has a call at another host, is told so; its end comes here."""
    async with hosts() as (a, b):
        offer = (await ready(a))["attempt"]
        assert await post(a, offer, "answer", {"answer": "dial"}) == 200
        seen = await ready(b)
        assert (seen["attempt"], "held by host a" in seen["note"]) == (None, True)
        await asyncio.sleep(60)
        assert (await screen(b))["attempt"]["state"] == "ended"


async def test_what_waits_for_an_agent_is_theirs_where_dialing_is_stopped(hosts: Open) -> None:
    """A stop keeps nobody from the call that they have to dispose of, at whichever host they are."""
    async with hosts() as (a, b):
        offer = (await ready(a))["attempt"]
        assert await post(a, offer, "answer", {"answer": "dial"}) == 200
        await asyncio.sleep(60)
        assert (await a.ask("POST", "/v1/dialing/stop", {}))[0] == 200
        ended = (await ready(b))["attempt"]
        assert (ended["id"], ended["state"]) == (offer["id"], "ended")
        assert await post(b, ended, "disposition", {"outcome_id": "3"}) == 200


async def test_ready_told_twice_before_the_agent_leaves_steals_nothing_back(hosts: Open) -> None:
    """What a desktop repeated while its agent was there is no arrival once the agent is at another host."""
    async with hosts() as (a, b):
        offer = (await ready(a))["attempt"]
        await ready(a)
        assert (await ready(b))["attempt"]["id"] == offer["id"]
        await asyncio.sleep(120)
        assert (await screen(a))["attempt"] is None
        assert (await screen(b))["attempt"]["id"] == offer["id"]
        assert await post(b, offer, "answer", {"answer": "skip"}) == 200
        await asyncio.sleep(5)
        assert (await screen(b))["attempt"]["id"] != offer["id"]


async def test_an_agent_who_is_back_at_once_goes_on_where_they_are(hosts: Open) -> None:
    """Who has been at another host for a moment has the offer here again, and the next one after it."""
    async with hosts() as (a, b):
        offer = (await ready(a))["attempt"]
        await asyncio.sleep(5.5)
        await b.ask("PUT", "/v1/agents/alice", {"state": "ready"})
        await asyncio.sleep(3)
        await a.ask("PUT", "/v1/agents/alice", {"state": "ready"})
        await asyncio.sleep(60)
        assert (await screen(b))["attempt"] is None
        assert (await screen(a))["attempt"]["id"] == offer["id"]
        assert await post(a, offer, "answer", {"answer": "skip"}) == 200
        await asyncio.sleep(5)
        assert (await screen(a))["attempt"]["state"] == "offered"


async def test_an_offer_left_by_log_off_is_shown_where_it_is(hosts: Open) -> None:
    """Once it is before its agent at another host, or over there, the first one shows it no more."""
    async with hosts() as (a, b):
        offer = (await ready(a))["attempt"]
        await ready(a, "logged_off")
        assert (await ready(b))["attempt"]["id"] == offer["id"]
        await asyncio.sleep(15)
        left = await screen(a)
        assert (left["attempt"], "host b" in left["note"]) == (None, True)


async def test_an_offer_left_by_log_off_and_over_elsewhere_leaves_the_screen(hosts: Open) -> None:
    """A host that let go of an offer tells how it ended, wherever that was."""
    heard = Heard()
    async with hosts(heard) as (a, b):
        offer = (await ready(a))["attempt"]
        await ready(a, "logged_off")
        await b.ask("PUT", "/v1/agents/alice", {"state": "ready"})
        await asyncio.sleep(3)
        assert await post(b, offer, "answer", {"answer": "skip"}) == 200
        await asyncio.sleep(15)
        assert (await screen(a))["attempt"] is None
        assert (heard.attempts[-1].id, heard.attempts[-1].state) == (offer["id"], AttemptState.SKIPPED)


async def test_an_offer_let_go_of_says_why_the_agent_is_not_here(hosts: Open) -> None:
    """If a host was told nothing of an agent, it does not say that the agent logged off."""
    async with hosts() as (a, b):
        offer = (await ready(a))["attempt"]
        await ready(a, "logged_off")
        assert await post(b, offer, "answer", {"answer": "close"}) == 422
        told = (await b.get(f"/v1/attempts/{offer['id']}"))[1]
        assert told["reason"] == "no state of the agent's was told here"
