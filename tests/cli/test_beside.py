"""The commands that look, beside a running host of the same config file."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from cti_hooks import Agent
from lcm_plugin.attempts import NoAttemptError
from lcm_plugin.check import check
from lcm_plugin.errors import LcmError
from lcm_plugin.next_contact import next_contact
from lcm_plugin.sandbox.virtual_time import LoopClock
from lcm_plugin.why_not import explain_attempt, explain_sample
from tests.dialers.fakes.ari import FakeAri
from tests.dialers.fakes.listening import site

PERSON = {"PhoneNumber": "2125550123", "AccountNumber": "1", "ExpiryTime": "12/31/2030 10:00:00"}
ENVELOPE = {"channel": "LCM", "topic": "WebService", "subtopic": "DownloadContactsForDialing"}
SAMPLE = json.dumps({**ENVELOPE, "message": {"response": PERSON}}).encode()
COMMANDS: dict[str, Callable[[Path], Awaitable[object]]] = {
    "check": lambda config: check(config, agent=None, sample=None, probe=None),
    "check a sample": lambda config: check(config, agent=None, sample=SAMPLE, probe=None),
    "next": lambda config: next_contact(config, Agent(id="1"), None),
    "explain a sample": lambda config: explain_sample(config, SAMPLE, None, None),
    "explain an attempt": lambda config: explain_attempt(config, "none", None, None),
}


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command_leaves_the_running_host_its_engine(
    tmp_path: Path, clock: LoopClock, command: str
) -> None:
    """Whatever a command looks for, the running host's event socket stays its own."""
    ari, config = FakeAri(), tmp_path / "cti.toml"
    async with ari.listening(), site(clock, "asterisk", url=ari.url) as one:
        config.write_text(
            f'[cti]\nplugins = ["lcm", "asterisk"]\n[plugins.asterisk]\nurl = "{ari.url}"\n'
            '[plugins.lcm]\nurl = "http://127.0.0.1:9/"\nsource = "x"\ntimezone = "UTC"\n'
        )
        await one.healthy()
        with suppress(LcmError, NoAttemptError):
            await COMMANDS[command](config)
        assert (await one.health()).good
        assert ari.apps.count("lcm-plugin-cti") == 1


@pytest.mark.parametrize(("endpoint", "findings"), [(None, 1), ("1001", 0)])
async def test_check_tells_a_phone_that_cannot_be_rung(
    tmp_path: Path, clock: LoopClock, endpoint: str | None, findings: int
) -> None:
    """What its dialer would refuse of an agent's endpoint is a finding before a contact is fetched."""
    config = tmp_path / "cti.toml"
    config.write_text(
        '[cti]\nplugins = ["lcm", "uri"]\n[plugins.uri]\ncommand = ["true", "{agent}", "{uri}"]\n'
        '[plugins.lcm]\nurl = "http://127.0.0.1:9/"\nsource = "x"\ntimezone = "UTC"\n'
    )
    agent = Agent(id="DOM\\anna m", endpoint=endpoint)
    every = await check(config, agent=agent, sample=None, probe=None)
    found = [one for one in every if one.what == "endpoint"]
    assert len(found) == findings
    assert all(not one.good and "tell the agent's endpoint" in one.seen for one in found)
