"""The dialer for FreeSWITCH, against a server made from the event socket's documentation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from cti_hooks import Agent, Call, ConfigError, ConnectionState, Host
from lcm_plugin.dialers.exchange import Party
from lcm_plugin.dialers.freeswitch.switch import leg_uuid
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.dialers.fakes.freeswitch import VERSION, Channel, FakeFreeSwitch
from tests.dialers.fakes.listening import Site, site

ANSWERED = ["service_initiated", "agent originated", "delivered", "established"]


class OpenSite(Protocol):
    def __call__(self, **table: Any) -> AbstractAsyncContextManager[Site]: ...


@pytest.fixture
async def switch(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeFreeSwitch]:
    monkeypatch.setenv("ESL_PASSWORD", "ClueCon")
    server = FakeFreeSwitch()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def opened(switch: FakeFreeSwitch, clock: LoopClock) -> OpenSite:
    def of(**table: Any) -> AbstractAsyncContextManager[Site]:
        return site(clock, "freeswitch", **settings(switch.port, **table))

    return of


def settings(listens: int, **table: Any) -> dict[str, Any]:
    return {
        "port": listens,
        "password_env": "ESL_PASSWORD",
        "endpoint": "sofia/gateway/carrier/{number}",
        "agent_endpoint": "user/{agent}",
        **table,
    }


async def test_an_answered_call_is_told_in_order(switch: FakeFreeSwitch, opened: OpenSite) -> None:
    """The agent's leg first, then the customer's; hung up from outside, both end; call_cleared is last."""
    async with opened() as one:
        await one.healthy()
        call = await one.placed()
        assert call == Call(
            id="attempt-1-c",
            attempt_id="attempt-1",
            state=ConnectionState.INITIATED,
            engine=f"127.0.0.1:{switch.port}",
        )
        await one.heard("established")
        assert one.listener.told() == ANSWERED
        assert await one.clear(call) is True
        last = await one.ended()
    assert last.q850 == 16
    assert last.attempt_id == "attempt-1"
    assert switch.rang == ["user/alice", "sofia/gateway/carrier/+12125550101"]
    assert not switch.channels


@pytest.mark.parametrize(
    ("number", "told", "q850", "status"),
    [
        ("02", ["delivered", "failed"], 17, 486),
        ("03", ["delivered", "failed"], 19, 480),
        ("04", ["delivered", "failed"], 21, 603),
        ("05", ["delivered", "failed"], 34, 503),
        ("06", ["delivered", "failed"], 1, 404),
        ("07", ["delivered", "failed"], 19, 487),
        ("08", ["delivered", "established", "connection_cleared"], 16, 200),
        ("09", ["failed"], 38, None),
        ("10", ["network_reached", "established"], None, None),
    ],
    ids=[
        "busy",
        "no answer",
        "decline",
        "congestion",
        "unallocated",
        "rings for ever",
        "hangs up",
        "no gateway",
        "media",
    ],
)
async def test_how_a_call_ends_is_told(
    switch: FakeFreeSwitch,
    opened: OpenSite,
    number: str,
    told: list[str],
    q850: int | None,
    status: int | None,
) -> None:
    """Each way a customer's leg can go is told with its cause and SIP status, and no channel is left."""
    async with opened() as one:
        await one.healthy()
        call = await one.placed(to=f"+121255501{number}")
        await one.heard(told[-1])
        assert one.listener.told()[2 : 2 + len(told)] == told
        if number == "10":
            await one.clear(call)
            await one.ended()
            return
        last = await one.ended()
        assert (last.party, last.q850, last.sip_status) == ("customer", q850, status)
        assert not switch.channels
        assert await one.found() is None


