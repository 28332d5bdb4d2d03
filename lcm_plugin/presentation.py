"""The contract's values as JSON, for the API and for `lcm-plugin next`.

Field names as they are, enums as their values, instants in ISO 8601 with offset. Numbers and names are in
full here: this is for the agent's desktop, never for a log.
"""

import json
import math
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn

_converter = Converter()


DEEPEST: Final = 64
"""Levels of what a plugin nests in a value: deeper ones could be neither written nor shown."""
_CUT: Final = "(nested too deep)"


def _plain(value: Any) -> Any:
    """What JSON has, as it is; the rest as text."""
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


_converter.register_unstructure_hook(datetime, datetime.isoformat)
_converter.register_unstructure_hook_func(
    lambda kind: isinstance(kind, type) and issubclass(kind, Enum), lambda value: value.value
)
_converter.register_unstructure_hook_func(
    lambda kind: getattr(kind, "__origin__", kind) is Mapping,
    lambda mapping: {str(key): as_json(value) for key, value in mapping.items()},
)


_converter.register_unstructure_hook_factory(
    attrs.has,
    lambda kind: make_dict_unstructure_fn(kind, _converter, _cattrs_include_init_false=True),
)


def as_json(value: Any, levels: int = DEEPEST) -> Any:
    """A value of `cti_hooks` as what `json.dumps` takes; what lies deeper than so many levels is cut off."""
    if attrs.has(type(value)):
        return _converter.unstructure(value)
    if isinstance(value, Mapping | list | tuple) and not levels:
        return _CUT
    if isinstance(value, Mapping):
        return {str(key): as_json(item, levels - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item, levels - 1) for item in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, datetime) else _plain(value)


def as_text(value: Any) -> str:
    """JSON for people: every script as it is; what no terminal can show, and half characters, escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)
