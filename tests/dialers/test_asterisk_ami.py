"""The dialer for Asterisk's manager interface, where things go wrong."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import trustme

from cti_hooks import Agent, Call, ConfigError, ConnectionState, Host
from lcm_plugin.dialers.asterisk_ami.manager import Manager
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.dialers.fakes.listening import Site, site
from tests.dialers.fakes.manager import FakeManager


@pytest.fixture
async def asterisk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeManager]:
    monkeypatch.setenv("AMI_PASSWORD", "secret")
    server = FakeManager()
    await server.start()
    yield server
    await server.stop()


def settings(listens: int, **more: Any) -> dict[str, Any]:
    return {
        "port": listens,
        "user": "lcm",
        "password_env": "AMI_PASSWORD",
        "endpoint": "PJSIP/{number}@trunk",
        "agent_endpoint": "PJSIP/{agent}",
        **more,
    }


def opened(asterisk: FakeManager, clock: LoopClock, **more: Any) -> AbstractAsyncContextManager[Site]:
    return site(clock, "asterisk-ami", **settings(asterisk.port, **more))


BREAKING = ["+1212@evil", "12/34", "12&34", "12\r\nAction: Command", "${SHELL(id)}", "1,2", "", "anonymous"]


@pytest.mark.parametrize("number", BREAKING)
async def test_what_is_no_number_never_reaches_the_engine(
    asterisk: FakeManager, clock: LoopClock, number: str
) -> None:
    """A number a dial string could be broken by is refused before anything is sent, as a caller id too."""
    async with opened(asterisk, clock) as one:
        await one.healthy()
        with pytest.raises(ValueError, match="no telephone number"):
            await one.call(to=number)
        if number:
            with pytest.raises(ValueError, match="no telephone number"):
                await one.call(caller_id=number)
        with pytest.raises(ValueError, match="the endpoint is none like PJSIP/1001"):
            await one.call(agent=Agent(id="alice", endpoint=f"PJSIP/1&{number}"))
    assert "Originate" not in asterisk.asked


async def test_a_newline_never_begins_a_header(asterisk: FakeManager, clock: LoopClock) -> None:
    """Whatever the value, a newline in it is refused before anything is sent; a name loses its own."""
    async with opened(asterisk, clock) as one:
        await one.healthy()
        await one.placed(display_name="O'Neil\r\nAction: Command")
        wire = one.host.plugins["asterisk-ami"]._lines[f"127.0.0.1:{asterisk.port}"].connection.wire  # type: ignore[attr-defined]
        assert isinstance(wire, Manager)
        for value in ("a\r\nAction: Command", "a\nb", "a\rb", "a\0b"):
            with pytest.raises(ValueError, match="a newline"):
                await wire.action("Ping", Extra=value)
            with pytest.raises(ValueError, match="a newline"):
                await wire.action("Ping", f"x={value}")
    (order,) = asterisk.originated
    assert order["CallerID"] == '"O Neil Action Command" <+12125550101>'
    assert "Command" not in asterisk.asked


async def test_a_lost_answer_is_doubt_and_nothing_is_sent_again(
    asterisk: FakeManager, clock: LoopClock
) -> None:
    """When the answer to an Originate is lost, make_call raises; after the reconnect it is not sent again."""
    asterisk.lose_answer_to = "Originate"
    async with opened(asterisk, clock) as one:
        await one.healthy()
        with pytest.raises(ConnectionError):
            await one.call()
        await one.ended()
        assert one.listener.told() == ["service_initiated", "agent failed", "call_cleared"]
    assert asterisk.asked.count("Originate") == 1
    assert not asterisk.channels


async def test_every_action_has_a_time_out(asterisk: FakeManager, clock: LoopClock) -> None:
    """An Asterisk that answers nothing is left within the time-out, and is connected to anew."""
    async with opened(asterisk, clock, request_seconds=2) as one:
        await one.healthy()
        asterisk.deaf = True
        with pytest.raises(ConnectionError, match="no answer within 2 s"):
            await one.call()
        asterisk.deaf = False
        await one.healthy()
        await one.ended()
    assert "Originate" not in asterisk.asked


async def test_a_silent_engine_is_noticed(asterisk: FakeManager, clock: LoopClock) -> None:
    """Pings find out that nobody answers, though nothing is asked and the connection stands."""
    async with opened(asterisk, clock) as one:
        await one.healthy()
        await asyncio.sleep(60)
        assert asterisk.asked.count("Ping") >= 3
        asterisk.deaf = True
        await asyncio.sleep(30)
        assert not (await one.health()).good


async def test_health_is_one_line(asterisk: FakeManager, clock: LoopClock) -> None:
    """The version, if all is well; the wrong password and the wrong port are named."""
    async with opened(asterisk, clock) as one:
        health = await one.health()
        assert (health.good, health.seen) == (True, f"Asterisk 22.10.1 at 127.0.0.1:{asterisk.port}")
    asterisk.password = "other"  # noqa: S105  (a fake's)
    async with opened(asterisk, clock) as one:
        seen = (await one.health()).seen
        assert seen == f"it refuses user and password; see user and password_env (127.0.0.1:{asterisk.port})"
        assert await one.call() is None
    await asterisk.stop()
    async with opened(asterisk, clock) as one:
        assert "nothing listens on" in (await one.health()).seen


@pytest.mark.real_time
async def test_tls_is_verified(monkeypatch: pytest.MonkeyPatch, clock: LoopClock, tmp_path: Path) -> None:
    """With the right name and authority it connects; another name or a stranger's certificate is named."""
    monkeypatch.setenv("AMI_PASSWORD", "secret")
    ca, stranger = trustme.CA(), trustme.CA()
    for name, authority in (("ca", ca), ("stranger", stranger)):
        authority.cert_pem.write_to_path(str(tmp_path / name))
    for certified, trusted, good in (
        ("127.0.0.1", "ca", True),
        ("pbx.example.com", "ca", False),
        ("127.0.0.1", "stranger", False),
    ):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        ca.issue_cert(certified).configure_cert(context)
        server = FakeManager()
        await server.start(context)
        async with opened(server, clock, tls=True, ca_file=str(tmp_path / trusted)) as one:
            health = await one.health()
            assert health.good is good
            assert good or "its certificate is not good for 127.0.0.1" in health.seen
        await server.stop()


