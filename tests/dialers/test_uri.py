"""The dialer that hands a URI to a command or a webhook."""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cti_hooks import Agent, Attempt, AttemptState, Call, ConfigError, ConnectionState, Dial, Host, health_of
from tests.people import ALICE_AT_1001 as ALICE

WRITES = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(' '.join(sys.argv[2:]))"


def attempt(agent: Agent = ALICE) -> Attempt:
    return Attempt(
        id="attempt-1",
        agent=agent,
        contact=None,
        state=AttemptState.DIALING,
        campaign_group="G",
        opened_at=datetime.now(UTC),
    )


@asynccontextmanager
async def host_with(**table: Any) -> AsyncIterator[Host]:
    config = {"cti": {"plugins": ["uri"]}, "plugins": {"uri": table}}
    async with Host.from_config(config) as host:
        yield host


async def call(host: Host, to: str = "+1 (212) 555-0123", seconds: float = 10, agent: Agent = ALICE) -> Call:
    dial = Dial(to=to, not_after=datetime.now(UTC) + timedelta(seconds=seconds))
    made = await host.hooks.first("make_call", attempt=attempt(agent), dial=dial)
    assert isinstance(made, Call)
    return made


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("table", "uri"),
    [
        ({}, "tel:+12125550123"),
        ({"scheme": "sip", "domain": "pbx.example.com"}, "sip:+12125550123@pbx.example.com"),
    ],
)
async def test_a_command_gets_the_uri(tmp_path: Path, table: dict[str, str], uri: str) -> None:
    """The command is run with the URI, the attempt and the agent filled in; the call is initiated."""
    seen = tmp_path / "seen"
    command = [sys.executable, "-c", WRITES, str(seen), "{uri}", "{attempt}", "{agent}"]
    async with host_with(command=command, **table) as host:
        made = await call(host)
    assert seen.read_text() == f"{uri} attempt-1 PJSIP/1001"
    assert made.state is ConnectionState.INITIATED


@pytest.mark.real_time
async def test_a_command_is_no_shell(tmp_path: Path) -> None:
    """What a shell would take for a command is an argument."""
    seen = tmp_path / "seen"
    async with host_with(command=[sys.executable, "-c", WRITES, str(seen), "$(id); {uri}"]) as host:
        await call(host)
    assert seen.read_text() == "$(id); tel:+12125550123"


@pytest.mark.real_time
@pytest.mark.parametrize(
    "agent",
    [
        Agent(id="u", endpoint="-oProxyCommand=touch pwned"),
        Agent(id="u", endpoint="-oProxyCommand"),
        Agent(id="u", endpoint="x;touch pwned;#"),
        Agent(id="u", endpoint="$(touch pwned)"),
        Agent(id="u", endpoint="a\nb"),
        Agent(id="-rf"),
        Agent(id="a b"),
    ],
    ids=lambda agent: agent.endpoint or agent.id,
)
async def test_an_endpoint_is_no_option_and_no_command(tmp_path: Path, agent: Agent) -> None:
    """Nothing runs with an agent's endpoint, or id in its place, that a program could take for more."""
    ran = tmp_path / "ran"
    async with host_with(command=[sys.executable, "-c", WRITES, str(ran), "{agent}", "{uri}"]) as host:
        with pytest.raises(ValueError, match="has characters that no program is handed"):
            await call(host, agent=agent)
    assert not ran.exists()


@pytest.mark.real_time
async def test_an_id_that_is_not_handed_over_may_be_any(tmp_path: Path) -> None:
    """If the command has no {agent}, an agent's id does not matter."""
    seen = tmp_path / "seen"
    async with host_with(command=[sys.executable, "-c", WRITES, str(seen), "{uri}"]) as host:
        await call(host, agent=Agent(id="Anna Müller"))
    assert seen.read_text() == "tel:+12125550123"


@pytest.mark.real_time
async def test_a_command_is_told_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program gets PATH and the like, and what pass_env names; the host's secrets stay with the host."""
    monkeypatch.setenv("LCM_TOKEN", "s3cret")
    monkeypatch.setenv("SOFTPHONE_LINE", "2")
    seen = tmp_path / "seen"
    tells = "import os, json, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))"
    command = [sys.executable, "-c", tells, str(seen), "{uri}"]
    async with host_with(command=command, pass_env=["SOFTPHONE_LINE"]) as host:
        await call(host)
    told = json.loads(seen.read_text())
    assert (told["PATH"], told["SOFTPHONE_LINE"]) == (os.environ["PATH"], "2")
    assert "LCM_TOKEN" not in told


@pytest.mark.real_time
async def test_a_command_that_fails_leaves_doubt() -> None:
    """A status other than 0 is an error: whether it rang is unknown."""
    async with host_with(command=[sys.executable, "-c", "raise SystemExit(3)", "{uri}"]) as host:
        with pytest.raises(RuntimeError, match="status 3"):
            await call(host)


