"""Bodies: bytes that cost more than they are, and bytes that do not come."""

import asyncio
import gzip
import io
import json
from typing import Any

import pytest

from lcm_plugin.service.reading import BODY_SECONDS

READY = json.dumps({"state": "ready"})


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/v1/agents/1001"), ("POST", "/v1/call-events")],
    ids=["an agent", "a call event"],
)
async def test_the_caller_chooses_no_codec(site: Any, method: str, path: str) -> None:
    """A body is read as UTF-8 whatever its charset says: Python's punycode takes minutes for 1 MB."""
    async with site(names=()) as one:
        headers = {"Content-Type": "application/json; charset=punycode"}
        status, _ = await one.ask(method, path, headers=headers, body="x")
        assert status == 422  # JSON, and a text instead of an object
        answer = await one.http.put("/v1/agents/1001", data=READY.encode("utf-16"), headers=headers)
        assert answer.status == 400


@pytest.mark.parametrize(
    "body", [gzip.compress(READY.encode(), mtime=0), b"no gzip at all", b""], ids=["good", "bad", "none"]
)
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "nothing-known"])
async def test_a_packed_body_is_refused(site: Any, encoding: str, body: bytes) -> None:
    """Any Content-Encoding is 415, before a byte of the body is looked at."""
    async with site(names=()) as one, asyncio.timeout(5):
        headers = {"Content-Encoding": encoding, "Content-Length": str(len(body))}
        async with one.http.put("/v1/agents/1001", data=body, headers=headers) as reply:
            assert reply.status == 415
            assert (await reply.json(content_type=None))[
                "detail"
            ] == "send the body without a Content-Encoding"


async def test_a_bad_deflate_body_that_comes_after_its_head_is_answered(site: Any) -> None:
    """The answer does not wait for a body that nobody unpacks."""
    async with site(names=()) as one, asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(one.url.rpartition(":")[2]))
        head = b"PUT /v1/agents/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n"
        writer.write(head + b"Content-Encoding: deflate\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 415 ")
        writer.write(b"\xff\xff\xff\xff")
        writer.close()


async def test_a_body_that_does_not_come_is_not_waited_for(site: Any) -> None:
    """A request whose body stalls is 408 after 30 s, and holds nothing any more."""
    async with site(names=()) as one:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(one.url.rpartition(":")[2]))
        writer.write(b"PUT /v1/agents/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{")
        began = asyncio.get_running_loop().time()
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        assert asyncio.get_running_loop().time() - began == pytest.approx(BODY_SECONDS, abs=1)
        writer.close()


async def test_a_body_above_1_mib_is_refused(site: Any) -> None:
    """413, and no more of it is read."""
    large = io.BytesIO(b"x" * ((1 << 20) + 1))
    async with site(names=()) as one, one.http.put("/v1/agents/1001", data=large) as reply:
        assert reply.status == 413