async def test_a_phone_nobody_answers_rings_as_long_as_the_dial_says(
    switch: FakeFreeSwitch, opened: OpenSite
) -> None:
    """Ring time counts from Delivered, and is 15 s at the least."""
    async with opened() as one:
        await one.healthy()
        for number, wanted in ((1, 25.0), (2, 3.0)):
            await one.placed(number, to="+12125550107", ring_seconds=wanted)
        await asyncio.sleep(60)
        at = {(event.attempt_id, event.kind.value): event.at for event in one.listener.events}
    for number, seconds in ((1, 25), (2, 15)):
        rang = at[f"attempt-{number}", "failed"] - at[f"attempt-{number}", "delivered"]
        assert rang.total_seconds() == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize(
    ("agent", "q850"),
    [("USER_BUSY", 17), ("unregistered", 20), ("silent", 19)],
    ids=["busy", "gone", "silent"],
)
async def test_an_agents_leg_that_fails_is_the_agents(
    switch: FakeFreeSwitch, opened: OpenSite, agent: str, q850: int
) -> None:
    """When the agent's phone is busy, not registered or not answered, the customer is never rung."""
    switch.agent = agent
    async with opened() as one:
        await one.healthy()
        await one.placed()
        assert (await one.ended()).q850 is None  # the customer's, who was not called
        assert one.listener.told() == ["service_initiated", "agent failed", "call_cleared"]
        assert one.listener.events[1].q850 == q850
    assert len(switch.rang) == (0 if agent == "unregistered" else 1)
    assert not switch.channels


async def test_an_agent_who_hangs_up_first_ends_the_call(switch: FakeFreeSwitch, opened: OpenSite) -> None:
    """The customer's phone stops ringing when the agent hangs up."""
    async with opened() as one:
        await one.healthy()
        await one.placed(to="+12125550107")
        await one.heard("delivered")
        (agent, _) = switch.channels
        switch.hang_up(agent, "NORMAL_CLEARING", 200)
        await one.ended()
        assert one.listener.told()[-3:] == ["agent connection_cleared", "connection_cleared", "call_cleared"]
    assert not switch.channels


async def test_the_customer_is_not_rung_after_the_deadline(
    switch: FakeFreeSwitch, opened: OpenSite, clock: LoopClock
) -> None:
    """When not_after passes between the agent's answer and the customer's leg, the customer is not rung."""
    switch.agent_answers_after = 5.0
    async with opened() as one:
        await one.healthy()
        await one.placed(not_after=clock.now() + timedelta(seconds=5))
        last = await one.ended()
        assert last.q850 is None
        with pytest.raises(TimeoutError):
            await one.call(2, not_after=clock.now() - timedelta(seconds=1))
    assert switch.rang == ["user/alice"]


BREAKING = [
    "+1212@evil",
    "12/34",
    "12&34",
    "12\n\napi shutdown",
    "${system(id)}",
    "1}2",
    "1,2",
    "",
    "anonymous",
]


@pytest.mark.parametrize("number", BREAKING)
async def test_what_is_no_number_never_reaches_the_engine(
    switch: FakeFreeSwitch, opened: OpenSite, number: str
) -> None:
    """A number a dial string could be broken by is refused before anything is sent, as a caller id too."""
    async with opened() as one:
        await one.healthy()
        asked = len(switch.asked)
        with pytest.raises(ValueError, match="no telephone number") as raised:
            await one.call(to=number)
        assert len(number) < 3 or number not in str(raised.value)
        if number:
            with pytest.raises(ValueError, match="no telephone number"):
                await one.call(caller_id=number)
        assert len(switch.asked) == asked


@pytest.mark.parametrize(
    "endpoint", ["user/1001 &system(id)", "user/1001,user/1002", "{a=b}user/1", "user/1\n\n"]
)
async def test_an_endpoint_cannot_break_out(switch: FakeFreeSwitch, opened: OpenSite, endpoint: str) -> None:
    """An agent's endpoint with characters that mean something in a dial string is refused, too."""
    async with opened() as one:
        await one.healthy()
        with pytest.raises(ValueError, match="characters no dial string may have"):
            await one.call(agent=Agent(id="alice", endpoint=endpoint))
    assert not switch.rang


async def test_names_and_variables_are_told_and_tamed(switch: FakeFreeSwitch, opened: OpenSite) -> None:
    """A display name loses what an engine would act upon; a variable like that is refused."""
    async with opened() as one:
        await one.healthy()
        await one.placed(
            display_name="O'Neil, {x=y}", caller_id="+1 212 555 0100", variables={"campaign": "C 1"}
        )
        await one.heard("established")
        with pytest.raises(ValueError, match="variable"):
            await one.call(2, variables={"campaign": "C',x='y"})
    originate = next(one for one in switch.asked if "originate" in one)
    bridge = next(one for one in switch.asked if one.startswith("sendmsg"))
    assert "origination_caller_id_name='O Neil x y'" in originate
    assert "origination_caller_id_number='+12125550100'" in bridge
    assert "campaign='C 1'" in bridge


