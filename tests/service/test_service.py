"""The embedded host's API, over real sockets."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from attrs import define, evolve, field
from yarl import URL

from cti_hooks import (
    Activity,
    Agent,
    AgentState,
    Attempt,
    AttemptState,
    Call,
    ConfigError,
    Health,
    Host,
    Refusal,
    hookimpl,
)
from lcm_plugin.service import Service, ServiceSettings, service_settings
from lcm_plugin.service.events import WAITING
from lcm_plugin.service.happenings import AgentStateTold


@define(eq=False)
class Plugin:
    """Hears what the host tells."""

    heard: list[tuple[str, Agent, Any]] = field(factory=list)
    stopping: asyncio.Event = field(factory=asyncio.Event)

    @hookimpl
    def on_agent_logged_on(self, agent: Agent) -> None:
        self.heard.append(("logged_on", agent, None))

    @hookimpl
    def on_agent_ready(self, agent: Agent) -> None:
        self.heard.append(("ready", agent, None))

    @hookimpl
    def on_agent_not_ready(self, agent: Agent, reason: str | None) -> None:
        self.heard.append(("not_ready", agent, reason))

    @hookimpl
    def on_agent_busy(self, agent: Agent, call: Call | None) -> None:
        self.heard.append(("busy", agent, call))

    @hookimpl
    def on_agent_working_after_call(self, agent: Agent) -> None:
        self.heard.append(("working_after_call", agent, None))

    @hookimpl
    def on_agent_logged_off(self, agent: Agent) -> None:
        self.heard.append(("logged_off", agent, None))


@define
class Centre:
    host: Host
    plugin: Plugin
    http: aiohttp.ClientSession
    service: Service

    async def put(self, agent: str, body: Any, **kwargs: Any) -> tuple[int, Any]:
        data = body if isinstance(body, str) else json.dumps(body)
        async with self.http.put(f"/v1/agents/{agent}", data=data, **kwargs) as reply:
            return reply.status, await reply.json(content_type=None)

    async def get(self, path: str, **kwargs: Any) -> tuple[int, Any]:
        async with self.http.get(path, **kwargs) as reply:
            return reply.status, await reply.json(content_type=None)


@asynccontextmanager
async def centre(*plugins: object, **table: Any) -> AsyncIterator[Centre]:
    host = Host.from_config({"cti": {"plugins": []}})
    plugin = Plugin()
    for one in (plugin, *plugins):
        host.register(one)
    settings = service_settings({"port": 0, **table}, "cti.toml")
    async with Service(host, settings) as service, aiohttp.ClientSession(service.url) as http:
        yield Centre(host, plugin, http, service)


@pytest.mark.parametrize("state", [state.value for state in AgentState])
async def test_each_state_is_told_to_the_plugins(state: str) -> None:
    """PUT of a state calls that state's hook, with the agent as told."""
    async with centre() as site:
        status, body = await site.put(
            "1001", {"state": state, "endpoint": "PJSIP/1001", "campaign_groups": ["G"]}
        )
        assert status == 200
        assert body["state"] == state
        (heard,) = site.plugin.heard
        assert heard == (state, Agent(id="1001", endpoint="PJSIP/1001", campaign_groups=("G",)), None)


async def test_not_ready_has_its_reason() -> None:
    """The reason of not ready reaches plugins and readers."""
    async with centre() as site:
        await site.put("1001", {"state": "not_ready", "reason": "lunch"})
        assert site.plugin.heard[0][2] == "lunch"
        assert (await site.get("/v1/agents/1001"))[1]["reason"] == "lunch"


async def test_ready_again_is_told_again() -> None:
    """A second ready is another ready: the agent wants another contact."""
    async with centre() as site:
        for _ in range(2):
            await site.put("1001", {"state": "ready"})
        assert [state for state, *_ in site.plugin.heard] == ["ready", "ready"]


