"""The dialer that plays calls."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import define, field

from cti_hooks import (
    Agent,
    Attempt,
    AttemptState,
    Call,
    CallEvent,
    ConfigError,
    ConnectionState,
    Dial,
    Host,
    hookimpl,
)
from lcm_plugin.dialers.loopback import LoopbackDialer
from lcm_plugin.sandbox.virtual_time import LoopClock


@define(eq=False)
class Listener:
    events: list[CallEvent] = field(factory=list)

    @hookimpl
    def on_call_event(self, event: CallEvent) -> None:
        self.events.append(event)

    def kinds(self) -> list[str]:
        return [event.kind.value for event in self.events]


OpenHost = Callable[..., Awaitable[tuple[Host, Listener]]]


@pytest.fixture
async def open_host(clock: LoopClock) -> AsyncIterator[OpenHost]:
    async with AsyncExitStack() as stack:

        async def opened(**table: Any) -> tuple[Host, Listener]:
            config = {"cti": {"plugins": ["loopback"]}, "plugins": {"loopback": table}}
            host = Host.from_config(config, clock=clock, random=Random(1))
            listener = Listener()
            host.register(listener)
            await stack.enter_async_context(host)
            return host, listener

        yield opened


def attempt(clock: LoopClock, number: int = 1) -> Attempt:
    return Attempt(
        id=f"attempt-{number}",
        agent=Agent(id="alice"),
        contact=None,
        state=AttemptState.DIALING,
        campaign_group="G",
        opened_at=clock.now(),
    )


async def dial(host: Host, clock: LoopClock, number: int = 1, **facts: Any) -> Call:
    facts = {"to": "+12125550101", "not_after": clock.now() + timedelta(seconds=20), **facts}
    call = await host.hooks.first("make_call", attempt=attempt(clock, number), dial=Dial(**facts))
    assert isinstance(call, Call)
    return call


@pytest.mark.parametrize(
    ("ending", "kinds", "cause"),
    [
        ("answer", ["service_initiated", "originated", "delivered", "established", "call_cleared"], 16),
        ("busy", ["service_initiated", "originated", "delivered", "failed", "call_cleared"], 17),
        ("no_answer", ["service_initiated", "originated", "delivered", "failed", "call_cleared"], 19),
    ],
)
async def test_a_call_is_played(
    open_host: OpenHost, clock: LoopClock, ending: str, kinds: list[str], cause: int
) -> None:
    """The agent's leg, ringing, and how it ends, with the network's cause; call_cleared is the last."""
    host, listener = await open_host(plan={ending: 1})
    call = await dial(host, clock)
    assert call.state is ConnectionState.INITIATED
    await asyncio.sleep(60)
    assert listener.kinds() == kinds
    assert listener.events[-1].q850 == cause
    assert {event.attempt_id for event in listener.events} == {"attempt-1"}


async def test_no_answer_rings_as_long_as_the_dial_says(open_host: OpenHost, clock: LoopClock) -> None:
    """A phone nobody answers rings for ring_seconds of the dial."""
    host, listener = await open_host(plan={"no_answer": 1})
    await dial(host, clock, ring_seconds=25)
    await asyncio.sleep(60)
    rang = {event.kind.value: event.at for event in listener.events}
    assert (rang["failed"] - rang["delivered"]).total_seconds() == pytest.approx(25, abs=0.1)


async def test_the_customer_is_not_rung_after_the_deadline(open_host: OpenHost, clock: LoopClock) -> None:
    """When the agent answers after not_after, the customer's phone never rings."""
    host, listener = await open_host(agent_seconds=5)
    await dial(host, clock, not_after=clock.now() + timedelta(seconds=2))
    await asyncio.sleep(60)
    assert listener.kinds() == ["service_initiated", "originated", "call_cleared"]


async def test_an_attempt_is_never_placed_twice(open_host: OpenHost, clock: LoopClock) -> None:
    """A repeated attempt id is refused loudly, and the account shows one call."""
    host, _ = await open_host()
    await dial(host, clock)
    with pytest.raises(RuntimeError, match="dialed before"):
        await dial(host, clock)
    dialer = host.plugins["loopback"]
    assert isinstance(dialer, LoopbackDialer)
    assert dialer.placed == ["attempt-1"]


