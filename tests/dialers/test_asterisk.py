"""The asterisk dialer without an Asterisk: settings, dial strings, and what never reaches one."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from cti_hooks import Agent, Attempt, AttemptState, Call, CannotTellError, ConfigError, Dial, Host
from lcm_plugin.dialers.asterisk.ari import Ari, AriRefusedError
from lcm_plugin.dialers.asterisk.endpoints import AgentEndpoint, NumberEndpoint
from lcm_plugin.dialers.asterisk.settings import AriSettings, AsteriskSettings
from lcm_plugin.dialers.numbers import UndialableNumberError

NOWHERE = "http://127.0.0.1:1/ari"
DIAL_STRING = re.compile(r"[A-Za-z0-9]+/[\w.+@:/;=-]+", re.ASCII)


def attempt(identity: str = "attempt-1", **agent: Any) -> Attempt:
    return Attempt(
        id=identity,
        agent=Agent(**{"id": "1001", **agent}),
        contact=None,
        state=AttemptState.DIALING,
        campaign_group="G",
        opened_at=datetime.now(UTC),
    )


def dial(to: str = "+12125550123", seconds: float = 10, **facts: Any) -> Dial:
    return Dial(to=to, not_after=datetime.now(UTC) + timedelta(seconds=seconds), **facts)


@asynccontextmanager
async def host_with(**table: Any) -> AsyncIterator[Host]:
    config = {"cti": {"plugins": ["asterisk"]}, "plugins": {"asterisk": table}}
    async with Host.from_config(config) as host:
        yield host


@asynccontextmanager
async def served(handler: Any, ssl_context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=ssl_context).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("template", "dialed"),
    [
        ("PJSIP/{number}@trunk", "PJSIP/+12125550123@trunk"),
        ("PJSIP/{digits}@trunk", "PJSIP/12125550123@trunk"),
        ("Local/{number}@out-going/n", "Local/+12125550123@out-going/n"),
        ("PJSIP/trunk/sip:{number}@10.0.0.1:5060", "PJSIP/trunk/sip:+12125550123@10.0.0.1:5060"),
    ],
)
def test_a_number_is_filled_into_the_template(template: str, dialed: str) -> None:
    """The customer's endpoint is the template with the number in it, with its plus or without."""
    assert NumberEndpoint(template).filled("+1 212 555 0123") == dialed


@given(number=st.text(), template=st.sampled_from(["PJSIP/{number}@trunk", "Local/{digits}@context"]))
def test_a_dial_string_has_nothing_in_it_that_could_break_it(number: str, template: str) -> None:
    """Whatever the LCM hands out as a number: a dial string of one endpoint, or an error."""
    try:
        filled = NumberEndpoint(template).filled(number)
    except UndialableNumberError:
        return
    assert DIAL_STRING.fullmatch(filled)
    assert filled.count("/") == filled.count("@") == 1


@given(endpoint=st.text(min_size=1), told=st.booleans())
def test_an_agents_endpoint_neither(endpoint: str, *, told: bool) -> None:
    """Whatever the host tells of an agent: a dial string of one endpoint, or an error."""
    agent = Agent(id="1001", endpoint=endpoint) if told else Agent(id=endpoint)
    try:
        filled = AgentEndpoint("PJSIP/{agent}").filled(agent)
    except ValueError:
        return
    assert DIAL_STRING.fullmatch(filled)


@pytest.mark.parametrize(
    ("number", "said"),
    [(number, "no telephone number") for number in ("+1212@evil", "12/34", "12&34", "12\n34", "${EXTEN}")],
)
async def test_what_is_no_number_never_reaches_asterisk(number: str, said: str) -> None:
    """A number a dial string could be broken by is refused before anything is asked or placed."""
    async with host_with(url=NOWHERE) as host:
        with pytest.raises(UndialableNumberError, match=said):
            await host.hooks.first("make_call", attempt=attempt(), dial=dial(number))


