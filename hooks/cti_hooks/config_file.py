"""The host's config file: which plugins are enabled, in call order, and each one's table."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final

import attrs

from cti_hooks import settings
from cti_hooks.errors import ConfigError, Problem, nearest
from cti_hooks.private import others_can_write

TABLES: Final = ("cti", "plugins", "service")
"""The file's tables. `service` is read by an embedded host, if there is one."""


@attrs.frozen(kw_only=True)
class CtiTable:
    """The `[cti]` table."""

    plugins: tuple[str, ...]
    """Enabled, in call order."""
    name: str = "cti"
    """The host's name in logs and records; hosts that share a ledger have different ones."""
    drain_seconds: float = attrs.field(default=10.0, validator=attrs.validators.ge(0))
    """How long each plugin may take to stop."""


@attrs.frozen(kw_only=True)
class Enabled:
    """One enabled plugin: its name, the entry point it is, and its settings."""

    name: str
    entry_point: str
    table: Mapping[str, object]


@attrs.frozen(kw_only=True)
class ConfigFile:
    """A config file that has been read; `source` names it in messages."""

    source: str
    directory: Path
    cti: CtiTable
    enabled: tuple[Enabled, ...]
    tables: Mapping[str, Mapping[str, object]]
    problems: tuple[Problem, ...]
    """What is wrong so far; plugins add theirs before anything is raised."""


def read_config(source: str | PathLike[str] | Mapping[str, Any]) -> ConfigFile:
    """Read a TOML file, or a mapping of the same shape.

    What else is wrong with it is in `problems`, beside all that can be read.

    Raises:
        ConfigError: no such file, or not TOML.
    """
    if isinstance(source, Mapping):
        return _config(source, "settings", Path.cwd())
    path = Path(source)
    return _config(_toml(path), str(path), path.absolute().parent)


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            _refuse_others(file.fileno(), path)
            return tomllib.load(file)
    except OSError as error:
        raise ConfigError([Problem("", f"cannot be read: {error.strerror}")], str(path)) from None
    except ConfigError:
        raise
    except ValueError as error:  # TOML's and UTF-8's
        raise ConfigError([Problem("", f"is not TOML: {error}")], str(path)) from None


def _refuse_others(descriptor: int, path: Path) -> None:
    """A user who can write it decides which programs this host runs, and where its secrets are sent."""
    if others_can_write(os.fstat(descriptor)):
        raise ConfigError(
            [Problem("", f"others can write it; read it over, then chmod go-w {path}")], str(path)
        )


def _config(given: Mapping[str, Any], source: str, directory: Path) -> ConfigFile:
    problems = [
        Problem(f"[{name}]", f"unknown table{nearest(name, TABLES)}") for name in given if name not in TABLES
    ]
    tables = {name: table if _is_table(table := given.get(name, {})) else {} for name in TABLES}
    problems += [Problem(name, "must be a table") for name in TABLES if not _is_table(given.get(name, {}))]
    cti, wrong = _cti(tables["cti"])
    if _is_table(given.get("cti", {})):
        problems += wrong
    problems += _misplaced(tables["plugins"], cti.plugins)
    return ConfigFile(
        source=source,
        directory=directory,
        cti=cti,
        enabled=tuple(plugins_of(cti.plugins, tables["plugins"])),
        tables=tables,
        problems=tuple(problems),
    )


def _cti(table: Mapping[str, object]) -> tuple[CtiTable, list[Problem]]:
    """What of the table can be read, and what is wrong with the rest."""
    try:
        return settings.read(CtiTable, table), []
    except ConfigError as error:
        wrong = {problem.key for problem in error.problems}
        right = {key: value for key, value in table.items() if key not in wrong}
        problems = [problem.under("cti") for problem in error.problems]
        return settings.read(CtiTable, {"plugins": (), **right}), problems


def _misplaced(plugins: Mapping[str, object], enabled: tuple[str, ...]) -> Iterator[Problem]:
    for name in sorted({name for name in enabled if enabled.count(name) > 1}):
        yield Problem("cti.plugins", f'"{name}" is there twice; a second one needs a name of its own')
    for name, table in plugins.items():
        if not _is_table(table):
            yield Problem(f"plugins.{name}", "must be a table")
        elif isinstance(table, Mapping) and not isinstance(table.get("plugin", ""), str):
            yield Problem(f"plugins.{name}.plugin", "must be a text: the plugin's name")


def plugins_of(names: tuple[str, ...], plugins: Mapping[str, object]) -> Iterator[Enabled]:
    """The plugins of these names, each with its table of `[plugins]`; empty if it has none."""
    for name in dict.fromkeys(names):
        found = plugins.get(name, {})
        table = dict(found) if isinstance(found, Mapping) else {}
        entry_point = table.pop("plugin", name)
        yield Enabled(name=name, entry_point=str(entry_point), table=table)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)