async def test_what_is_left_out_stays() -> None:
    """A PUT of the state alone keeps endpoint and groups."""
    async with centre() as site:
        await site.put("1001", {"state": "logged_on", "endpoint": "PJSIP/1001"})
        _, body = await site.put("1001", {"state": "ready"})
        assert body["endpoint"] == "PJSIP/1001"


async def test_agents_are_listed() -> None:
    """GET lists who was told of; an unknown agent is 404."""
    async with centre() as site:
        for agent in ("1001", "1002"):
            await site.put(agent, {"state": "ready"})
        assert [one["id"] for one in (await site.get("/v1/agents"))[1]] == ["1001", "1002"]
        assert (await site.get("/v1/agents/1003"))[0] == 404


async def test_the_open_attempt_is_shown(clock: Any) -> None:
    """An agent's open attempt is under `attempt`; one that was refused is the last one, with its reasons."""
    async with centre() as site:
        await site.put("1001", {"state": "ready"})
        attempt = Attempt(
            id="a1", agent=Agent(id="1001"), contact=None, state=AttemptState.OFFERED, campaign_group="G",
            opened_at=clock.now(),
        )  # fmt: skip
        await site.host.hooks.all("on_attempt_changed", attempt=attempt)
        assert (await site.get("/v1/agents/1001"))[1]["attempt"]["id"] == "a1"
        refused = evolve(attempt, state=AttemptState.REFUSED, reason="too early")
        await site.host.hooks.all("on_attempt_changed", attempt=refused)
        shown = (await site.get("/v1/agents/1001"))[1]
        assert (shown["attempt"], shown["note"]) == (None, "too early")


async def test_a_plugins_wish_for_a_state_is_granted() -> None:
    """request_agent_state changes the state, and the plugins are told as of any change."""
    async with centre() as site:
        await site.put("1001", {"state": "ready"})
        granted = await site.host.hooks.first(
            "request_agent_state",
            agent=Agent(id="1001"),
            state=AgentState.NOT_READY,
            reason="offer timed out",
        )
        await asyncio.sleep(0.1)
        assert granted is True
        assert site.plugin.heard[-1][::2] == ("not_ready", "offer timed out")


async def test_events_are_published() -> None:
    """A WebSocket hears agent states and attempts, as JSON with times in ISO 8601."""
    async with centre() as site, site.http.ws_connect("/v1/events") as events:
        await site.put("1001", {"state": "ready"})
        heard = await events.receive_json(timeout=5)
        assert heard == {"event": "agent_state", "agent": "1001", "state": "ready", "reason": None}
        refusal = Refusal(rule="hours", reason="too early", not_before=site.host.clock.now())
        attempt = Attempt(
            id="a1", agent=Agent(id="1001"), contact=None, state=AttemptState.REFUSED, campaign_group="G",
            opened_at=site.host.clock.now(), refusals=(refusal,),
        )  # fmt: skip
        await site.host.hooks.all("on_attempt_changed", attempt=attempt)
        heard = await events.receive_json(timeout=5)
        assert heard["attempt"]["refusals"][0]["not_before"].endswith("+00:00")
        at = datetime(2026, 3, 2, 16, tzinfo=UTC)
        await site.host.hooks.all("on_callback_due", agent=Agent(id="1001"), at=at)
        heard = await events.receive_json(timeout=5)
        assert heard == {"event": "callback_due", "agent": "1001", "at": "2026-03-02T16:00:00+00:00"}
        activity = Activity(kind="waiting", since=at, wants=True, waits_for="G had nothing")
        await site.host.hooks.all("on_agent_activity", agent=Agent(id="1001"), activity=activity)
        heard = await events.receive_json(timeout=5)
        told = {"since": "2026-03-02T16:00:00+00:00", "wants": True, "waits_for": "G had nothing"}
        assert heard == {"event": "agent_activity", "agent": "1001", "activity": "waiting", **told}


def noise(text: str) -> AgentStateTold:
    return AgentStateTold(agent="nobody", state=AgentState.READY, reason=text)