@pytest.mark.real_time
async def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    """After timeout_seconds the command is killed, and nothing of it is left."""
    pid = tmp_path / "pid"
    hangs = (
        f"import os, pathlib, time; pathlib.Path({str(pid)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    async with host_with(command=[sys.executable, "-c", hangs, "{uri}"], timeout_seconds=1.5) as host:
        with pytest.raises(TimeoutError):
            await call(host)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


NOT_NUMBERS = ["+1212@evil", "12/34", "12&34", "12\n34", "${EXTEN}", "", "anonymous", "tel:123", "1;2", "١٢٣"]


@pytest.mark.parametrize("number", NOT_NUMBERS)
async def test_what_is_no_number_is_never_run(number: str) -> None:
    """Characters that could break a URI or a command are refused before anything is run, and not quoted."""
    async with host_with(command=["/nonexistent/program", "{uri}"]) as host:
        with pytest.raises(ValueError, match="no telephone number") as raised:
            await call(host, number)
    assert number == "" or len(number) < 3 or number not in str(raised.value)


@pytest.mark.real_time
async def test_a_late_call_is_not_placed() -> None:
    """After not_after nothing is run."""
    async with host_with(command=["/nonexistent/program", "{uri}"]) as host:
        with pytest.raises(TimeoutError):
            await call(host, seconds=-1)


async def test_a_webhook_gets_the_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    """The webhook is POSTed URI, attempt and agent, with its token and the attempt as idempotency key."""
    monkeypatch.setenv("HOOK_TOKEN", "t0ken")
    seen: list[tuple[dict[str, Any], dict[str, str]]] = []

    async def take(request: web.Request) -> web.Response:
        seen.append((json.loads(await request.text()), dict(request.headers)))
        return web.Response(status=202)

    async with _server(take) as url, host_with(webhook=url, token_env="HOOK_TOKEN") as host:  # noqa: S106  (a name)
        await call(host)
    ((body, headers),) = seen
    assert body == {
        "uri": "tel:+12125550123",
        "attempt_id": "attempt-1",
        "agent": {"id": "alice", "endpoint": "PJSIP/1001"},
    }
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["Idempotency-Key"] == "attempt-1"


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_webhook_that_fails_leaves_doubt(status: int) -> None:
    """Anything but a success is an error, and it is not asked again."""
    asked = 0

    async def refuse(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(status=status, headers={"Location": "/"})

    async with _server(refuse) as url, host_with(webhook=url) as host:
        with pytest.raises(RuntimeError, match=str(status)):
            await call(host)
    assert asked == 1


async def test_nothing_is_known_of_a_call_handed_over() -> None:
    """find_call has seen nothing, and no clear_call is its own: None is no proof that nothing rang."""
    async with host_with(command=["true", "{uri}"]) as host:
        assert await host.hooks.all("find_call", attempt_id="attempt-1") == []


@pytest.mark.parametrize(
    ("table", "health"),
    [
        ({"command": [sys.executable, "{uri}"]}, [(True, sys.executable)]),
        (
            {"command": ["no-such-program", "{uri}"]},
            [(False, "there is no program 'no-such-program'; see command")],
        ),
        ({"webhook": "http://127.0.0.1:1/"}, []),
    ],
    ids=["there", "not there", "webhook"],
)
async def test_health_tells_whether_the_program_is_there(
    table: dict[str, Any], health: list[tuple[bool, str]]
) -> None:
    """A program that is not there is named; a webhook is not asked, since it would take that for a call."""
    async with host_with(**table) as host:
        told = health_of(await host.hooks.all("report_health"))
    assert [(one.good, one.seen) for one in told] == health


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "set either command or webhook"),
        ({"command": ["x", "{uri}"], "webhook": "http://x"}, "set either command or webhook"),
        ({"command": ["x", "{number}"]}, "plugins.uri.command: wants {uri}"),
        ({"command": ["sh", "-c", "dial {uri}"]}, "is a shell's program: hand {uri} over as an argument"),
        ({"command": ["env", "/bin/bash", "-lc", "x {agent}", "{uri}"]}, "'x {agent}' is a shell's program"),
        ({"command": ["sh", "-c", "--", "{uri}"]}, "'{uri}' is a shell's program"),
        ({"command": ["sh", "-c", "-x", "{uri}"]}, "'{uri}' is a shell's program"),
        ({"command": ["bash", "-c", "-o", "pipefail", "{uri}"]}, "'{uri}' is a shell's program"),
        ({"command": ["su", "x", "-c", "dial {uri}"]}, "'dial {uri}' is a shell's program"),
        ({"command": ["su", "--command=dial {uri}", "x"]}, "'--command=dial {uri}' is a shell's program"),
        ({"command": ["su", "-cdial {uri}", "x"]}, "'-cdial {uri}' is a shell's program"),
        ({"command": ["cmd.exe", "/C", "start {uri}"]}, "'start {uri}' is a shell's program"),
        ({"webhook": "example.com/dial"}, "plugins.uri.webhook: must be an http or https address"),
        ({"webhook": "http://[dial"}, "plugins.uri.webhook: must be an http or https address"),
        ({"command": ["x", "{uri}"], "scheme": "sip"}, "plugins.uri.domain"),
        ({"command": ["x", "{uri}"], "scheme": "tell"}, 'did you mean "tel"?'),
        ({"webhook": "http://x", "token_env": "NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE"),
    ],
    ids=repr,
)
def test_wrong_settings_are_told(table: dict[str, Any], said: str) -> None:
    """A wrong setting is named, with what would be right."""
    with pytest.raises(ConfigError) as raised:
        Host.from_config({"cti": {"plugins": ["uri"]}, "plugins": {"uri": table}})
    assert said in str(raised.value)


def test_a_shell_that_gets_arguments_is_no_mistake() -> None:
    """The way out that is named is taken: what is filled in is an argument of the shell's program."""
    command = ["sh", "-c", 'dial "$1"', "sh", "{uri}"]
    Host.from_config({"cti": {"plugins": ["uri"]}, "plugins": {"uri": {"command": command}}})


@asynccontextmanager
async def _server(handler: Any) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/", handler)
    runner = web.AppRunner(app)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
