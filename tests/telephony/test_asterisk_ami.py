"""The dialer for Asterisk's manager interface, against Asterisk and customers at sipp."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest

from cti_hooks import Agent, ConnectionState, SystemClock
from tests.dialers.fakes.listening import Site, site
from tests.telephony.bench.asterisk import Asterisk
from tests.telephony.bench.customer import Customer, hangs_up_after

pytestmark = pytest.mark.real_time

BEGUN = ["service_initiated", "agent originated"]
OUTCOMES: dict[str, tuple[str, list[str], int, int | None]] = {
    "answers": (Customer.ANSWERS, ["delivered", "established"], 16, None),
    "busy": (Customer.BUSY, ["failed"], 17, 486),
    "not answered": (Customer.NOT_ANSWERED, ["failed"], 19, 480),
    "declines": (Customer.DECLINES, ["failed"], 21, 603),
    "congested": (Customer.CONGESTED, ["failed"], 34, 503),
    "unallocated": (Customer.UNALLOCATED, ["failed"], 1, 404),
    "rings": (Customer.RINGS, ["delivered", "failed"], 19, None),
    "hangs up": (hangs_up_after(5), ["delivered", "established", "connection_cleared"], 16, None),
}


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMI_PASSWORD", "secret")


def opened(asterisk: Asterisk, **more: Any) -> AbstractAsyncContextManager[Site]:
    table = {
        "port": asterisk.ami_port,
        "user": "lcm",
        "password_env": "AMI_PASSWORD",
        "endpoint": "PJSIP/{number}@trunk",
        **more,
    }
    return site(SystemClock(), "asterisk-ami", quiet_seconds=0.3, **{"agent": "1001"} | table)


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_each_outcome_is_told(
    shared_asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    """Eight ways a call can go, each with its events in order, cause and SIP status, and no channel left."""
    monkeypatch.setattr("lcm_plugin.dialers.exchange.course.SHORTEST_RING", 1.0)
    number, told, q850, status = OUTCOMES[outcome]
    attempt = f"ami-{outcome.replace(' ', '-')}"
    async with opened(shared_asterisk) as one:
        await one.healthy()
        call = await one.placed(attempt, to=number, ring_seconds=1)
        await one.heard(told[-1])
        if outcome == "answers":
            assert shared_asterisk.channels()
            assert await one.clear(call) is True
        last = await one.ended()
        heard = [kind for kind in one.listener.told() if kind != "delivered" or "delivered" in told]
        assert heard[: 2 + len(told)] == BEGUN + told
        assert (last.party, last.q850) == ("customer", q850)
        assert status is None or last.sip_status == status
        assert await one.found(attempt) is None
    assert sorted(id_ for id_ in shared_asterisk.account() if attempt in id_) == [
        f"{attempt}-a",
        f"{attempt}-c",
    ]
    assert not [id_ for id_ in shared_asterisk.channels() if attempt in id_]


@pytest.mark.parametrize(
    ("endpoint", "q850"), [("PJSIP/1004", 17), ("PJSIP/1003", None), ("PJSIP/none", None), ("PJSIP/1002", 19)]
)
async def test_an_agents_leg_that_fails_is_the_agents(
    shared_asterisk: Asterisk, endpoint: str, q850: int | None
) -> None:
    """Busy, not registered, unknown or not answering is told of the agent; no customer is rung."""
    attempt = f"agent-{endpoint[-4:]}"
    async with opened(shared_asterisk, agent_ring_seconds=1.5) as one:
        await one.healthy()
        await one.placed(attempt, to=Customer.ANSWERS, agent=Agent(id="alice", endpoint=endpoint))
        assert (await one.ended()).q850 is None  # the customer's, who was not called
        assert one.listener.told() == ["service_initiated", "agent failed", "call_cleared"]
        assert one.listener.events[1].q850 == q850
    assert f"{attempt}-c" not in shared_asterisk.account()
    assert f"{attempt}-a" not in shared_asterisk.channels()


@pytest.mark.parametrize("kind", ["ringing", "talking"])
async def test_an_asterisk_that_dies_ends_its_calls_truthfully(own_asterisk: Asterisk, kind: str) -> None:
    """Killed and started again, it has none of its calls; they end, and a new one flows within 2 s."""
    number = Customer.RINGS if kind == "ringing" else Customer.ANSWERS
    async with opened(own_asterisk) as one:
        await one.healthy()
        await one.placed("dies", to=number)
        await one.heard("delivered" if kind == "ringing" else "established")
        own_asterisk.kill()
        await one.healthy(good=False)
        assert await one.call("meanwhile", to=Customer.ANSWERS) is None
        await asyncio.to_thread(own_asterisk.start)
        await one.healthy(seconds=2)
        last = await one.ended()
        assert last.text == "the engine does not have it"
        one.listener.events.clear()
        await one.placed("after", to=hangs_up_after(1))
        await one.ended()
    assert not own_asterisk.channels()


async def test_a_frozen_asterisk_dials_nobody_twice_or_late(own_asterisk: Asterisk) -> None:
    """Frozen during the Originate, it may ring the agent once it thaws, and never the customer."""
    async with opened(own_asterisk, request_seconds=1) as one:
        await one.healthy()
        own_asterisk.freeze()
        with pytest.raises(ConnectionError, match="no answer within 1 s"):
            await one.call("frozen", to=Customer.ANSWERS)
        await asyncio.sleep(3)
        own_asterisk.thaw()
        await one.healthy()
        await one.ended()
        assert one.listener.told()[1].startswith("agent ")
        await asyncio.sleep(1)
    account = own_asterisk.account()
    assert account.count("frozen-a") <= 1
    assert "frozen-c" not in account
    assert not own_asterisk.channels()


async def test_a_customers_order_carried_out_late_is_hung_up(own_asterisk: Asterisk) -> None:
    """Frozen between the legs, thawed after the deadline, it may ring the customer once, not for long."""
    async with opened(own_asterisk, request_seconds=1) as one:
        await one.healthy()
        one.listener.on_event = lambda event: own_asterisk.freeze() if event.kind == "originated" else None
        deadline = SystemClock().now() + timedelta(seconds=3)
        await one.placed("ghost", to=Customer.RINGS, not_after=deadline)
        await one.heard("originated")
        await asyncio.sleep(4)
        own_asterisk.thaw()
        await one.ended()
        assert "established" not in one.listener.told()
    assert own_asterisk.account().count("ghost-c") <= 1
    assert not own_asterisk.channels()


async def test_local_channels_are_told_by_dial_status(shared_asterisk: Asterisk) -> None:
    """Over Local channels, causes of Hangup() come as they are, and the agent may be one, too."""
    table = {"endpoint": "Local/{number}@customers", "agent_endpoint": "Local/{agent}@agents"}
    async with opened(shared_asterisk, agent="agent", **table) as one:
        await one.healthy()
        for number, cause in ((Customer.BUSY, 17), (Customer.DECLINES, 21), (Customer.UNALLOCATED, 1)):
            one.listener.events.clear()
            await one.placed(f"local-{cause}", to=number)
            assert (await one.ended()).q850 == cause
    assert not [id_ for id_ in shared_asterisk.channels() if id_.startswith("local-")]


async def test_a_running_call_is_found_and_cleared_by_another_process(shared_asterisk: Asterisk) -> None:
    """A host that stops leaves the call to go on; the next one finds it, follows it and can hang it up."""
    async with opened(shared_asterisk) as one:
        await one.healthy()
        await one.placed("adopted", to=Customer.ANSWERS)
        await one.heard("established")
    async with opened(shared_asterisk) as other:
        await other.healthy()
        call = await other.found("adopted")
        assert call
        assert call.state is ConnectionState.CONNECTED
        assert await other.clear(call) is True
        assert (await other.ended()).q850 == 16
        assert await other.clear(call) is False


async def test_twenty_calls_at_once_are_one_pair_of_channels_each(shared_asterisk: Asterisk) -> None:
    """By Asterisk's own account, each attempt had its two channels once, no others, and none is left."""
    begun = len(shared_asterisk.account())
    names = [f"many-{number:02}" for number in range(20)]
    async with opened(shared_asterisk) as one:
        await one.healthy()
        await asyncio.gather(*(one.placed(name, to=hangs_up_after(3)) for name in names))
        async with asyncio.timeout(20):
            while one.listener.told().count("call_cleared") < len(names):  # noqa: ASYNC110  (of twenty calls)
                await asyncio.sleep(0.05)
    wanted = sorted(f"{name}-{leg}" for name in names for leg in "ac")
    assert sorted(shared_asterisk.account()[begun:]) == wanted
    assert shared_asterisk.channels() == []


