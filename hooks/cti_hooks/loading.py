"""From an enabled plugin's name to its plugin object, by entry point."""

from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from cti_hooks.config_file import Enabled
from cti_hooks.errors import ConfigError, Problem, nearest
from cti_hooks.markers import ENTRY_POINTS
from cti_hooks.masking import described


def load_plugin(enabled: Enabled) -> object:
    """The plugin object an entry point makes of its settings.

    Raises:
        ConfigError: not installed, installed twice, not importable, or its settings cannot be used.
    """
    where = f"plugins.{enabled.name}"
    point = _entry_point(enabled, where)
    factory = _imported(point, where)
    try:
        return factory(MappingProxyType(dict(enabled.table)))
    except ConfigError as error:
        raise ConfigError(problem.under(where) for problem in error.problems) from None
    except Exception as error:
        raise ConfigError(
            [Problem(where, f"{_named(point)} refused its settings: {described(error)}")]
        ) from error


def _entry_point(enabled: Enabled, where: str) -> EntryPoint:
    installed = {
        (point.name, point.value, _named(point)): point for point in entry_points(group=ENTRY_POINTS)
    }
    found = [point for (name, _, _), point in installed.items() if name == enabled.entry_point]
    if not found:
        known = nearest(enabled.entry_point, {name for name, _, _ in installed})
        key = "cti.plugins" if enabled.entry_point == enabled.name else f"{where}.plugin"
        raise ConfigError([Problem(key, f'no plugin "{enabled.entry_point}" is installed{known}')])
    if len(found) > 1:
        owners = " and ".join(_named(point) for point in found)
        raise ConfigError([Problem(where, f"two distributions bring it: {owners}; uninstall one")])
    return found[0]


def _imported(point: EntryPoint, where: str) -> Any:
    try:
        return point.load()
    except Exception as error:
        raise ConfigError(
            [Problem(where, f"{_named(point)} cannot be imported: {described(error)}")]
        ) from error


def _named(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value