async def test_the_same_seed_plays_the_same_calls(open_host: OpenHost, clock: LoopClock) -> None:
    """A seed repeats how calls end."""
    endings = []
    for _ in range(2):
        host, listener = await open_host(plan={"answer": 1, "busy": 1, "no_answer": 1}, seed=4)
        for number in range(10):
            await dial(host, clock, number)
            await asyncio.sleep(100)
        endings.append([event.q850 for event in listener.events if event.kind.value == "call_cleared"])
    assert endings[0] == endings[1]
    assert len(set(endings[0])) == 3


async def test_a_number_may_have_its_own_ending(open_host: OpenHost, clock: LoopClock) -> None:
    """`numbers` tells how calls to a number end, whatever the plan."""
    host, listener = await open_host(numbers={"+12125550101": "busy"})
    await dial(host, clock)
    await asyncio.sleep(30)
    assert listener.events[-1].q850 == 17


async def test_a_call_is_found_and_hung_up(open_host: OpenHost, clock: LoopClock) -> None:
    """find_call sees a live call, clear_call ends it, and afterwards neither does."""
    host, listener = await open_host(talk_seconds=600)
    call = await dial(host, clock)
    await asyncio.sleep(5)
    (answer,) = await host.hooks.all("find_call", attempt_id="attempt-1")
    assert answer.value.state is ConnectionState.CONNECTED
    assert await host.hooks.first("clear_call", call=call) is True
    assert listener.kinds()[-1] == "call_cleared"
    assert await host.hooks.first("clear_call", call=call) is False
    (answer,) = await host.hooks.all("find_call", attempt_id="attempt-1")
    assert answer.value is None


async def test_another_dialers_call_is_not_its_own(open_host: OpenHost) -> None:
    """clear_call of a call it never placed is None: another backend may know it."""
    host, _ = await open_host()
    stranger = Call(id="x", attempt_id="x", state=ConnectionState.CONNECTED)
    assert await host.hooks.first("clear_call", call=stranger) is None


async def test_it_can_fail_after_it_rang(open_host: OpenHost, clock: LoopClock) -> None:
    """fail_after_ring lets the placing fail although the call goes on."""
    host, listener = await open_host(fail_after_ring=1.0)
    with pytest.raises(ConnectionError):
        await dial(host, clock)
    await asyncio.sleep(30)
    assert "delivered" in listener.kinds()


async def test_shutdown_clears_live_calls(open_host: OpenHost, clock: LoopClock) -> None:
    """A host that stops hangs up what plays, and each call gets its last event."""
    host, listener = await open_host(talk_seconds=600)
    await dial(host, clock)
    await asyncio.sleep(5)
    await host.__aexit__(None, None, None)
    assert listener.kinds()[-1] == "call_cleared"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"plan": {"anser": 1}}, 'did you mean "answer"?'),
        ({"plan": {}}, "plan needs weights"),
        ({"plan": {"busy": -1}}, "plan needs weights"),
        ({"fail_after_ring": 2}, "fail_after_ring"),
        ({"ring_secs": 2}, 'did you mean "ring_seconds"?'),
    ],
    ids=repr,
)
def test_wrong_settings_are_told(table: dict[str, Any], said: str) -> None:
    """A wrong setting is named, with what would be right."""
    with pytest.raises(ConfigError) as raised:
        Host.from_config({"cti": {"plugins": ["loopback"]}, "plugins": {"loopback": table}})
    assert said in str(raised.value)
    assert "plugins.loopback" in str(raised.value)


async def test_the_account_outlives_the_process(
    open_host: OpenHost, clock: LoopClock, tmp_path: Path
) -> None:
    """With `account`, each call placed is a line of that file before it rings, behind earlier ones."""
    file = tmp_path / "dialed.jsonl"
    for number in (1, 2):
        host, listener = await open_host(account=str(file))
        await dial(host, clock, number)
        assert "delivered" not in listener.kinds()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines == [{"attempt": "attempt-1", "key": None}, {"attempt": "attempt-2", "key": None}]
