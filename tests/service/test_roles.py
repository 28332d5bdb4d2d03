"""Roles: who may use which route, whose attempts they see, and how much of them."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from attrs import define

from cti_hooks import Agent, CallEvent, CallEventKind, Contact
from lcm_plugin.attempt.transitions import FETCHED
from lcm_plugin.service.guard import CALL_EVENTS
from tests.people import GROUP

ROLES = "host", "supervisor", "agent", "auditor", "dialer"
OPENAPI = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8"))
RIGHTS = {
    # route: host, supervisor, agent, auditor, dialer
    "PUT /v1/agents/{agent_id}": "hsa",
    "GET /v1/agents": "hsau",
    "GET /v1/agents/{agent_id}": "hsau",
    "GET /v1/agents/{agent_id}/callbacks": "hsau",
    "GET /v1/attempts": "hsau",
    "GET /v1/attempts/{attempt_id}": "hsau",
    "GET /v1/attempts/{attempt_id}/past": "hsau",
    "GET /v1/attempts/{attempt_id}/explanation": "hsau",
    "GET /v1/attempts/{attempt_id}/outcomes": "hsau",
    "POST /v1/attempts/{attempt_id}/answer": "hsa",
    "POST /v1/attempts/{attempt_id}/keep": "hsa",
    "POST /v1/attempts/{attempt_id}/callback-check": "hsa",
    "POST /v1/attempts/{attempt_id}/clear": "hsa",
    "POST /v1/attempts/{attempt_id}/disposition": "hsa",
    "GET /v1/reports/attempts.csv": "hsu",
    "POST /v1/call-events": "hsd",
    "GET /v1/dialing": "hsu",
    "POST /v1/dialing/stop": "hs",
    "POST /v1/dialing/resume": "hs",
    "POST /v1/messages/resend": "hs",
    "POST /v1/messages/withdraw": "hs",
    "GET /v1/messages": "hsu",
    "GET /v1/doubts": "hsu",
    "GET /v1/hosts": "hsu",
    "GET /v1/me": "hsaud",
    "POST /v1/tickets": "hsau",
    "GET /v1/events": "hsau",
    "GET /healthz": "hsaud",
    "GET /readyz": "hsaud",
    "GET /openapi.json": "hsaud",
    "GET /metrics": "hsu",
}
LETTERS = {"host": "h", "supervisor": "s", "agent": "a", "auditor": "u", "dialer": "d"}
NAMES = {"supervisor": "sue", "agent": "alice", "auditor": "otto", "dialer": "pbx"}
SERVICE = {
    "token_env": "API_TOKEN",
    "tokens": {
        **{
            name: {"role": role, "sha256": hashlib.sha256(f"{role}-t0ken".encode()).hexdigest()}
            for role, name in NAMES.items()
        },
        "rob": {"role": "agent", "env": "ROBS_TOKEN", "agent": "bob"},
    },
}


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "host-t0ken")
    monkeypatch.setenv("ROBS_TOKEN", "bob-t0ken")


def as_(role: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {role}-t0ken"}}


@define
class Floor:
    """A site, and an offer of one of its agents."""

    site: Any
    attempt_id: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.site, name)


Open = Callable[..., AbstractAsyncContextManager[Floor]]


@pytest.fixture
def floor(site: Any) -> Open:
    """A site with a token for each role, and an offer before alice; bob has none."""

    @asynccontextmanager
    async def opened(*plugins: object, **settings: Any) -> AsyncIterator[Floor]:
        told = {"names": ("lcm", "loopback"), "campaign_groups": [GROUP], **settings}
        async with site(*plugins, service=SERVICE, **told) as here:
            attempt = await here.ledger.open(Agent(id="alice"))
            contact = Contact(
                key="0|1", phone_number="2125550123", e164="+12125550123", extra={"FirstName": "Mary"}
            )
            offered = here.ledger.change(attempt, FETCHED, contact=contact)
            for agent in ("alice", "bob"):
                await here.ask("PUT", f"/v1/agents/{agent}", {"state": "not_ready"}, **as_("host"))
            yield Floor(here, offered.id)

    return opened


async def status_of(here: Any, route: str, role: str) -> int:
    method, path = route.split()
    path = path.format(agent_id="alice", attempt_id=here.attempt_id)
    body = "{" if method in {"POST", "PUT"} else None
    async with here.http.request(method, path, data=body, **as_(role)) as reply:
        return int(reply.status)


def test_the_table_names_every_route() -> None:
    """A route that is added has a line in the table of rights, and the description says the same."""
    told = {
        f"{method.upper()} {path}": "".join(LETTERS[role] for role in ROLES if role in one["x-roles"])
        for path, methods in OPENAPI["paths"].items()
        for method, one in methods.items()
    }
    assert told == RIGHTS


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_may_use_its_routes_only(floor: Open, role: str) -> None:
    """What is not a role's is 403, whatever else is wrong with the request; what is its own is not."""
    async with floor() as here:
        seen = {route: await status_of(here, route, role) for route in RIGHTS}
    refused = {route for route, status in seen.items() if status == 403}
    assert refused == {route for route, roles in RIGHTS.items() if LETTERS[role] not in roles}


