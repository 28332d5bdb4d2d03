"""The API's description: current, served, and true of the running service."""

import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest

from cti_hooks import CallEvent, CallEventKind

DOCS = Path(__file__).parents[2] / "docs"
PROGRAMS = Path(sys.executable).parent
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
REQUESTS = 2000
ROLES = os.environ.get("LCM_ROLES", "local agent").split()
"""Who asks: without a token, or of a role. The others take ten minutes: `host supervisor auditor dialer`."""


def _script() -> ModuleType:
    found = importlib.util.spec_from_file_location("openapi", DOCS / "openapi.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_file_is_current() -> None:
    """docs/openapi.json is what `python docs/openapi.py` writes now."""
    assert _script().text() == (DOCS / "openapi.json").read_text(encoding="utf-8")


async def test_it_is_served(site: Any) -> None:
    """GET /openapi.json answers with the same description."""
    async with site(names=()) as here:
        status, told = await here.get("/openapi.json")
    assert (status, told) == (200, json.loads((DOCS / "openapi.json").read_text(encoding="utf-8")))


def test_it_says_what_is_read_and_shown() -> None:
    """Bodies are strict and say what is needed; states are named; health needs no token."""
    told = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    schemas = told["components"]["schemas"]
    body = schemas["AgentUpdate"]
    assert (body["required"], body["additionalProperties"]) == (["state"], False)
    assert "ready" in schemas["AgentState"]["enum"]
    assert {"contact", "history", "messages"} <= set(schemas["AttemptStory"]["required"])
    assert told["paths"]["/healthz"]["get"]["security"] == []
    assert not {"401", "429"} & set(told["paths"]["/readyz"]["get"]["responses"])
    assert set(told["paths"]["/v1/attempts/{attempt_id}"]["get"]["responses"]) >= {"200", "404", "501", "503"}


def test_a_stop_says_until_when_a_call_may_still_be_placed() -> None:
    """A call whose dial was recorded before is placed within `dial_seconds`, or not at all."""
    told = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    assert "within `dial_seconds`" in told["paths"]["/v1/dialing/stop"]["post"]["summary"]


@contextmanager
def _running(*arguments: object) -> Iterator[str]:
    """A command of ours in its own process; the last word of its first line, its URL."""
    command = [str(PROGRAMS / "lcm-plugin"), *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:  # noqa: S603  (our own program)
        try:
            assert running.stdout is not None
            yield running.stdout.readline().split()[-1]
        finally:
            running.terminate()
            running.wait(timeout=20)


def _ask(url: str, method: str = "GET", body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer host-t0ken"}
    request = urllib.request.Request(url, data=data, method=method, headers=headers)  # noqa: S310  (http, our own)
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310  (as above)
        return json.load(reply)


def _attempts(url: str) -> list[str]:
    """Attempts to ask for: three agents are made ready, and find contacts."""
    for name in ("one", "two", "three"):
        _ask(f"{url}/v1/agents/{name}", "PUT", {"state": "ready"})
    end = time.monotonic() + 20
    found: list[str] = []
    while len(found) < 3 and time.monotonic() < end:
        found = [one["id"] for one in _ask(f"{url}/v1/attempts") if one["contact"]]
        time.sleep(0.2)
    return found


def _with_attempts(document: dict[str, Any], ids: list[str]) -> dict[str, Any]:
    """The description, for a test that asks for attempts there are."""
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if parameter["name"] == "attempt_id":
                    parameter["schema"] = {"type": "string", "enum": ids}
    return document


def _token_of(role: str) -> str:
    """The lines of the config file that let this role in, and the site's own program."""
    if role == "local":
        return ""
    tokens = {"host", role}
    return "".join(
        f'[service.tokens.{"one" if name == "agent" else name}]\nrole = "{name}"\n'
        f'sha256 = "{hashlib.sha256(f"{name}-t0ken".encode()).hexdigest()}"\n'
        for name in tokens
    )


@pytest.mark.real_time
@pytest.mark.timeout(240)
@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
def test_the_running_service_is_as_described(tmp_path: Path, role: str) -> None:
    """Over 2,000 requests made up from the description: no 5xx, and no undocumented status, type or shape.

    The program that asks is not measured for coverage: that would take it twice as long.
    """
    config = tmp_path / "cti.toml"
    with _running("sandbox") as lcm:
        config.write_text(
            '[cti]\nplugins = ["calling-hours", "consent", "lcm", "loopback"]\n[service]\nport = 0\n'
            f"{_token_of(role)}"
            f'[plugins.lcm]\nurl = "{lcm}"\nsource = "api"\ntimezone = "America/New_York"\n'
            'campaign_groups = ["AD Dev Manual Group"]\n'
        )
        with _running("run", "--config", config) as url:
            described = tmp_path / "openapi.json"
            described.write_text(json.dumps(_with_attempts(_ask(f"{url}/openapi.json"), _attempts(url))))
            command = [
                str(PROGRAMS / "st"), "run", str(described), "--url", url, "--checks", CHECKS,
                "--phases", "coverage,fuzzing", "--max-examples", "105", "--generation-database", "none",
                "--header", f"Authorization: Bearer {role}-t0ken",
                "--seed", "1", "--request-timeout", "20", "--no-color", "--warnings", "off",
            ]  # fmt: skip
            done = subprocess.run(  # noqa: S603  (the test extra's program, on our own service)
                command,
                capture_output=True,
                text=True,
                timeout=200,
                check=False,
                cwd=tmp_path,
                env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")},
            )
    assert done.returncode == 0, done.stdout[-5000:]
    summary = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert summary is not None, done.stdout[-2000:]
    assert int(summary[1]) >= REQUESTS, summary[0]


def test_what_the_classes_say_of_their_fields_is_in_the_description() -> None:
    """A field's text, an operation's part and roles, and each event are described."""
    told = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    schemas = told["components"]["schemas"]
    assert schemas["Contact"]["properties"]["reserved"]["description"].startswith("Whether the LCM handed it")
    assert (
        schemas["AttemptStory"]["properties"]["answer"]["description"] == "What a person said to the offer."
    )
    assert told["paths"]["/v1/attempts/{attempt_id}/answer"]["post"]["tags"] == ["Calls"]
    assert told["paths"]["/v1/events"]["get"]["x-messages"] == {"$ref": "#/components/schemas/Event"}
    names = {one["$ref"].rpartition("/")[2] for one in schemas["Event"]["oneOf"]}
    assert {schemas[name]["properties"]["event"]["const"] for name in names} == {
        "agent_state", "agent_activity", "contact_offered", "attempt_changed", "callback_due", "call_event"
    }  # fmt: skip


async def test_each_event_is_as_it_is_described(site: Any, clock: Any) -> None:
    """What a subscriber hears is one of the events of the description, field by field."""
    told = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    schema = {"$ref": "#/components/schemas/Event", "components": told["components"]}
    validator = jsonschema_rs.validator_for(schema)
    async with site(names=("lcm", "loopback")) as here, here.http.ws_connect("/v1/events") as socket:
        offered = await here.offered("alice")
        await here.ask("PUT", "/v1/agents/alice", {"state": "ready"})
        await here.host.hook.on_contact_offered(attempt=offered)
        event = CallEvent(kind=CallEventKind.ORIGINATED, call_id="c", at=clock.now())
        await here.host.hook.on_call_event(event=event)
        await here.host.hook.on_callback_due(agent=offered.agent, at=clock.now())
        heard = [await socket.receive_json(timeout=2) for _ in range(5)]
    assert len({one["event"] for one in heard}) >= 4
    assert [error.message[:200] for one in heard for error in validator.iter_errors(one)] == []
