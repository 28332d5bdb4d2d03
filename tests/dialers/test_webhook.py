"""The dialer that hands calls to a site's own endpoint, against one on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from attrs import define, field
from standardwebhooks import Webhook

from cti_hooks import (
    Agent,
    AttemptState,
    Call,
    CallEvent,
    CallEventKind,
    ConfigError,
    ConnectionState,
    Host,
    Outcome,
)
from lcm_plugin.dialers.webhook.settings import WebhookSettings
from lcm_plugin.dialers.webhook.signing import SignatureError, signed, verify
from lcm_plugin.ledger import OPEN
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import Sandbox, SandboxContact
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.dialers.fakes.listening import Site, site

SECRET = "s3cret"  # noqa: S105  (a test's)


@define(eq=False)
class Endpoint:
    """A site's click-to-dial endpoint."""

    clock: LoopClock
    status: int = 202
    cut: bool = False
    """Take the order, and break the connection."""
    hangs: bool = False
    meanwhile: Callable[[], Awaitable[None]] | None = None
    """Done before an order is answered."""
    call: dict[str, Any] | None = None
    """How the status URL has the call."""
    says: bytes = b""
    """What the status URL says instead."""
    orders: list[dict[str, Any]] = field(factory=list)
    headers: list[dict[str, str]] = field(factory=list)
    cleared: list[str] = field(factory=list)
    port: int = 0

    async def order(self, request: web.Request) -> web.Response:
        body = await request.read()
        verify(SECRET, self.clock.now(), request.headers, body)
        if request.method == "HEAD":
            return web.Response(status=self.status if self.status in {401, 403, 503} else 405)
        self.orders.append(json.loads(body))
        self.headers.append(dict(request.headers))
        if self.cut and request.transport:
            request.transport.abort()
        if self.meanwhile:
            await self.meanwhile()
        if self.hangs:
            await asyncio.sleep(3600)
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})

    async def how(self, request: web.Request) -> web.Response:
        verify(SECRET, self.clock.now(), request.headers, b"")
        if self.says:
            return web.Response(body=self.says)
        if self.call is None:
            return web.Response(status=404)
        return web.json_response(self.call, status=self.status if self.status >= 500 else 200)

    async def clear(self, request: web.Request) -> web.Response:
        verify(SECRET, self.clock.now(), request.headers, await request.read())
        self.cleared.append(request.match_info["id"])
        return web.Response(status=204 if self.call else 404)

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[None]:
        app = web.Application()
        app.add_routes(
            [
                web.route("*", "/calls", self.order),
                web.get("/calls/{id}", self.how),
                web.post("/calls/{id}/clear", self.clear),
            ]
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.port = runner.addresses[0][1]
        try:
            yield
        finally:
            await runner.cleanup()


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)


@pytest.fixture
async def endpoint(clock: LoopClock) -> AsyncIterator[Endpoint]:
    one = Endpoint(clock=clock)
    async with one.listening():
        yield one


def table(listens: int, **more: Any) -> dict[str, Any]:
    at = f"http://127.0.0.1:{listens}/calls"
    addresses = {"status_url": f"{at}/{{attempt}}", "clear_url": f"{at}/{{attempt}}/clear"}
    return {"url": at, "secret_env": "WEBHOOK_SECRET", **addresses, **more}


def opened(endpoint: Endpoint, **more: Any) -> AbstractAsyncContextManager[Site]:
    return site(endpoint.clock, "webhook", **table(endpoint.port, **more))


async def tell(one: Site, kind: CallEventKind, party: str = "customer") -> None:
    at = one.clock.now()
    event = CallEvent(kind=kind, call_id="x", at=at, attempt_id="attempt-1", party=party)
    await one.host.hooks.all("on_call_event", event=event)


