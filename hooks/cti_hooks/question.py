"""One hook call: what is asked, how the hook is declared, and who answers."""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from types import NoneType
from typing import Any

import attrs
import pluggy

from cti_hooks.errors import HookUsageError, nearest
from cti_hooks.markers import Declaration, Way, declaration_of
from cti_hooks.registration import hook_names
from cti_hooks.values import Answer


@attrs.frozen(kw_only=True)
class Line:
    """Who implements a hook, in call order, and what it is called with: the same from call to call.

    Attributes:
        registered: the implementations as pluggy has them; others, and it is another line.
        takes: the names of all arguments.
        kinds: the types of the arguments that are values of the contract or of a third party, by name.
        none: the answer None of each implementation.
    """

    hook: str
    declaration: Declaration
    function: Callable[..., object]
    registered: list[pluggy.HookImpl]
    implementations: tuple[pluggy.HookImpl, ...]
    wrappers: tuple[pluggy.HookImpl, ...]
    takes: frozenset[str]
    defaults: Mapping[str, object]
    kinds: tuple[tuple[str, tuple[type, ...]], ...]
    none: Mapping[pluggy.HookImpl, Answer]


@attrs.define
class Question:
    """A hook call: a line, and what it is asked."""

    line: Line
    arguments: Mapping[str, Any]

    @property
    def declaration(self) -> Declaration:
        """How the hook is called."""
        return self.line.declaration

    @property
    def function(self) -> Callable[..., object]:
        """The hook's specification."""
        return self.line.function

    @property
    def implementations(self) -> tuple[pluggy.HookImpl, ...]:
        """Those that answer."""
        return self.line.implementations

    @property
    def wrappers(self) -> tuple[pluggy.HookImpl, ...]:
        """Those around them."""
        return self.line.wrappers

    def evolve(self, argument: str, value: object) -> "Question":
        """The same question with one argument replaced."""
        return Question(self.line, {**self.arguments, argument: value})

    def call(self, implementation: pluggy.HookImpl) -> Any:
        """Call it with the arguments it names."""
        return implementation.function(*[self.arguments[name] for name in implementation.argnames])

    def who(self, implementation: pluggy.HookImpl) -> str:
        """`make_call: plugin 'asterisk'`."""
        return f"{self.line.hook}: plugin {implementation.plugin_name!r}"


@attrs.define
class Questions:
    """Puts questions together, of plugins that come and go."""

    pm: pluggy.PluginManager
    _lines: dict[str, Line] = attrs.field(factory=dict, init=False)

    def question(self, hook: str, way: Way, arguments: dict[str, Any]) -> Question:
        """Put a question together.

        Raises:
            HookUsageError: no such hook, called another way than declared, or with other arguments or types.
        """
        line = self._line(hook)
        if line.declaration.way is not way:
            raise HookUsageError(f"{hook} is called by {line.declaration.way}(), not by {way}()")
        given = arguments
        if line.defaults:
            arguments = {**line.defaults, **arguments}
        if arguments.keys() != line.takes:
            raise HookUsageError(_other_arguments(line, given))
        for name, kinds in line.kinds:
            if not isinstance(arguments[name], kinds):
                wanted, got = kinds[0].__name__, type(arguments[name]).__name__
                raise HookUsageError(f"{hook}: {name} must be of the type {wanted}, not {got}")
        return Question(line, arguments)

    def _line(self, hook: str) -> Line:
        caller = getattr(self.pm.hook, hook, None)
        line = self._lines.get(hook)
        if line is None or caller is None or caller.get_hookimpls() != line.registered:
            line = self._lines[hook] = _made(self.pm, hook, caller)
        return line


def _made(pm: pluggy.PluginManager, hook: str, caller: pluggy.HookCaller | None) -> Line:
    if caller is None or caller.spec is None:
        raise HookUsageError(f"there is no hook {hook!r}{nearest(hook, hook_names(pm))}")
    function = caller.spec.function
    declaration = declaration_of(function)
    if declaration is None:
        raise HookUsageError(f"{hook} is called by pluggy itself, not by Hooks")
    registered, defaults = caller.get_hookimpls(), _defaults_of(function)
    wrappers = tuple(one for one in reversed(registered) if _wraps(hook, one))
    implementations = tuple(one for one in reversed(registered) if not one.wrapper)
    return Line(
        hook=hook,
        declaration=declaration,
        function=function,
        registered=registered,
        implementations=implementations,
        wrappers=wrappers,
        takes=frozenset({*caller.spec.argnames, *defaults}),
        defaults=defaults,
        kinds=tuple((name, (kind, NoneType)) for name, kind in _values_of(function).items()),
        none={one: Answer(plugin=one.plugin_name) for one in implementations},
    )


def _other_arguments(line: Line, given: Mapping[str, object]) -> str:
    required = [name for name in inspect.signature(line.function).parameters if name not in line.defaults]
    optional = [f"{name}={value!r}" for name, value in line.defaults.items()]
    return f"{line.hook} takes ({', '.join([*required, *optional])}), not ({', '.join(given)})"


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
