"""Call events over the embedded host's API."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import aiohttp
import pytest
from attrs import define, field

from cti_hooks import CallEvent, CallEventKind, ConfigError, Host, hookimpl
from lcm_plugin.dialers.webhook.signing import signed
from lcm_plugin.sandbox.virtual_time import LoopClock
from lcm_plugin.service import Service, service_settings

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