async def test_the_endpoint_gets_the_order_signed(endpoint: Endpoint, clock: LoopClock) -> None:
    """The whole order is POSTed as JSON, signed, with its deadline and the attempt's id as key."""
    async with opened(endpoint) as one:
        deadline = clock.now() + timedelta(seconds=20)
        call = await one.placed(
            not_after=deadline, caller_id="+12125550100", agent=Agent(id="alice", endpoint="1001")
        )
    assert call.state is ConnectionState.INITIATED
    assert call.engine == f"127.0.0.1:{endpoint.port}"
    (order,) = endpoint.orders
    assert order == {
        "attempt_id": "attempt-1",
        "call_id": "attempt-1-c",
        "not_after": deadline.isoformat(),
        "to": "+12125550101",
        "caller_id": "+12125550100",
        "ring_seconds": 30,
        "display_name": None,
        "variables": {},
        "agent": {"id": "alice", "endpoint": "1001"},
        "contact": None,
    }
    assert endpoint.headers[0]["Idempotency-Key"] == "attempt-1"
    assert SECRET not in json.dumps(endpoint.headers)


@pytest.mark.parametrize(("status", "taken"), [(200, True), (409, True), (400, False), (422, False)])
async def test_a_clear_answer_is_believed(endpoint: Endpoint, status: int, *, taken: bool) -> None:
    """2xx and 409 take the call; another 4xx does not, and the next dialer may be asked."""
    endpoint.status = status
    async with opened(endpoint) as one:
        assert (await one.call() is not None) is taken
    assert len(endpoint.orders) == 1


@pytest.mark.parametrize("fault", ["500", "302", "cut", "hangs"])
async def test_doubt_is_raised_and_never_sent_again(endpoint: Endpoint, fault: str) -> None:
    """Once it may have been delivered, an order is not sent again, whatever comes back or does not."""
    endpoint.status = int(fault) if fault.isdigit() else 200
    endpoint.cut, endpoint.hangs = fault == "cut", fault == "hangs"
    async with opened(endpoint) as one:
        with pytest.raises((RuntimeError, aiohttp.ClientError, TimeoutError)):
            await one.call()
        with pytest.raises(RuntimeError, match="is being dialed"):
            await one.call()
        await asyncio.sleep(60)
    assert len(endpoint.orders) == 1


async def test_what_was_not_delivered_is_tried_until_the_deadline(clock: LoopClock) -> None:
    """Refused connections are tried again: an endpoint that comes up in time gets the order, once."""
    endpoint = Endpoint(clock=clock)
    async with endpoint.listening():
        port = endpoint.port
    endpoint.port = port
    async with opened(endpoint) as one:
        placing = asyncio.create_task(one.call())
        await asyncio.sleep(10)
        assert not placing.done()
        async with endpoint.listening(port):
            assert await placing is not None
    assert len(endpoint.orders) == 1


async def test_nothing_is_sent_after_the_deadline(clock: LoopClock) -> None:
    """An endpoint that comes up after not_after never gets the order; surely undelivered, it is no doubt."""
    endpoint = Endpoint(clock=clock)
    async with endpoint.listening():
        port = endpoint.port
    async with opened(endpoint) as one:
        started = clock.now()
        assert await one.call(not_after=started + timedelta(seconds=8)) is None
        assert clock.now() - started <= timedelta(seconds=8)
        async with endpoint.listening(port):
            with pytest.raises(TimeoutError):
                await one.call(2, not_after=clock.now())
            await asyncio.sleep(60)
    assert not endpoint.orders


@pytest.mark.parametrize("number", ["+1212@evil", "12/34", "12&34", "12\n34", "${EXTEN}", "", "tel:123"])
async def test_what_is_no_number_is_never_sent(endpoint: Endpoint, number: str) -> None:
    """A number a dial string could be broken by is refused before it leaves."""
    async with opened(endpoint) as one:
        with pytest.raises(ValueError, match="no telephone number"):
            await one.call(to=number)
    assert not endpoint.orders


async def test_a_calls_state_is_known_from_its_events(endpoint: Endpoint) -> None:
    """Without a status URL, a call of this process is as its events tell, and gone after call_cleared."""
    async with opened(endpoint, status_url=None) as one:
        await one.placed()
        await tell(one, CallEventKind.ORIGINATED, "agent")
        await tell(one, CallEventKind.ESTABLISHED)
        found = await one.found()
        assert found
        assert found.state is ConnectionState.CONNECTED
        await tell(one, CallEventKind.CALL_CLEARED)
        with pytest.raises(RuntimeError, match="no status_url"):
            await one.found()