@pytest.mark.parametrize(
    ("of_attempt", "of_dial", "said"),
    [
        ({}, {"caller_id": '"x" <1>, y'}, "no telephone number"),
        ({}, {"variables": {"SHELL(id)": "1"}}, "no channel variable"),
        ({}, {"variables": {"campaign": "${SHELL(id)}"}}, "no channel variable"),
        ({}, {"seconds": -1}, "too late"),
        ({"identity": "a/../b"}, {}, "no channel's"),
        ({"endpoint": "PJSIP/1&PJSIP/2"}, {}, "none like PJSIP/1001"),
        ({"id": "eve,,1"}, {}, "tell the agent's endpoint"),
    ],
    ids=repr,
)
async def test_what_could_break_something_never_reaches_asterisk(
    of_attempt: dict[str, Any], of_dial: dict[str, Any], said: str
) -> None:
    """Caller ids, endpoints, ids and variables are looked at before anything is asked or placed."""
    async with host_with(url=NOWHERE) as host:
        with pytest.raises(Exception, match=said):
            await host.hooks.first("make_call", attempt=attempt(**of_attempt), dial=dial(**of_dial))


async def test_without_an_asterisk_nothing_is_placed() -> None:
    """An Asterisk that is not there places nothing, so the next dialer is asked; find_call cannot tell."""
    async with host_with(url=NOWHERE) as host:
        assert await host.hooks.first("make_call", attempt=attempt(), dial=dial()) is None
        (found,) = await host.hooks.all("find_call", attempt_id="attempt-1")
        assert "cannot be reached at 127.0.0.1:1" in str(found.error)
        stranger = Call(id="x-c", attempt_id="x", state="connected", engine="elsewhere")
        assert await host.hooks.first("clear_call", call=stranger) is None


async def test_an_asterisk_that_cannot_be_asked_is_named() -> None:
    """Of a call that no Asterisk has, the one that is down is named; an agent's own is told by engine_of."""

    async def nothing(request: web.Request) -> web.Response:
        return web.json_response([])

    async with served(nothing) as port:
        north = {"url": f"http://127.0.0.1:{port}/ari", "agents": ["10*"]}
        async with host_with(engines={"north": north, "south": {"url": NOWHERE, "agents": ["2*"]}}) as host:
            (answer,) = await host.hooks.all("find_call", attempt_id="attempt-1")
            dialer: Any = host.plugins["asterisk"]
            assert isinstance(answer.error, CannotTellError)
            assert answer.error.engines == {"south"}
            assert [dialer.engine_of(Agent(id=one)) for one in ("1001", "2001", "3001")] == [
                "north",
                "south",
                None,
            ]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "refuses user 'lcm' or its password: compare password_env with ari.conf"),
        (404, "url should end in /ari"),
    ],
)
async def test_an_asterisk_that_says_no_is_told_in_one_line(
    status: int, said: str, caplog: pytest.LogCaptureFixture, clock: Any
) -> None:
    """A wrong password or path: health is not good and says why; one line is logged, however often tried."""
    tries: list[float] = []

    async def refuse(request: web.Request) -> web.Response:
        tries.append(clock.now().timestamp())
        return web.Response(status=status)

    async with served(refuse) as port, host_with(url=f"http://127.0.0.1:{port}/ari") as host:
        (answer,) = await host.hooks.all("report_health")
        assert not answer.value[0].good
        assert said in answer.value[0].seen
        await asyncio.sleep(300)
    assert caplog.text.count(said) == 1
    pauses = [after - before for before, after in pairwise(tries)]
    assert 10 < len(tries) < 30
    assert max(pauses) > 20
    assert pauses[0] < 1


async def test_a_redirect_is_not_followed() -> None:
    """An Asterisk that redirects is named; where it points to hears nothing, and an order is refused."""
    elsewhere: list[str] = []

    async def hear(request: web.Request) -> web.Response:
        elsewhere.append(request.path)
        return web.Response()

    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": f"http://127.0.0.1:{other}{request.path_qs}"})

    async with (
        served(hear) as other,
        served(redirect) as port,
        host_with(url=f"http://127.0.0.1:{port}/ari") as host,
    ):
        (answer,) = await host.hooks.all("report_health")
        settings = AriSettings(url=f"http://127.0.0.1:{port}/ari")
        ari = Ari(name="asterisk", settings=settings, directory=Path.cwd(), seconds=1)
        ari.open()
        with pytest.raises(AriRefusedError):
            await ari.originate("attempt-1-a")
        await ari.close()
    assert "redirects, with HTTP status 307, and is not followed: check url" in answer.value[0].seen
    assert elsewhere == []


