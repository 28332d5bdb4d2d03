"""From the names of enabled plugins to their objects, by entry point; every mistake on the way is kept."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from types import MappingProxyType
from typing import Any, Final

import attrs

from cti_hooks.config_file import ConfigFile, Enabled, plugins_of
from cti_hooks.errors import ConfigError, Problem, closest, nearest
from cti_hooks.markers import ENTRY_POINTS
from cti_hooks.masking import described

Factory = Callable[[Mapping[str, object]], object]
_SLIP: Final = 0.8
"""How alike two names are, of 1, for one to be read as the other's slip."""


@attrs.define
class Loaded:
    """What came of loading a config file's plugins."""

    plugins: dict[str, object] = attrs.field(factory=dict)
    """By name, in call order."""
    hooks: dict[str, Any] = attrs.field(factory=dict)
    """The hooks that plugins bring, by plugin; those of plugins that refused their settings too."""
    problems: list[Problem] = attrs.field(factory=list)
    complete: bool = True
    """Whether all were found: one that was not may bring hooks that others implement."""


def load_plugins(config: ConfigFile) -> Loaded:
    """Make every enabled plugin of its settings; a mistake in one keeps no other from being looked at."""
    loaded = Loaded()
    installed = entry_points(group=ENTRY_POINTS)
    for enabled in config.enabled:
        try:
            point = _entry_point(enabled, installed)
            factory = _imported(point, enabled)
        except ConfigError as error:
            loaded.problems += [*error.problems, *_of_the_one_meant(enabled, config, installed)]
            loaded.complete = False
            continue
        plugin: object = factory
        try:
            plugin = loaded.plugins[enabled.name] = _made(factory, point, enabled)
        except ConfigError as error:
            loaded.problems += error.problems
        if (hooks := getattr(plugin, "hookspecs", None)) is not None:
            loaded.hooks[enabled.name] = hooks
    return loaded


def _of_the_one_meant(enabled: Enabled, config: ConfigFile, installed: EntryPoints) -> Iterator[Problem]:
    """Of a plugin whose name is a slip: what is wrong with its table, which may have the right name."""
    free = installed.names - {one.entry_point for one in config.enabled}
    meant = closest(enabled.entry_point, free, _SLIP)
    if meant is None or enabled.entry_point in installed.names:
        return
    tables = config.tables["plugins"]
    (right,) = plugins_of((enabled.name if enabled.name in tables else meant,), tables)
    right = attrs.evolve(right, entry_point=meant)
    try:
        point = _entry_point(right, installed)
        _made(_imported(point, right), point, right)
    except ConfigError as error:
        yield from error.problems


def _made(factory: Factory, point: EntryPoint, enabled: Enabled) -> object:
    if callable(factory) and not _takes_settings(factory):
        wanted = "is called with its settings, and does not take them: give it def __init__(self, settings)"
        raise ConfigError([Problem(_where(enabled), f"{_named(point)} {wanted}")])
    try:
        return factory(MappingProxyType(dict(enabled.table)))
    except ConfigError as error:
        raise ConfigError(problem.under(_where(enabled)) for problem in error.problems) from None
    except Exception as error:
        raise ConfigError(
            [Problem(_where(enabled), f"{_named(point)} refused its settings: {described(error)}")]
        ) from error


def _takes_settings(factory: Factory) -> bool:
    try:
        inspect.signature(factory).bind({})
    except TypeError:
        return False
    except ValueError:  # it is not written in Python, and tells nothing of its arguments
        return True
    return True


def _entry_point(enabled: Enabled, installed: EntryPoints) -> EntryPoint:
    found = list(installed.select(name=enabled.entry_point))
    if not found:
        known = nearest(enabled.entry_point, installed.names)
        key = "cti.plugins" if enabled.entry_point == enabled.name else f"{_where(enabled)}.plugin"
        raise ConfigError([Problem(key, f'no plugin "{enabled.entry_point}" is installed{known}')])
    first, *others = found
    if others and len(owners := {(one.value, _named(one)): None for one in found}) > 1:
        named = " and ".join(owner for _, owner in owners)
        raise ConfigError([Problem(_where(enabled), f"two distributions bring it: {named}; uninstall one")])
    return first


def _imported(point: EntryPoint, enabled: Enabled) -> Factory:
    try:
        return point.load()  # type: ignore[no-any-return]  # whatever it is, calling it tells
    except Exception as error:
        raise ConfigError(
            [Problem(_where(enabled), f"{_named(point)} cannot be imported: {described(error)}")]
        ) from error


def _where(enabled: Enabled) -> str:
    return f"plugins.{enabled.name}"


def _named(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value
