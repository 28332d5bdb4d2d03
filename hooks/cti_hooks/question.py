"""One hook call: what is asked, how the hook is declared, and who answers."""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import attrs
import pluggy

from cti_hooks.errors import HookUsageError, nearest
from cti_hooks.markers import Declaration, Way, declaration_of
from cti_hooks.registration import hook_names


@attrs.frozen(kw_only=True)
class Question:
    """A hook call, its implementations in call order."""

    hook: str
    declaration: Declaration
    function: Callable[..., object]
    arguments: Mapping[str, Any]
    implementations: tuple[pluggy.HookImpl, ...]
    wrappers: tuple[pluggy.HookImpl, ...]

    def evolve(self, argument: str, value: object) -> "Question":
        """The same question with one argument replaced."""
        return attrs.evolve(self, arguments={**self.arguments, argument: value})

    def call(self, implementation: pluggy.HookImpl) -> Any:
        """Call it with the arguments it names."""
        return implementation.function(*[self.arguments[name] for name in implementation.argnames])

    def who(self, implementation: pluggy.HookImpl) -> str:
        """`make_call: plugin 'asterisk'`."""
        return f"{self.hook}: plugin {implementation.plugin_name!r}"


def question(pm: pluggy.PluginManager, hook: str, way: Way, arguments: dict[str, Any]) -> Question:
    """Put a question together.

    Raises:
        HookUsageError: no such hook, called another way than declared, or with other arguments or types.
    """
    caller = getattr(pm.hook, hook, None)
    if caller is None or caller.spec is None:
        raise HookUsageError(f"there is no hook {hook!r}{nearest(hook, hook_names(pm))}")
    declaration = declaration_of(caller.spec.function)
    if declaration is None or declaration.way is not way:
        right = f"{declaration.way}()" if declaration else "pluggy itself"
        raise HookUsageError(f"{hook} is called by {right}, not by {way}()")
    given, defaults = arguments, _defaults_of(caller.spec.function)
    if defaults:
        arguments = defaults | arguments
    if arguments.keys() != {*caller.spec.argnames, *defaults}:
        optional = [f"{name}={value!r}" for name, value in defaults.items()]
        wanted, got = ", ".join([*caller.spec.argnames, *optional]), ", ".join(given)
        raise HookUsageError(f"{hook} takes ({wanted}), not ({got})")
    for name, value in _values_of(caller.spec.function).items():
        if not isinstance(arguments[name], value | None):
            kind = type(arguments[name]).__name__
            raise HookUsageError(f"{hook}: {name} must be of the type {value.__name__}, not {kind}")
    found = caller.get_hookimpls()[::-1]
    wrappers = tuple(one for one in found if _wraps(hook, one))
    return Question(
        hook=hook,
        declaration=declaration,
        function=caller.spec.function,
        arguments=arguments,
        implementations=tuple(one for one in found if not one.wrapper),
        wrappers=wrappers,
    )


@cache
def _defaults_of(function: Callable[..., object]) -> dict[str, object]:
    """Arguments that a caller may leave out, as callers written before there were any do."""
    parameters = inspect.signature(function).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not one.empty}


@cache
def _values_of(function: Callable[..., object]) -> Mapping[str, type]:
    """The arguments that are values of the contract or of a third party, by name."""
    annotated = inspect.get_annotations(function)
    return {name: kind for name, kind in annotated.items() if name != "return" and attrs.has(kind)}


def _wraps(hook: str, implementation: pluggy.HookImpl) -> bool:
    if implementation.hookwrapper:  # registered past `cti_hooks.register`, which refuses it
        raise HookUsageError(f"{hook}: plugin {implementation.plugin_name!r} uses hookwrapper=True")
    return bool(implementation.wrapper)
