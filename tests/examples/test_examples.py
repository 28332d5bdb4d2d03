"""The examples, installed and run as their readers would."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from attrs import fields

from cti_hooks import Host, settings
from lcm_plugin.config import LcmSettings

pytestmark = [pytest.mark.real_time, pytest.mark.xdist_group("examples")]  # installed once

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
NEEDED = {"url": "http://127.0.0.1", "source": "s", "timezone": "UTC"}


def run(*command: object, cwd: Path, path: Path | None = None) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "PYTHONPATH": str(path or "")}
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603  (our own examples)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both example distributions, installed by pip into a folder of their own."""
    folder = tmp_path_factory.mktemp("installed")
    options = [
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--disable-pip-version-check",
        "--target",
        folder,
    ]
    for name in ("acme_crm", "acme_dialer"):
        source = tmp_path_factory.mktemp(name) / name
        source.mkdir()
        for path in (EXAMPLES / name).iterdir():
            if path.is_file():
                (source / path.name).write_bytes(path.read_bytes())
        done = run(sys.executable, "-m", "pip", "install", *options, source, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


def test_embedding_runs() -> None:
    """examples/embed.py runs as it is."""
    done = run(sys.executable, EXAMPLES / "embed.py", cwd=EXAMPLES)
    assert done.returncode == 0, done.stderr
    assert "1001 gets Contact(key='walk-in|1', phone_number=***23" in done.stdout
    assert "1001 waits" in done.stdout


@pytest.mark.long
def test_the_third_partys_plugin_passes_its_own_tests(installed: Path, tmp_path: Path) -> None:
    """acme-crm, installed, enriches and refuses contacts of a sandbox LCM; its tests use our fixture."""
    tests = tmp_path / "test_acme_crm.py"
    tests.write_bytes((EXAMPLES / "acme_crm" / "test_acme_crm.py").read_bytes())
    done = run(sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", tests, cwd=tmp_path, path=installed)
    assert "4 passed" in done.stdout, done.stdout + done.stderr


WHOLE_WAY = """
import asyncio, sys
from cti_hooks import Agent, Host, hookimpl
from lcm_plugin.sandbox import Sandbox, SandboxContact


class Watch:
    def __init__(self):
        self.ended = asyncio.Event()

    @hookimpl
    def on_attempt_changed(self, attempt):
        print(attempt.state, attempt.calls[-1].state if attempt.calls else "")
        if attempt.state == "ended":
            self.ended.set()


async def main(port):
    people = [SandboxContact(key="k1", phone_number="+12125550101", campaign_group="Acme")]
    async with Sandbox(contacts=people) as lcm:
        settings = {"url": lcm.url, "source": "acme", "timezone": "America/New_York"}
        settings["preview"] = {"seconds": 0}
        plugins = {"lcm": settings, "acme-dialer": {"port": port}}
        host = Host.from_config({"cti": {"plugins": ["lcm", "acme-dialer"]}, "plugins": plugins})
        watch = Watch()
        host.register(watch)
        async with host:
            await host.hooks.all("on_agent_ready", agent=Agent(id="1001", endpoint="desk-1"))
            await asyncio.wait_for(watch.ended.wait(), 20)


asyncio.run(main(int(sys.argv[1])))
"""


@pytest.mark.long
def test_the_dialer_backend_places_a_call(installed: Path, tmp_path: Path) -> None:
    """acme-dialer, installed, takes a contact from the LCM to its PBX, and the call to its end."""
    pbx = [sys.executable, str(installed / "acme_pbx.py"), "0"]
    with subprocess.Popen(pbx, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603  (our own example)
        try:
            assert running.stdout is not None
            port = running.stdout.readline().split()[-1]
            (tmp_path / "whole_way.py").write_text(WHOLE_WAY)
            done = run(sys.executable, tmp_path / "whole_way.py", port, cwd=tmp_path, path=installed)
        finally:
            running.terminate()
            running.wait(timeout=10)
    assert done.returncode == 0, done.stderr
    assert "calling connected" in done.stdout
    assert done.stdout.splitlines()[-1] == "ended null"


def test_the_config_loads() -> None:
    """examples/cti.toml is a config that loads."""
    assert set(Host.from_config(EXAMPLES / "cti.toml").plugins) == {"lcm", "loopback"}


def test_the_config_explains_every_setting() -> None:
    """Each setting of [plugins.lcm] is in examples/cti.toml, with its default, if it has a plain one."""
    text = (EXAMPLES / "cti.toml").read_text(encoding="utf-8")
    for setting in fields(LcmSettings):
        assert f"{setting.name} = " in text
        if isinstance(setting.default, bool):
            assert f"# {setting.name} = {str(setting.default).lower()}" in text
        elif isinstance(setting.default, int | float):
            assert f"# {setting.name} = {setting.default:g}" in text


def test_what_is_commented_out_is_true() -> None:
    """The commented settings are valid TOML, and the plugin takes them."""
    table = tomllib.loads("\n".join(commented_out()))
    assert Host.from_config({"cti": {"plugins": ["lcm"]}, "plugins": {"lcm": {**NEEDED, **table}}}).plugins


def test_what_is_commented_out_is_the_default() -> None:
    """A commented setting has its default beside it, unless the line says that it is an example."""
    defaults = settings.read(LcmSettings, NEEDED)
    for line in commented_out():
        given = settings.read(LcmSettings, {**NEEDED, **tomllib.loads(line)})
        assert (given == defaults) is ("# e.g." not in line), line


def commented_out() -> list[str]:
    lines = (EXAMPLES / "cti.toml").read_text(encoding="utf-8").splitlines()
    start = lines.index("[plugins.lcm]")
    end = next(n for n, line in enumerate(lines) if line.startswith("[plugins.loopback]"))
    return [line.removeprefix("# ") for line in lines[start:end] if re.match(r"# \w+ = ", line)]
