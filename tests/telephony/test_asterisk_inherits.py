"""The asterisk dialer and what a host that crashed left at Asterisk."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from cti_hooks import Call, ConnectionState
from tests.telephony.bench.asterisk import Asterisk
from tests.telephony.bench.centre import Centre, ari_settings, centre
from tests.telephony.bench.customer import Customer

pytestmark = pytest.mark.real_time

Leave = Callable[..., Awaitable[None]]


@pytest.fixture
async def here(shared_asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Centre]:
    monkeypatch.setenv("ARI_PASSWORD", "secret")
    async with centre({"asterisk": ari_settings(shared_asterisk, app="host")}) as running:
        await running.ready()
        yield running
    assert shared_asterisk.channels() == []


@pytest.fixture
async def leave(shared_asterisk: Asterisk, here: Centre) -> AsyncIterator[Leave]:
    """Places a channel as the crashed host had; unless told otherwise, in an application still there."""
    headers = {"Authorization": aiohttp.encode_basic_auth("lcm", "secret")}
    url = shared_asterisk.ari_url
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(f"{url}/events", params={"app": "crashed"}),
    ):

        async def left(channel: str, endpoint: str, *, app: str = "crashed", state: str = "Up") -> None:
            async def is_in() -> str:
                async with session.get(f"{url}/channels/{channel}") as reply:
                    return str((await reply.json())["state"])

            order = {"channelId": channel, "endpoint": endpoint, "app": app, "timeout": 30}
            async with session.post(f"{url}/channels", json=order) as reply:
                assert reply.status == 200
            async with asyncio.timeout(10):
                while app == "crashed" and await is_in() != state:  # noqa: ASYNC110  (nobody tells)
                    await asyncio.sleep(0.02)

        yield left


async def test_an_agent_who_answers_for_nobody_is_hung_up_on(leave: Leave, shared_asterisk: Asterisk) -> None:
    """A leg of a crashed host's that is answered now has nobody to talk to."""
    await leave("stray-a", "Local/agent@agents/n", app="host")
    async with asyncio.timeout(10):
        while "stray-a" not in shared_asterisk.account("CHAN_END"):  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.02)
    assert "stray-c" not in shared_asterisk.account()


async def test_an_agents_leg_alone_is_found_and_ended(here: Centre, leave: Leave) -> None:
    """Where the crash came between the legs, the call is found, hung up and told to be over."""
    await leave("alone-a", "Local/agent@agents/n")
    found = (await here.find("alone")).value
    assert (found.id, found.state) == ("alone-c", "initiated")
    await here.listener.told("alone", "call_cleared")
    assert "established" not in here.listener.kinds("alone")


async def test_a_ringing_call_is_found_and_cleared(here: Centre, leave: Leave) -> None:
    """A customer's phone that rings since before the crash is found ringing, and can be hung up."""
    await leave("old-a", "Local/agent@agents/n")
    await leave("old-c", f"PJSIP/{Customer.RINGS}@trunk", state="Ringing")
    call = (await here.find("old")).value
    assert call.state == "alerting"
    assert await here.host.hooks.first("clear_call", call=call) is True
    await here.listener.told("old", "call_cleared")


async def test_a_call_of_the_crashed_hosts_can_be_cleared_unseen(
    here: Centre, leave: Leave, shared_asterisk: Asterisk
) -> None:
    """clear_call needs no find_call before it: the channels' ids are the attempt's."""
    await leave("unseen-a", "Local/agent@agents/n")
    await leave("unseen-c", f"PJSIP/{Customer.ANSWERS}@trunk")
    call = Call(id="unseen-c", attempt_id="unseen", state=ConnectionState.CONNECTED, engine="asterisk")
    assert await here.host.hooks.first("clear_call", call=call) is True
    async with asyncio.timeout(10):
        while shared_asterisk.channels():  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.02)
    assert await here.host.hooks.first("clear_call", call=call) is False
