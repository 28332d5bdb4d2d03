"""`lcm-plugin check` at real engines: what it says of each dialer."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cti_hooks import Agent
from lcm_plugin.check import Finding, check
from lcm_plugin.sandbox import Sandbox
from tests.telephony.bench.asterisk import Asterisk
from tests.telephony.bench.config import config_file
from tests.telephony.bench.customer import Sipp
from tests.telephony.bench.shift import lcm_settings, table_of
from tests.telephony.bench.softphone import Softphone

pytestmark = pytest.mark.real_time

AMI = "asterisk-ami"
NUMBER_AS_ENDPOINT = {"endpoint": "PJSIP/{number}"}
NOBODYS = {"alice": {"port": 1}}
NO_SUCH_TRUNK = {"endpoint": "PJSIP/{number}@carrier"}


@pytest.fixture(autouse=True)
def passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARI_PASSWORD", "secret")
    monkeypatch.setenv("AMI_PASSWORD", "secret")
    monkeypatch.setenv("WRONG_PASSWORD", "wrong")


@pytest.fixture
def tables(
    shared_asterisk: Asterisk, sipp: Sipp, open_softphone: Callable[..., Softphone]
) -> dict[str, dict[str, Any]]:
    """Three dialers, all of them good."""
    return {
        "asterisk": table_of("asterisk", shared_asterisk),
        AMI: table_of(AMI, shared_asterisk, name="pbx"),
        "baresip": {
            "endpoint": f"sip:{{number}}@127.0.0.1:{sipp.port}",
            "phones": {"alice": {"port": open_softphone().control_port}},
        },
    }


async def test_check_says_what_it_reached(tables: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """Each dialer's engine is told with its version, and all is good."""
    findings = await checked(tables, tmp_path)
    seen = {finding.what.split()[0]: finding.seen for finding in findings}
    assert all(finding.good for finding in findings)
    assert seen["asterisk"].startswith("Asterisk 22")
    assert seen[AMI].startswith("Asterisk 22")
    assert seen["baresip"].startswith("1 of 1 softphones; baresip ")


@pytest.mark.parametrize(
    ("dialer", "table", "what", "said"),
    [
        ("asterisk", NUMBER_AS_ENDPOINT, "asterisk", "write 'PJSIP/{number}@trunk'"),
        ("asterisk", NO_SUCH_TRUNK, "asterisk", "no PJSIP endpoint 'carrier'; there are: 1001,"),
        ("asterisk", {"password_env": "WRONG_PASSWORD"}, "asterisk", "refuses user 'lcm' or its password"),
        (AMI, NUMBER_AS_ENDPOINT, "settings", 'write "PJSIP/{number}@trunk"'),
        (AMI, NO_SUCH_TRUNK, AMI, "there is no PJSIP endpoint 'carrier'"),
        (AMI, {"endpoint": "PJSIP/{number}@1003"}, AMI, "PJSIP endpoint '1003' is offline"),
        (
            AMI,
            {"password_env": "WRONG_PASSWORD"},
            AMI,
            "it refuses user and password; see user and password_",
        ),
        ("baresip", {"endpoint": "{number}@pbx"}, "settings", "wants a SIP URI"),
        ("baresip", {"phones": NOBODYS}, "baresip", "alice's not: nothing listens on 127.0.0.1:1;"),
    ],
)
async def test_check_says_what_is_wrong(
    tables: dict[str, dict[str, Any]],
    tmp_path: Path,
    dialer: str,
    table: dict[str, Any],
    what: str,
    said: str,
) -> None:
    """A mistake is one line, said of the dialer that has it and of no other."""
    findings = await checked({**tables, dialer: {**tables[dialer], **table}}, tmp_path)
    bad = [(finding.what.split()[0], finding.seen) for finding in findings if not finding.good]
    assert [name for name, _ in bad] == [what]
    assert said in bad[0][1]


@pytest.mark.parametrize("module", ["app_bridgewait", "bridge_holding"])
async def test_check_names_the_module_that_is_missing(
    own_asterisk: Asterisk, tmp_path: Path, module: str
) -> None:
    """Agents wait in BridgeWait, for which Asterisk has two modules to load; not where `waiting` is set."""
    own_asterisk.command(f"module unload {module}.so")
    table = table_of(AMI, own_asterisk)
    (bad,) = [one for one in await checked({AMI: table}, tmp_path) if not one.good]
    assert f"module {module} is not loaded" in bad.seen
    assert all(one.good for one in await checked({AMI: table | {"waiting": "Wait(60)"}}, tmp_path))


async def checked(tables: dict[str, dict[str, Any]], folder: Path) -> list[Finding]:
    """What is found."""
    config = folder / "cti.toml"
    async with Sandbox() as lcm:
        plugins = {"lcm": lcm_settings(lcm, folder / "ledger.db"), **tables}
        text = config_file({"cti": {"plugins": list(plugins)}, "plugins": plugins})
        await asyncio.to_thread(config.write_text, text)
        return await check(config, agent=Agent(id="alice"), sample=None, probe=None)
