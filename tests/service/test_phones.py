"""An agent's endpoint is looked at when it is told, and not only when the phone is to ring."""

from typing import Any

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


async def test_a_dialer_that_names_no_endpoints_takes_any(site: Open) -> None:
    """Where the dialer asked first has no such rule, an endpoint is the site's own matter."""
    async with site(names=("lcm", "loopback", "asterisk"), tables={"asterisk": TABLES["asterisk"]}) as one:
        status, _ = await one.ask("PUT", "/v1/agents/1001", {"state": "not_ready", "endpoint": "desk 1"})
    assert status == 200
