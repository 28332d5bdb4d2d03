"""Tokens of the site's identity provider: JSON Web Tokens, whose keys are fetched from a real socket."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from attrs import define, field
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cti_hooks import ConfigError
from lcm_plugin.identity.keys import KEPT, SOONEST
from lcm_plugin.sandbox.virtual_time import LoopClock
from lcm_plugin.service import service_settings
from lcm_plugin.service.tries import WRONG_TOKENS

ISSUER, AUDIENCE = "https://id.example.com/realm", "lcm-plugin"
JWT = {"issuer": ISSUER, "audience": AUDIENCE}


@cache
def key(name: str) -> Any:
    return (
        ec.generate_private_key(ec.SECP256R1())
        if name.startswith("ec")
        else rsa.generate_private_key(65537, 2048)
    )


def algorithm(name: str) -> Any:
    return jwt.get_algorithm_by_name("ES256" if name.startswith("ec") else "RS256")


def key_set(*names: str) -> dict[str, Any]:
    return {
        "keys": [
            {**json.loads(algorithm(name).to_jwk(key(name).public_key())), "kid": name, "use": "sig"}
            for name in names
        ]
    }


@define
class Provider:
    """Serves its keys, and counts who asks."""

    keys: Any = field(factory=lambda: key_set("rsa-1"))
    status: int = 200
    asked: int = 0
    url: str = ""

    async def serve(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response(self.keys, status=self.status)


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    one = Provider()
    app = web.Application()
    app.router.add_get("/jwks", one.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0)
    await listening.start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/jwks"
    try:
        yield one
    finally:
        await runner.cleanup()


@pytest.fixture
def token(clock: LoopClock) -> Callable[..., str]:
    """Makes a token that is right but for what is told."""

    def made(by: str = "rsa-1", *, lasts: float = 600, headers: Mapping[str, Any] = {}, **claims: Any) -> str:
        told = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "alice",
            "role": "agent",
            "exp": (clock.now() + timedelta(seconds=lasts)).timestamp(),
            **claims,
        }
        facts = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(facts, key(by), "ES256" if by.startswith("ec") else "RS256", {"kid": by, **headers})

    return made


def bearer(token: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {token}"}}


async def test_a_providers_token_is_taken(site: Any, token: Callable[..., str]) -> None:
    """Role, name and agent come from its claims; it is good for the agent's own seat."""
    async with provider() as idp, site(service={"jwt": {**JWT, "jwks_url": idp.url}}) as here:
        status, told = await here.get("/v1/me", **bearer(token()))
        assert (status, told["role"], told["subject"], told["agent"]) == (200, "agent", "alice", "alice")
        assert told["until"] is not None
        state = {"state": "not_ready"}
        assert (await here.ask("PUT", "/v1/agents/alice", state, **bearer(token())))[0] == 200
        assert (await here.ask("PUT", "/v1/agents/bob", state, **bearer(token())))[0] == 403
        assert idp.asked == 1


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("has expired", {"lasts": -11}),
    ("is not good yet", {"nbf": 4_000_000_000}),
    ("is meant for another audience", {"aud": "another"}),
    ("is of another issuer", {"iss": "https://other.example.com"}),
    ("lacks the claim exp", {"exp": None}),
    ("names no role of ours in its claim role", {"role": "janitor"}),
    ("names no role of ours in its claim role", {"role": "host"}),
    ("names no role of ours in its claim role", {"role": {"a": 1}}),
    ("has no name in its claim sub", {"sub": "a\nb"}),
    ("has no name in its claim sub", {"sub": None}),
    ("is signed with a key that the identity provider does not list", {"by": "rsa-2"}),
    ("is not signed as it should be", {"by": "rsa-2", "headers": {"kid": "rsa-1"}}),
]


NO_KEYS: list[Any] = [{}, [], None, {"keys": 5}, {"keys": [5, {"kty": "RSA", "n": 5}]}, {"keys": {"a": 1}}]


@pytest.mark.parametrize("keys", NO_KEYS, ids=str)
async def test_what_is_no_key_set_is_none(site: Any, token: Callable[..., str], keys: Any) -> None:
    """Whatever the provider answers instead, nobody can say whose a token is, and nothing fails here."""
    async with provider() as idp, site(service={"jwt": {**JWT, "jwks_url": idp.url}}) as here:
        idp.keys = keys
        assert (await here.get("/v1/me", **bearer(token())))[0] == 503


