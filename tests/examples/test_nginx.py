"""examples/nginx: the host behind a real nginx with TLS, asked as a browser's page asks."""

import asyncio
import json
import os
import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
import trustme
from aiohttp import web
from attrs import define
from cryptography.hazmat.primitives.asymmetric import ec

from lcm_plugin.service import Service, load
from tests.telephony.bench.processes import free_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "nginx"
NAME = "cti.example.com"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
REQUIRED = os.environ.get("LCM_TELEPHONY") == "required"

pytestmark = [
    pytest.mark.real_time,
    pytest.mark.skipif(NGINX is None and not REQUIRED, reason="no nginx; make telephony installs it"),
]
MAIN = """
daemon off; worker_processes 1; pid {at}/nginx.pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
    client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi;
    uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
    include {at}/site.conf;
}}
"""


@define
class Front:
    """nginx before a host, and a client that takes it for NAME."""

    port: int
    http: aiohttp.ClientSession
    token: str

    @property
    def origin(self) -> str:
        return f"https://{NAME}:{self.port}"

    async def ask(
        self, method: str, path: str, origin: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """As a page of this origin asks, with the host's token."""
        told = {**self.headers(origin), "Authorization": f"Bearer {self.token}", **headers}
        async with self.http.request(method, path, json=body, headers=told, allow_redirects=False) as reply:
            return reply.status, await reply.text()

    async def events(self, origin: str, ticket: str) -> aiohttp.ClientWebSocketResponse:
        protocols = ("lcm-events", f"ticket.{ticket}")
        return await self.http.ws_connect("/v1/events", protocols=protocols, headers=self.headers(origin))

    def headers(self, origin: str) -> dict[str, str]:
        site = "same-origin" if origin == self.origin else "cross-site"
        return {"Origin": origin, "Sec-Fetch-Site": site}


class Everywhere(aiohttp.abc.AbstractResolver):
    """Every name is this machine's."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[Any]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        pass


def config_file(at: Path, port: int, more: str = "") -> Path:
    """The example's own, at another port."""
    text = (EXAMPLE / "cti.toml").read_text(encoding="utf-8")
    text = text.replace("[service]\n", f"[service]\nport = {free_port()}\n")
    text = text.replace(f'"https://{NAME}"', f'"https://{NAME}:{port}"')
    (at / "cti.toml").write_text(f"{text}\n{more}", encoding="utf-8")
    return at / "cti.toml"


def site_file(at: Path, name: str, port: int, ports: dict[str, int]) -> ssl.SSLContext:
    """The example's own, with a certificate of this test's; gives the context that trusts it."""
    authority = trustme.CA()
    certificate = authority.issue_cert(NAME)
    certificate.cert_chain_pems[0].write_to_path(at / "cert.pem")
    certificate.private_key_pem.write_to_path(at / "key.pem")
    text = (EXAMPLE / name).read_text(encoding="utf-8")
    for old, new in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        f"/etc/ssl/certs/{NAME}.pem": str(at / "cert.pem"),
        f"/etc/ssl/private/{NAME}.key": str(at / "key.pem"),
        **{f"127.0.0.1:{known}": f"127.0.0.1:{real}" for known, real in ports.items()},
    }.items():
        assert old in text
        text = text.replace(old, new)
    (at / "site.conf").write_text(text, encoding="utf-8")
    (at / "nginx.conf").write_text(MAIN.format(at=at), encoding="utf-8")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


Open = Callable[..., AbstractAsyncContextManager[Front]]


@pytest.fixture
def front(tmp_path: Path) -> Open:
    """Opens the host of the example, and nginx with one of its files before it."""

    @asynccontextmanager
    async def opened(name: str = "lcm.conf", more: str = "", **ports: int) -> AsyncIterator[Front]:
        port = free_port()
        host, settings = load(config_file(tmp_path, port, more))
        trusted = site_file(tmp_path, name, port, {"8765": settings.port, **ports})
        resolver = aiohttp.TCPConnector(resolver=Everywhere(), ssl=trusted)
        nginx = [str(NGINX), "-p", str(tmp_path), "-e", "stderr", "-c", str(tmp_path / "nginx.conf")]
        async with (
            Service(host, settings),
            running(nginx, port),
            aiohttp.ClientSession(f"https://{NAME}:{port}", connector=resolver) as http,
        ):
            token = (tmp_path / "api-token").read_text(encoding="ascii").strip()
            yield Front(port, http, token)

    return opened


