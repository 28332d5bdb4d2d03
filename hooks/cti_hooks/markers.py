"""The markers of the contract: `hookspec` declares a hook, `hookimpl` marks an implementation.

`not_a_hook` marks what only looks like one.

pluggy's own `firstresult` knows nothing of coroutines, so a hook declares here how it is called and
`cti_hooks.dispatch` calls it so: docs/architecture.md#dispatch.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

import attrs
import pluggy

PROJECT: Final = "cti"
ENTRY_POINTS: Final = "cti.plugins"

hookimpl = pluggy.HookimplMarker(PROJECT)

_Spec = TypeVar("_Spec", bound=Callable[..., object])
_Method = TypeVar("_Method")


class Way(StrEnum):
    """How a hook is called."""

    ALL = "all"
    """Concurrently; every implementation gives an `Answer`."""
    FIRST = "first"
    """In turn, until the first that is not None."""
    CHAIN = "chain"
    """In turn, each result other than None replaces the named argument."""
    EACH = "each"
    """In turn, all of them; the host's own life cycle."""


@attrs.frozen(kw_only=True)
class Declaration:
    """How a hook is called, and what holds for its results."""

    way: Way
    once: bool = False
    """What must not happen twice: only None passes the question on, a failure ends it and is raised."""
    backwards: bool = False
    """Of an `each` hook: the last plugin is asked first."""
    on: str = ""
    """The argument a chain replaces."""
    fail_closed: bool = False
    """Of an `all` hook: a wrapper's failure counts as an answer too, so that nobody takes it for a yes."""
    limit: float | Callable[[Mapping[str, Any], datetime], float] = 5.0
    """Seconds one implementation may take, or how to tell them from the arguments and the present moment.

    Zero or less means: too late to ask.
    """
    law: Callable[[Any, Any], str | None] | None = None
    """Of a chain: what is wrong with a result (before, after), or None."""


def hookspec(declaration: Declaration) -> Callable[[_Spec], _Spec]:
    """Declare the decorated function a hook of this contract, or of a plugin's own `hookspecs`."""

    def declare(function: _Spec) -> _Spec:
        function.cti_declaration = declaration  # type: ignore[attr-defined]  # read by declaration_of
        return pluggy.HookspecMarker(PROJECT)(function)

    return declare


def declaration_of(function: object) -> Declaration | None:
    """What `hookspec` declared of this function, or None."""
    found = getattr(function, "cti_declaration", None)
    return found if isinstance(found, Declaration) else None


def not_a_hook(method: _Method) -> _Method:
    """Say of a plugin's public method with a hook's name, or nearly one, that it is meant to be no hook.

    Without it such a method is taken for one whose `@hookimpl` was forgotten, and the plugin is refused.
    """
    method.cti_not_a_hook = True  # type: ignore[attr-defined]  # read by is_no_hook
    return method


def is_no_hook(method: object) -> bool:
    """Whether `not_a_hook` marked it, or the function below a `staticmethod` or `classmethod`."""
    layers = (method, getattr(method, "__func__", None))
    return any(getattr(layer, "cti_not_a_hook", False) is True for layer in layers)
