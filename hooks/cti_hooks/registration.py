"""What makes a plugin object acceptable, told before it is registered and with its name (DESIGN 4.1)."""

import inspect
from collections.abc import Iterator
from typing import Any

import pluggy

from cti_hooks.errors import PluginError, nearest
from cti_hooks.markers import Way, declaration_of


def register(pm: pluggy.PluginManager, plugin: object, name: str) -> None:
    """Register `plugin`, or raise `PluginError` with all that is wrong with it.

    A name or an object that is already registered is pluggy's ValueError.
    """
    if problems := list(problems_of(pm, plugin, name)):
        raise PluginError("\n".join(problems))
    pm.register(plugin, name)


def problems_of(pm: pluggy.PluginManager, plugin: object, name: str) -> Iterator[str]:
    """Each reason why `plugin` cannot be used, as one sentence that names it."""
    if inspect.isclass(plugin):
        yield f"plugin {name!r} is the class {plugin.__name__}, not an instance: the () is missing"
        return
    implementations = list(_implementations(pm, plugin, name))
    if not implementations:
        yield f"plugin {name!r} implements no hook: mark its functions with @hookimpl"
    for hook, implementation in implementations:
        if problem := _problem(pm, hook, implementation):
            yield f"plugin {name!r}: {problem}"


def _implementations(
    pm: pluggy.PluginManager, plugin: object, name: str
) -> Iterator[tuple[str, pluggy.HookImpl]]:
    for attribute in dir(plugin):
        options = pm.parse_hookimpl_opts(plugin, attribute)
        if options is not None:
            function = getattr(plugin, attribute)
            yield options.get("specname") or attribute, pluggy.HookImpl(plugin, name, function, options)


def _problem(pm: pluggy.PluginManager, hook: str, implementation: pluggy.HookImpl) -> str | None:
    caller = getattr(pm.hook, hook, None)
    if caller is None or caller.spec is None:
        if implementation.optionalhook:
            return None
        return f"there is no hook {hook!r}{nearest(hook, hook_names(pm))}"
    if implementation.hookwrapper:
        return f"{hook}: hookwrapper=True is pluggy's old style; use wrapper=True"
    if implementation.wrapper and not inspect.isgeneratorfunction(implementation.function):
        return f"{hook}: wrapper=True needs a plain generator function (def with one yield)"
    if implementation.wrapper and _is_each(caller):
        return f"{hook} takes no wrapper"
    unknown = set(implementation.argnames) - set(caller.spec.argnames)
    return _unknown_arguments(hook, unknown, caller.spec.argnames) if unknown else None


def _unknown_arguments(hook: str, unknown: set[str], known: tuple[str, ...]) -> str:
    return "; ".join(
        f"{hook} has no argument {argument!r}{nearest(argument, known)}" for argument in sorted(unknown)
    )


def _is_each(caller: Any) -> bool:
    declaration = declaration_of(caller.spec.function)
    return declaration is not None and declaration.way is Way.EACH


def hook_names(pm: pluggy.PluginManager) -> list[str]:
    """The names of all hooks that have a specification."""
    return [name for name, caller in vars(pm.hook).items() if not name.startswith("_") and caller.has_spec()]
