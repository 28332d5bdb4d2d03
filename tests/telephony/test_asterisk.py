"""The asterisk dialer at a real Asterisk, with sipp as agents' phones and customers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cti_hooks import Call, ConnectionState
from tests.telephony.bench.asterisk import Asterisk
from tests.telephony.bench.centre import Centre, ari_settings, centre
from tests.telephony.bench.customer import Customer, hangs_up_after

pytestmark = pytest.mark.real_time

AGENT = ["service_initiated", "agent originated"]
RANG = [*AGENT, "delivered"]
HUNG_UP_ON_AGENT = ["agent connection_cleared", "call_cleared"]


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARI_PASSWORD", "secret")


@pytest.fixture
async def here(shared_asterisk: Asterisk, password: None) -> AsyncIterator[Centre]:
    async with centre({"asterisk": ari_settings(shared_asterisk)}) as running:
        await running.ready()
        yield running
    assert shared_asterisk.channels() == []


@pytest.mark.parametrize(
    ("number", "kinds", "q850", "sip_status"),
    [
        (hangs_up_after(2), [*RANG, "established", "connection_cleared", *HUNG_UP_ON_AGENT], 16, None),
        (Customer.UNALLOCATED, [*AGENT, "failed", *HUNG_UP_ON_AGENT], 1, 404),
        (Customer.BUSY, [*AGENT, "failed", *HUNG_UP_ON_AGENT], 17, 486),
        (Customer.NOT_ANSWERED, [*AGENT, "failed", *HUNG_UP_ON_AGENT], 19, 480),
        (Customer.DECLINES, [*AGENT, "failed", *HUNG_UP_ON_AGENT], 21, 603),
        (Customer.CONGESTED, [*AGENT, "failed", *HUNG_UP_ON_AGENT], 34, 503),
        (Customer.RINGS, [*RANG, "failed", *HUNG_UP_ON_AGENT], 19, None),
    ],
)
async def test_how_a_call_ends_is_told(
    here: Centre,
    monkeypatch: pytest.MonkeyPatch,
    number: str,
    kinds: list[str],
    q850: int | None,
    sip_status: int | None,
) -> None:
    """Each outcome is told by the events in their order, with the network's cause; call_cleared is last."""
    monkeypatch.setattr("lcm_plugin.dialers.exchange.course.SHORTEST_RING", 1.0)
    attempt = f"ends-{number.strip('+')}"
    call = await here.dial(attempt, number, ring_seconds=1)
    assert call == Call(
        id=f"{attempt}-c", attempt_id=attempt, state=ConnectionState.INITIATED, engine="asterisk"
    )
    await here.listener.told(attempt, "call_cleared")
    assert here.listener.kinds(attempt) == kinds
    end = next(event for event in here.listener.of(attempt) if event.kind in {"failed", "connection_cleared"})
    assert (end.q850, end.sip_status) == (q850, sip_status)


async def test_the_agent_hangs_up_on_the_customer(here: Centre, shared_asterisk: Asterisk) -> None:
    """Customer and agent talk in a bridge; clear_call ends both legs; the second time it is False."""
    call = await here.dial("talk", Customer.ANSWERS)
    await here.listener.told("talk", "established")
    assert set(shared_asterisk.channels()) == {"talk-a", "talk-c"}
    assert "2" in shared_asterisk.command("bridge show all").split("talk-b")[1].splitlines()[0]
    assert await here.host.hooks.first("clear_call", call=call) is True
    await here.listener.told("talk", "call_cleared")
    assert sorted(here.listener.kinds("talk")[4:6]) == ["agent connection_cleared", "connection_cleared"]
    assert await here.host.hooks.first("clear_call", call=call) is False


async def test_a_ringing_call_is_cleared(here: Centre) -> None:
    """clear_call while the customer's phone rings ends the ringing, and nothing is told of an answer."""
    call = await here.dial("ringing", Customer.RINGS)
    await here.listener.told("ringing", "delivered")
    assert await here.host.hooks.first("clear_call", call=call) is True
    await here.listener.told("ringing", "call_cleared")
    assert "established" not in here.listener.kinds("ringing")


@pytest.mark.parametrize(
    ("phone", "cause"), [("PJSIP/1003", None), ("PJSIP/nobody", None), ("PJSIP/1004", 17), ("PJSIP/1002", 19)]
)
async def test_an_agent_who_cannot_be_reached(
    shared_asterisk: Asterisk, password: None, phone: str, cause: int | None
) -> None:
    """An agent's phone that is unregistered, unknown, busy or unanswered fails; the customer never rings."""
    attempt = f"agent-{phone[-4:]}"
    settings = ari_settings(shared_asterisk, agent_ring_seconds=1)
    async with centre({"asterisk": settings}) as here:
        await here.ready()
        await here.dial(attempt, Customer.ANSWERS, agent=phone)
        await here.listener.told(attempt, "call_cleared")
    assert here.listener.kinds(attempt) == ["service_initiated", "agent failed", "call_cleared"]
    assert here.listener.of(attempt)[1].q850 == cause
    assert f"{attempt}-c" not in shared_asterisk.account()