async def test_another_agents_call_is_not_its_own(asterisk: FakeManager, clock: LoopClock) -> None:
    """An agent who is not among `agents`, and a stranger's call, are left to the next dialer."""
    async with opened(asterisk, clock, agents=["1*"]) as one:
        await one.healthy()
        assert await one.call(agent=Agent(id="alice")) is None
        assert await one.clear(Call(id="x", attempt_id="x", state=ConnectionState.CONNECTED)) is None
        assert await one.found() is None


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"endpoint": "PJSIP/{number}"}, 'write "PJSIP/{number}@trunk" with the name of your trunk'),
        ({"endpoint": "PJSIP/trunk"}, "must "),
        ({"endpoint": "PJSIP/{number}@trunk&SIP/1"}, "must "),
        ({"waiting": "MusicOnHold"}, "wants an application"),
        ({"password_env": "NO_SUCH"}, "no variable NO_SUCH"),
        ({"port": 70000}, "port"),
        ({"ca_file": "ca.pem"}, "ca_file: needs tls = true, or the password goes out in clear"),
        ({"pasword_env": "x"}, 'did you mean "password_env"?'),
    ],
    ids=repr,
)
def test_wrong_settings_are_told(monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], said: str) -> None:
    """A wrong setting is named at load, with what would be right: a number as a PJSIP endpoint, too."""
    monkeypatch.setenv("AMI_PASSWORD", "secret")
    table = settings(5038) | more
    with pytest.raises(ConfigError) as raised:
        Host.from_config({"cti": {"plugins": ["asterisk-ami"]}, "plugins": {"asterisk-ami": table}})
    assert said in str(raised.value)
