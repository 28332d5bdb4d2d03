"""Methods that look like hooks and are none: without its marker a policy is never asked, in silence."""

import inspect
from collections.abc import Collection, Iterator
from functools import partialmethod, singledispatchmethod
from typing import Any, Final

from cti_hooks.errors import closest
from cti_hooks.markers import declaration_of, is_no_hook

NEAR: Final = 0.85
"""How alike names must be for one to be a slip of the other: `revew_contact` is one, `campaign_groups` of
`select_campaign_groups` is not."""

_BOUND_LATER: Final = (classmethod, partialmethod, singledispatchmethod)
"""Methods that cannot be called as they stand in their class."""


def forgotten(plugin: object, implementations: Collection[Any], hooks: Collection[str]) -> Iterator[str]:
    """One sentence for each public method with a hook's name, or nearly one, that is no implementation.

    Looks without evaluating: a property may raise until the host has started.
    """
    marked = {id(_plain(function)) for function in implementations}
    for name in dir(plugin):
        method = inspect.getattr_static(plugin, name, None)
        if not name.startswith("_") and _may_be_meant(method) and id(_plain(method)) not in marked:
            yield from _told(name, hooks)


def _told(name: str, hooks: Collection[str]) -> Iterator[str]:
    way_out = "mark it with @hookimpl, or with @not_a_hook if it is none"
    if name in hooks:
        yield f"{name} has a hook's name and no @hookimpl that can be seen, so nobody would ask it: {way_out}"
    elif near := closest(name, hooks, NEAR):
        yield f"{name} has no @hookimpl, and nearly the name of the hook {near!r}: {way_out}"


def _may_be_meant(method: object) -> bool:
    is_method = isinstance(method, _BOUND_LATER) or (callable(method) and not inspect.isclass(method))
    return is_method and not is_no_hook(method) and declaration_of(_plain(method)) is None


def _plain(method: object) -> object:
    return getattr(method, "__func__", method)
