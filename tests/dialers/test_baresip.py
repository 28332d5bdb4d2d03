"""The dialer for agents' own softphones, where things go wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest

from cti_hooks import Agent, Call, CannotTellError, ConfigError, Host, Outcome, health_of
from lcm_plugin.attempt.outcomes import outcome_of
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.dialers.fakes.listening import Site, site
from tests.dialers.fakes.softphone import FakeSoftphone

URI = "sip:{number}@pbx.example.com"


@pytest.fixture
async def phone() -> AsyncIterator[FakeSoftphone]:
    server = FakeSoftphone()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def other() -> AsyncIterator[FakeSoftphone]:
    server = FakeSoftphone()
    await server.start()
    yield server
    await server.stop()


def opened(phone: FakeSoftphone, clock: LoopClock, **more: Any) -> AbstractAsyncContextManager[Site]:
    table = {"endpoint": URI, "phones": {"alice": {"port": phone.port}}, **more}
    return site(clock, "baresip", **table)


BREAKING = ["+1212@evil", "12/34", "12&34", "12\n/quit", "${x}", "12 sip:evil@x", "", "anonymous"]


@pytest.mark.parametrize("number", BREAKING)
async def test_what_is_no_number_never_reaches_the_phone(
    phone: FakeSoftphone, clock: LoopClock, number: str
) -> None:
    """A number a SIP URI or a command could be broken by is refused before anything is sent."""
    async with opened(phone, clock) as one:
        await one.healthy()
        with pytest.raises(ValueError, match="no telephone number"):
            await one.call(to=number)
    assert "dial" not in phone.asked


async def test_parameters_behind_what_was_dialed_do_not_matter(
    phone: FakeSoftphone, clock: LoopClock
) -> None:
    """A call whose peer has the account's parameters behind it is heard, found at the phone and hung up."""
    phone.account_parameters = ";transport=tcp"
    async with opened(phone, clock) as one:
        await one.healthy()
        call = await one.placed()
        await one.heard("delivered", seconds=10)
        assert await one.found()
        assert await one.clear(call) is True
        assert (await one.ended()).q850 == 16
    assert not phone.calls


@pytest.mark.parametrize("said", ["Connection refused", "Destination address required", "No route to host"])
async def test_a_network_that_is_down_is_no_cancelled_call(
    phone: FakeSoftphone, clock: LoopClock, said: str
) -> None:
    """A call the softphone could not send fails with its words and no cause made up."""
    phone.fails = said
    async with opened(phone, clock) as one:
        await one.healthy()
        await one.placed()
        last = await one.ended()
        assert (last.q850, last.text) == (None, said)
        assert outcome_of(one.listener.events) is Outcome.UNKNOWN


@pytest.mark.parametrize("reconnects", [False, True])
async def test_an_established_call_ends_by_normal_clearing(
    phone: FakeSoftphone, clock: LoopClock, *, reconnects: bool
) -> None:
    """However the softphone words the end of a call that was up, its cause is 16, after a reconnect too."""
    async with opened(phone, clock) as one:
        await one.healthy()
        await one.placed()
        await one.heard("delivered")
        if reconnects:
            phone.cut()
        phone.answer()
        await one.heard("established")
        phone.end("Connection reset by peer")
        assert (await one.ended()).q850 == 16


async def test_a_lost_answer_to_the_dial_is_followed_and_never_sent_again(
    phone: FakeSoftphone, clock: LoopClock
) -> None:
    """When the answer to `dial` is lost, the call is found at the phone: it rings once, can be cleared."""
    phone.lose_answer_to = "dial"
    async with opened(phone, clock) as one:
        await one.healthy()
        call = await one.placed()
        await one.heard("delivered")
        await asyncio.sleep(5)
        assert await one.clear(call) is True
        await one.ended()
    assert phone.dialed == ["sip:+12125550101@pbx.example.com"]
    assert not phone.calls


async def test_a_dial_that_never_arrived_ends_its_call(phone: FakeSoftphone, clock: LoopClock) -> None:
    """When the phone turns out not to have the call after a reconnect, it ends, with no cause made up."""
    async with opened(phone, clock, request_seconds=2) as one:
        await one.healthy()
        await one.placed()
        phone.deaf = True
        await one.heard("originated")
        await asyncio.sleep(5)
        phone.deaf = False
        last = await one.ended()
        assert (last.party, last.q850) == ("customer", None)
    assert not phone.dialed


async def test_nothing_is_dialed_after_the_deadline(phone: FakeSoftphone, clock: LoopClock) -> None:
    """After not_after nothing is sent."""
    async with opened(phone, clock) as one:
        await one.healthy()
        with pytest.raises(TimeoutError):
            await one.call(not_after=clock.now() - timedelta(seconds=1))
    assert not phone.dialed