@pytest.mark.parametrize("name", ["exp", "nbf"])
@pytest.mark.parametrize("when", [253402300799, -62135596800, 1e400, "soon", None, True, [1]])
async def test_no_time_of_a_token_breaks_anything(
    site: Any, token: Callable[..., str], name: str, when: Any
) -> None:
    """A time at the end of all time, or that is none, is read or refused."""
    async with provider() as idp, site(service={"jwt": {**JWT, "jwks_url": idp.url}}) as here:
        assert (await here.get("/v1/me", **bearer(token(**{name: when}))))[0] in {200, 401}


@pytest.mark.parametrize(("why", "facts"), WRONG)
async def test_a_wrong_token_is_told_why(
    site: Any, token: Callable[..., str], why: str, facts: dict[str, Any]
) -> None:
    """401, with what is wrong with it, and nothing of the token."""
    shown = token(**facts)
    async with provider() as idp, site(service={"jwt": {**JWT, "jwks_url": idp.url}}) as here:
        status, problem = await here.get("/v1/agents", **bearer(shown))
    assert (status, problem["detail"]) == (401, f"the token {why}")


def part(told: Mapping[str, Any]) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=")


async def test_a_token_signed_with_the_public_key_is_refused(site: Any, clock: LoopClock) -> None:
    """RFC 8725, 2.1: neither `none` nor an HMAC by what everybody knows is a signature."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "eve", "role": "supervisor"}
    body = part({**claims, "exp": clock.now().timestamp() + 600})
    public = json.dumps(key_set("rsa-1")["keys"][0]).encode()
    unsigned = part({"alg": "none", "kid": "rsa-1"}) + b"." + body
    forged = part({"alg": "HS256", "kid": "rsa-1"}) + b"." + body
    signature = base64.urlsafe_b64encode(hmac.digest(public, forged, hashlib.sha256)).rstrip(b"=")
    async with provider() as idp, site(service={"jwt": {**JWT, "jwks_url": idp.url}}) as here:
        for shown in (unsigned + b".", forged + b"." + signature, b"a.b.c", b"." * 2):
            assert (await here.get("/v1/agents", **bearer(shown.decode())))[0] == 401


async def test_a_role_may_lie_deep_and_be_one_of_many(site: Any, token: Callable[..., str]) -> None:
    """Keycloak's `realm_access.roles`, with the site's own names: the first role of several counts."""
    settings = {
        "role_claim": "realm_access.roles",
        "roles": {"cc-agents": "agent", "cc-leads": "supervisor"},
        "subject_claim": "preferred_username",
    }
    shown = token(realm_access={"roles": ["offline", "cc-agents", "cc-leads"]}, preferred_username="sue")
    async with provider() as idp, site(service={"jwt": {**JWT, "jwks_url": idp.url, **settings}}) as here:
        told = (await here.get("/v1/me", **bearer(shown)))[1]
    assert (told["role"], told["subject"], told["agent"]) == ("supervisor", "sue", None)


async def test_new_keys_are_fetched_when_a_token_wants_one(site: Any, token: Callable[..., str]) -> None:
    """A provider changes its keys at any time; unknown ones have it asked twice a minute at the most."""
    async with provider() as idp, site(service={"jwt": {**JWT, "jwks_url": idp.url}}) as here:
        assert (await here.get("/v1/me", **bearer(token())))[0] == 200
        idp.keys = key_set("rsa-1", "ec-1")
        assert (await here.get("/v1/me", **bearer(token("ec-1"))))[0] == 401
        await asyncio.sleep(SOONEST)
        assert (await here.get("/v1/me", **bearer(token("ec-1"))))[0] == 200
        for number in range(5):
            await here.get("/v1/me", **bearer(token("rsa-2", headers={"kid": f"{number}"})))
        assert idp.asked == 2


async def test_keys_that_were_had_go_on_while_the_provider_is_gone(
    site: Any, token: Callable[..., str]
) -> None:
    """A provider that fails lets nobody new in by new keys, and shuts nobody out by the old."""
    async with provider() as idp, site(service={"jwt": {**JWT, "jwks_url": idp.url}}) as here:
        assert (await here.get("/v1/me", **bearer(token())))[0] == 200
        idp.status = 500
        await asyncio.sleep(KEPT)
        assert (await here.get("/v1/me", **bearer(token())))[0] == 200
        assert idp.asked == 2


async def test_nobody_is_judged_while_no_keys_are_had(site: Any, token: Callable[..., str]) -> None:
    """503, as it is nobody's fault but the provider's; the next one who asks has it asked again."""
    async with provider() as idp, site(service={"jwt": {**JWT, "jwks_url": idp.url}}) as here:
        idp.keys = {"keys": []}
        status, problem = await here.get("/v1/me", **bearer(token()))
        assert (status, "keys cannot be had" in problem["detail"]) == (503, True)
        idp.keys = key_set("rsa-1")
        assert (await here.get("/v1/me", **bearer(token())))[0] == 200


async def test_keys_may_come_from_a_file(site: Any, token: Callable[..., str], tmp_path: Path) -> None:
    """A site without a way to its provider keeps the keys beside the config file."""
    (tmp_path / "jwks.json").write_text(json.dumps(key_set("rsa-1")), encoding="utf-8")
    file = {"jwks_file": str(tmp_path / "jwks.json")}
    async with site(service={"jwt": {**JWT, **file}}) as here:
        assert (await here.get("/v1/me", **bearer(token())))[0] == 200


async def test_a_token_of_the_providers_is_no_guess(site: Any, token: Callable[..., str]) -> None:
    """Many desktops behind one proxy whose tokens end at once are each told so, and none is shut out."""
    async with provider() as idp, site(service={"jwt": {**JWT, "jwks_url": idp.url}}) as here:
        for number in range(WRONG_TOKENS + 2):
            status, problem = await here.get("/v1/me", **bearer(token(lasts=-60, sub=f"agent{number}")))
            assert (status, problem["detail"]) == (401, "the token has expired")


async def test_while_no_keys_are_had_nobody_is_taken_for_a_guesser(
    site: Any, token: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    """A provider that is gone is nobody's wrong token: 503 to each, and no line in the log that says so."""
    async with provider() as idp, site(service={"jwt": {**JWT, "jwks_url": idp.url}}) as here:
        idp.status = 500
        for number in range(WRONG_TOKENS + 2):
            assert (await here.get("/v1/me", **bearer(token(sub=f"agent{number}"))))[0] == 503
    assert "wrong token" not in caplog.text