# -- faults -------------------------------------------------------------------------------------------------


async def test_a_lost_answer_is_doubt_and_nothing_is_sent_again(
    switch: FakeFreeSwitch, opened: OpenSite
) -> None:
    """When the answer to the originate is lost, make_call raises, and the customer is never rung."""
    async with opened() as one:
        await one.healthy()
        switch.lose_answer_to = "originate"
        with pytest.raises(ConnectionError):
            await one.call()
        await one.ended()
        assert one.listener.told()[:2] == ["service_initiated", "agent failed"]
    assert switch.rang == ["user/alice"]
    assert sum("originate" in asked for asked in switch.asked) == 1
    assert not switch.channels


async def test_a_frozen_engine_overruns_and_nothing_is_sent_again(
    switch: FakeFreeSwitch, opened: OpenSite
) -> None:
    """Every question has a time-out; after it the connection is a new one, and the order is not repeated."""
    async with opened(request_seconds=2) as one:
        await one.healthy()
        switch.deaf = True
        with pytest.raises(ConnectionError, match="no answer within 2 s"):
            await one.call()
        await one.healthy(good=False)
        with pytest.raises(ConnectionError):
            await one.found()
        switch.deaf = False
        await one.healthy()
        await one.ended()
    assert not switch.rang


async def test_a_customers_order_whose_answer_is_lost_is_followed(
    switch: FakeFreeSwitch, opened: OpenSite
) -> None:
    """The customer's leg is never ordered twice; it is found after the reconnect, and the call goes on."""
    async with opened() as one:
        await one.healthy()
        switch.lose_answer_to = "sendmsg"
        call = await one.placed()
        await one.heard("established")
        found = await one.found()
        assert found
        assert found.state is ConnectionState.CONNECTED
        await one.clear(call)
        await one.ended()
    assert switch.rang == ["user/alice", "sofia/gateway/carrier/+12125550101"]


@pytest.mark.parametrize(("seconds", "kept"), [(8, True), (30, False)], ids=["in time", "too late"])
async def test_an_order_a_frozen_engine_carries_out_late_is_hung_up(
    switch: FakeFreeSwitch, opened: OpenSite, clock: LoopClock, seconds: float, *, kept: bool
) -> None:
    """Frozen with the customer's order unread, it rings when it thaws: after the deadline, not for long."""
    async with opened() as one:
        await one.healthy()
        await one.placed(to="+12125550107", not_after=clock.now() + timedelta(seconds=20))
        await asyncio.sleep(0.5)
        one.listener.on_event = lambda event: switch.thawed.clear() if event.kind == "originated" else None
        await asyncio.sleep(seconds)
        assert len(switch.rang) == 1
        switch.thawed.set()
        await one.heard("delivered" if kept else "call_cleared")
        await asyncio.sleep(5)
        assert len(switch.rang) == 2
        assert len(switch.channels) == (2 if kept else 0)
        if not kept:
            assert one.listener.last.text == "the engine carried out the order after its deadline"
            assert "delivered" not in one.listener.told()


async def test_a_call_goes_on_over_a_cut_connection(switch: FakeFreeSwitch, opened: OpenSite) -> None:
    """Nothing is queued while there is no connection: what was missed is found by looking."""
    async with opened() as one:
        await one.healthy()
        await one.placed(to="+12125550108")
        await one.heard("delivered")
        switch.cut()
        await one.heard("established")
        switch.cut()
        for uuid in list(switch.channels):
            switch.hang_up(uuid, "NORMAL_CLEARING", 200)
        last = await one.ended()
        assert last.text == "the engine does not have it"
        assert one.listener.told()[:4] == ANSWERED