async def test_the_deadline_holds_between_the_legs(here: Centre, shared_asterisk: Asterisk) -> None:
    """When the agent answers after not_after, the customer's phone never rings, and the agent's leg goes."""
    await here.dial("late", Customer.ANSWERS, agent="Local/slow@agents", seconds=0.5)
    await here.listener.told("late", "call_cleared")
    assert here.listener.kinds("late") == [*AGENT, *HUNG_UP_ON_AGENT]
    assert "late-c" not in shared_asterisk.account()


async def test_a_repeated_attempt_is_refused(here: Centre, shared_asterisk: Asterisk) -> None:
    """A second call for a live attempt is an error, here and by Asterisk's 409; the first one goes on."""
    await here.dial("twice", Customer.ANSWERS)
    await here.listener.told("twice", "established")
    with pytest.raises(Exception, match="placed before"):
        await here.dial("twice", Customer.ANSWERS)
    other = {"asterisk": ari_settings(shared_asterisk, app="another-host")}
    async with centre(other) as another:
        await another.ready()
        with pytest.raises(Exception, match="channel of this attempt already"):
            await another.dial("twice", Customer.ANSWERS)
    assert here.listener.kinds("twice")[-1] == "established"
    assert shared_asterisk.account().count("twice-c") == 1
    await here.host.hooks.first("clear_call", call=(await here.find("twice")).value)
    await here.listener.told("twice", "call_cleared")


async def test_a_call_outlives_the_host(shared_asterisk: Asterisk, password: None) -> None:
    """People who talk are not cut off by a host that stops; the next one finds the call and follows it."""
    settings = {"asterisk": ari_settings(shared_asterisk)}
    async with centre(settings) as first:
        await first.ready()
        await first.dial("outlives", hangs_up_after(20))
        await first.listener.told("outlives", "established")
    async with centre(settings) as second:
        await second.ready()
        found = (await second.find("outlives")).value
        assert (found.id, found.state, found.engine) == ("outlives-c", "connected", "asterisk")
        await second.listener.told("outlives", "call_cleared")
        assert second.listener.kinds("outlives")[-3:] == ["connection_cleared", *HUNG_UP_ON_AGENT]
        gone = (await second.find("outlives")).value
        assert gone is None or gone.state is ConnectionState.NULL


async def test_a_host_that_stops_leaves_nothing_ringing(shared_asterisk: Asterisk, password: None) -> None:
    """What only rings when the host stops is hung up, and told so."""
    async with centre({"asterisk": ari_settings(shared_asterisk)}) as here:
        await here.ready()
        await here.dial("stops", Customer.RINGS)
        await here.listener.told("stops", "delivered")
    assert here.listener.kinds("stops")[-1] == "call_cleared"
    assert shared_asterisk.channels() == []


async def test_an_attempt_is_a_pair_of_channels(here: Centre, shared_asterisk: Asterisk) -> None:
    """200 calls, 20 at once: one channel pair for each attempt by Asterisk's own account, and none left."""
    at_once = asyncio.Semaphore(20)

    async def one(number: int) -> None:
        async with at_once:
            attempt = f"load-{number}"
            await here.dial(attempt, hangs_up_after(1))
            await here.listener.told(attempt, "call_cleared")

    await asyncio.gather(*(one(number) for number in range(200)))
    placed = [channel for channel in shared_asterisk.account() if channel.startswith("load-")]
    assert sorted(placed) == sorted(f"load-{number}-{leg}" for number in range(200) for leg in "ac")
    assert shared_asterisk.channels() == []
    assert [n for n in range(200) if here.listener.kinds(f"load-{n}")[3:4] != ["established"]] == []


@pytest.mark.parametrize(
    ("table", "good", "said"),
    [
        ({}, True, "Asterisk 22"),
        ({"endpoint": "Local/{number}@customers"}, True, "Asterisk 22"),
        ({"endpoint": "PJSIP/{number}"}, False, "write 'PJSIP/{number}@trunk'"),
        ({"endpoint": "PJSIP/{number}@carrier"}, False, "no PJSIP endpoint 'carrier'; there are: 1001,"),
        ({"endpoint": "PJSIP/{number}@1003"}, False, "PJSIP endpoint '1003' is offline"),
        ({"user": "nobody"}, False, "refuses user 'nobody' or its password"),
    ],
    ids=str,
)
async def test_health_says_what_is_wrong(
    shared_asterisk: Asterisk, password: None, table: dict[str, str], *, good: bool, said: str
) -> None:
    """Reachable, with its version; or what is wrong, a number taken for an endpoint's name among it."""
    async with centre({"asterisk": ari_settings(shared_asterisk, **table)}) as here:
        (health,) = await here.health()
    assert health.good is good
    assert said in health.seen


