"""POST an envelope, get the reply's: whatever a server does, the right fault comes of it."""

import asyncio
import base64
import gzip
import json
import logging
import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from lcm_plugin.config import Auth
from lcm_plugin.errors import Fault, LcmBadReply, LcmConfigError, LcmError, LcmRejected, LcmUnavailable
from lcm_plugin.lcm.auth import problems
from lcm_plugin.lcm.envelope import Request
from lcm_plugin.lcm.transports import Transport
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.people import ALICE

Serve = Callable[..., Awaitable[str]]
Connect = Callable[..., Transport]
MIB = 1 << 20


def soon(seconds: float = 5) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_the_envelope_is_posted(serve: Serve, connect: Connect, message: Request) -> None:
    """One POST with the envelope as JSON, the idempotency key and the site's headers; the body comes back."""
    seen: list[web.Request] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(request)
        assert json.loads(await request.text()) == message.envelope
        return web.Response(body=b'{"ok": 1}')

    transport = connect(f"http://{await serve(take)}/message", headers={"X-Tenant": "acme"})
    assert await transport.send(ALICE, message, soon()) == b'{"ok": 1}'
    (request,) = seen
    assert (request.method, request.path) == ("POST", "/message")
    assert request.headers["Idempotency-Key"] == "attempt-1"
    assert request.headers["X-Tenant"] == "acme"


async def test_a_dropped_connection_is_not_asked_again(
    serve: Serve, connect: Connect, message: Request
) -> None:
    """A kept-alive connection that drops after processing brings no second request by itself."""
    arrived = 0

    async def second_time_drop(request: web.Request) -> web.Response:
        nonlocal arrived
        arrived += 1
        await request.read()
        if arrived == 2 and request.transport:
            request.transport.abort()
        return web.Response(text="{}")

    transport = connect(f"http://{await serve(second_time_drop)}/")
    await transport.send(ALICE, message, soon())
    with pytest.raises(LcmUnavailable) as raised:
        await transport.send(ALICE, message, soon())
    assert raised.value.fault is Fault.NO_ANSWER
    assert arrived == 2


STATUSES = [
    (429, LcmUnavailable, Fault.BUSY),
    (503, LcmUnavailable, Fault.BUSY),
    (500, LcmUnavailable, Fault.NO_ANSWER),
    (502, LcmUnavailable, Fault.NO_ANSWER),
    (301, LcmBadReply, Fault.REDIRECTED),
    (307, LcmBadReply, Fault.REDIRECTED),
    (400, LcmRejected, Fault.REJECTED),
    (401, LcmRejected, Fault.REJECTED),
    (404, LcmRejected, Fault.REJECTED),
]


@pytest.mark.parametrize(("status", "kind", "fault"), STATUSES, ids=[str(one[0]) for one in STATUSES])
async def test_each_status_has_its_fault(
    serve: Serve, connect: Connect, message: Request, status: int, kind: type[LcmError], fault: Fault
) -> None:
    """Statuses are told apart by what may be done next; none is followed or repeated."""
    arrived = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal arrived
        arrived += 1
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    transport = connect(f"http://{await serve(answer)}/")
    with pytest.raises(kind) as raised:
        await transport.send(ALICE, message, soon())
    assert (raised.value.fault, raised.value.status) == (fault, status)
    assert arrived == 1


async def test_retry_after_is_seconds_or_a_date(
    serve: Serve, connect: Connect, message: Request, clock: LoopClock
) -> None:
    """Retry-After is read in both its forms; nonsense is as none."""
    values = ["7", format_datetime(clock.now() + timedelta(seconds=30), usegmt=True), "soon", "-1"]
    given = iter(values)

    async def busy(request: web.Request) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": next(given)})

    transport = connect(f"http://{await serve(busy)}/")
    seen = []
    for _ in values:
        with pytest.raises(LcmUnavailable) as raised:
            await transport.send(ALICE, message, soon())
        seen.append(raised.value.retry_after)
    assert seen[0] == 7
    assert seen[1] == pytest.approx(30, abs=2)
    assert seen[2:] == [None, None]


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "streamed"])
async def test_never_more_than_1_mib_is_read(
    serve: Serve, connect: Connect, message: Request, *, announced: bool
) -> None:
    """A reply without end is refused after 1 MiB, one that announces more before anything is read."""
    sent = 0

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        headers = {"Content-Length": str(100 * MIB)} if announced else {}
        reply = web.StreamResponse(headers=headers)
        await reply.prepare(request)
        for _ in range(100):
            await reply.write(b"x" * MIB)
            sent += MIB
        return reply

    transport = connect(f"http://{await serve(flood)}/")
    with pytest.raises(LcmBadReply, match="larger than 1 MiB"):
        await transport.send(ALICE, message, soon())
    await transport.close()
    assert sent < 20 * MIB  # what fits into the sockets' buffers