async def test_the_agents_channel_is_moved_to_the_customer(shared_asterisk: Asterisk) -> None:
    """It stays in its application, for out of one that Asterisk ends it leaves a channel now and then."""
    async with opened(shared_asterisk) as one:
        await one.healthy()
        call = await one.placed("moved", to=Customer.ANSWERS)
        await one.heard("established")
        rows = shared_asterisk.command("core show channels concise").splitlines()
        (agent,) = [row.split("!") for row in rows if row.endswith("moved-a")]
        assert agent[5] == "BridgeWait"
        assert agent[-2]  # the bridge
        await one.clear(call)
        await one.ended()


async def test_a_call_goes_on_after_the_agent_would_have_waited_enough(shared_asterisk: Asterisk) -> None:
    """How long the agent waits at most is no limit for how long they talk."""
    async with opened(shared_asterisk, waiting="BridgeWait(lcm,,e(n)S(1))") as one:
        await one.healthy()
        await one.placed("long", to=hangs_up_after(20))
        await one.ended()
    told = one.listener.told()
    assert told.index("connection_cleared") < told.index("agent connection_cleared")


async def test_late_is_too_late(shared_asterisk: Asterisk) -> None:
    """When the deadline passes while the agent's phone rings, no customer's channel is made."""
    async with opened(shared_asterisk) as one:
        await one.healthy()
        deadline = SystemClock().now() + timedelta(seconds=1)
        await one.placed("late", agent=Agent(id="a", endpoint="PJSIP/1002"), not_after=deadline)
        await one.ended()
    assert "late-c" not in shared_asterisk.account()