async def test_events_end_with_the_token(site: Any, token: Callable[..., str]) -> None:
    """Who subscribed is sent away once their token has ended, its leeway included."""
    async with provider() as idp, site(service={"jwt": {**JWT, "jwks_url": idp.url}}) as here:
        socket = await here.http.ws_connect("/v1/events", **bearer(token(lasts=60)))
        before = asyncio.get_running_loop().time()
        packet = await socket.receive(timeout=100)
        assert asyncio.get_running_loop().time() - before == pytest.approx(70, abs=1)
    assert (packet.type, packet.data, packet.extra) == (
        aiohttp.WSMsgType.CLOSE,
        1008,
        "your token has expired",
    )


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "jwks_url: is required, or jwks_file"),
    ({"jwks_url": "http://id.example.com/jwks"}, "must be an https address"),
    ({"jwks_url": "https://id.example.com/jwks", "jwks_file": "x"}, "one of the two"),
    ({"jwks_file": "x", "algorithms": ["HS256"]}, "HS256 is none of"),
    ({"jwks_file": "x", "algorithms": []}, "must name some of"),
    ({"jwks_file": "x", "roles": {"boss": "host"}}, "nobody is a host by an identity provider's word"),
]


@pytest.mark.parametrize(("table", "why"), BAD)
def test_settings_that_let_in_the_wrong_people_are_refused(table: dict[str, Any], why: str) -> None:
    """What cannot be, or would let anybody make tokens, is an error at load that says so."""
    with pytest.raises(ConfigError) as error:
        service_settings({"jwt": {**JWT, **table}}, "cti.toml")
    assert why in str(error.value)
    assert "service.jwt" in str(error.value)


TOKENS: list[tuple[dict[str, Any], str]] = [
    ({"role": "boss", "sha256": "0" * 64}, "service.tokens.x.role: is not one of its values"),
    ({"role": "agent"}, "service.tokens.x.sha256: is required, or env"),
    ({"role": "agent", "sha256": "abc"}, "64 small hex digits"),
    ({"role": "agent", "env": "NOT_SET"}, "the environment has no variable NOT_SET"),
    ({"role": "auditor", "sha256": "0" * 64, "agent": "a"}, 'goes with role = "agent" only'),
]


@pytest.mark.parametrize(("table", "why"), TOKENS)
def test_a_tokens_table_that_is_wrong_says_how(table: dict[str, Any], why: str) -> None:
    """Each mistake of a token's table names the token, and the way out."""
    with pytest.raises(ConfigError) as error:
        service_settings({"tokens": {"x": table}}, "cti.toml")
    assert why in str(error.value)


async def test_two_names_with_one_token_are_refused(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could tell who of the two acted."""
    monkeypatch.setenv("ONE", "t0ken")
    tokens = {name: {"role": "agent", "env": "ONE"} for name in ("alice", "bob")}
    with pytest.raises(ConfigError, match=r"service\.tokens\.bob: alice has the same token"):
        async with site(names=(), service={"tokens": tokens}):
            pass
