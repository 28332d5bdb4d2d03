"""`lcm-plugin token`: a token for one, whose hash alone stands in the config file."""

import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lcm_plugin.service import service_settings

PROGRAM = str(Path(sys.executable).parent / "lcm-plugin")


def made(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [PROGRAM, "token", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  (our own program)


@pytest.mark.parametrize("name", ["alice", "Sue O'Neill", 'a "b" \\c'])
def test_the_lines_are_of_the_config_file(name: str) -> None:
    """What it prints is a table as the host reads it; the token, of that hash, is on standard error alone."""
    done = made(name, "--role", "agent", "--agent", "1001")
    token = done.stderr.splitlines()[-1]
    settings = service_settings(tomllib.loads(done.stdout)["service"], "cti.toml")
    one = settings.tokens[name]
    assert (done.returncode, one.role, one.agent) == (0, "agent", "1001")
    assert one.sha256 == hashlib.sha256(token.encode()).hexdigest()
    assert token not in done.stdout
    assert len(token) >= 40


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sue", "--role", "boss"], "'boss' is not one of"),
        (["sue", "--role", "supervisor", "--agent", "1"], "--agent goes with --role agent only"),
        (["a\nb", "--role", "agent"], "a name has no control characters"),
    ],
)
def test_what_cannot_be_is_said(arguments: list[str], said: str) -> None:
    """A wrong role, or an agent of a role that has none, is one clear error."""
    done = made(*arguments)
    assert (done.returncode, said in done.stderr, done.stdout) == (2, True, "")
