"""The asterisk dialer at an Asterisk that crashes, freezes and loses its connections.

Each attempt ends truthfully, nothing is dialed twice, nothing is left ringing.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import frozen

from cti_hooks import CallEvent, CallEventKind, ConnectionState, hookimpl
from tests.telephony.bench.asterisk import Asterisk
from tests.telephony.bench.centre import Centre, ari_settings, centre
from tests.telephony.bench.customer import Customer, hangs_up_after
from tests.telephony.bench.wire import Wire, wire

pytestmark = pytest.mark.real_time

ENDS_UNKNOWN = ["failed", "agent connection_cleared", "call_cleared"]


@frozen
class Bench:
    """An Asterisk of the test's own, and a centre that reaches it by a wire."""

    asterisk: Asterisk
    wire: Wire
    centre: Centre


@pytest.fixture
async def bench(own_asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setenv("ARI_PASSWORD", "secret")
    async with wire(own_asterisk.http_port) as between:
        settings = ari_settings(own_asterisk, url=f"http://127.0.0.1:{between.port}/ari", request_seconds=1)
        async with centre({"asterisk": settings}) as here:
            await here.ready()
            yield Bench(own_asterisk, between, here)


async def restart(bench: Bench) -> None:
    await asyncio.to_thread(bench.asterisk.start)


async def test_killed_while_it_rings(bench: Bench) -> None:
    """A call that rang when Asterisk crashed ends without a cause, once Asterisk is there to be asked."""
    here = bench.centre
    await here.dial("ring", Customer.RINGS)
    await here.listener.told("ring", "delivered")
    bench.asterisk.kill()
    with pytest.raises(Exception, match=r"asterisk (cannot be reached|broke)"):
        raise (await here.find("ring")).error
    await restart(bench)
    await here.listener.told("ring", "call_cleared")
    assert sorted(here.listener.kinds("ring")[-3:]) == sorted(ENDS_UNKNOWN)
    assert {event.q850 for event in here.listener.of("ring")} == {None}
    assert bench.asterisk.account().count("ring-c") == 1


async def test_killed_while_they_talk(bench: Bench) -> None:
    """A call that was up when Asterisk crashed is cleared, and its answer stays told."""
    here = bench.centre
    await here.dial("talk", Customer.ANSWERS)
    await here.listener.told("talk", "established")
    bench.asterisk.kill()
    await restart(bench)
    await here.listener.told("talk", "call_cleared")
    assert "connection_cleared" in here.listener.kinds("talk")
    assert "failed" not in here.listener.kinds("talk")
    assert bench.asterisk.account().count("talk-c") == 1


async def test_killed_while_idle(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """While Asterisk is down nothing is placed and health says why; 2 s after it is back calls flow."""
    here = bench.centre
    bench.asterisk.kill()
    async with asyncio.timeout(5):
        while await here.good():  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.02)
    assert await here.dial("down", Customer.ANSWERS) is None
    assert "not placed" in caplog.text
    await restart(bench)
    async with asyncio.timeout(2):
        await here.ready()
        await here.dial("again", Customer.ANSWERS)
        await here.listener.told("again", "established")
    assert not any(channel.startswith("down") for channel in bench.asterisk.account())


async def test_frozen_while_it_is_told_to_call(bench: Bench) -> None:
    """An Asterisk frozen during an originate leaves doubt; thawed, it rings nobody, and calls flow again."""
    here = bench.centre
    bench.asterisk.freeze()
    with pytest.raises(Exception, match="does not answer in time"):
        await here.dial("frozen", Customer.ANSWERS, seconds=3)
    await asyncio.sleep(2)
    bench.asterisk.thaw()
    await here.listener.told("frozen", "call_cleared")
    assert here.listener.kinds("frozen")[-2:] in (
        ["agent failed", "call_cleared"],
        ["agent connection_cleared", "call_cleared"],
    )
    async with asyncio.timeout(2):
        await here.ready()
        await here.dial("thawed", Customer.ANSWERS)
        await here.listener.told("thawed", "established")
    assert "frozen-c" not in bench.asterisk.account()
    assert not {"frozen-a", "frozen-c"} & set(bench.asterisk.channels())


async def test_frozen_between_the_legs(own_asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An Asterisk that freezes as the agent answers rings no customer when it thaws too late."""

    class Freezer:
        @hookimpl
        def on_call_event(self, event: CallEvent) -> None:
            if event.kind is CallEventKind.ORIGINATED:
                own_asterisk.freeze()

    monkeypatch.setenv("ARI_PASSWORD", "secret")
    settings = ari_settings(own_asterisk, request_seconds=1)
    async with centre({"asterisk": settings}, Freezer()) as here:
        await here.ready()
        await here.dial("between", Customer.ANSWERS, seconds=2)
        await here.listener.told("between", "failed")
        await asyncio.sleep(1.5)
        own_asterisk.thaw()
        await here.listener.told("between", "call_cleared")
        assert own_asterisk.channels() == []
    assert "between-c" not in own_asterisk.account()


async def test_the_answer_to_the_agents_order_is_lost(bench: Bench) -> None:
    """Whether the agent's phone rings is unknown, so it is an error; what rings is hung up at once."""
    here = bench.centre
    bench.wire.swallowed = b'"lost-a"'
    with pytest.raises(Exception, match="broke the connection off"):
        await here.dial("lost", Customer.ANSWERS, seconds=3)
    await here.listener.told("lost", "call_cleared")
    assert bench.asterisk.account().count("lost-a") == 1
    assert "lost-c" not in bench.asterisk.account()
    assert bench.asterisk.channels() == []


async def test_the_answer_to_the_customers_order_is_lost(bench: Bench) -> None:
    """The customer's leg is not ordered again, but hung up, and the call is told to its end."""
    here = bench.centre
    bench.wire.swallowed = b'"half-c"'
    await here.dial("half", Customer.RINGS, seconds=3)
    await here.listener.told("half", "call_cleared")
    assert bench.asterisk.account().count("half-c") == 1
    assert "established" not in here.listener.kinds("half")
    assert bench.asterisk.channels() == []


async def test_the_event_socket_is_cut_while_they_talk(bench: Bench) -> None:
    """After a cut the call is followed to its end, cause and all."""
    here = bench.centre
    await here.dial("cut", hangs_up_after(15))
    await here.listener.told("cut", "established")
    assert bench.wire.cut(having=b"/events") == 1
    await here.listener.told("cut", "call_cleared")
    assert here.listener.of("cut")[-1].q850 == 16
    assert here.listener.kinds("cut").count("established") == 1


async def test_a_call_waits_for_the_connection(bench: Bench) -> None:
    """While the event socket is away for a moment a call waits for it, and is not refused."""
    here = bench.centre
    bench.wire.down = True
    bench.wire.cut()
    async with asyncio.timeout(5):
        while await here.good():  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.02)
    dialing = asyncio.create_task(here.dial("waits", Customer.ANSWERS))
    await asyncio.sleep(0.1)
    bench.wire.down = False
    assert await dialing is not None
    await here.listener.told("waits", "established")


async def test_an_agent_who_answers_while_it_is_cut(bench: Bench) -> None:
    """Asterisk drops a leg whose application is away: the agent's leg failed, no customer rings."""
    here = bench.centre
    await here.dial("gap", Customer.ANSWERS)
    bench.wire.down = True
    bench.wire.cut()
    async with asyncio.timeout(5):
        while "gap-a" not in bench.asterisk.account("CHAN_END"):  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.02)
    bench.wire.down = False
    await here.listener.told("gap", "call_cleared")
    assert here.listener.kinds("gap") == ["service_initiated", "agent failed", "call_cleared"]
    assert "gap-c" not in bench.asterisk.account()


