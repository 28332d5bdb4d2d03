"""What makes a plugin object acceptable, told before it is registered and with its name."""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import pluggy

from cti_hooks.errors import PluginError, nearest
from cti_hooks.markers import Way, declaration_of
from cti_hooks.unmarked import forgotten


def register(pm: pluggy.PluginManager, plugin: object, name: str) -> None:
    """Register `plugin`, or raise `PluginError` with all that is wrong with it.

    A name or an object that is already registered is pluggy's ValueError.
    """
    if problems := list(problems_of(pm, plugin, name)):
        raise PluginError("\n".join(problems))
    pm.register(plugin, name)


def problems_of(
    pm: pluggy.PluginManager, plugin: object, name: str, *, may_be_idle: bool = False
) -> Iterator[str]:
    """Each reason why `plugin` cannot be used, as one sentence that names it.

    With `may_be_idle` it need not implement a hook: a site's manager holds other objects, too, whose methods
    have whatever names they like.
    """
    implementations = list(_implementations(pm, plugin, name))
    if inspect.isclass(plugin) and (implementations or not may_be_idle):
        yield f"plugin {name!r} is the class {plugin.__name__}, not an instance: the () is missing"
        return
    if not implementations and may_be_idle:
        return
    unmarked = [*forgotten(plugin, [one.function for _, one in implementations], hook_names(pm))]
    if not implementations and not unmarked:
        yield f"plugin {name!r} implements no hook: mark its functions with @hookimpl"
    told = [problem for hook, one in implementations for problem in _problems(pm, hook, one)]
    yield from (f"plugin {name!r}: {problem}" for problem in [*told, *unmarked])


def _implementations(
    pm: pluggy.PluginManager, plugin: object, name: str
) -> Iterator[tuple[str, pluggy.HookImpl]]:
    looked_at = pluggy.PluginManager(pm.project_name)  # takes all that is marked, having no hookspecs
    looked_at.register(plugin, name)
    for caller in looked_at.get_hookcallers(plugin) or ():
        for implementation in caller.get_hookimpls():
            yield caller.name, implementation


def _problems(pm: pluggy.PluginManager, hook: str, implementation: pluggy.HookImpl) -> Iterator[str]:
    caller = getattr(pm.hook, hook, None)
    if caller is None or caller.spec is None:
        if not implementation.optionalhook:
            yield f"there is no hook {hook!r}{nearest(hook, hook_names(pm))}"
    elif implementation.hookwrapper:
        yield f"{hook}: hookwrapper=True is pluggy's old style; use wrapper=True"
    elif implementation.wrapper and not inspect.isgeneratorfunction(implementation.function):
        yield f"{hook}: wrapper=True needs a plain generator function (def with one yield)"
    elif implementation.wrapper and _is_each(caller):
        yield f"{hook} takes no wrapper"
    else:
        known = [*caller.spec.argnames, *caller.spec.kwargnames]
        yield from _argument_problems(hook, implementation, known)


def _argument_problems(hook: str, implementation: pluggy.HookImpl, known: Sequence[str]) -> Iterator[str]:
    """What would never be given to it, in silence."""
    for name, parameter in inspect.signature(implementation.function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            yield f"{hook} takes {parameter}, but is given only what it names: ({', '.join(known)})"
        elif name not in known:
            yield f"{hook} has no argument {name!r}{nearest(name, known)}"
        elif parameter.kind is parameter.KEYWORD_ONLY:
            yield f"{hook}: {name} is keyword-only, and arguments are given by position: take the * out"
        elif parameter.default is not parameter.empty:
            yield f"{hook}: {name} has a default, so it would not be given: take the default out"


def _is_each(caller: Any) -> bool:
    declaration = declaration_of(caller.spec.function)
    return declaration is not None and declaration.way is Way.EACH


def hook_names(pm: pluggy.PluginManager) -> list[str]:
    """The names of all hooks that have a specification."""
    return [name for name, caller in vars(pm.hook).items() if not name.startswith("_") and caller.has_spec()]