async def test_an_engine_that_dies_ends_its_calls_truthfully(
    switch: FakeFreeSwitch, opened: OpenSite
) -> None:
    """Restarted without its calls, the engine has none of them: they end, and new ones flow within 2 s."""
    async with opened() as one:
        await one.healthy()
        await one.placed()
        await one.heard("established")
        await switch.stop()
        switch.channels.clear()
        await asyncio.sleep(20)
        assert await one.call(2) is None
        with pytest.raises(ConnectionError, match="nothing listens"):
            await one.found()
        await switch.start()
        await one.healthy(seconds=2)
        await one.ended()
        await one.placed(3)
        await one.clear(Call(id="x", attempt_id="attempt-3", state=ConnectionState.INITIATED))


async def test_a_call_is_adopted_after_a_restart(switch: FakeFreeSwitch, opened: OpenSite) -> None:
    """Another process finds the call at the engine, follows it and can hang it up."""
    async with opened() as one:
        await one.healthy()
        await one.placed()
        await one.heard("established")
    assert len(switch.channels) == 2
    async with opened() as other:
        await other.healthy()
        call = await other.found()
        assert call
        assert call.state is ConnectionState.CONNECTED
        assert await other.clear(call) is True
        await other.ended()
        assert await other.clear(call) is False
    assert not switch.channels


async def test_a_call_that_two_look_for_is_adopted_once(switch: FakeFreeSwitch, opened: OpenSite) -> None:
    """Two questions at once find one call, which one task follows to its end."""
    async with opened() as one:
        await one.healthy()
        await one.placed()
        await one.heard("established")
    async with opened() as other:
        await other.healthy()
        call, same = await asyncio.gather(other.found(), other.found())
        assert call == same
        following = [task for task in asyncio.all_tasks() if task.get_name() == "call of attempt attempt-1"]
        assert len(following) == 1
        assert call
        await other.clear(call)
        await other.ended()
    assert other.listener.told().count("call_cleared") == 1


async def test_what_was_not_found_is_forgotten(switch: FakeFreeSwitch, opened: OpenSite) -> None:
    """Nothing is kept of attempts that were asked for in vain, or not placed."""
    async with opened() as one:
        await one.healthy()
        assert await one.found() is None
        await switch.stop()
        await one.healthy(good=False)
        assert await one.call(2) is None
        (line,) = one.host.plugins["freeswitch"]._lines.values()  # type: ignore[attr-defined]  # the dialer's own
        assert line.exchange._legs == {}


async def test_an_agents_leg_left_behind_is_hung_up(switch: FakeFreeSwitch, opened: OpenSite) -> None:
    """A host that stops between the legs hangs up; a leg of one that died there is not carried on."""
    async with opened() as one:
        await one.healthy()
        await one.placed()
        await asyncio.sleep(0.5)
    assert one.listener.told()[-1] == "call_cleared"
    assert not switch.channels
    async with opened() as one:
        await one.healthy()
        uuid = leg_uuid("attempt-2", Party.AGENT)
        switch.channels[uuid] = Channel(uuid=uuid, state="ACTIVE")
        assert await one.found(2)
        assert (await one.ended()).q850 is None
    assert switch.rang == ["user/alice"]
    assert not switch.channels


async def test_an_attempt_is_placed_once(switch: FakeFreeSwitch, opened: OpenSite) -> None:
    """The same attempt again while it lives is refused loudly."""
    async with opened() as one:
        await one.healthy()
        await one.placed()
        with pytest.raises(RuntimeError, match="is being dialed"):
            await one.call()
        await asyncio.sleep(10)
    assert switch.rang == ["user/alice", "sofia/gateway/carrier/+12125550101"]


# -- the connection -----------------------------------------------------------------------------------------


async def test_health_tells_the_version(switch: FakeFreeSwitch, opened: OpenSite) -> None:
    """A reachable engine is good, with its version and address, and no password."""
    async with opened() as one:
        health = await one.health()
    assert health.what == f"freeswitch 127.0.0.1:{switch.port}"
    assert health.good
    assert health.seen == f"{' '.join(VERSION.split()[:3])} at 127.0.0.1:{switch.port}"


async def test_a_wrong_password_is_one_line_and_seldom_tried(
    switch: FakeFreeSwitch, opened: OpenSite, caplog: pytest.LogCaptureFixture
) -> None:
    """Refused, it says so once, without the password, and knocks ever more seldom."""
    switch.password = "other"  # noqa: S105  (a fake's)
    async with opened() as one:
        health = await one.health()
        assert health.seen == f"it refuses the password; see password_env (127.0.0.1:{switch.port})"
        assert await one.call() is None
        await asyncio.sleep(600)
        tries = sum("auth" in asked for asked in switch.asked)
        assert 10 < tries < 30
    said = [record.getMessage() for record in caplog.records]
    assert sum("refuses" in line and "not placed" not in line for line in said) == 1
    assert "ClueCon" not in caplog.text


