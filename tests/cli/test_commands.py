"""The list of commands, which is there before what they need is imported."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from lcm_plugin.cli import main

COMMANDS = ["attempts", "check", "demo", "explain", "next", "run", "sandbox"]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name: str) -> None:
    """Each is listed, and its own help says how it is written."""
    listed = CliRunner().invoke(main, ["--help"])
    done = CliRunner().invoke(main, [name, "--help"])
    assert f"\n  {name} " in listed.stdout
    assert (done.exit_code, done.stdout[: len(name) + 12]) == (0, f"Usage: main {name}")


def test_an_unknown_command_is_a_mistake() -> None:
    """One that is not listed ends with status 2 and its name."""
    done = CliRunner().invoke(main, ["atempts"])
    assert done.exit_code == 2
    assert "'atempts'" in done.stderr


@pytest.mark.real_time
def test_help_waits_for_no_import() -> None:
    """`--help` imports neither the contract nor a database or a web server: it answers at once."""
    asked = "import sys; from lcm_plugin.cli import main; main(['--help'], standalone_mode=False)"
    told = f"{asked}; print(sorted({{'aiohttp', 'asyncio', 'cti_hooks', 'sqlalchemy'}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)  # noqa: S603  (our own program)
    assert done.stdout.splitlines()[-1] == "[]"
