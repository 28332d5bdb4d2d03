"""What an engine sends without end, or in another shape, is neither taken in nor waited for."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from typing import Any

import pytest

from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.dialers.fakes.listening import Site, site
from tests.dialers.fakes.manager import FakeManager
from tests.dialers.fakes.softphone import FakeSoftphone

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
MEBIBYTE = 1 << 20


@asynccontextmanager
async def engine(talk: Talk) -> AsyncIterator[int]:
    """An engine's port."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await talk(reader, writer)
        except OSError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def flood(writer: asyncio.StreamWriter, line: bytes, most: int = 64 * MEBIBYTE) -> int:
    """Send the line until nobody takes it any more; how many bytes were taken."""
    sent = 0
    block = line * (MEBIBYTE // 16 // len(line))
    while sent < most and not writer.is_closing():
        writer.write(block)
        sent += len(block)
        try:
            await writer.drain()
        except OSError:
            break
    return sent


@pytest.mark.parametrize("line", [b"X: y\n", b"\n", b"X" * 1000], ids=["headers", "blank lines", "one line"])
async def test_a_freeswitch_that_sends_headers_without_end(
    monkeypatch: pytest.MonkeyPatch, clock: LoopClock, line: bytes
) -> None:
    """A message's head has 64 KiB at the most: more ends the connection at once, and memory does not grow."""
    monkeypatch.setenv("ESL_PASSWORD", "ClueCon")
    taken = []

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(await flood(writer, line))

    async with engine(talk) as port:
        table: dict[str, Any] = {
            "port": port,
            "password_env": "ESL_PASSWORD",
            "endpoint": "sofia/gateway/carrier/{number}",
        }
        async with site(clock, "freeswitch", **table) as one:
            await asyncio.sleep(1)
            assert "another protocol is spoken there" in (await one.health()).seen
    assert taken
    assert max(taken) < 16 * MEBIBYTE  # of which most is in the sockets' buffers


@pytest.fixture
async def asterisk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeManager]:
    monkeypatch.setenv("AMI_PASSWORD", "secret")
    server = FakeManager()
    await server.start()
    yield server
    await server.stop()


def manager(clock: LoopClock, asterisk: FakeManager) -> AbstractAsyncContextManager[Site]:
    settings: dict[str, Any] = {"port": asterisk.port, "password_env": "AMI_PASSWORD"}
    return site(clock, "asterisk-ami", **settings)


async def test_a_manager_whose_list_never_ends(asterisk: FakeManager, clock: LoopClock) -> None:
    """A list that answers one question has 10 000 events at the most: more ends the connection."""
    async with manager(clock, asterisk) as one:
        await one.healthy()
        sent = count()
        asterisk.more = lambda asked: b"Event: Status\r\nActionID: %s\r\nN: %d\r\n\r\n" % (asked, next(sent))
        (found,) = await one.host.hooks.all("find_call", attempt_id="attempt-1")
        assert found.error
        assert next(sent) < 400_000
        asterisk.more = None
        await one.healthy()


@pytest.mark.parametrize(
    "event",
    [
        b"Event: Newchannel\r\nUniqueid: attempt-1-a\r\n\r\n",
        "Event: Hangup\r\nUniqueid: attempt-9-a\r\nCause: ²\r\nTechCause: ²\r\n\r\n".encode(),
        b"Event: Hangup\r\nUniqueid: attempt-9-a\r\nCause: " + b"1" * 5000 + b"\r\n\r\n",
        b"no header at all\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
    ],
    ids=["no channel", "no digit", "many digits", "no header", "no text", "nothing"],
)
async def test_an_odd_event_of_the_managers_is_passed_over(
    asterisk: FakeManager, clock: LoopClock, event: bytes
) -> None:
    """What has another shape than an event of a channel costs no connection, and no call."""
    async with manager(clock, asterisk) as one:
        await one.healthy()
        await one.placed()
        await one.placed(9)
        for writer in asterisk.writers:
            writer.write(event)
        await asyncio.sleep(1)
        assert asterisk.asked.count("Login") == 1
        assert await one.found()


async def test_an_engines_words_are_short(asterisk: FakeManager, clock: LoopClock) -> None:
    """What an engine says of a call's end is a line of 200 characters at the most, whatever is in it."""
    async with manager(clock, asterisk) as one:
        await one.healthy()
        await one.placed()
        words = b"Cause: 17\r\nCause-txt: busy +12125550123 \x1b[2J" + b"x" * 100_000
        for writer in asterisk.writers:
            writer.write(b"Event: Hangup\r\nUniqueid: attempt-1-a\r\n" + words + b"\r\n\r\n")
        await one.ended()
    (text,) = {event.text for event in one.listener.events if event.text}
    assert text.startswith("busy ***23 \\x1b[2Jx")
    assert len(text) <= 200


@pytest.fixture
async def phone() -> AsyncIterator[FakeSoftphone]:
    server = FakeSoftphone()
    await server.start()
    yield server
    await server.stop()


@pytest.mark.parametrize(
    "tail", [" " * 100_000, "A " * 50_000, " A" * 50_000], ids=["blanks", "words", "mixed"]
)
async def test_a_softphones_list_is_read_in_a_moment(
    phone: FakeSoftphone, clock: LoopClock, tail: str
) -> None:
    """However a line of its calls is made, reading it holds up nothing else."""
    phone.prints = f"> [line 1]  0:00:12 {tail}x\n"
    table: dict[str, Any] = {
        "endpoint": "sip:{number}@pbx.example.com",
        "phones": {"alice": {"port": phone.port}},
    }
    async with site(clock, "baresip", **table) as one:
        await one.healthy()
        began = time.perf_counter()
        await one.placed()
        await asyncio.sleep(1)
        assert time.perf_counter() - began < 2
    assert phone.dialed
