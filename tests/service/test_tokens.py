"""Tokens: wrong ones, and bytes that are none."""

import asyncio
import json
import logging
from typing import Any

import aiohttp
import pytest

from cti_hooks import Health, hookimpl
from lcm_plugin.dialers.webhook.signing import signed
from lcm_plugin.sandbox.virtual_time import LoopClock
from lcm_plugin.service.routes.site import ASKED_AGAIN
from lcm_plugin.service.tries import PEERS, WITHIN, WRONG_TOKENS, Tries

SERVICE = {"token_env": "API_TOKEN"}


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "t0ken")
    monkeypatch.setenv("EVENTS", "s3cret")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def raw(url: str, request: bytes) -> bytes:
    """All that is answered to these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


async def test_a_401_says_how_to_ask(site: Any) -> None:
    """RFC 9110: a refusal names the scheme that would let the caller in."""
    async with site(names=(), service=SERVICE) as one, one.http.get("/v1/agents") as reply:
        assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    "header",
    [
        b"Authorization: Bearer \xff\xfe",
        b"webhook-id: m\r\nwebhook-timestamp: 1706626800\r\nwebhook-signature: v1,\xff",
    ],
)
async def test_bytes_that_are_no_text_are_refused_as_any_other(site: Any, header: bytes) -> None:
    """A token or signature that is not UTF-8 is a wrong one, and no fault of the host's."""
    service = {**SERVICE, "events_secret_env": "EVENTS"}
    async with site(names=(), service=service) as one:
        head = (
            b"POST /v1/call-events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 2\r\n"
        )
        answer = await raw(one.url, head + header + b"\r\n\r\n{}")
    assert answer.startswith(b"HTTP/1.1 401 ")


async def guess(one: Any, path: str = "/v1/agents") -> list[int]:
    """The answers to as many wrong tokens as are listened to, and one more."""
    return [(await one.get(path, headers=bearer(f"gue55-{number}")))[0] for number in range(WRONG_TOKENS + 1)]


async def test_who_guesses_is_not_listened_to(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    """After ten different wrong tokens within a minute another one is 429 until the minute is over."""
    caplog.set_level(logging.WARNING)
    async with site(names=(), service=SERVICE) as one:
        assert await guess(one) == [401] * WRONG_TOKENS + [429]
        async with one.http.get("/v1/agents", headers=bearer("gue55")) as reply:
            assert reply.status == 429
            assert 0 < int(reply.headers["Retry-After"]) <= WITHIN
        await asyncio.sleep(WITHIN)
        assert (await one.get("/v1/agents", headers=bearer("gue55")))[0] == 401
    assert "127.0.0.1 has shown a wrong token: 10 within 60 s" in caplog.text
    assert "gue55" not in caplog.text


async def test_who_guesses_shuts_out_nobody(site: Any) -> None:
    """Behind a proxy all have one address: who shows the right token is served, on a new connection too."""
    async with site(names=(), service=SERVICE) as one:
        await guess(one)
        async with aiohttp.ClientSession(one.url) as another:
            for path in ("/v1/agents", "/readyz"):
                async with another.get(path, headers=bearer("t0ken")) as reply:
                    assert reply.status == 200
        assert (await one.get("/v1/agents"))[0] == 401


async def test_a_program_with_an_old_token_is_no_guesser(site: Any) -> None:
    """The same wrong token again and again counts once."""
    async with site(names=(), service=SERVICE) as one:
        for _ in range(3 * WRONG_TOKENS):
            assert (await one.get("/v1/agents", headers=bearer("old")))[0] == 401


async def test_who_may_sign_events_may_not_guess_the_token(site: Any, clock: LoopClock) -> None:
    """A connection that was let in by a signature is none that knows the token."""
    told = {"kind": "delivered", "call_id": "c", "at": "2024-01-30T15:00:00+00:00"}
    async with site(names=(), service={**SERVICE, "events_secret_env": "EVENTS"}) as one:
        headers = signed("s3cret", clock.now(), json.dumps(told).encode())
        assert (await one.ask("POST", "/v1/call-events", body=told, headers=headers))[0] == 202
        assert await guess(one) == [401] * WRONG_TOKENS + [429]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_probe_is_no_way_to_guess(site: Any, path: str) -> None:
    """A wrong token counts also if none is needed; the answer is the same as without one."""
    async with site(names=(), service=SERVICE) as one:
        assert await guess(one, path) == [200] * (WRONG_TOKENS + 1)
        assert (await one.get("/v1/agents", headers=bearer("gue55")))[0] == 429
        assert (await one.get(path))[0] == 200


def test_so_many_peers_are_remembered() -> None:
    """Who comes from many addresses costs no more memory; an IPv6 network is one peer."""
    tries = Tries()
    for number in range(PEERS + 5):
        tries.note(f"10.0.{number // 256}.{number % 256}", b"wrong", 0.0)
    assert len(tries._shown) == PEERS
    for number in range(WRONG_TOKENS):
        tries.note(f"2001:db8::{number:x}", b"%d" % number, 1.0)
    assert tries.seconds_left("2001:db8::ffff", 2.0) == WITHIN - 1


async def test_why_it_is_not_ready_is_told_with_the_token(site: Any) -> None:
    """Reasons name engines and addresses: without the token there is a yes or a no."""

    class Pbx:
        @hookimpl
        def report_health(self) -> list[Health]:
            return [Health(what="pbx at 10.1.2.3", good=False, seen="down")]

    async with site(Pbx(), names=(), service=SERVICE) as one:
        async with one.http.get("/readyz") as reply:
            told = await reply.json()
        assert told == {"ready": False, "reasons": ["why is told who shows the token"]}
        async with one.http.get("/readyz", headers=bearer("t0ken")) as reply:
            told = await reply.json()
        assert told == {"ready": False, "reasons": ["pbx at 10.1.2.3: down"]}


async def test_readiness_asks_the_engines_once_in_two_seconds(site: Any) -> None:
    """However many ask, and while it is being asked: an engine is not to be worn out by anybody."""
    asked = 0

    class Pbx:
        @hookimpl
        async def report_health(self) -> list[Health]:
            nonlocal asked
            asked += 1
            await asyncio.sleep(0.5)
            return [Health(what="pbx", good=True, seen="up")]

    async with site(Pbx(), names=(), service=SERVICE) as one:
        answers = await asyncio.gather(*(one.get("/readyz") for _ in range(15)))
        assert [status for status, _ in answers] == [200] * 15
        assert asked == 1
        await asyncio.sleep(ASKED_AGAIN)
        await one.get("/readyz")
        assert asked == 2
