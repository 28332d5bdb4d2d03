"""The fixture third parties test their plugins with, in a pytest run of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real_time

THEIRS = """
import asyncio
import urllib.request, json
import pytest
from cti_hooks import Agent, Host

GROUP = "AD Dev Manual Group"


def test_sync(lcm_sandbox):
    body = {"channel": "LCM", "topic": "WebService", "subtopic": "GetCampaignGroups", "data": {"userID": "a"}}
    request = urllib.request.Request(lcm_sandbox.url, data=json.dumps(body).encode())
    with urllib.request.urlopen(request) as reply:
        assert GROUP in reply.read().decode()
    assert [one.subtopic for one in lcm_sandbox.requests] == ["GetCampaignGroups"]


def test_async(lcm_sandbox):
    async def fetch():
        settings = {"url": lcm_sandbox.url, "source": "theirs", "timezone": "America/New_York"}
        config = {"cti": {"plugins": ["lcm"]}, "plugins": {"lcm": settings}}
        async with Host.from_config(config) as host:
            return await host.hooks.first("request_next_contact", agent=Agent(id="a"), campaign_group=GROUP)

    lcm_sandbox.order("drop,times=1")
    contact = asyncio.run(fetch())
    assert dict(lcm_sandbox.account.reservations) == {contact.key: "a"}


@pytest.mark.lcm_sandbox(contacts=[], callbacks="both")
def test_its_options(lcm_sandbox):
    body = {"channel": "LCM", "topic": "WebService", "subtopic": "GetCampaignGroups", "data": {"userID": "a"}}
    request = urllib.request.Request(lcm_sandbox.url, data=json.dumps(body).encode())
    with urllib.request.urlopen(request) as reply:
        assert GROUP not in reply.read().decode()
"""


@pytest.mark.long
def test_the_fixture_serves_sync_and_async_tests(tmp_path: Path) -> None:
    """Whoever installs the package has the fixture and its marker, and their tests pass with them."""
    (tmp_path / "test_theirs.py").write_text(THEIRS)
    options = ["-q", "-W", "error", "--strict-markers", "-p", "no:asyncio"]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)  # noqa: S603  (our own tests)
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    """A pytest run that does not use the fixture does not pay for it."""
    code = "import sys, lcm_plugin.pytest_plugin; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603  (our own module)
