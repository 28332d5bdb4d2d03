"""Connections: so many, and each is soon of somebody who is let in."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import WSCloseCode

from lcm_plugin.service import door
from lcm_plugin.service.door import HEAD_SECONDS, IDLE_SECONDS, OWN_FILES

SECRET = "S3CRETS3CRET"  # noqa: S105  (a test's)


@asynccontextmanager
async def connected(url: str, sent: bytes = b"") -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(sent)
    try:
        yield reader
    finally:
        writer.transport.abort()


async def ended(reader: asyncio.StreamReader) -> float:
    """When the other side closed it, in the loop's time."""
    try:
        while await reader.read(1000):
            pass
    except ConnectionError:
        pass
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("sent", [b"", b"GET /v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "])
async def test_half_a_request_is_not_waited_for(site: Any, sent: bytes) -> None:
    """Who has not asked a whole question within 10 s is cut off."""
    async with site(names=()) as one, connected(one.url, sent) as reader:
        began = asyncio.get_running_loop().time()
        assert await ended(reader) - began == pytest.approx(HEAD_SECONDS, abs=1)


async def test_who_shows_no_token_does_not_stay(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking what needs none keeps no connection open: it is closed behind the answer."""
    monkeypatch.setenv("API_TOKEN", "t0ken")
    asks = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    async with site(names=(), service={"token_env": "API_TOKEN"}) as one, connected(one.url, asks) as reader:
        began = asyncio.get_running_loop().time()
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        assert await ended(reader) - began < 1


async def test_an_idle_connection_is_closed(site: Any) -> None:
    """One that was let in is kept for 75 s between two requests, half a next one or none."""
    asks = b"GET /v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    async with site(names=()) as one:
        for more in (b"", b"GET /v1/agents HTTP/1.1\r\nX-Slow: "):
            async with connected(one.url, asks + more) as reader:
                began = asyncio.get_running_loop().time()
                assert await ended(reader) - began == pytest.approx(IDLE_SECONDS, abs=2)


async def test_half_requests_shut_nobody_out(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A hundred of them take what there is; the longest of them is closed for whoever comes, who is answered.

    The log says so once, not a hundred times.
    """
    caplog.set_level(logging.WARNING)
    async with site(names=(), service={"connections": 20}) as one:
        loop = asyncio.get_running_loop()
        port = int(one.url.rpartition(":")[2])
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
        began = loop.time()
        assert all([await ended(reader) - began < 1 for reader, _ in opened[:80]])
        assert not any(reader.at_eof() for reader, _ in opened[80:])
        assert (await one.get("/v1/agents"))[0] == 200
        assert loop.time() - began < 1
        for _, writer in opened:
            writer.close()
    said = "all 20 connections are taken: those that have asked nothing yet are closed for new ones"
    assert caplog.text.count(said) == 1


async def test_connections_beyond_the_limit_are_closed(
    site: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that was let in stays. If all places are taken, one more is closed at once, and logged.

    That is what `connections` says, or as many as the files the process may have open leave room for.
    """
    monkeypatch.setattr(door, "descriptors", lambda: OWN_FILES + 3)
    asks = b"GET /v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    async with site(names=()) as one, AsyncExitStack() as stack:
        began = asyncio.get_running_loop().time()
        for _ in range(3):
            reader = await stack.enter_async_context(connected(one.url, asks))
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        for _ in range(2):
            assert await ended(await stack.enter_async_context(connected(one.url, asks))) - began < 1
        assert not reader.at_eof()
    assert caplog.text.count("all 3 connections are taken: new ones are closed") == 1


@pytest.mark.parametrize(
    "request_",
    [
        f"GET / HTTP/1.1\r\nAuthorization: Bearer {SECRET}\x01\r\n\r\n",
        f"POST /v1/call-events HTTP/1.1\r\nHost: a\r\nContent-Length: {SECRET}\r\n\r\n",
        f"{SECRET} is no request\r\n\r\n",
    ],
    ids=["a header", "a length", "no HTTP"],
)
async def test_a_malformed_request_is_logged_without_what_it_says(
    site: Any, caplog: pytest.LogCaptureFixture, request_: str
) -> None:
    """At any level: who has mistyped a request has shown a token with it."""
    caplog.set_level(logging.DEBUG)
    async with site(names=()) as one, connected(one.url, request_.encode()) as reader:
        assert (await reader.readline()).endswith(b" 400 Bad Request\r\n")
    assert SECRET not in caplog.text


LONG = 9000 * "x"
HEADS = {
    "line": f"GET /v1/agents?x={LONG} HTTP/1.1\r\n",
    "header": f"GET / HTTP/1.1\r\nX: {LONG}\r\n",
    "headers": "GET / HTTP/1.1\r\n" + 129 * "X: x\r\n",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
async def test_the_head_of_a_request_is_short(site: Any, head: str) -> None:
    """Lines of 8 kB at the most, and 128 headers: more is 400."""
    async with site(names=()) as one, connected(one.url, f"{head}\r\n".encode()) as reader:
        assert (await reader.readline()).endswith(b" 400 Bad Request\r\n")


async def test_a_subscriber_has_nothing_to_say(site: Any) -> None:
    """Who sends more than 1 kB over the WebSocket of events is sent away."""
    async with site(names=()) as one, one.http.ws_connect("/v1/events") as events:
        await events.send_str("x" * 1025)
        assert (await events.receive()).data == WSCloseCode.MESSAGE_TOO_BIG