async def test_a_refusal_says_for_whom_the_route_is(floor: Open) -> None:
    """403 names the roles that may, and the one that was shown."""
    async with floor() as here:
        status, problem = await here.get("/v1/doubts", **as_("dialer"))
    assert (status, problem["detail"]) == (
        403,
        "this is for auditor, host, supervisor; your token is of the role dialer",
    )


ACTS: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("GET", "/past", None),
    ("GET", "/explanation", None),
    ("GET", "/outcomes", None),
    ("POST", "/answer", {"answer": "dial"}),
    ("POST", "/answer", {"answer": "dial", "actor": "alice"}),
    ("POST", "/keep", {}),
    ("POST", "/clear", None),
    ("POST", "/disposition", {"outcome_id": "3", "actor": "alice"}),
]


@pytest.mark.parametrize(("method", "what", "body"), ACTS)
async def test_anothers_attempt_is_not_there_for_an_agent(
    floor: Open, method: str, what: str, body: Any
) -> None:
    """An agent can neither see nor act on another's attempt, whoever they say they are."""
    async with floor() as here:
        path = f"/v1/attempts/{here.attempt_id}{what}"
        status, problem = await here.ask(method, path, body, **as_("bob"))
        kept = await here.ledger.get(here.attempt_id)
    assert (status, kept.state) == (404, "offered")
    assert "2125550123" not in json.dumps(problem)


async def test_an_agent_sees_their_own_seat_and_attempts_only(floor: Open) -> None:
    """Lists show an agent what is theirs; another's is refused by name."""
    async with floor() as here:
        seats = await here.get("/v1/agents", **as_("bob"))
        attempts = await here.get("/v1/attempts", **as_("bob"))
        own = await here.get("/v1/attempts", **as_("agent"))
        refused = [
            (await here.get(path, **as_("bob")))[0]
            for path in (
                "/v1/agents/alice",
                "/v1/agents/alice/callbacks",
                "/v1/attempts?agent=alice",
            )
        ]
        other = await here.get(f"/v1/attempts/{here.attempt_id}/explanation?agent=bob", **as_("agent"))
    assert [one["id"] for one in seats[1]] == ["bob"]
    assert attempts == (200, [])
    assert [one["contact"]["phone_number"] for one in own[1]] == ["2125550123"]
    assert (refused, other[0]) == ([403] * 3, 403)


@pytest.mark.parametrize("fact", ["endpoint", "name", "lcm_id", "login_id"])
async def test_an_agent_cannot_say_where_they_sit(floor: Open, fact: str) -> None:
    """An agent's token tells state and reason; phone, groups and ids are the site's."""
    async with floor() as here:
        body = {"state": "ready", fact: "x"}
        status, problem = await here.ask("PUT", "/v1/agents/bob", body, **as_("bob"))
        groups = await here.ask(
            "PUT", "/v1/agents/bob", {"state": "ready", "campaign_groups": ["G"]}, **as_("bob")
        )
        state = await here.ask(
            "PUT", "/v1/agents/bob", {"state": "not_ready", "reason": "lunch"}, **as_("bob")
        )
        anothers = await here.ask("PUT", "/v1/agents/alice", {"state": "ready"}, **as_("bob"))
    assert (status, groups[0], state[0], anothers[0]) == (403, 403, 200, 403)
    assert fact in problem["detail"]


@pytest.mark.parametrize(
    ("role", "actor"), [("agent", "alice"), ("supervisor", "sue"), ("host", "the ceo"), ("bob", None)]
)
async def test_the_audit_has_the_tokens_name(floor: Open, role: str, actor: str | None) -> None:
    """Who acted is whoever the token belongs to; only a host is believed who it acts for."""
    async with floor() as here:
        path = f"/v1/attempts/{here.attempt_id}/answer"
        status, told = await here.ask("POST", path, {"answer": "skip", "actor": "the ceo"}, **as_(role))
    assert (status, told.get("actor")) == ((200, actor) if actor else (404, None))


