"""The asterisk dialer at an Asterisk that does what a real one does too seldom."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cti_hooks import ConnectionState, Host, Outcome, health_of
from lcm_plugin.attempt.outcomes import outcome_of
from lcm_plugin.dialers.asterisk.channels import AsteriskAri
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.dialers.fakes.ari import FakeAri
from tests.dialers.fakes.listening import Site, site, site_of

AGENT, CUSTOMER = "attempt-1-a", "attempt-1-c"


@pytest.fixture
async def ari() -> AsyncIterator[FakeAri]:
    one = FakeAri()
    async with one.listening():
        yield one


async def calling(one: Site, ari: FakeAri) -> None:
    """A call whose agent has answered: the customer is called."""
    await one.healthy()
    await one.placed()
    await ari.answers(AGENT)
    await asyncio.sleep(1)


async def talking(one: Site, ari: FakeAri) -> None:
    """A call whose customer has answered."""
    await calling(one, ari)
    await ari.answers(CUSTOMER)
    await one.heard("established")


async def test_a_host_that_observes_leaves_a_running_one_its_calls(ari: FakeAri, clock: LoopClock) -> None:
    """Beside a running host, a second one that only observes can tell, and takes no answered call from it."""
    async with site(clock, "asterisk", url=ari.url) as one:
        await one.healthy()
        await one.placed()
        config = {"cti": {"plugins": ["asterisk"]}, "plugins": {"asterisk": {"url": ari.url}}}
        async with Host.from_config(config, clock=clock, observes=True) as beside:
            (health,) = health_of(await beside.hooks.all("report_health"))
            await ari.answers(AGENT)
            await asyncio.sleep(1)
        assert health.good
        assert (await one.health()).good
        assert CUSTOMER in ari.channels
        assert not ari.hung_up


@pytest.mark.parametrize(("status", "outcome"), [("BUSY", Outcome.BUSY), ("CONGESTION", Outcome.CONGESTION)])
async def test_a_dials_status_tells_where_there_is_no_cause(
    ari: FakeAri, clock: LoopClock, status: str, outcome: Outcome
) -> None:
    """A Local channel that ends by Busy() has cause 0: the outcome is its dial's."""
    async with site(clock, "asterisk", url=ari.url, endpoint="Local/{number}@out") as one:
        await calling(one, ari)
        await ari.dialed(CUSTOMER, status)
        await ari.ends(CUSTOMER, cause=0)
        await one.ended()
        assert outcome_of(one.listener.events) is outcome


async def test_a_comparison_that_failed_is_made_again(ari: FakeAri, clock: LoopClock) -> None:
    """After a reconnect Asterisk is asked until it tells: a call that ended meanwhile is over."""
    async with site(clock, "asterisk", url=ari.url) as one:
        await talking(one, ari)
        ari.fails.append("GET channels")
        await ari.cut()
        ari.channels.clear()
        await one.ended()
        assert await one.found() is None


async def test_one_call_that_cannot_be_compared_holds_up_no_other(ari: FakeAri, clock: LoopClock) -> None:
    """A failure that concerns one call leaves the others' ends to be told."""
    async with site(clock, "asterisk", url=ari.url) as one:
        await talking(one, ari)
        await one.placed(2)
        ari.fails.append("POST applications/lcm-plugin-cti/subscription")
        await ari.cut()
        del ari.channels["attempt-2-a"]
        assert (await one.ended()).attempt_id == "attempt-2"
        assert ari.channels.keys() == {AGENT, CUSTOMER}


async def test_a_list_older_than_what_was_heard_ends_no_leg(ari: FakeAri, clock: LoopClock) -> None:
    """A list made before the agent's phone was there says nothing once it has answered: the call goes on."""
    async with site(clock, "asterisk", url=ari.url) as one:
        await one.healthy()
        await one.placed()
        ari.says["GET channels"] = b"[]"
        await ari.cut()
        while len(ari.sockets) < 1 or len(ari.apps) < 2:  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        ari.says.clear()
        await ari.answers(AGENT)
        await asyncio.sleep(30)
        assert ari.channels.keys() == {AGENT, CUSTOMER}
        assert one.listener.told() == ["service_initiated", "agent originated"]


