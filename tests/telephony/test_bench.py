"""The bench itself: what the other tests rely on."""

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from tests.telephony.bench.asterisk import Asterisk
from tests.telephony.bench.customer import Customer, hangs_up_after
from tests.telephony.bench.softphone import Softphone

pytestmark = pytest.mark.real_time

CAUSES = {
    Customer.UNALLOCATED: (1, 404),
    Customer.BUSY: (17, 486),
    Customer.NOT_ANSWERED: (19, 480),
    Customer.DECLINES: (21, 603),
    Customer.CONGESTED: (34, 503),
    Customer.RINGS: (19, 480),
    hangs_up_after(2): (0, None),
}
"""What Asterisk tells in the end of a call to each: the Q.850 cause, and the SIP status where given."""


@pytest.mark.parametrize("number", CAUSES)
async def test_each_customer_is_one_outcome(shared_asterisk: Asterisk, number: str) -> None:
    """The number called decides what becomes of the call, as Asterisk tells it and accounts for it."""
    identity = f"bench-{number}"
    order = {"endpoint": f"PJSIP/{number}@trunk", "app": "bench", "channelId": identity, "timeout": 1}
    url = shared_asterisk.ari_url
    async with (
        aiohttp.ClientSession(headers=_credentials()) as session,
        session.ws_connect(f"{url}/events", params={"app": "bench"}) as events,
        session.post(f"{url}/channels", json=order) as reply,
        asyncio.timeout(10),
    ):
        assert reply.status == 200
        ended = await _event(events, "ChannelDestroyed")
    assert (ended["cause"], ended.get("tech_cause")) == CAUSES[number]
    assert identity in shared_asterisk.account()
    assert identity not in shared_asterisk.channels()


async def test_asterisk_comes_back(own_asterisk: Asterisk) -> None:
    """An Asterisk that was killed starts again on the same ports."""
    own_asterisk.kill()
    own_asterisk.start()
    async with (
        aiohttp.ClientSession(headers=_credentials()) as session,
        session.get(f"{own_asterisk.ari_url}/asterisk/info") as reply,
    ):
        assert (await reply.json())["system"]["version"]


def test_a_softphone_does_as_told(open_softphone: Callable[..., Softphone]) -> None:
    """It answers a command on its control socket."""
    phone = open_softphone()
    command = json.dumps({"command": "reginfo", "token": "t"}).encode()
    with socket.create_connection(("127.0.0.1", phone.control_port), timeout=10) as control:
        control.sendall(b"%d:%s," % (len(command), command))
        assert b'"ok":true' in control.recv(4096)


def _credentials() -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth("lcm", "secret")}


async def _event(events: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    while True:
        event: dict[str, Any] = await events.receive_json()
        if event["type"] == kind:
            return event