async def test_an_auditor_sees_neither_numbers_nor_names(floor: Open) -> None:
    """Everything of an attempt but who it is about; a number's last two digits remain."""
    async with floor() as here:
        pages = [
            await here.get(path, **as_("auditor"))
            for path in (
                f"/v1/attempts/{here.attempt_id}",
                "/v1/attempts",
                "/v1/agents",
                f"/v1/attempts/{here.attempt_id}/explanation",
            )
        ]
        whole = await here.get(f"/v1/attempts/{here.attempt_id}", **as_("supervisor"))
    text = json.dumps(pages)
    assert not [secret for secret in ("2125550123", "Mary") if secret in text]
    assert pages[0][1]["contact"]["phone_number"] == "***23"
    assert pages[0][1]["contact"]["key"] == "0|1"
    assert (whole[1]["contact"]["phone_number"], whole[1]["contact"]["extra"]) == (
        "2125550123",
        {"FirstName": "Mary"},
    )
    assert pages[0][1].keys() == whole[1].keys()


async def heard_by(here: Any, role: str) -> aiohttp.ClientWebSocketResponse:
    socket: aiohttp.ClientWebSocketResponse = await here.http.ws_connect("/v1/events", **as_(role))
    return socket


async def all_of(socket: aiohttp.ClientWebSocketResponse) -> list[Any]:
    found = []
    while True:
        try:
            found.append(await socket.receive_json(timeout=1))
        except TimeoutError:
            return found


async def test_events_are_told_to_those_whose_they_are(floor: Open, clock: Any) -> None:
    """An agent hears of their own attempts and calls, a supervisor of all, an auditor of all, masked."""
    async with floor() as here:
        sockets = {role: await heard_by(here, role) for role in ("agent", "bob", "supervisor", "auditor")}
        path = f"/v1/attempts/{here.attempt_id}/answer"
        assert (await here.ask("POST", path, {"answer": "skip"}, **as_("agent")))[0] == 200
        await here.ask("PUT", "/v1/agents/bob", {"state": "not_ready"}, **as_("bob"))
        event = CallEvent(kind=CallEventKind.ORIGINATED, call_id="c", at=clock.now(), text="to 2125550123")
        await here.host.hook.on_call_event(event=event)
        heard = {role: await all_of(socket) for role, socket in sockets.items()}
    assert "attempt_changed" in [one["event"] for one in heard["agent"]]
    assert {one["event"] for one in heard["bob"]} <= {"agent_state", "agent_activity"}
    assert {one["agent"] for one in heard["bob"]} == {"bob"}
    assert "2125550123" in json.dumps(heard["agent"])
    assert "call_event" not in [one["event"] for one in heard["agent"]], "it is nobody's attempt"
    assert len(heard["supervisor"]) == len(heard["auditor"]) > len(heard["agent"])
    assert "2125550123" not in json.dumps(heard["auditor"])
    assert "2125550123" in json.dumps(heard["supervisor"])


async def test_a_dialer_tells_call_events_and_hears_nothing(floor: Open) -> None:
    """A dialer's token is good for call events alone."""
    told = {"kind": "originated", "call_id": "c", "at": "2026-03-02T16:00:00+00:00"}
    async with floor() as here:
        assert (await here.ask("POST", CALL_EVENTS, told, **as_("dialer")))[0] == 202
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await heard_by(here, "dialer")
    assert refused.value.status == 403


async def test_a_caller_learns_who_they_are(floor: Open) -> None:
    """GET /v1/me says role, name and seat; without any token everybody is the supervisor local."""
    async with floor() as here:
        assert (await here.get("/v1/me", **as_("bob")))[1] == {
            "role": "agent",
            "subject": "rob",
            "agent": "bob",
            "until": None,
        }


async def test_without_a_token_everybody_is_the_supervisor_local(site: Any) -> None:
    """Where no token is set, all are one supervisor, of this machine."""
    async with site(names=()) as here:
        told = (await here.get("/v1/me"))[1]
    assert (told["role"], told["subject"]) == ("supervisor", "local")


async def test_reasons_are_told_to_those_who_may_read_the_floor(site: Any) -> None:
    """Why a host is not ready names engines and addresses, which are no agent's business."""
    told = {}
    async with site(service=SERVICE) as here:  # no dialer is enabled
        for role in ("bob", "dialer", "auditor"):
            async with here.http.get("/readyz", **as_(role)) as reply:
                told[role] = (await reply.json())["reasons"]
    assert told["bob"] == told["dialer"] == ["why is told who shows the token"]
    assert "dialer" in told["auditor"][0]