async def test_a_slow_subscriber_holds_up_nobody() -> None:
    """Who falls too far behind is dropped with a reason; the others go on."""
    async with centre() as site:
        subscription = site.service.agents.feed.subscribe()
        for number in range(WAITING + 5):
            site.service.agents.feed.publish(noise(f"{number}"), of=None)
        assert subscription.missed.is_set()
        assert (await site.put("1001", {"state": "ready"}))[0] == 200


MUCH = "x" * 10_000_000
"""More than all buffers of a connection hold."""


@asynccontextmanager
async def stalled(site: Centre) -> AsyncIterator[asyncio.StreamReader]:
    """A subscriber that reads nothing, and has much to read."""
    address = URL(site.service.url)
    reader, writer = await asyncio.open_connection(address.host, address.port, limit=1)
    writer.write(
        f"GET /v1/events HTTP/1.1\r\nHost: {address.authority}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n".encode()
    )
    assert await reader.readexactly(12) == b"HTTP/1.1 101"
    site.service.agents.feed.publish(noise(MUCH), of=None)
    await asyncio.sleep(1)
    try:
        yield reader
    finally:
        writer.transport.abort()


async def test_subscribers_that_stall_do_not_keep_the_host_from_stopping() -> None:
    """They are cut off in a second, all at once, after which the plugins are told to stop."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        async with asyncio.timeout(60), centre() as site:
            for _ in range(3):
                await stack.enter_async_context(stalled(site))
            began = loop.time()
        assert loop.time() - began < 3


async def test_a_subscriber_that_stalls_is_cut_off() -> None:
    """What it does not read is not kept for it: who misses the heartbeat gets no more."""
    async with centre() as site, stalled(site) as reader:
        await asyncio.sleep(60)
        assert len(await reader.read()) < len(MUCH)


async def test_a_subscriber_hears_that_the_host_stops() -> None:
    """A subscriber that reads is told why the connection ends."""
    async with aiohttp.ClientSession() as http:
        async with centre() as site:
            events = await http.ws_connect(f"{site.service.url}/v1/events")
        told = await events.receive()
    assert (told.type, told.data, told.extra) == (aiohttp.WSMsgType.CLOSE, 1001, "the host stops")


WRONG = [
    ({"state": "reddy"}, 422, 'did you mean "ready"?'),
    ({"state": "ready", "endpont": "x"}, 422, 'did you mean "endpoint"?'),
    ({}, 422, "state: is required"),
    ({"state": "ready", "campaign_groups": "G"}, 422, "must be a list"),
    ([], 422, "must be a JSON object"),
    ("{", 400, "not JSON"),
    ("[" * 10_000, 400, "not JSON"),
]


@pytest.mark.parametrize(("body", "status", "said"), WRONG, ids=range(len(WRONG)))
async def test_a_wrong_body_is_a_problem(body: Any, status: int, said: str) -> None:
    """What is wrong with a body is told as problem+json, with what would be right; no plugin is told."""
    async with centre() as site:
        data = body if isinstance(body, str) else json.dumps(body)
        async with site.http.put("/v1/agents/1001", data=data) as reply:
            assert reply.status == status
            assert reply.content_type == "application/problem+json"
            problem = await reply.json(content_type=None)
        assert problem["status"] == status
        assert said in problem["detail"]
        assert site.plugin.heard == []


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/v1/agents/1", 405)]
)
async def test_aiohttps_own_errors_are_problems_too(method: str, path: str, status: int) -> None:
    """404 and 405 are problem+json like all others."""
    async with centre() as site, site.http.request(method, path) as reply:
        assert reply.status == status
        assert reply.content_type == "application/problem+json"


async def test_health_and_readiness() -> None:
    """Alive and ready while it runs."""
    async with centre() as site:
        assert await site.get("/healthz") == (200, {"alive": True})
        assert await site.get("/readyz") == (200, {"ready": True, "reasons": []})


async def test_not_ready_while_it_starts_and_drains() -> None:
    """Before it listens and while it drains, readiness says no, and why."""
    seen: list[str] = []

    class Watches:
        @hookimpl
        async def on_shutdown(self) -> None:
            seen.extend(service.unready)

    host = Host.from_config({"cti": {"plugins": []}})
    host.register(Watches())
    service = Service(host, ServiceSettings(port=0))
    assert service.unready == ["starting"]
    async with service:
        assert service.unready == []
    assert seen == ["draining"]


async def test_readiness_is_what_the_plugins_report() -> None:
    """While something a plugin needs is not good, or it cannot tell, the host is not ready and says why."""

    class Pbx:
        @hookimpl
        def report_health(self) -> list[Health]:
            return [
                Health(what="pbx-1", good=True, seen="version 22"),
                Health(what="pbx-2", good=False, seen="down"),
            ]

    class Broken:
        @hookimpl
        def report_health(self) -> list[Health]:
            raise OSError("no socket")

    async with centre(Pbx(), Broken()) as site:
        status, body = await site.get("/readyz")
    assert status == 503
    assert body["ready"] is False
    assert sorted(body["reasons"]) == [
        "pbx-2: down",
        "plugin Broken: cannot tell how it is: OSError: no socket",
    ]


async def test_a_token_is_required_where_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the bearer token only health and readiness are answered."""
    monkeypatch.setenv("API_TOKEN", "t0ken")
    async with centre(token_env="API_TOKEN") as site:  # noqa: S106  (a name)
        assert (await site.get("/v1/agents"))[0] == 401
        assert (await site.get("/v1/agents", headers={"Authorization": "Bearer wrong"}))[0] == 401
        assert (await site.get("/v1/agents", headers={"Authorization": "Bearer t0ken"}))[0] == 200
        assert (await site.get("/healthz"))[0] == 200


