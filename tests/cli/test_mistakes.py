"""Mistakes of a config file, as `check` and `run` tell them: all in one round, and none that is not one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real_time

PROGRAM = Path(sys.executable).parent / "lcm-plugin"
LCM = 'url = "http://127.0.0.1:9/"\nsource = "s"\ntimezone = "UTC"\nledger = "sqlite://"\n'
MODULE = """
from cti_hooks import hookimpl


class Bus:
    def __init__(self, settings):
        pass

    @hookimpl
    def lcm_transport(self, settings):
        return None
"""

THIRTEEN = """
[plugns]
[servce]
[cti]
nam = "x"
drain_seconds = -1
plugins = ["lcm", "calling-hours", "lopback"]
[plugins.lcm]
url = "http://127.0.0.1:8088/message"
sorce = "cti-host"
timezone = "Mars/Olympus"
consent = "wth"
auth = { type = "bearer", token_env = "NOT_SET_ANYWHERE" }
ledger = "mysql://x"
[plugins.calling-hours]
windw = "08:00-21:00"
[plugins.loopback]
talk_secs = 2
[service]
prot = 1
token_env = "NOT_SET_EITHER"
"""
TOLD = [
    '[plugns]: unknown table; did you mean "plugins"?',
    '[servce]: unknown table; did you mean "service"?',
    'cti.nam: unknown key; did you mean "name"?',
    "cti.drain_seconds: ",
    'cti.plugins: no plugin "lopback" is installed; did you mean "loopback"?',
    'plugins.lcm.sorce: unknown key; did you mean "source"?',
    "plugins.lcm.timezone: is no time zone",
    'plugins.lcm.consent: is not one of its values; did you mean "with"?',
    "plugins.lcm.auth.token_env: the environment has no variable NOT_SET_ANYWHERE; set it",
    "plugins.lcm.ledger: mysql is no database the ledger knows; use sqlite:/// or postgresql://",
    'plugins.calling-hours.windw: unknown key; did you mean "window"?',
    'plugins.loopback.talk_secs: unknown key; did you mean "talk_seconds"?',
    'service.prot: unknown key; did you mean "port"?',
    "service.token_env: the environment has no variable NOT_SET_EITHER; set it",
]


def told(tmp_path: Path, command: str, text: str) -> tuple[int, list[str]]:
    """The exit status of a command with this config file, and what it said."""
    path = tmp_path / "cti.toml"
    path.write_text(text)
    arguments = [str(PROGRAM), command, "--config", str(path)]
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False, env=env)  # noqa: S603  (our own program)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def install(tmp_path: Path) -> None:
    """A third party's distribution with a plugin that implements a hook which `lcm` brings."""
    (tmp_path / "acme_bus.py").write_text(MODULE)
    folder = tmp_path / "acme-1.2.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.2\n")
    (folder / "entry_points.txt").write_text("[cti.plugins]\nacme-bus = acme_bus:Bus\n")


@pytest.mark.parametrize("command", ["check", "run"])
def test_every_mistake_is_told_in_one_round(tmp_path: Path, command: str) -> None:
    """Wrong tables, keys and values of the host, its plugins and the service: all at once, each once."""
    status, lines = told(tmp_path, command, THIRTEEN)
    assert status == 2
    for mistake in TOLD:
        assert sum(mistake in line for line in lines) == 1, (mistake, lines)
    assert sum("cti.toml" not in line or "BAD" in line for line in lines) == len(TOLD)


@pytest.mark.parametrize(
    ("lcm", "enabled"),
    [(f"timezon = 1\n{LCM}", "lcm"), (LCM, "lmc"), (f"{LCM}try_seconds = 90\n", "lcm")],
    ids=["unknown key", "unknown plugin", "wrong value"],
)
def test_a_mistake_makes_no_false_ones_elsewhere(tmp_path: Path, lcm: str, enabled: str) -> None:
    """A plugin that implements a hook of `lcm` is told nothing because `lcm` itself is set up wrong."""
    install(tmp_path)
    text = f'[cti]\nplugins = ["acme-bus", "{enabled}"]\n[plugins.lcm]\n{lcm}'
    status, lines = told(tmp_path, "check", text)
    (line,) = lines
    assert (status, line.startswith("BAD ")) == (2, True)
    assert "lcm_transport" not in line


def test_a_hook_that_nobody_brings_is_a_mistake(tmp_path: Path) -> None:
    """If `lcm` is not enabled, a plugin that implements its hooks is told that there are none."""
    install(tmp_path)
    status, lines = told(tmp_path, "run", '[cti]\nplugins = ["acme-bus"]\n')
    assert (status, "there is no hook 'lcm_transport'" in lines[-1]) == (2, True)


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_second_lcm_is_refused_in_one_sentence(tmp_path: Path, command: str) -> None:
    """Two `lcm` plugins in one host are refused at load: the second is named, with the way out."""
    text = f'[cti]\nplugins = ["lcm", "other"]\n[plugins.lcm]\n{LCM}[plugins.other]\nplugin = "lcm"\n{LCM}'
    status, lines = told(tmp_path, command, text)
    assert status == 2
    assert lines[-1].endswith(
        "plugins.other: brings the same hooks as plugin 'lcm', and a host has each hook once; enable one of"
        " them, or give the second a host of its own"
    )
    assert len(lines) == (1 if command == "check" else 2)
