"""The dialer for agents' own softphones, against baresip and customers at sipp."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from cti_hooks import Agent, ConnectionState, SystemClock
from tests.dialers.fakes.listening import Site, site
from tests.telephony.bench.customer import Customer, Sipp, hangs_up_after
from tests.telephony.bench.softphone import Softphone

pytestmark = pytest.mark.real_time

BEGUN = ["service_initiated", "agent originated"]
OUTCOMES: dict[str, tuple[str, list[str], int, int | None]] = {
    "answers": (Customer.ANSWERS, ["delivered", "established"], 16, None),
    "busy": (Customer.BUSY, ["failed"], 17, 486),
    "not answered": (Customer.NOT_ANSWERED, ["failed"], 18, 480),
    "declines": (Customer.DECLINES, ["failed"], 21, 603),
    "congested": (Customer.CONGESTED, ["failed"], 41, 503),
    "unallocated": (Customer.UNALLOCATED, ["failed"], 1, 404),
    "rings": (Customer.RINGS, ["delivered", "failed"], 19, None),
    "hangs up": (hangs_up_after(5), ["delivered", "established", "connection_cleared"], 16, None),
}


@pytest.fixture
def phone(open_softphone: Callable[..., Softphone]) -> Softphone:
    return open_softphone()


def opened(phone: Softphone, sipp: Sipp, **more: Any) -> AbstractAsyncContextManager[Site]:
    table = {
        "endpoint": f"sip:{{number}}@127.0.0.1:{sipp.port}",
        "phones": {"alice": {"port": phone.control_port}},
        **more,
    }
    return site(SystemClock(), "baresip", quiet_seconds=0.3, **table)


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_each_outcome_is_told(
    phone: Softphone, sipp: Sipp, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    """Eight ways a call can go, each with events in order, cause and SIP status; the phone is idle after."""
    monkeypatch.setattr("lcm_plugin.dialers.exchange.course.SHORTEST_RING", 1.0)
    number, told, q850, status = OUTCOMES[outcome]
    async with opened(phone, sipp) as one:
        await one.healthy()
        call = await one.placed(to=number, ring_seconds=1)
        await one.heard(told[-1])
        if outcome == "answers":
            found = await one.found()
            assert found
            assert found.state is ConnectionState.CONNECTED
            assert await one.clear(call) is True
        last = await one.ended()
        heard = [kind for kind in one.listener.told() if kind != "delivered" or "delivered" in told]
        heard = [kind for kind in heard if outcome != "answers" or kind != "agent connection_cleared"]
        assert heard[: 2 + len(told)] == BEGUN + told
        assert (last.party, last.q850, last.sip_status) == ("customer", q850, status)
        assert await one.found() is None
        again = await one.placed(2, to=hangs_up_after(1))
        assert again.engine == f"127.0.0.1:{phone.control_port}"
        async with asyncio.timeout(10):
            while one.listener.last.attempt_id != "attempt-2" or one.listener.last.kind != "call_cleared":  # noqa: ASYNC110  (a second call)
                await asyncio.sleep(0.05)


async def test_a_phone_in_a_call_is_left_alone(phone: Softphone, sipp: Sipp) -> None:
    """While the agent talks to somebody else nothing is dialed, and whose call that is cannot be told."""
    async with opened(phone, sipp) as one:
        await one.healthy()
        (line,) = one.host.plugins["baresip"]._lines.values()  # type: ignore[attr-defined]
        await line.connection.wire.command("dial", f"sip:{Customer.ANSWERS}@127.0.0.1:{sipp.port}")
        await one.placed(to=Customer.BUSY)
        last = await one.ended()
        assert one.listener.told() == ["service_initiated", "agent failed", "call_cleared"]
        assert last.text == "the agent's softphone is in a call"
        with pytest.raises(ConnectionError, match="whose it is cannot be told"):
            await one.found(7)


async def test_a_call_goes_on_over_a_lost_connection(
    open_softphone: Callable[..., Softphone], sipp: Sipp
) -> None:
    """Whoever takes the control socket from us ends no call; it is found at the phone and can be hung up."""
    phone = open_softphone()
    async with opened(phone, sipp) as one:
        await one.healthy()
        call = await one.placed(to=Customer.ANSWERS)
        await one.heard("established")
        with socket.create_connection(("127.0.0.1", phone.control_port)):  # takes our connection's place
            await one.healthy(good=False)
        await one.healthy()
        found = await one.found()
        assert found
        assert found.state is ConnectionState.CONNECTED
        assert await one.clear(call) is True
        assert (await one.ended()).q850 == 16


async def test_an_account_may_name_its_transport(
    open_softphone: Callable[..., Softphone], sipp: Sipp
) -> None:
    """A call by an account with parameters, which baresip puts behind what it dials, is heard and hung up."""
    phone = open_softphone(account="<sip:agent@127.0.0.1:{sip_port};transport=udp>;regint=0")
    async with opened(phone, sipp) as one:
        await one.healthy()
        call = await one.placed(to=Customer.ANSWERS)
        await one.heard("established", seconds=10)
        found = await one.found()
        assert found
        assert found.state is ConnectionState.CONNECTED
        assert await one.clear(call) is True
        assert (await one.ended()).q850 == 16


async def test_only_agents_with_a_phone_are_served(phone: Softphone, sipp: Sipp) -> None:
    """An agent without a softphone here is left to the next dialer."""
    async with opened(phone, sipp) as one:
        await one.healthy()
        assert await one.call(agent=Agent(id="bob"), to=Customer.BUSY) is None
