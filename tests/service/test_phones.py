"""An agent's endpoint is looked at when it is told, and not only when the phone is to ring."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.service.conftest import Open

TABLES: dict[str, dict[str, Any]] = {
    "asterisk": {"url": "http://127.0.0.1:1/ari", "agents": ["1*"]},
    "freeswitch": {"port": 1, "password_env": "ESL_PASSWORD", "endpoint": "sofia/gateway/gw/{number}"},
}


@pytest.mark.parametrize(
    ("agent", "endpoint", "said"),
    [
        ("1001", "PJSIP/+19005550100@trunk", "none like PJSIP/1001"),
        ("1001", "user/1001", "none like PJSIP/1001"),
        ("1001", "PJSIP/1&PJSIP/2", "characters no dial string may have"),
        ("2001", "sofia/gateway/gw/+19005550100", "none like user/1001"),
        ("1001", "PJSIP/1001", ""),
        ("2001", "user/2001", ""),
    ],
)
async def test_an_endpoint_by_another_route_is_422(
    site: Open, monkeypatch: pytest.MonkeyPatch, agent: str, endpoint: str, said: str
) -> None:
    """The dialer of the agent's says what would be right; what is no endpoint of its is not taken."""
    monkeypatch.setenv("ESL_PASSWORD", "ClueCon")
    async with site(names=("lcm", *TABLES), tables=TABLES) as one:
        body = {"state": "not_ready", "endpoint": endpoint}
        status, told = await one.ask("PUT", f"/v1/agents/{agent}", body)
        listed = await one.get(f"/v1/agents/{agent}")
    if not said:
        assert (status, told["endpoint"]) == (200, endpoint)
        return
    assert (status, told["errors"][0]["field"]) == (422, "endpoint")
    assert said in told["errors"][0]["detail"]
    assert listed[0] == 404


@pytest.mark.parametrize(
    ("command", "agent", "endpoint", "said"),
    [
        (["true", "{agent}", "{uri}"], "1001", "-oProxyCommand=touch pwned", "the endpoint has"),
        (
            ["true", "{agent}", "{uri}"],
            "DOM\\anna m",
            None,
            "tell the agent's endpoint: the id has",
        ),
        (["true", "{agent}", "{uri}"], "DOM\\anna m", "1001", ""),
        (["true", "{uri}"], "DOM\\anna m", "desk 1", ""),
    ],
)
async def test_what_a_program_may_not_be_handed_is_422(
    site: Open, command: list[str], agent: str, endpoint: str | None, said: str
) -> None:
    """A program's `{agent}` is looked at when the agent is told, and not when a contact is in hand."""
    body = {"state": "ready", **({"endpoint": endpoint} if endpoint else {})}
    async with site(names=("lcm", "uri"), tables={"uri": {"command": command}}) as one:
        status, told = await one.ask("PUT", f"/v1/agents/{quote(agent)}", body)
    assert status == (422 if said else 200)
    assert not said or said in told["errors"][0]["detail"]
    assert "PJSIP" not in str(told)


@pytest.mark.parametrize(
    ("state", "endpoint", "status"),
    [("ready", None, 422), ("not_ready", None, 200), ("ready", "PJSIP/1001", 200)],
)
async def test_an_id_that_makes_no_endpoint_is_told_at_ready(
    site: Open, state: str, endpoint: str | None, status: int
) -> None:
    """An id that the template can not be filled with wants an endpoint told, before a contact is fetched."""
    table = {**TABLES["asterisk"], "agents": ["*"]}
    body = {"state": state, **({"endpoint": endpoint} if endpoint else {})}
    async with site(names=("lcm", "asterisk"), tables={"asterisk": table}) as one:
        seen, told = await one.ask("PUT", "/v1/agents/alice@acme", body)
    assert seen == status
    if status == 422:
        assert "tell the agent's endpoint: the id makes none like PJSIP/1001" in told["errors"][0]["detail"]


@pytest.mark.parametrize(("agent", "status"), [("1001", 422), ("2001", 200)])
async def test_a_dialer_that_names_no_endpoints_passes_the_question_on(
    site: Open, agent: str, status: int
) -> None:
    """A dialer without such a rule says nothing of an endpoint: the next that serves the agent does."""
    async with site(names=("lcm", "loopback", "asterisk"), tables={"asterisk": TABLES["asterisk"]}) as one:
        seen, _ = await one.ask("PUT", f"/v1/agents/{agent}", {"state": "not_ready", "endpoint": "desk 1"})
    assert seen == status