async def test_a_slow_phone_dials_nothing_after_the_deadline(phone: FakeSoftphone, clock: LoopClock) -> None:
    """A deadline that passes while the phone is asked whether it is idle is kept, and told as the reason."""
    async with opened(phone, clock) as one:
        await one.healthy()
        phone.slow = 4
        await one.placed(not_after=clock.now() + timedelta(seconds=5))
        last = await one.ended()
    assert last.text == "too late to call the customer"
    assert not phone.dialed


async def test_a_phone_that_cannot_be_asked_is_named(
    phone: FakeSoftphone, clock: LoopClock, other: FakeSoftphone
) -> None:
    """Of a call that is at no phone, phones that are off or silent are named; the others have answered."""
    phones = {"alice": {"port": phone.port}, "bob": {"port": 1}, "carol": {"port": other.port}}
    async with opened(phone, clock, phones=phones) as one:
        await asyncio.sleep(1)
        other.deaf = True
        with pytest.raises(CannotTellError, match="nothing listens") as raised:
            await one.found(7)
        assert raised.value.engines == {"127.0.0.1:1", f"127.0.0.1:{other.port}"}


async def test_a_call_is_hung_up_at_its_own_phone(phone: FakeSoftphone, clock: LoopClock) -> None:
    """A call that is over can be hung up, to no effect, though another agent's phone is off."""
    phones = {"alice": {"port": phone.port}, "bob": {"port": 1}}
    async with opened(phone, clock, phones=phones) as one:
        await one.healthy()
        left = Call(id="x-c", attempt_id="x", state="connected", engine=f"127.0.0.1:{phone.port}")
        assert await one.clear(left) is False


async def test_health_counts_the_phones(phone: FakeSoftphone, clock: LoopClock) -> None:
    """One phone that is off is named, and is no reason for the host not to be ready; all of them off are."""
    phones = {"alice": {"port": phone.port}, "bob": {"port": 1}}
    async with opened(phone, clock, phones=phones) as one:
        health = await one.health()
        assert health.good
        assert health.seen.startswith(
            f"1 of 2 softphones; baresip 1.0.0 at 127.0.0.1:{phone.port}; bob's not: "
        )
        assert "nothing listens on 127.0.0.1:1" in health.seen
        assert await one.call(agent=Agent(id="bob")) is None
    await phone.stop()
    async with opened(phone, clock) as one:
        assert not (await one.health()).good


async def test_a_host_that_observes_asks_for_health_and_no_more(
    phone: FakeSoftphone, clock: LoopClock
) -> None:
    """A control socket has one user: an observing host takes it for a moment, and only when it is asked."""
    table = {"endpoint": URI, "phones": {"alice": {"port": phone.port}, "bob": {"port": 1}}}
    config = {"cti": {"plugins": ["baresip"]}, "plugins": {"baresip": table}}
    async with Host.from_config(config, clock=clock, observes=True) as host:
        await asyncio.sleep(60)
        assert not phone.asked
        (health,) = health_of(await host.hooks.all("report_health"))
        asked = list(phone.asked)
        await asyncio.sleep(60)
    assert health.seen.startswith("1 of 2 softphones; ")
    assert "bob's not: nothing listens on 127.0.0.1:1" in health.seen
    assert phone.asked == asked


async def test_an_observing_host_names_the_phone_that_does_not_answer(
    phone: FakeSoftphone, clock: LoopClock
) -> None:
    """A phone that takes the connection and says nothing is told of in time, by its agent."""
    phone.deaf = True
    table = {"endpoint": URI, "phones": {"alice": {"port": phone.port}}}
    config = {"cti": {"plugins": ["baresip"]}, "plugins": {"baresip": table}}
    async with Host.from_config(config, clock=clock, observes=True) as host:
        (health,) = health_of(await host.hooks.all("report_health"))
    assert (health.what, health.good) == ("baresip", False)
    assert health.seen.startswith("0 of 1 softphones; alice's not: no answer from 127.0.0.1")
    assert health.seen.endswith("within 4 s")


async def test_another_protocol_is_told(phone: FakeSoftphone, clock: LoopClock) -> None:
    """A port where something else answers is named as that."""
    await phone.stop()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", phone.port), opened(phone, clock) as one:
        assert "another protocol is spoken there" in (await one.health()).seen


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"endpoint": "sip:pbx"}, "wants a SIP URI"),
        ({"endpoint": "sip:{number}@x\n/quit"}, "wants a SIP URI"),
        ({"endpoint": "sip:{number}@{domain}"}, "wants a SIP URI"),
        ({"phones": {}}, "wants an agent's"),
        ({"phones": {"a": {"port": 1}, "b": {"port": 1}}}, "two agents have the same phone"),
        ({"phones": {"a": {"prot": 1}}}, 'did you mean "port"?'),
    ],
    ids=repr,
)
def test_wrong_settings_are_told(more: dict[str, Any], said: str) -> None:
    """A wrong setting is named at load, with what would be right."""
    table = {"endpoint": URI, "phones": {"alice": {}}} | more
    with pytest.raises(ConfigError) as raised:
        Host.from_config({"cti": {"plugins": ["baresip"]}, "plugins": {"baresip": table}})
    assert said in str(raised.value)