async def test_a_wrong_name_in_the_certificate_is_told() -> None:
    """TLS is verified: a certificate of another name is named as what is wrong."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("pbx.example.com").configure_cert(context)

    async def never(request: web.Request) -> web.Response:
        raise AssertionError

    async with (
        served(never, ssl_context=context) as port,
        host_with(url=f"https://127.0.0.1:{port}/ari") as host,
    ):
        (answer,) = await host.hooks.all("report_health")
        assert "shows a certificate that is not to be trusted" in answer.value[0].seen


async def test_http_where_tls_is_meant_is_told() -> None:
    """An https url to a port that speaks plain HTTP is named as such."""

    async def never(request: web.Request) -> web.Response:
        raise AssertionError

    async with served(never) as port, host_with(url=f"https://127.0.0.1:{port}/ari") as host:
        (answer,) = await host.hooks.all("report_health")
        assert "does not speak TLS there" in answer.value[0].seen


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "set either url, for one Asterisk, or engines"),
        ({"url": NOWHERE, "engines": {"a": {"url": NOWHERE}}}, "set either url"),
        ({"engines": {"a": {}}}, "engines.a.url: is required"),
        ({"url": "127.0.0.1:8088"}, "must be like http://127.0.0.1:8088/ari"),
        ({"url": "http://lcm:secret@127.0.0.1/ari"}, "must hold no password"),
        ({"url": NOWHERE, "endpoint": "PJSIP/trunk"}, "must have {number} or {digits} in it"),
        ({"url": NOWHERE, "endpoint": "{number}"}, "must be like PJSIP/{number}@trunk"),
        ({"url": NOWHERE, "endpoint": "PJSIP/{number}@a&PJSIP/1"}, "must be like PJSIP/{number}@trunk"),
        ({"url": NOWHERE, "agent_endpoint": "PJSIP/{number}"}, "must have {agent} in it"),
        ({"url": NOWHERE, "app": "a,b"}, "app"),
        ({"url": NOWHERE, "ca_file": "ca.pem"}, "ca_file: needs a url with https://"),
        (
            {"engines": {"a": {"url": NOWHERE, "ca_file": "ca.pem"}}},
            "engines.a.ca_file: needs a url with https",
        ),
        ({"url": NOWHERE, "password_env": "NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE"),
        ({"url": NOWHERE, "pasword_env": "X"}, 'did you mean "password_env"?'),
    ],
    ids=repr,
)
def test_wrong_settings_are_told(table: dict[str, Any], said: str) -> None:
    """A wrong setting is named, with what would be right."""
    with pytest.raises(ConfigError) as raised:
        Host.from_config({"cti": {"plugins": ["asterisk"]}, "plugins": {"asterisk": table}})
    assert said in str(raised.value)
    assert "plugins.asterisk" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_agents_are_mapped_to_engines() -> None:
    """An agent's calls are placed by the first engine whose patterns fit; one without patterns takes all."""
    host = Host.from_config(
        {
            "cti": {"plugins": ["asterisk"]},
            "plugins": {
                "asterisk": {
                    "engines": {
                        "north": {"url": NOWHERE, "agents": ["10*", "boss"]},
                        "south": {"url": NOWHERE},
                    }
                }
            },
        }
    )
    engines: Any = host.plugins["asterisk"]
    assert list(engines.engines) == ["north", "south"]
    chosen = {
        agent: next(
            name for name, engine in engines.engines.items() if engine.places_calls_of(Agent(id=agent))
        )
        for agent in ("1001", "boss", "2001")
    }
    assert chosen == {"1001": "north", "boss": "north", "2001": "south"}


def test_the_password_comes_from_a_file(tmp_path: Path) -> None:
    """password_file is relative to the config file."""
    (tmp_path / "ari").write_text("secret\n")
    (tmp_path / "ari").chmod(0o600)
    settings = AsteriskSettings(url=NOWHERE, password_file="ari")  # noqa: S106  (a file's name)
    assert settings.password(tmp_path) == "secret"