async def test_two_looks_at_one_moment_end_no_leg(ari: FakeAri, clock: LoopClock) -> None:
    """An order that is under way to Asterisk may be missed by all who look just then: the call goes on."""
    async with site(clock, "asterisk", url=ari.url) as one:
        await one.healthy()
        await one.placed()
        ari.says["GET channels"] = b"[]"
        dialer: Any = one.host.plugins["asterisk"]
        (course,) = dialer.led_at("asterisk")
        course.lookout.look_now()
        course.lookout.look_now()
        await asyncio.sleep(1)
        ari.says.clear()
        await ari.answers(AGENT)
        await asyncio.sleep(30)
        assert one.listener.told() == ["service_initiated", "agent originated"]


async def test_the_agent_hears_no_ringing_once_the_customer_has_answered(
    ari: FakeAri, clock: LoopClock
) -> None:
    """The agent hears the customer's phone ring, and no longer once both talk; ANSWER is told before."""
    async with site(clock, "asterisk", url=ari.url) as one:
        await calling(one, ari)
        await ari.dialed(CUSTOMER, "RINGING")
        await one.heard("delivered")
        await ari.dialed(CUSTOMER, "ANSWER")
        await ari.answers(CUSTOMER)
        await one.heard("established")
    rings = [asked for asked in ari.asked if asked.endswith("/ring")]
    assert rings == [f"{method} /ari/channels/{AGENT}/ring" for method in ("POST", "DELETE")]