async def test_what_happened_without_an_event_socket_is_found_out(bench: Bench) -> None:
    """A call that was hung up while no events could come ends when they can again, its cause unknown."""
    here = bench.centre
    await here.dial("missed", hangs_up_after(5))
    await here.listener.told("missed", "established")
    bench.wire.down = True
    bench.wire.cut()
    async with asyncio.timeout(10):
        while "missed-c" not in bench.asterisk.account("CHAN_END"):  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.05)
    bench.wire.down = False
    await here.listener.told("missed", "call_cleared")
    assert here.listener.kinds("missed")[3] == "established"
    assert bench.asterisk.channels() == []


@pytest.mark.parametrize(("number", "state"), [(Customer.RINGS, "alerting"), (Customer.ANSWERS, "connected")])
async def test_a_call_is_found(bench: Bench, number: str, state: str) -> None:
    """find_call tells a live call's state, None of what was never there, and raises where nobody answers."""
    here = bench.centre
    await here.dial("found", number)
    await here.listener.told("found", "delivered" if state == "alerting" else "established")
    assert (await here.find("found")).value.state is ConnectionState(state)
    nothing: Any = await here.find("never")
    assert (nothing.value, nothing.error) == (None, None)
    bench.wire.down = True
    bench.wire.cut()
    assert (await here.find("found")).error is not None
    bench.wire.down = False
    await here.host.hooks.first("clear_call", call=(await here.find("found")).value)
    await here.listener.told("found", "call_cleared")
