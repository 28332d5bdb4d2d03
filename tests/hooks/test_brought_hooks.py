"""Hooks that plugins bring: each is there once in a host."""

from types import ModuleType

import pytest

from cti_hooks import Declaration, Host, PluginError, Way, hookimpl, hookspec


@hookspec(Declaration(way=Way.ALL))
def acme_ring() -> object:
    """Ring."""


BROUGHT = ModuleType("acme_hooks")
BROUGHT.acme_ring = acme_ring  # type: ignore[attr-defined]  # a module of hooks, as a plugin brings it


class Brings:
    """Brings a hook, and implements it."""

    hookspecs = BROUGHT

    @hookimpl
    def acme_ring(self) -> str:
        return "ring"


async def test_brought_hooks_are_called_as_the_contracts_own() -> None:
    """A plugin's own hook is known from its registration on."""
    host = Host.from_config({"cti": {"plugins": []}})
    host.register(Brings(), "one")
    (answer,) = await host.hooks.all("acme_ring")
    assert (answer.plugin, answer.value) == ("one", "ring")


def test_a_second_that_brings_the_same_is_refused() -> None:
    """Which of both a hook would be for nobody could say: the second is refused with the first one's name."""
    host = Host.from_config({"cti": {"plugins": []}})
    host.register(Brings(), "one")
    with pytest.raises(PluginError, match="brings the same hooks as plugin 'one'"):
        host.register(Brings(), "two")