async def test_a_small_reply_cannot_become_a_large_one(
    serve: Serve, connect: Connect, message: Request
) -> None:
    """Nothing is decompressed: a compressed bomb stays the few bytes it is."""
    packed = gzip.compress(b" " * (50 * MIB))

    async def bomb(request: web.Request) -> web.Response:
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    transport = connect(f"http://{await serve(bomb)}/")
    assert await transport.send(ALICE, message, soon()) == packed


async def test_no_answer_in_time_is_doubt(serve: Serve, connect: Connect, message: Request) -> None:
    """A time-out after the request left may have been processed."""

    async def sleep(request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    transport = connect(f"http://{await serve(sleep)}/")
    with pytest.raises(LcmUnavailable) as raised:
        await transport.send(ALICE, message, soon(3))
    assert raised.value.fault is Fault.NO_ANSWER


async def test_a_refused_connection_was_not_sent(connect: Connect, message: Request) -> None:
    """Nobody listening: not sent, and the text names the address, not what is in the URL besides."""
    transport = connect("http://user:pa55word@127.0.0.1:9/message?key=s3cret")
    with pytest.raises(LcmUnavailable, match=r"127\.0\.0\.1:9") as raised:
        await transport.send(ALICE, message, soon())
    assert raised.value.fault is Fault.NOT_SENT
    assert "pa55word" not in str(raised.value)
    assert "s3cret" not in str(raised.value)


async def test_a_cancelled_request_is_cancelled(serve: Serve, connect: Connect, message: Request) -> None:
    """The caller's cancellation goes through as it is."""

    async def sleep(request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    transport = connect(f"http://{await serve(sleep)}/")
    sending = asyncio.create_task(transport.send(ALICE, message, soon(30)))
    await asyncio.sleep(1)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


# -- who asks -----------------------------------------------------------------------------------------------

BASIC = "Basic " + base64.b64encode(b"me:s3cret").decode()


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "basic", "user": "me", "password_env": "SECRET"}, "Authorization", BASIC),
        ({"type": "bearer", "token_env": "SECRET"}, "Authorization", "Bearer s3cret"),
        ({"type": "bearer", "token_file": "token"}, "Authorization", "Bearer from-file"),
        ({"type": "api_key", "token_env": "SECRET"}, "X-API-Key", "s3cret"),
        ({"type": "api_key", "token_env": "SECRET", "header": "X-Acme"}, "X-Acme", "s3cret"),
    ],
    ids=["basic", "bearer", "bearer from a file", "API key", "API key, own header"],
)
async def test_each_kind_of_auth(
    serve: Serve, connect: Connect, message: Request, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    auth: dict[str, str], header: str, value: str,
) -> None:  # fmt: skip
    """Secrets come from environment or file and travel in their header."""
    monkeypatch.setenv("SECRET", "s3cret")
    (tmp_path / "token").write_text("from-file\n")
    (tmp_path / "token").chmod(0o600)
    seen: list[str | None] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(request.headers.get(header))
        return web.Response(text="{}")

    transport = connect(f"http://{await serve(take)}/", auth=auth)
    await transport.send(ALICE, message, soon())
    assert seen == [value]


class TokenServer:
    """Grants tokens that hold 100 s, counts them, and an LCM beside it."""

    def __init__(self) -> None:
        self.granted = 0
        self.seen: list[str] = []
        self.status = 200
        self.body: bytes | None = None
        """What is granted instead of a token."""
        self.encoding = ""
        self.revoked: set[str] = set()

    async def handle(self, request: web.Request) -> web.Response:
        if request.path == "/token":
            form = await request.post()
            assert form["grant_type"] == "client_credentials"
            assert (form["client_id"], form["client_secret"]) == ("me", "s3cret")
            if self.status != 200:
                return web.Response(status=self.status)
            if self.body is not None:
                headers = {"Content-Encoding": self.encoding} if self.encoding else {}
                return web.Response(body=self.body, headers=headers)
            self.granted += 1
            await asyncio.sleep(0.1)
            return web.json_response({"access_token": f"token-{self.granted}", "expires_in": 100})
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.seen.append(token)
        return web.Response(text="{}", status=401 if token in self.revoked else 200)