@pytest.mark.parametrize("early", [True, False], ids=["before the answer", "long after"])
async def test_an_order_in_doubt_is_no_call_until_something_is_heard_of_it(
    endpoint: Endpoint, *, early: bool
) -> None:
    """Without a status URL, an order answered by 500 counts as not seen, unless an event comes for it."""
    endpoint.status = 500
    async with opened(endpoint, status_url=None) as one:
        if early:
            endpoint.meanwhile = lambda: tell(one, CallEventKind.DELIVERED)
        with pytest.raises(RuntimeError, match="500"):
            await one.call()
        if not early:
            assert await one.found() is None
            await asyncio.sleep(3600)
            assert await one.found() is None
            await tell(one, CallEventKind.DELIVERED)
        found = await one.found()
        assert found
        assert found.state is ConnectionState.ALERTING


async def test_a_call_of_an_earlier_run_is_waited_for_and_not_for_ever(endpoint: Endpoint) -> None:
    """Without a status URL, a call nobody tells of may go on; after `unheard_seconds` it is given up."""
    async with opened(endpoint, status_url=None, unheard_seconds=100) as one:
        for seconds in (0, 99):
            await asyncio.sleep(seconds)
            with pytest.raises(RuntimeError, match="no status_url"):
                await one.found()
        await asyncio.sleep(2)
        assert await one.found() is None


async def test_a_call_of_an_earlier_run_is_known_again_by_its_events(endpoint: Endpoint) -> None:
    """Without a status URL, the first event of a call of an earlier run tells that it goes on."""
    async with opened(endpoint, status_url=None) as one:
        with pytest.raises(RuntimeError, match="no status_url"):
            await one.found()
        await tell(one, CallEventKind.ESTABLISHED)
        found = await one.found()
        assert found
        assert found.state is ConnectionState.CONNECTED


async def test_an_agent_is_not_stuck_with_an_order_in_doubt(
    endpoint: Endpoint, clock: LoopClock, tmp_path: Path
) -> None:
    """A 500, and nothing rings: once its deadline is over the attempt ends, and can be disposed of."""
    endpoint.status = 500
    contact = SandboxContact(key="1", phone_number="+12125550101", campaign_group="G", consent="Yes")
    async with Sandbox(contacts=[contact], clock=clock) as lcm:
        lcm_table = {
            "url": lcm.url,
            "source": "tests",
            "timezone": "America/New_York",
            "campaign_groups": ["G"],
            "ledger": f"sqlite:///{tmp_path}/ledger.db",
            "preview": {"seconds": 0},
        }
        tables = {"lcm": lcm_table, "webhook": table(endpoint.port, status_url=None, clear_url=None)}
        config = {"cti": {"plugins": ["lcm", "webhook"]}, "plugins": tables}
        async with Host.from_config(config, clock=clock, random=Random(1)) as host:
            await host.hooks.all("on_agent_ready", agent=Agent(id="alice"))
            await asyncio.sleep(60)
            (attempt,) = await lcm_of(host).desks.ledger.attempts(agent_id="alice", states=OPEN)
    assert (attempt.state, attempt.outcome) == (AttemptState.ENDED, Outcome.UNKNOWN)


async def test_a_call_is_found_by_the_status_url(endpoint: Endpoint) -> None:
    """The status URL is asked, signed: a call, none, or an error when nothing can be told."""
    async with opened(endpoint) as one:
        assert await one.found() is None
        endpoint.call = {"state": "alerting"}
        found = await one.found()
        assert found == Call(
            id="attempt-1-c",
            attempt_id="attempt-1",
            state=ConnectionState.ALERTING,
            engine=f"127.0.0.1:{endpoint.port}",
        )
        wrongs: list[Any] = [{"state": "ringing"}, {}, [], {"state": "alerting", "q850": "x"}]
        for wrong in wrongs:
            endpoint.call = wrong
            with pytest.raises(RuntimeError, match="status URL answers no"):
                await one.found()
        endpoint.status = 503
        with pytest.raises(RuntimeError, match="503"):
            await one.found()


