"""Bodies: bytes that cost more than they are, and bytes that do not come."""

import asyncio
import gzip
import io
import json
from typing import Any

import pytest

from lcm_plugin.service.bodies import BODY_SECONDS

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


MANY = {f"k{number}": 1 for number in range(101)}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/v1/agents/1001", MANY),
        ("PUT", "/v1/agents/1001", {"state": "ready", "campaign_groups": ["G"] * 101}),
        ("POST", "/v1/attempts/1/disposition", {"callback": MANY}),
    ],
    ids=["members", "a list", "members further in"],
)
async def test_an_object_has_so_many_members(site: Any, method: str, path: str, body: dict[str, Any]) -> None:
    """A hundred: a hundred thousand unknown ones are not each looked up and complained of."""
    async with site() as one:
        status, problem = await one.ask(method, path, body=body)
        assert status == 422
        assert problem["detail"] == "an object, or a list, may have 100 members at the most"


async def test_what_is_too_long_to_be_read_is_not_quoted(site: Any) -> None:
    """A wrong field is named; half a megabyte of it does not come back."""
    async with site(names=()) as one:
        status, problem = await one.ask("PUT", "/v1/agents/1001", body={"state": "x" * 500_000})
        assert status == 422
        assert problem["errors"][0]["field"] == "state"
        assert len(problem["detail"]) < 500