async def test_a_customers_leg_that_cannot_be_placed(shared_asterisk: Asterisk, password: None) -> None:
    """A trunk that does not exist fails the call and says why; the agent's leg goes."""
    settings = ari_settings(shared_asterisk, endpoint="PJSIP/{number}@carrier")
    async with centre({"asterisk": settings}) as here:
        await here.health()
        await here.dial("trunkless", Customer.ANSWERS)
        await here.listener.told("trunkless", "call_cleared")
    assert here.listener.kinds("trunkless") == [*AGENT, "failed", *HUNG_UP_ON_AGENT]
    assert "cannot reach this endpoint" in str(here.listener.of("trunkless")[2].text)


async def test_the_agents_engine_is_used(
    shared_asterisk: Asterisk, own_asterisk: Asterisk, password: None
) -> None:
    """Several Asterisks: each agent's calls are at the agent's own, the call names it, and it is found."""
    engines = {
        "north": ari_settings(shared_asterisk, agents=["10*"]),
        "south": ari_settings(own_asterisk, endpoint="Local/{number}@customers"),
    }
    async with centre({"asterisk": {"engines": engines}}) as here:
        await here.ready()
        for attempt, agent, engine in (("n", "PJSIP/1001", "north"), ("s", "Local/agent@agents", "south")):
            call = await here.dial(attempt, Customer.ANSWERS, agent=agent)
            assert call is not None
            assert call.engine == engine
            await here.listener.told(attempt, "established")
            assert (await here.find(attempt)).value.engine == engine
            await here.host.hooks.first("clear_call", call=call)
            await here.listener.told(attempt, "call_cleared")
    assert {"n-a", "n-c"} <= set(shared_asterisk.account())
    assert {"s-a", "s-c"} <= set(own_asterisk.account())


@pytest.mark.parametrize(
    ("number", "q850"),
    [(Customer.BUSY, 17), (Customer.NOT_ANSWERED, 19), (Customer.CONGESTED, 34), (Customer.UNALLOCATED, 1)],
)
async def test_a_local_leg_tells_its_cause(
    shared_asterisk: Asterisk, password: None, number: str, q850: int
) -> None:
    """Through a dialplan the cause of its Hangup() is the call's; there is no SIP status."""
    attempt = f"local-{q850}"
    settings = ari_settings(shared_asterisk, endpoint="Local/{number}@customers")
    async with centre({"asterisk": settings}) as here:
        await here.ready()
        await here.dial(attempt, number, agent="Local/agent@agents")
        await here.listener.told(attempt, "call_cleared")
    failed = next(event for event in here.listener.of(attempt) if event.kind == "failed")
    assert (failed.q850, failed.sip_status) == (q850, None)


async def test_no_number_is_shown(
    shared_asterisk: Asterisk, password: None, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a log line nor a repr of what is under way shows the number called."""
    caplog.set_level("DEBUG")
    settings = ari_settings(shared_asterisk, endpoint="PJSIP/{number}@carrier")
    async with centre({"asterisk": settings}) as here:
        await here.health()
        await here.dial("masked", Customer.ANSWERS, caller_id=Customer.BUSY)
        dialer: Any = here.host.plugins["asterisk"]
        (course,) = dialer.led_at("asterisk")
        course.exchange.hear(
            {"type": "Dial", "peer": {"id": "masked-c", "caller": {"number": Customer.ANSWERS}}}
        )
        shown = repr(course)
        await here.listener.told("masked", "call_cleared")
    assert "masked-c" in shown
    for number in (Customer.ANSWERS, Customer.BUSY):
        assert number.strip("+") not in shown + caplog.text


async def test_two_hosts_with_one_application_are_told(shared_asterisk: Asterisk, password: None) -> None:
    """Asterisk gives an application to whoever asked last; the other one's health says what to do."""
    settings = {"asterisk": ari_settings(shared_asterisk, app="shared")}
    async with centre(settings) as first:
        await first.ready()
        async with centre(settings) as second:
            await second.ready()
            async with asyncio.timeout(5):
                while await first.good():  # noqa: ASYNC110  (nobody tells)
                    await asyncio.sleep(0.01)
            (health,) = await first.health()
    assert "gave application 'shared' to another host: give each its own app" in health.seen