@asynccontextmanager
async def running(command: list[str], port: int) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        for _ in range(100):
            if process.returncode is not None:
                raise AssertionError((await process.communicate())[1].decode())
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            break
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def test_a_page_of_an_allowed_origin_works(front: Open) -> None:
    """Behind nginx with TLS a page of the site reads, acts, and hears events by a ticket."""
    async with front() as here:
        status, me = await here.ask("GET", "/v1/me", here.origin)
        assert (status, json.loads(me)["role"]) == (200, "host")
        status, told = await here.ask("POST", "/v1/tickets", here.origin, {})
        assert status == 201
        async with await here.events(here.origin, json.loads(told)["ticket"]) as socket:
            told = {"state": "not_ready", "reason": "lunch"}
            assert (await here.ask("PUT", "/v1/agents/alice", here.origin, told))[0] == 200
            assert (await socket.receive_json(timeout=5))["reason"] == "lunch"


@pytest.mark.parametrize("origin", ["https://evil.example.com", f"http://{NAME}", "null"])
async def test_a_foreign_page_is_refused(front: Open, origin: str) -> None:
    """Another origin's page gets nothing, the WebSocket neither, whatever token or ticket it has."""
    async with front() as here:
        status, problem = await here.ask("GET", "/v1/agents", origin)
        assert (status, "pages of another origin" in problem) == (403, True)
        _, told = await here.ask("POST", "/v1/tickets", here.origin, {})
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await here.events(origin, json.loads(told)["ticket"])
        assert refused.value.status == 403


async def test_nobody_is_let_in_without_a_token(front: Open) -> None:
    """That nginx asks from this machine lets nobody in."""
    async with front() as here, here.http.get("/v1/agents") as reply:
        assert reply.status == 401


KEY = ec.generate_private_key(ec.SECP256R1())
ISSUER = "https://id.example.com/realms/centre"


def id_token(*roles: str) -> str:
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "aud": "lcm-plugin",
        "exp": now + timedelta(minutes=5),
        "preferred_username": "alice",
        "realm_access": {"roles": list(roles)},
    }
    return jwt.encode(claims, KEY, "ES256", {"kid": "1"})


def provider_settings(at: Path) -> str:
    """The table of the example, uncommented, with the keys in a file."""
    key = {**json.loads(jwt.get_algorithm_by_name("ES256").to_jwk(KEY.public_key())), "kid": "1"}
    (at / "jwks.json").write_text(json.dumps({"keys": [key]}), encoding="utf-8")
    text = (EXAMPLE / "cti.toml").read_text(encoding="utf-8")
    commented = text.partition("# [service.jwt]")[2].split("\n\n")[0]
    lines = [line.removeprefix("# ") for line in commented.splitlines()]
    table = "\n".join(["[service.jwt]", *lines])
    url = f'jwks_url = "{ISSUER}/protocol/openid-connect/certs"'
    assert url in table
    return table.replace(url, 'jwks_file = "jwks.json"')


@asynccontextmanager
async def oidc_proxy() -> AsyncIterator[int]:
    """Answers as oauth2-proxy does with --set-authorization-header: by the cookie of who signed in."""

    async def auth(request: web.Request) -> web.Response:
        if role := request.cookies.get("_oauth2_proxy"):
            return web.Response(status=202, headers={"Authorization": f"Bearer {id_token(role)}"})
        return web.Response(status=401)

    app = web.Application()
    app.router.add_get("/oauth2/auth", auth)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_who_signed_in_at_the_provider_is_who_asks(front: Open, tmp_path: Path) -> None:
    """Behind an OIDC proxy a person's cookie becomes their token; a token of the browser's is dropped."""
    settings = provider_settings(tmp_path)
    async with oidc_proxy() as proxy, front("oidc.conf", settings, **{"4180": proxy}) as here:
        lead = {"Cookie": "_oauth2_proxy=cc-leads"}
        agent = {"Cookie": "_oauth2_proxy=cc-agents"}
        told = [json.loads((await here.ask("GET", "/v1/me", here.origin, **who))[1]) for who in (lead, agent)]
        assert [(one["role"], one["subject"], one["agent"]) for one in told] == [
            ("supervisor", "alice", None),
            ("agent", "alice", "alice"),
        ]
        assert (await here.ask("GET", "/v1/doubts", here.origin, **agent))[0] == 403
        assert (await here.ask("GET", "/v1/me", here.origin))[0] == 302, (
            "the host's token counts for nothing here"
        )
        async with here.http.ws_connect(
            "/v1/events", headers={**here.headers(here.origin), **agent}
        ) as socket:
            await here.ask("PUT", "/v1/agents/alice", here.origin, {"state": "not_ready"}, **agent)
            assert (await socket.receive_json(timeout=5))["agent"] == "alice"