@pytest.fixture
async def tokens(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> tuple[TokenServer, Transport]:
    monkeypatch.setenv("SECRET", "s3cret")
    server = TokenServer()
    address = await serve(server.handle)
    auth = {
        "type": "oauth2", "token_url": f"http://{address}/token", "client_id": "me",
        "client_secret_env": "SECRET",
    }  # fmt: skip
    return server, connect(f"http://{address}/", auth=auth)


async def test_a_token_is_fetched_once_for_all_and_anew_before_it_ends(
    tokens: tuple[TokenServer, Transport], message: Request
) -> None:
    """Many requests share one token and one fetch of it; shortly before it ends it is replaced."""
    server, transport = tokens
    await asyncio.gather(*(transport.send(ALICE, message, soon()) for _ in range(10)))
    assert server.granted == 1
    await asyncio.sleep(80)
    await transport.send(ALICE, message, soon())
    assert server.seen[-1] == "token-2"


async def test_a_refused_token_is_replaced(tokens: tuple[TokenServer, Transport], message: Request) -> None:
    """A 401 of the LCM's drops the token; the next request brings another."""
    server, transport = tokens
    server.revoked = {"token-1"}
    with pytest.raises(LcmRejected, match="check auth"):
        await transport.send(ALICE, message, soon())
    await transport.send(ALICE, message, soon())
    assert server.seen == ["token-1", "token-2"]


@pytest.mark.parametrize(("status", "fault"), [(500, Fault.NOT_SENT), (400, Fault.REJECTED)])
async def test_a_token_server_that_fails(
    tokens: tuple[TokenServer, Transport], message: Request, status: int, fault: Fault
) -> None:
    """Without a token nothing is sent; a token server's 4xx is a no, its 5xx is worth another try."""
    server, transport = tokens
    server.status = status
    with pytest.raises(LcmError) as raised:
        await transport.send(ALICE, message, soon())
    assert raised.value.fault is fault
    assert server.seen == []


TOKEN = json.dumps({"access_token": "t", "expires_in": 100, "more": "x" * 70_000}).encode()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (TOKEN, ""),
        (gzip.compress(b"[" * 16_000_000), "gzip"),
        (b"[" * 60_000, ""),
        (b'{"access_token": "t", "expires_in": 1e999}', ""),
        (b'{"access_token": ["t"]}', ""),
        (b'{"access_token": "a\\r\\nX: y"}', ""),
    ],
    ids=["larger than 64 KiB", "a bomb", "too deep", "for ever", "no text", "a header of its own"],
)
async def test_what_is_no_token_is_not_taken(
    tokens: tuple[TokenServer, Transport], message: Request, body: bytes, encoding: str
) -> None:
    """A grant has 64 KiB at the most and is never unpacked; without sense it is none, and nothing is sent."""
    server, transport = tokens
    server.body, server.encoding = body, encoding
    with pytest.raises(LcmUnavailable, match="gave no token") as raised:
        await transport.send(ALICE, message, soon())
    assert raised.value.fault is Fault.NOT_SENT
    assert server.seen == []


async def test_a_secret_that_vanishes_is_named(connect: Connect, message: Request) -> None:
    """A secret's file that cannot be read any more is a settings error that names the file."""
    transport = connect("http://127.0.0.1:9/", auth={"type": "bearer", "token_file": "gone"})
    with pytest.raises(LcmConfigError, match="file gone"):
        await transport.send(ALICE, message, soon())


@pytest.mark.parametrize(
    ("auth", "keys"),
    [
        (Auth(), []),
        (Auth(type="basic"), ["user", "password_env"]),
        (Auth(type="bearer", token_env="NOT_SET_ANYWHERE"), ["token_env"]),  # noqa: S106  (a name)
        (Auth(type="bearer", token_file="x"), []),  # noqa: S106  (a name)
        (Auth(type="oauth2"), ["token_url", "client_id", "client_secret_env"]),
    ],
    ids=["none", "basic", "not set", "file", "oauth2"],
)
def test_what_auth_lacks_is_told_at_load(auth: Auth, keys: list[str]) -> None:
    """What a kind of auth lacks is named before anything is opened."""
    assert [problem.key for problem in problems(auth)] == keys


