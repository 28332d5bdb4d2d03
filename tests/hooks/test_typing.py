"""The typed sides of the hooks: current, the same as the hooks by name, and a type checker's to look at."""

import ast
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cti_hooks import Agent, Hooks, TypedHooks, hookimpl
from cti_hooks.implementations import SelectCampaignGroups

ROOT = Path(__file__).parents[2]

THIRD_PARTY = """
from collections.abc import Sequence
from cti_hooks import Agent, Host, hookimpl
from cti_hooks.implementations import SelectCampaignGroups

async def right(host: Host, agent: Agent) -> Sequence[str] | None:
    await host.hook.on_agent_ready(agent=agent)
    return await host.hook.select_campaign_groups(agent=agent)

class Right(SelectCampaignGroups):
    @hookimpl
    async def select_campaign_groups(self, agent: Agent) -> Sequence[str] | None:
        return [agent.id]

class RightToo(SelectCampaignGroups):
    @hookimpl
    def select_campaign_groups(self, agent: Agent) -> list[str]:
        return [agent.id]

Right(), RightToo()

async def wrong(host: Host, agent: Agent) -> int:
    await host.hook.on_agent_redy(agent=agent)  # has no attribute "on_agent_redy"
    await host.hook.on_agent_ready(agnt=agent)  # Unexpected keyword argument "agnt"
    await host.hook.on_agent_ready(agent=agent.id)  # Argument "agent" to "on_agent_ready"
    return await host.hook.select_campaign_groups(agent=agent)  # Incompatible return value type

class Misspelt(SelectCampaignGroups):
    @hookimpl
    def select_campaign_group(self, agent: Agent) -> list[str]:
        return [agent.id]

Misspelt()  # Cannot instantiate abstract class "Misspelt"

class WrongArgument(SelectCampaignGroups):
    @hookimpl
    def select_campaign_groups(self, agnt: Agent) -> list[str]:  # incompatible with supertype
        return [agnt.id]

class WrongResult(SelectCampaignGroups):
    @hookimpl
    def select_campaign_groups(self, agent: Agent) -> int:  # incompatible with
        return 1
"""
"""A plugin of a third party's; a comment is what a type checker says of its line, and of no other."""


def statements(source: str) -> list[str]:
    """A module's statements, in whatever order and layout: a formatter sorts its imports."""
    return sorted(ast.dump(node) for node in ast.parse(source).body)


def test_the_typed_sides_are_current() -> None:
    """Each file is what `python hooks/facade.py` writes now, but for its layout."""
    for path, text in runpy.run_path(str(ROOT / "hooks" / "facade.py"))["files"]().items():
        assert statements(text) == statements(path.read_text(encoding="utf-8")), path.name


async def test_a_typed_call_is_the_hook_of_its_name(plug: Any) -> None:
    """`TypedHooks(hooks)` asks the same implementations the same way."""

    class Site:
        @hookimpl
        async def select_campaign_groups(self, agent: Agent) -> list[str]:
            return [f"groups of {agent.id}"]

    hooks: Hooks = plug(Site())
    assert await TypedHooks(hooks).select_campaign_groups(agent=Agent(id="1001")) == ["groups of 1001"]


def test_an_implementation_without_its_hook_is_not_made() -> None:
    """A class that says which hook it implements cannot be made without it."""

    class Misspelt(SelectCampaignGroups):
        pass

    with pytest.raises(TypeError, match="select_campaign_groups"):
        Misspelt()  # type: ignore[abstract]  # it is what is tested


@pytest.mark.real_time
@pytest.mark.long
def test_a_type_checker_finds_mistakes(tmp_path: Path) -> None:
    """A misspelt hook or argument and a wrong result, of callers and implementations; and nothing else."""
    pytest.importorskip("mypy", reason="it is of the extra `check`")
    file = tmp_path / "third_party.py"
    file.write_text(THIRD_PARTY)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(file)]
    env = {**os.environ, "MYPYPATH": os.pathsep.join([str(ROOT), str(ROOT / "hooks")])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=120)  # noqa: S603  (our own file)
    told = [line.partition(":")[2] for line in done.stdout.splitlines() if ": error: " in line]
    by_line = {int(line.partition(":")[0]): line for line in told}
    lines = enumerate(THIRD_PARTY.splitlines(), start=1)
    wanted = {number: line.partition("  # ")[2] for number, line in lines if "  # " in line}
    assert by_line.keys() == wanted.keys(), done.stdout
    assert all(said in by_line[number] for number, said in wanted.items()), done.stdout