async def test_a_step_that_fails_leaves_no_phone_ringing(
    ari: FakeAri, clock: LoopClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """If what was heard of a call cannot be dealt with, both legs are hung up, and it ends."""

    def faulty(_: object, attempt_id: str) -> None:
        raise ValueError(f"no such thing as {attempt_id}")

    monkeypatch.setattr(AsteriskAri, "ring_back", faulty)
    async with site(clock, "asterisk", url=ari.url) as one:
        await calling(one, ari)
        await ari.dialed(CUSTOMER, "RINGING")
        async with asyncio.timeout(10):
            await one.ended()
        assert not ari.channels
        assert "attempt attempt-1: ValueError: no such thing as attempt-1" in caplog.messages


async def test_a_call_asterisk_has_no_more_is_not_found_as_a_live_one(ari: FakeAri, clock: LoopClock) -> None:
    """find_call believes the channels it just read, not what was told before: it ended."""
    async with site(clock, "asterisk", url=ari.url) as one:
        await talking(one, ari)
        ari.channels.clear()
        found = await one.found()
        assert found
        assert found.state is ConnectionState.NULL
        await one.ended()


async def test_two_plugins_hang_up_their_own_calls(ari: FakeAri, clock: LoopClock) -> None:
    """Enabled under two names, each has an engine of its own name: a call is hung up where it is."""
    tables = {
        "east": {"plugin": "asterisk", "url": "http://127.0.0.1:1/ari", "agents": ["nobody"]},
        "west": {"plugin": "asterisk", "url": ari.url},
    }
    async with site_of(clock, {"cti": {"plugins": list(tables)}, "plugins": tables}) as one:
        await asyncio.sleep(1)
        call = await one.placed()
        await ari.answers(AGENT)
        assert call.engine == "west"
        assert await one.clear(call) is True
        await one.ended()
        assert await one.clear(call) is False
        assert not ari.channels


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "1",
        "null",
        "no JSON",
        "[" * 100_000,
        '{"type": "Dial", "peer": ["x"]}',
        '{"type": "Dial", "peer": "x-a"}',
        '{"type": ["Dial"], "channel": {"id": "attempt-1-a"}}',
        '{"type": "ChannelDestroyed", "channel": {"id": ["attempt-1-a"]}}',
        '{"type": "StasisStart", "channel": 7}',
    ],
    ids=lambda text: text[:60],
)
async def test_an_odd_event_is_passed_over(
    ari: FakeAri, clock: LoopClock, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    """What is no event ends no event socket, and is said; the call goes on, and is heard to its end."""
    async with site(clock, "asterisk", url=ari.url) as one:
        await talking(one, ari)
        await ari.utters(text)
        await asyncio.sleep(1)
        assert (await one.health()).good
        assert "sent an event that cannot be read" in caplog.text
        await ari.ends(CUSTOMER)
        await one.ended()


async def test_an_event_too_large_is_not_taken_in(ari: FakeAri, clock: LoopClock) -> None:
    """An event of more than 1 MiB ends the connection; the next one tells what was missed."""
    async with site(clock, "asterisk", url=ari.url) as one:
        await talking(one, ari)
        await ari.utters('{"type": "' + "x" * (1 << 20) + '"}')
        await asyncio.sleep(5)
        assert len(ari.apps) == 2
        assert (await one.health()).good
        await ari.ends(CUSTOMER)
        await one.ended()


@pytest.mark.parametrize(
    "said", [b"[]", b"1", b'{"system": 7}', b"[" * 100_000, b'{"x": "' + b"x" * (16 << 20) + b'"}'],
    ids=lambda said: said[:20].decode(),
)  # fmt: skip
async def test_health_is_bad_while_nobody_listens(ari: FakeAri, clock: LoopClock, said: bytes) -> None:
    """An Asterisk whose answers make no sense is said to be so, and used again once they do."""
    ari.says["GET asterisk/info"] = said
    async with site(clock, "asterisk", url=ari.url) as one:
        await asyncio.sleep(5)
        assert not (await one.health()).good
        ari.says.clear()
        await asyncio.sleep(5)
        await talking(one, ari)


@pytest.mark.parametrize(
    "said", [b"{}", b"[7]", b'[{"name": "x"}]', b"null", b"[" * 100_000], ids=lambda said: said[:20].decode()
)
async def test_a_list_of_channels_that_is_none_is_asked_for_again(
    ari: FakeAri, clock: LoopClock, said: bytes
) -> None:
    """After a reconnect nothing is concluded from an answer that is no list of channels."""
    async with site(clock, "asterisk", url=ari.url) as one:
        await talking(one, ari)
        ari.says["GET channels"] = said
        await ari.cut()
        ari.channels.clear()
        await asyncio.sleep(5)
        (found,) = await one.host.hooks.all("find_call", attempt_id="attempt-1")
        assert found.error
        ari.says.clear()
        await one.ended()


async def test_a_channel_that_is_told_twice_is_there(ari: FakeAri, clock: LoopClock) -> None:
    """Asterisk 22 lists a channel twice for a moment, now and then: the call is found all the same."""
    async with site(clock, "asterisk", url=ari.url) as one:
        await talking(one, ari)
        channel = {"id": "attempt-1-c", "state": "Up"}
        ari.says["GET channels"] = json.dumps(
            [channel, {"id": "attempt-1-a", "state": "Up"}, channel]
        ).encode()
        (found,) = await one.host.hooks.all("find_call", attempt_id="attempt-1")
        assert (found.error, found.value.state) == (None, ConnectionState.CONNECTED)
        ari.says.clear()


async def test_a_channels_id_is_no_path(ari: FakeAri, clock: LoopClock) -> None:
    """A channel's id is chosen by whoever placed it: in a request's path it is one part."""
    async with site(clock, "asterisk", url=ari.url) as one:
        await one.healthy()
        await ari.utters(
            '{"type": "StasisStart", "channel": {"id": "x?a=/../../asterisk/modules/m-a", "state": "Up"}}'
        )
        await asyncio.sleep(1)
    assert [asked for asked in ari.asked if asked.startswith("DELETE")] == [
        "DELETE /ari/channels/x%3Fa=%2F..%2F..%2Fasterisk%2Fmodules%2Fm-a?reason_code=16"
    ]


@pytest.mark.parametrize(
    "facts",
    [
        '"cause": "x", "cause_txt": {"a": 1}',
        '"cause": -5',
        '"cause": [17]',
        '"cause": 17, "tech_cause": "x"',
        '"cause": 1e999',
        '"cause": 17, "cause_txt": "' + "x" * 100_000 + '"',
    ],
    ids=lambda facts: facts[:30],
)
async def test_a_call_whose_end_is_told_oddly_has_ended(ari: FakeAri, clock: LoopClock, facts: str) -> None:
    """However Asterisk says why a channel is gone, it is gone: the call is told to its end."""
    async with site(clock, "asterisk", url=ari.url) as one:
        await talking(one, ari)
        del ari.channels[CUSTOMER]
        await ari.utters(f'{{"type": "ChannelDestroyed", "channel": {{"id": "{CUSTOMER}"}}, {facts}}}')
        last = await one.ended()
        assert AGENT not in ari.channels
        assert all(len(event.text or "") < 300 for event in one.listener.events)
        assert last.q850 in {None, 17}