# -- TLS ----------------------------------------------------------------------------------------------------


@pytest.fixture
def ca(tmp_path: Path) -> trustme.CA:
    """A CA of the site's own, in ca.pem."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return ca


def server_side(ca: trustme.CA, name: str, *, wants_client: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(name).configure_cert(context)
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        ca.configure_trust(context)
    return context


async def ok(request: web.Request) -> web.Response:
    return web.Response(text="{}")


async def test_a_sites_own_ca_is_trusted(
    serve: Serve, connect: Connect, message: Request, ca: trustme.CA
) -> None:
    """ca_file makes the site's own CA good."""
    address = await serve(ok, server_side(ca, "127.0.0.1"))
    assert (
        await connect(f"https://{address}/", tls={"ca_file": "ca.pem"}).send(ALICE, message, soon()) == b"{}"
    )


@pytest.mark.parametrize(
    ("name", "tls"),
    [("127.0.0.1", {}), ("elsewhere.example", {"ca_file": "ca.pem"})],
    ids=["unknown CA", "another name"],
)
async def test_a_certificate_that_is_not_good(
    serve: Serve, connect: Connect, message: Request, ca: trustme.CA, name: str, tls: dict[str, str]
) -> None:
    """An unknown CA or another host's certificate: nothing was sent."""
    address = await serve(ok, server_side(ca, name))
    with pytest.raises(LcmUnavailable) as raised:
        await connect(f"https://{address}/", tls=tls).send(ALICE, message, soon())
    assert raised.value.fault is Fault.NOT_SENT


def write_key(ca: trustme.CA, file: Path, mode: int) -> None:
    ca.issue_cert("plugin.example").private_key_and_cert_chain_pem.write_to_path(str(file))
    file.chmod(mode)


async def test_a_client_certificate_is_shown(
    serve: Serve, connect: Connect, message: Request, ca: trustme.CA, tmp_path: Path
) -> None:
    """A gateway that wants a client certificate gets it."""
    write_key(ca, tmp_path / "client.pem", 0o600)
    address = await serve(ok, server_side(ca, "127.0.0.1", wants_client=True))
    tls = {"ca_file": "ca.pem", "cert_file": "client.pem"}
    assert await connect(f"https://{address}/", tls=tls).send(ALICE, message, soon()) == b"{}"


async def test_a_clients_key_is_its_owners_only(
    connect: Connect, message: Request, ca: trustme.CA, tmp_path: Path
) -> None:
    """A key that others can read is refused, with the way out; nothing is sent."""
    write_key(ca, tmp_path / "client.pem", 0o644)
    transport = connect("https://127.0.0.1:9/", tls={"cert_file": "client.pem"})
    with pytest.raises(LcmConfigError, match=r"others can read it; chmod 600 .*client\.pem"):
        await transport.send(ALICE, message, soon())


@pytest.mark.parametrize("key", ["ca_file", "cert_file"])
async def test_an_unreadable_certificate_is_named(
    connect: Connect, message: Request, tmp_path: Path, key: str
) -> None:
    """A certificate that is none is a settings error that names the file."""
    (tmp_path / "nonsense.pem").write_text("nonsense")
    transport = connect("https://127.0.0.1:9/", tls={key: "nonsense.pem"})
    with pytest.raises(LcmConfigError, match=r"nonsense\.pem"):
        await transport.send(ALICE, message, soon())


async def test_no_secret_in_any_text(
    serve: Serve, connect: Connect, message: Request, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Neither log nor error nor repr shows a secret."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("SECRET", "s3cret")

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=403, text="s3cret is not known")

    transport: Any = connect(f"http://{await serve(refuse)}/", auth={"type": "bearer", "token_env": "SECRET"})
    with pytest.raises(LcmRejected) as raised:
        await transport.send(ALICE, message, soon())
    assert "s3cret" not in caplog.text + str(raised.value) + repr(raised.value) + repr(transport) + repr(
        message
    )