async def test_pages_of_another_origin_are_refused() -> None:
    """A browser's page from elsewhere can neither tell states nor listen, nor by a rebound name."""
    async with centre() as site:
        foreign = {"Origin": "https://evil.example"}
        assert (await site.put("1001", {"state": "ready"}, headers=foreign))[0] == 403
        for name in ("evil.example", "evil.example:99999", "[::"):
            assert (await site.get("/v1/agents", headers={"Host": name}))[0] == 403
        assert (await site.get("/v1/agents", headers={"Origin": "http://[::"}))[0] == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await site.http.ws_connect("/v1/events", headers=foreign)
        assert (await site.put("1001", {"state": "ready"}, headers={"Origin": site.service.url}))[0] == 200


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"host": "0.0.0.0"}, "is no loopback address"),  # noqa: S104  (refused)
        ({"token_env": "NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE"),
        ({"prot": 1}, 'did you mean "port"?'),
        ({"port": 70000}, "service.port"),
    ],
    ids=repr,
)
def test_wrong_settings_are_told(table: dict[str, Any], said: str) -> None:
    """An address others can reach needs a token; wrong settings are named with their file."""
    with pytest.raises(ConfigError) as raised:
        service_settings(table, "cti.toml")
    assert said in str(raised.value)
    assert "cti.toml" in str(raised.value)


def test_loopback_needs_no_token() -> None:
    """127.0.0.1:8765 without a token is the default."""
    settings = ServiceSettings()
    assert (settings.host, settings.port, settings.token, settings.loopback) == (
        "127.0.0.1",
        8765,
        None,
        True,
    )


@pytest.mark.real_time
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_run_drains_and_ends(tmp_path: Path, number: signal.Signals) -> None:
    """`lcm-plugin run` says where it listens, and ends with status 0 when it is told to."""
    config = tmp_path / "cti.toml"
    config.write_text("[cti]\nplugins = []\n[service]\nport = 0\n")
    program = Path(sys.executable).parent / "lcm-plugin"
    with subprocess.Popen([program, "run", "--config", config], stdout=subprocess.PIPE, text=True) as running:  # noqa: S603  (our own program)
        assert running.stdout is not None
        assert running.stdout.readline().startswith("listening on http://127.0.0.1:")
        os.kill(running.pid, number)
        assert running.wait(timeout=20) == 0