async def test_a_wrong_port_is_one_line(switch: FakeFreeSwitch, opened: OpenSite) -> None:
    """If nothing listens, it says so; if something else answers, too."""
    await switch.stop()
    async with opened() as one:
        assert "nothing listens on 127.0.0.1" in (await one.health()).seen

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", switch.port), opened() as one:
        assert "another protocol is spoken there; is the port right?" in (await one.health()).seen


async def test_an_address_that_is_rejected_is_told(switch: FakeFreeSwitch, opened: OpenSite) -> None:
    """FreeSWITCH's rejection by its access list is named as that."""
    switch.rejects = True
    async with opened() as one:
        assert "apply-inbound-acl" in (await one.health()).seen


async def test_the_password_may_be_in_a_file(
    switch: FakeFreeSwitch, opened: OpenSite, tmp_path: Path
) -> None:
    """A password file is read at each login; one that is gone is named."""
    file = tmp_path / "password"
    file.write_text("ClueCon\n")
    file.chmod(0o600)
    async with opened(password_env=None, password_file=str(file)) as one:
        assert (await one.health()).good
    file.unlink()
    async with opened(password_env=None, password_file=str(file)) as one:
        assert "cannot be read from file" in (await one.health()).seen


async def test_agents_have_their_engine(opened: OpenSite) -> None:
    """An agent who is not this engine's is left to the next dialer, and so is a stranger's call."""
    async with opened(agents=["1*"]) as one:
        await one.healthy()
        assert await one.call(agent=Agent(id="2001")) is None
        assert await one.call(agent=Agent(id="1001")) is not None
        assert await one.clear(Call(id="x", attempt_id="x", state=ConnectionState.CONNECTED)) is None


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"endpoint": "sofia/gateway/carrier/"}, "wants {number} in one dial string"),
        ({"endpoint": "user/{number}\n\n"}, "wants {number} in one dial string"),
        ({"endpoint": "sofia/gateway/gw/{number}@{context}"}, "wants {number} in one dial string"),
        ({"agent_endpoint": "user/1001"}, "wants {agent} in one dial string"),
        ({"agent_endpoint": "user/{agnet}"}, "wants {agent} in one dial string"),
        ({"agent_endpoint": "user/{agent},user/1"}, "wants {agent} in one dial string"),
        ({"agent_endpoint": "user/{agent}@{domain}"}, "wants {agent} in one dial string"),
        ({"password_env": "NO_SUCH_VARIABLE"}, "no variable NO_SUCH_VARIABLE"),
        ({"password_env": None}, "password_env: is required"),
        ({"port": 0}, "port"),
        ({"pasword_env": "X"}, 'did you mean "password_env"?'),
    ],
    ids=repr,
)
def test_wrong_settings_are_told(monkeypatch: pytest.MonkeyPatch, table: dict[str, Any], said: str) -> None:
    """A wrong setting is named at load, with what would be right."""
    monkeypatch.setenv("ESL_PASSWORD", "ClueCon")
    with pytest.raises(ConfigError) as raised:
        Host.from_config(
            {"cti": {"plugins": ["freeswitch"]}, "plugins": {"freeswitch": settings(8021) | table}}
        )
    assert said in str(raised.value)


async def test_an_answer_nobody_waits_for_is_not_taken_for_the_next_ones(
    switch: FakeFreeSwitch, opened: OpenSite
) -> None:
    """Answers come in the order of the questions, so whoever stops waiting for one ends the connection."""
    async with opened() as one:
        await one.healthy()
        switch.slow = 1.0
        asking = asyncio.create_task(one.call())
        await asyncio.sleep(0.5)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        with pytest.raises(ConnectionError):
            await one.found(2)
        switch.slow = 0.0
        await one.healthy()
        await one.placed(2)
        await one.heard("established")
        assert sum(asked.startswith("bgapi") for asked in switch.asked) == 2
