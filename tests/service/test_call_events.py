"""Call events over the embedded host's API."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import aiohttp
import pytest
from attrs import define, field

from cti_hooks import (
    Attempt,
    AttemptState,
    Call,
    CallEvent,
    CallEventKind,
    ConfigError,
    ConnectionState,
    Host,
    hookimpl,
)
from lcm_plugin.attempt.transitions import PLACED
from lcm_plugin.dialers.webhook.signing import WINDOW_SECONDS, signed
from lcm_plugin.sandbox.virtual_time import LoopClock
from lcm_plugin.service import Service, service_settings
from lcm_plugin.service.call_events import CALLS

SECRET = "s3cret"  # noqa: S105  (a test's)
EVENT = {
    "kind": "established",
    "call_id": "c-1",
    "attempt_id": "attempt-1",
    "at": "2024-01-30T15:00:00+01:00",
}


@define(eq=False)
class Listener:
    events: list[CallEvent] = field(factory=list)

    @hookimpl
    def on_call_event(self, event: CallEvent) -> None:
        self.events.append(event)


@define
class Api:
    http: aiohttp.ClientSession
    listener: Listener

    async def post(self, body: Any, **headers: str) -> tuple[int, Any]:
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.post("/v1/call-events", data=data, headers=told) as reply:
            return reply.status, await reply.json(content_type=None)


@asynccontextmanager
async def api(clock: LoopClock, **table: Any) -> AsyncIterator[Api]:
    host = Host.from_config({"cti": {"plugins": []}}, clock=clock)
    listener = Listener()
    host.register(listener)
    settings = service_settings({"port": 0, **table}, "cti.toml")
    async with Service(host, settings) as service, aiohttp.ClientSession(service.url) as http:
        yield Api(http, listener)


async def test_an_event_is_passed_on(clock: LoopClock) -> None:
    """Every field arrives at the plugins as it was told; whose attempt it is, the plugins know."""
    body = EVENT | {
        "party": "agent",
        "q850": 17,
        "sip_status": 486,
        "text": "busy",
        "related_call_ids": ["c-2"],
    }
    async with api(clock) as one:
        assert await one.post(body) == (202, {"heard": True})
        assert one.listener.events == [
            CallEvent(
                kind=CallEventKind.ESTABLISHED,
                call_id="c-1",
                attempt_id="attempt-1",
                at=datetime(2024, 1, 30, 15, tzinfo=timezone(timedelta(hours=1))),
                party="agent",
                q850=17,
                sip_status=486,
                text="busy",
                related_call_ids=("c-2",),
            )
        ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "answered"}, "kind"),
        ({"call_id": ""}, "call_id"),
        ({"call_id": None}, "call_id"),
        ({"at": "yesterday"}, "at: must be an instant"),
        ({"at": "2024-01-30T15:00:00"}, "at needs a time zone"),
        ({"at": 5}, "at: must be a text"),
        ({"party": "trunk"}, "party"),
        ({"q850": 200}, "q850"),
        ({"q850": "17"}, "q850"),
        ({"sip_status": 42}, "sip_status"),
        ({"state": "x"}, "state: unknown key"),
    ],
    ids=repr,
)
async def test_an_event_that_is_none_is_refused(clock: LoopClock, change: dict[str, Any], said: str) -> None:
    """A wrong field is named, with status 422, and no plugin hears of it."""
    async with api(clock) as one:
        status, problem = await one.post(EVENT | change)
        assert status == 422
        assert said in problem["detail"]
        assert not one.listener.events


async def test_missing_fields_are_told_together(clock: LoopClock) -> None:
    """All that is missing is told at once; what is no JSON is 400."""
    async with api(clock) as one:
        status, problem = await one.post({})
        assert status == 422
        assert {error["field"] for error in problem["errors"]} == {"kind", "call_id", "at"}
        assert (await one.post("{"))[0] == 400


async def test_events_are_signed_or_bear_the_token(monkeypatch: pytest.MonkeyPatch, clock: LoopClock) -> None:
    """With a secret, a signature or the token opens this route, and the signature no other."""
    monkeypatch.setenv("EVENTS", SECRET)
    monkeypatch.setenv("TOKEN", "t0ken")
    body = json.dumps(EVENT).encode()
    async with api(clock, token_env="TOKEN", events_secret_env="EVENTS") as one:  # noqa: S106  (a variable's name)
        headers = signed(SECRET, clock.now(), body)
        assert (await one.post(body, **headers))[0] == 202
        assert (await one.post(body, Authorization="Bearer t0ken"))[0] == 202
        assert (await one.post(body))[0] == 401
        assert (await one.post(body + b" ", **headers))[0] == 401
        old = signed(SECRET, clock.now() - timedelta(minutes=6), body)
        status, problem = await one.post(body, **old)
        assert status == 401
        assert "see both clocks" in problem["detail"]
        async with one.http.get("/v1/agents", headers=signed(SECRET, clock.now(), b"")) as reply:
            assert reply.status == 401
        assert len(one.listener.events) == 2


async def test_with_a_secret_even_loopback_has_to_sign(
    monkeypatch: pytest.MonkeyPatch, clock: LoopClock
) -> None:
    """A secret that is set holds without a token, too; and a secret that is nowhere is told at load."""
    monkeypatch.setenv("EVENTS", SECRET)
    async with api(clock, events_secret_env="EVENTS") as one:  # noqa: S106  (a variable's name)
        assert (await one.post(EVENT))[0] == 401
        body = json.dumps(EVENT).encode()
        assert (await one.post(body, **signed(SECRET, clock.now(), body)))[0] == 202
    with pytest.raises(ConfigError, match="no variable NOWHERE"):
        service_settings({"events_secret_env": "NOWHERE"}, "cti.toml")
    assert one.listener.events[0].at.astimezone(UTC).hour == 14


async def test_a_signed_event_is_told_once(monkeypatch: pytest.MonkeyPatch, clock: LoopClock) -> None:
    """The same bytes once more are 409 while their time holds; what was refused may be told again."""
    monkeypatch.setenv("EVENTS", SECRET)
    body = json.dumps(EVENT).encode()
    wrong = json.dumps(EVENT | {"kind": "rang"}).encode()
    async with api(clock, events_secret_env="EVENTS") as one:  # noqa: S106  (a variable's name)
        headers = signed(SECRET, clock.now(), body)
        assert (await one.post(body, **headers))[0] == 202
        await asyncio.sleep(WINDOW_SECONDS - 1)
        status, problem = await one.post(body, **headers)
        assert (status, "told before" in problem["detail"]) == (409, True)
        for _ in range(2):
            assert (await one.post(wrong, **signed(SECRET, clock.now(), wrong)))[0] == 422
        await asyncio.sleep(2)
        assert (await one.post(body, **headers))[0] == 401
    assert len(one.listener.events) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"call_id": "x" * 201}, "call_id"),
        ({"text": "x" * 501}, "text"),
        ({"related_call_ids": ["c"] * 17}, "related_call_ids"),
        ({"related_call_ids": ["x" * 201]}, "related_call_ids"),
    ],
    ids=["call id", "text", "related calls", "a related call's id"],
)
async def test_what_an_event_says_is_short(clock: LoopClock, change: dict[str, Any], said: str) -> None:
    """Ids are kept with the attempt: 200 characters each, 16 related calls, 500 of text; more is 422."""
    async with api(clock) as one:
        status, problem = await one.post(EVENT | change)
        assert status == 422
        assert said in problem["detail"]


async def calling(site: Any, engine: str) -> Attempt:
    """An attempt of the ledger whose call is up at this engine."""
    attempt = await site.ledger.dial(await site.offered("a"))
    call = Call(id="c-1", attempt_id=attempt.id, state=ConnectionState.CONNECTED, engine=engine)
    return cast("Attempt", site.ledger.change(attempt, PLACED, calls=(call,)))


WEBHOOK = {"url": "https://dialer.example.com/call", "secret_env": "EVENTS"}


@pytest.mark.parametrize(
    ("engine", "status"), [("dialer.example.com:443", 202), ("10.1.2.3:8088", 403)], ids=["own", "another's"]
)
@pytest.mark.parametrize("named", ["attempt_id", "call_id"])
async def test_a_signature_tells_of_its_own_dialers_calls_only(
    monkeypatch: pytest.MonkeyPatch, clock: LoopClock, site: Any, engine: str, status: int, named: str
) -> None:
    """Who orders calls by webhook may end those; another dialer's end by its word, or with the token."""
    monkeypatch.setenv("EVENTS", SECRET)
    tables, service = {"webhook": WEBHOOK}, {"events_secret_env": "EVENTS"}
    async with site(names=("webhook", "lcm"), tables=tables, service=service) as one:
        attempt = await calling(one, engine)
        told = {"kind": "call_cleared", "call_id": "c-1", "at": clock.now().isoformat(), "q850": 1}
        told |= {"attempt_id": attempt.id} if named == "attempt_id" else {}
        headers = signed(SECRET, clock.now(), json.dumps(told).encode())
        assert (await one.ask("POST", "/v1/call-events", body=told, headers=headers))[0] == status
        state = (await one.ledger.get(attempt.id)).state
        assert (state is AttemptState.CALLING) is (status == 403)


async def test_an_attempt_has_so_many_calls(clock: LoopClock, site: Any) -> None:
    """Calls nobody placed, told of one by one, are 409 beyond 32; those that are known may be told of."""
    async with site() as one:
        attempt = await calling(one, "e")
        told = {"kind": "delivered", "at": clock.now().isoformat(), "attempt_id": attempt.id}
        for number in range(1, 50):
            body = told | {"call_id": f"c-{number}"}
            status, _ = await one.ask("POST", "/v1/call-events", body=body)
            assert status == (202 if number <= CALLS else 409)
        assert (await one.ask("POST", "/v1/call-events", body=told | {"call_id": "c-1"}))[0] == 202
        assert len((await one.ledger.get(attempt.id)).calls) == CALLS
