"""Names, pages and proxies by which the API may be asked."""

from typing import Any

import pytest

from cti_hooks import ConfigError
from lcm_plugin.service import service_settings

TOKEN = {"Authorization": "Bearer t0ken"}
PROXIED: dict[str, Any] = {
    "token_env": "API_TOKEN",
    "allowed_hosts": ["cti.example.com"],
    "allowed_origins": ["https://desk.example.com"],
}


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "t0ken")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "cti.example.com"}, 200),
        ({"Host": "cti.example.com:8443"}, 200),
        ({"Host": "cti.example.com."}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "https://desk.example.com", "Sec-Fetch-Site": "cross-site"}, 200),
        ({"Host": "cti.example.com", "Origin": "https://cti.example.com"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
    ids=str,
)
async def test_a_site_behind_a_proxy_names_its_hosts_and_origins(
    site: Any, headers: dict[str, str], status: int
) -> None:
    """`allowed_hosts` and `allowed_origins` let in who comes by them, and nobody else."""
    async with site(names=(), service=PROXIED) as one:
        assert (await one.get("/v1/agents", headers={**TOKEN, **headers}))[0] == status


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_probe_may_ask_by_any_name(site: Any, path: str) -> None:
    """An orchestrator asks by an address it has just given; without a token it may be a page that does."""
    for service, status in ((PROXIED, 200), ({"token_env": "API_TOKEN"}, 200), ({}, 403)):
        async with site(names=(), service=service) as one:
            assert (await one.get(path, headers={"Host": "10.1.2.3:8765"}))[0] == status
            assert (await one.get("/v1/agents", headers={**TOKEN, "Host": "10.1.2.3:8765"}))[0] == 403


@pytest.mark.parametrize(
    ("headers", "setting"),
    [({"Host": "cti.example.com"}, "allowed_hosts"), ({"Origin": "https://a.example"}, "allowed_origins")],
    ids=["host", "origin"],
)
async def test_who_is_refused_is_told_the_setting(site: Any, headers: dict[str, str], setting: str) -> None:
    """The 403 names the way out."""
    async with site(names=()) as one:
        status, problem = await one.get("/v1/agents", headers=headers)
    assert status == 403
    assert f"[service] {setting}" in problem["detail"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"allowed_hosts": ["cti.example.com"]}, "service.allowed_hosts: needs token_env"),
        ({"allowed_origins": ["https://a.example"]}, "service.allowed_origins: needs token_env"),
        ({"token_env": "API_TOKEN", "allowed_hosts": ["a.example:80"]}, "must be names alone"),
        ({"token_env": "API_TOKEN", "allowed_origins": ["desk.example.com"]}, "must be origins"),
        ({"token_env": "API_TOKEN", "allowed_origins": ["https://a.example/x"]}, "must be origins"),
    ],
    ids=str,
)
def test_a_proxys_names_need_a_token(table: dict[str, Any], said: str) -> None:
    """Without a token whoever reaches the proxy would be let in by it; what is no name is told at load."""
    with pytest.raises(ConfigError, match=said):
        service_settings(table, "cti.toml")


FORWARDING = ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "x-forwarded-proto", "X-Real-IP"]


@pytest.mark.parametrize("header", FORWARDING)
async def test_what_a_proxy_forwards_needs_a_token(site: Any, header: str) -> None:
    """Without a token only a direct request is from this machine; with one, a proxy may ask."""
    for service, status in (({}, 403), ({"token_env": "API_TOKEN"}, 200)):
        async with site(names=(), service=service) as one:
            told = await one.get("/v1/agents", headers={**TOKEN, header: "203.0.113.9"})
            assert told[0] == status
            assert status == 200 or "token_env" in told[1]["detail"]


@pytest.mark.parametrize(
    ("said", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)]
)
async def test_a_page_of_another_origin_takes_nothing_in(site: Any, said: str, status: int) -> None:
    """A script or an image has no Origin; the browser says all the same that another site asks."""
    async with site(names=()) as one:
        assert (await one.get("/v1/agents", headers={"Sec-Fetch-Site": said}))[0] == status


@pytest.mark.parametrize("path", ["/v1/agents", "/v1/agents/nobody", "/healthz"])
async def test_every_answer_stays_where_it_was_asked_for(site: Any, path: str) -> None:
    """No cache keeps it, no browser guesses its type, no page of another origin takes it in."""
    async with site(names=()) as one, one.http.get(path) as reply:
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
