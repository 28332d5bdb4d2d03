"""A plugin's settings: an attrs class tells what its table in the config file may hold.

    @frozen(kw_only=True)
    class Settings:
        url: str
        timeout_seconds: float = 5.0

    def __init__(self, table):
        self._settings = settings.read(Settings, table)

Field types: str, bool, int, float, Any, an enum, another attrs class, `X | None`, `Literal`,
`tuple[X, ...]` and `Mapping[str, X]`. attrs validators and converters apply; mark a field `metadata=SECRET`
and its value is never quoted.
"""

import enum
import math
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

import attrs

from cti_hooks.errors import ConfigError, Problem, closest, nearest
from cti_hooks.masking import masked_text

SECRET: Final[Mapping[str, bool]] = types.MappingProxyType({"secret": True})

_Settings = TypeVar("_Settings")
_LONGEST: Final = 200
"""Characters of a value that is quoted."""
Checks = Mapping[str, Callable[[Any], Iterable[Problem]]]
_NONE: Final[Checks] = types.MappingProxyType({})


def read(settings: type[_Settings], table: Mapping[str, object], checks: Checks = _NONE) -> _Settings:
    """The table as an instance of `settings`.

    Arguments:
        settings: an attrs class.
        table: what the config file says.
        checks: by key, what else may be wrong with its value; told with all the rest.

    Raises:
        ConfigError: every unknown key (with the nearest right one), missing key and wrong value at once, keys
            relative to the table; what the class itself checks across fields, once each of them is right.
    """
    fields = {str(field.alias): field for field in _fields(settings)}
    unknown = [key for key in table if key not in fields]
    problems = [Problem(key, f"unknown key{nearest(key, fields)}") for key in unknown]
    misspelt = {closest(key, fields) for key in unknown}
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key in table:
            try:
                values[key] = _value(field, key, table[key])
                problems += [one.under(key) for one in checks.get(key, _right)(values[key])]
            except ConfigError as error:
                problems += error.problems
        elif field.default is attrs.NOTHING and key not in misspelt:
            problems.append(Problem(key, "is required"))
    if problems:
        raise ConfigError(problems)
    try:
        return settings(**values)
    except ValueError as error:  # from a class's own check across fields
        raise error if isinstance(error, ConfigError) else ConfigError([Problem("", str(error))]) from error


def _right(_: object) -> tuple[()]:
    return ()


def _fields(settings: type) -> Iterator["attrs.Attribute[Any]"]:
    return (field for field in attrs.fields(attrs.resolve_types(settings)) if field.init)


def _value(field: "attrs.Attribute[Any]", key: str, raw: object) -> Any:
    try:
        value = _shaped(field.type, key, raw)
        if field.validator:
            field.validator(None, field, field.converter(value) if callable(field.converter) else value)
    except ConfigError:
        raise
    except (TypeError, ValueError) as error:
        quoted = "" if field.metadata.get("secret") else _quoted(raw)
        raise ConfigError([Problem(key, f"{error.args[0] if error.args else error}{quoted}")]) from None
    return value


def _quoted(raw: object) -> str:
    """The value as it was written, numbers masked; none that is too long to be read."""
    text = repr(raw)
    return f" (it is {masked_text(text)})" if len(text) <= _LONGEST else ""


def _shaped(wanted: Any, key: str, raw: object) -> Any:  # noqa: PLR0911  (one line for each kind of type)
    origin, parts = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        return _either(parts, key, raw)
    if origin is typing.Literal:
        return _one_of(raw, [str(part) for part in parts])
    if origin is tuple:
        return tuple(_shaped(parts[0], f"{key}[{n}]", item) for n, item in enumerate(_list(raw)))
    if origin in (Mapping, dict):
        return {
            _nested(parts[0], f"{key}.{name}", name): _nested(parts[1], f"{key}.{name}", item)
            for name, item in _table(raw).items()
        }
    if attrs.has(wanted):
        return _inner(wanted, key, raw)
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return wanted(_one_of(raw, [str(member.value) for member in wanted]))
    return _plain(wanted, raw)


def _nested(wanted: Any, key: str, raw: object) -> Any:
    try:
        return _shaped(wanted, key, raw)
    except ConfigError:
        raise
    except (TypeError, ValueError) as error:
        raise ConfigError([Problem(key, str(error))]) from None


def _either(parts: tuple[Any, ...], key: str, raw: object) -> Any:
    choices = [part for part in parts if part is not types.NoneType]
    if raw is None and len(choices) < len(parts):
        return None
    for part in choices[:-1]:
        try:
            return _shaped(part, key, raw)
        except (TypeError, ValueError):
            continue
    return _shaped(choices[-1], key, raw)


def _inner(wanted: type, key: str, raw: object) -> Any:
    try:
        return read(wanted, _table(raw))
    except ConfigError as error:
        raise ConfigError(problem.under(key) for problem in error.problems) from None


def _one_of(raw: object, words: list[str]) -> str:
    if not isinstance(raw, str) or raw not in words:
        raise ValueError(f"is not one of its values{nearest(str(raw), words)}")
    return raw


def _list(raw: object) -> list[object]:
    if not isinstance(raw, (list, tuple)):
        raise TypeError("must be a list")
    return list(raw)


def _table(raw: object) -> Mapping[str, object]:
    if not isinstance(raw, Mapping):
        raise TypeError("must be a table")
    return raw


_NAMES: Final = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}


def _plain(wanted: Any, raw: object) -> Any:
    if wanted is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if wanted is float and isinstance(raw, float) and not math.isfinite(raw):
        raise ValueError("must be a finite number")
    if wanted in _NAMES and (not isinstance(raw, wanted) or (wanted is int and isinstance(raw, bool))):
        raise TypeError(f"must be {_NAMES[wanted]}")
    return raw
