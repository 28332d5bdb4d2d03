"""examples/asterisk, as its README tells to use it: sandbox LCM, host, Asterisk, a registered phone, sipp."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import fields

from cti_hooks import Host
from lcm_plugin.dialers.asterisk.settings import AsteriskSettings
from tests.telephony.bench.customer import hangs_up_after

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "asterisk"
PRACTICE = 'endpoint = "Local/{number}@practice"'
TRUNK = '# endpoint = "PJSIP/{number}@trunk"'


def run(*words: object) -> tuple[str, list[dict[str, Any]]]:
    """What `check` said, and what was seen while they talked and after, in a network with loopback only."""
    script = [sys.executable, "-m", "tests.telephony.first_call", *map(str, words)]
    alone = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *script]
    env = {**os.environ, "ARI_PASSWORD": "change-me"}
    done = subprocess.run(alone, cwd=ROOT, env=env, capture_output=True, text=True, timeout=55, check=False)  # noqa: S603  (our own script)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    return "\n".join(lines[:-2]), [json.loads(line) for line in lines[-2:]]


def test_the_files_as_they_are_make_a_call(engines_here: None, tmp_path: Path) -> None:
    """Copied unchanged, they bring an agent's phone and the dialplan's customer together, and apart again."""
    config = shutil.copy(EXAMPLE / "cti.toml", tmp_path)  # beside the config file is the ledger
    said, (talking, over) = run(EXAMPLE, config)
    assert "BAD" not in said
    assert "Asterisk 22" in said
    attempt = talking["attempt"]
    assert attempt["state"] == "calling"
    assert {f"{attempt['id']}-a", f"{attempt['id']}-c"} < set(talking["channels"])
    assert over["channels"] == []


def test_the_other_endpoint_calls_by_the_trunk(engines_here: None, tmp_path: Path) -> None:
    """With the two endpoint lines swapped, as the README says, the customer is called over SIP."""
    text = (EXAMPLE / "cti.toml").read_text(encoding="utf-8")
    assert PRACTICE in text
    assert TRUNK in text
    swapped = text.replace(PRACTICE, f"# {PRACTICE}").replace(TRUNK, TRUNK.removeprefix("# "))
    (tmp_path / "cti.toml").write_text(swapped, encoding="utf-8")
    contacts = [{"key": "1|2", "phone_number": hangs_up_after(20)}]
    (tmp_path / "contacts.json").write_text(json.dumps(contacts), encoding="utf-8")
    said, (talking, over) = run(EXAMPLE, tmp_path / "cti.toml", tmp_path / "contacts.json")
    assert "BAD" not in said
    identity = talking["attempt"]["id"]
    assert sorted(talking["channels"]) == [f"{identity}-a", f"{identity}-c"]
    assert over["channels"] == []


def test_the_config_explains_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting of the asterisk dialer is in the example, with its default if that is plain."""
    monkeypatch.setenv("ARI_PASSWORD", "x")
    text = (EXAMPLE / "cti.toml").read_text(encoding="utf-8")
    assert set(Host.from_config(EXAMPLE / "cti.toml").plugins) == {"lcm", "asterisk"}
    for setting in fields(AsteriskSettings):
        assert f"{setting.name} = " in text or f".{setting.name}." in text
        if isinstance(setting.default, float):
            assert f"# {setting.name} = {setting.default:g}" in text