@pytest.mark.parametrize(
    "says",
    [
        b'{"state": "alerting", "x": "' + b"x" * (1 << 16) + b'"}',
        b"[" * 50_000,
        b'{"state": "alerting", "q850": 1e999}',
    ],
    ids=["too large", "too deep", "no number"],
)
async def test_a_status_without_end_is_not_read(endpoint: Endpoint, says: bytes) -> None:
    """An answer of more than 64 KiB, or one without sense, is none."""
    endpoint.says = says
    async with opened(endpoint) as one:
        with pytest.raises(RuntimeError, match="status URL answers no"):
            await one.found()


async def test_a_call_is_hung_up_by_the_clear_url(endpoint: Endpoint) -> None:
    """clear_call POSTs to the clear URL; gone already is False, a stranger's is None."""
    async with opened(endpoint) as one:
        call = await one.placed()
        endpoint.call = {"state": "connected"}
        assert await one.clear(call) is True
        endpoint.call = None
        assert await one.clear(call) is False
        assert await one.clear(Call(id="x", attempt_id="x", state=ConnectionState.CONNECTED)) is None
    assert endpoint.cleared == ["attempt-1"] * 2
    async with opened(endpoint, clear_url=None) as one:
        with pytest.raises(RuntimeError, match="no clear_url"):
            await one.clear(await one.placed())


async def test_health_tells_who_answers(endpoint: Endpoint, clock: LoopClock) -> None:
    """A signed HEAD that is answered is good; a refused signature, a wrong port and a wrong name are not."""
    async with opened(endpoint) as one:
        health = await one.health()
        assert (health.what, health.good) == (f"webhook 127.0.0.1:{endpoint.port}", True)
        endpoint.status = 401
        health = await one.health()
        assert not health.good
        assert "refuses the signature" in health.seen
        endpoint.status = 503
        health = await one.health()
        assert (health.good, health.seen) == (False, "answers with 503")
    async with site(clock, "webhook", **table(1)) as one:
        assert "nothing listens at 127.0.0.1:1" in (await one.health()).seen
    spoken = f"https://127.0.0.1:{endpoint.port}/"
    async with opened(endpoint, url=spoken) as one:
        assert "no TLS is spoken" in (await one.health()).seen


async def test_something_else_on_the_port_is_told(endpoint: Endpoint, clock: LoopClock) -> None:
    """A port where no HTTP is spoken is named as that."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with site(clock, "webhook", **table(port)) as one:
            assert "no HTTP is spoken at" in (await one.health()).seen


async def test_a_site_that_tells_no_events_fills_no_memory(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls nothing is heard of are forgotten, the oldest first."""
    monkeypatch.setattr("lcm_plugin.dialers.webhook.known.KNOWN_CALLS", 2)
    async with opened(endpoint, status_url=None) as one:
        for number in range(3):
            await one.placed(number)
        assert await one.found(2)
        with pytest.raises(RuntimeError, match="no status_url"):
            await one.found(0)


async def test_another_agents_call_is_not_its_own(endpoint: Endpoint) -> None:
    """An agent who is not among `agents` is left to the next dialer."""
    async with opened(endpoint, agents=["1*"]) as one:
        assert await one.call(agent=Agent(id="alice")) is None
        assert await one.call(agent=Agent(id="1001")) is not None


async def test_the_secret_may_be_in_a_file(endpoint: Endpoint, tmp_path: Path) -> None:
    """A secret file is read for each request; one that is gone is named."""
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o600)
    async with opened(endpoint, secret_env=None, secret_file=str(file)) as one:
        assert await one.call() is not None
        file.unlink()
        assert "cannot be read from" in (await one.health()).seen


def test_a_signature_holds_for_its_body_secret_and_time(clock: LoopClock) -> None:
    """Another body, another secret, no header, or five minutes' difference: refused, with the reason."""
    now = LoopClock().start
    headers = signed(SECRET, now, b"{}")
    verify(SECRET, now + timedelta(seconds=299), headers, b"{}")
    refused = [
        ({}, b"{}", 0, SECRET, "are required"),
        (headers, b"{ }", 0, SECRET, "not this body's"),
        (headers, b"{}", 0, "other", "not this body's"),
        (headers | {"webhook-timestamp": f"{int(now.timestamp()) + 1}"}, b"{}", 0, SECRET, "not this body's"),
        (headers | {"webhook-timestamp": "now"}, b"{}", 0, SECRET, "are required"),
        (headers | {"webhook-id": "another"}, b"{}", 0, SECRET, "not this body's"),
        (headers | {"webhook-id": "x" * 201}, b"{}", 0, SECRET, "200 characters"),
        (headers | {"webhook-signature": "v1a,x v2,y"}, b"{}", 0, SECRET, "not this body's"),
        (headers, b"{}", 301, SECRET, "see both clocks"),
        (headers, b"{}", -301, SECRET, "see both clocks"),
    ]
    for told, body, seconds, key, said in refused:
        with pytest.raises(SignatureError, match=said):
            verify(key, now + timedelta(seconds=seconds), told, body)


WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize("body", [b"", b'{"to": "+12125550123"}', "ü".encode()])
def test_signatures_are_those_of_standard_webhooks(clock: LoopClock, body: bytes) -> None:
    """The standard's own library signs as we do, and what it signs is taken."""
    theirs, now = Webhook(WHSEC), LoopClock().start
    ours = signed(WHSEC, now, body, "msg_1")
    assert ours["webhook-signature"] == theirs.sign("msg_1", now, body.decode())
    assert verify(WHSEC, now, ours, body) == "msg_1"


def test_two_secrets_are_good_while_they_are_changed(clock: LoopClock) -> None:
    """Both sign, in their order; whoever has either one takes it, and what either one signed is taken."""
    now = LoopClock().start
    ours = signed(f"{WHSEC} {SECRET}", now, b"{}", "msg_1")
    first, second = ours["webhook-signature"].split()
    assert first == Webhook(WHSEC).sign("msg_1", now, "{}")
    assert second == Webhook(SECRET.encode()).sign("msg_1", now, "{}")
    for one in (WHSEC, SECRET):
        assert verify(one, now, ours, b"{}") == "msg_1"
        assert verify(f"{WHSEC} {SECRET}", now, signed(one, now, b"{}", "msg_2"), b"{}") == "msg_2"


@pytest.mark.parametrize(
    ("secret", "said"),
    [("whsec_%%%", "must be base64 behind it"), ("whsec_", "empty secret"), (" ", "empty secret")],
)
def test_a_secret_that_is_none_is_told_at_load(
    monkeypatch: pytest.MonkeyPatch, secret: str, said: str
) -> None:
    """By its variable, and never quoted."""
    monkeypatch.setenv("HOOK", secret)
    with pytest.raises(ConfigError) as raised:
        WebhookSettings(url="http://127.0.0.1/", secret_env="HOOK")  # noqa: S106  (a variable's name)
    assert said in str(raised.value)
    assert "%%%" not in str(raised.value)


async def test_a_secrets_file_that_holds_none_is_told_by_health(endpoint: Endpoint, tmp_path: Path) -> None:
    """The file is read at each request: what is in it now is what health says."""
    file = tmp_path / "secret"
    file.write_text("whsec_%%%", encoding="utf-8")
    file.chmod(0o600)
    async with opened(endpoint, secret_env=None, secret_file=str(file)) as one:
        health = await one.health()
    assert (health.good, "must be base64 behind it" in health.seen, "%%%" in health.seen) == (
        False,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"url": "example.com/calls"}, "url: must be an http or https address"),
        ({"status_url": "http://x/calls"}, "wants {attempt} in it"),
        ({"clear_url": "http://[x"}, "clear_url: must be"),
        ({"url": "https://user:hunter2@x/calls"}, "url: must hold no user and password"),
        ({"status_url": "https://hunter2@x/{attempt}"}, "status_url: must hold no user and password"),
        ({"clear_url": "https://:hunter2@x/"}, "clear_url: must hold no user and password"),
        ({"secret_env": None}, "secret_env: is required"),
        ({"secret_env": "NO_SUCH"}, "no variable NO_SUCH"),
        ({"secret": "x"}, 'did you mean "secret_'),
    ],
    ids=repr,
)
def test_wrong_settings_are_told(more: dict[str, Any], said: str) -> None:
    """A wrong setting is named at load, with what would be right."""
    with pytest.raises(ConfigError) as raised:
        Host.from_config({"cti": {"plugins": ["webhook"]}, "plugins": {"webhook": table(80) | more}})
    assert said in str(raised.value)
    assert "hunter2" not in str(raised.value)
