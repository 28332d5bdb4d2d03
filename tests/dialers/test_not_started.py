"""A dialer whose host has not started it has seen no call, and says so."""

from typing import Any

import pytest

from cti_hooks import Host

TABLES: dict[str, dict[str, Any]] = {
    "asterisk": {"url": "http://127.0.0.1:1/ari"},
    "asterisk-ami": {"user": "lcm", "password_env": "ENGINE_PASSWORD"},
    "baresip": {"endpoint": "sip:{number}@127.0.0.1", "phones": {"alice": {"port": 1}}},
    "freeswitch": {"password_env": "ENGINE_PASSWORD", "endpoint": "sofia/gateway/carrier/{number}"},
}


@pytest.mark.parametrize("dialer", TABLES)
async def test_a_dialer_that_is_not_started_cannot_tell(dialer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """find_call raises before the start: None would mean that nothing is there, and end a live call."""
    monkeypatch.setenv("ENGINE_PASSWORD", "secret")
    host = Host.from_config({"cti": {"plugins": [dialer]}, "plugins": {dialer: TABLES[dialer]}})
    (answer,) = await host.hooks.all("find_call", attempt_id="attempt-1")
    assert "not started" in str(answer.error)
