"""What makes a plugin acceptable, and what a contract module may import."""

import ast
import sys
from pathlib import Path

import pluggy
import pytest

import cti_hooks
from cti_hooks import Declaration, Hooks, PluginError, Way, hookimpl, hookspec, register, spec

FOLDER = Path(cti_hooks.__file__).parent


def manager() -> pluggy.PluginManager:
    pm = pluggy.PluginManager("cti")
    pm.add_hookspecs(spec)
    return pm


class Slips:
    @hookimpl
    def on_agent_redy(self, agent: object) -> None: ...

    @hookimpl
    def request_next_contact(self, agent: object, campain_group: str) -> None: ...


def test_all_slips_are_told_at_once() -> None:
    """Unknown hooks and arguments are named with their plugin and the nearest right word, all at once."""
    with pytest.raises(PluginError) as raised:
        register(manager(), Slips(), "slips")
    told = str(raised.value).splitlines()
    assert len(told) == 2
    assert all("plugin 'slips'" in line for line in told)
    assert 'did you mean "on_agent_ready"?' in told[0]
    assert 'did you mean "campaign_group"?' in told[1]


def test_a_class_is_no_plugin() -> None:
    """A class in place of an instance is told as what it is: the () forgotten."""
    with pytest.raises(PluginError, match=r"is the class Slips, not an instance: the \(\) is missing"):
        register(manager(), Slips, "slips")


def test_an_object_without_hooks_is_no_plugin() -> None:
    """An object that implements no hook is told, since a marker was forgotten."""
    with pytest.raises(PluginError, match="implements no hook: mark its functions with @hookimpl"):
        register(manager(), object(), "nothing")


def test_optional_hooks_may_be_unknown() -> None:
    """optionalhook=True is for hooks of another plugin that may not be there."""

    class Optional:
        @hookimpl(optionalhook=True)
        def lcm_adjust_request(self) -> None: ...

    register(manager(), Optional(), "optional")


async def test_a_plugin_brings_hooks_of_its_own() -> None:
    """Hookspecs of third parties are called as they declare, after add_hookspecs."""

    class Specs:
        @staticmethod
        @hookspec(Declaration(way=Way.FIRST))
        def acme_colour(name: str) -> str | None: ...

    class Plugin:
        @hookimpl
        async def acme_colour(self, name: str) -> str:
            return f"{name} is red"

    pm = manager()
    pm.add_hookspecs(Specs)
    register(pm, Plugin(), "acme")
    assert await Hooks(pm).first("acme_colour", name="it") == "it is red"


@pytest.mark.parametrize("module", sorted(path.name for path in FOLDER.glob("*.py")))
def test_the_contract_imports_little(module: str) -> None:
    """The contract imports the standard library, attrs and pluggy only."""
    allowed = {*sys.stdlib_module_names, "attrs", "attr", "pluggy", "cti_hooks"}
    for node in ast.walk(ast.parse((FOLDER / module).read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        assert {name.partition(".")[0] for name in names} <= allowed
