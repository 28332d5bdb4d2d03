"""A host's config file, written from a mapping."""

import json
from collections.abc import Mapping
from typing import Any


def config_file(config: Mapping[str, Mapping[str, Any]]) -> str:
    """Tables of plain values and of tables of those, as a config file."""
    lines = []
    for name, table in config.items():
        tables = {f"{name}.{key}": value for key, value in table.items() if isinstance(value, Mapping)}
        plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
        for title, values in {name: plain, **tables}.items():
            lines.append(f"[{title}]")
            lines += [f"{key} = {_inline(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


def _inline(value: Any) -> str:
    """A value on one line, dicts as inline tables."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_inline(one)}" for key, one in value.items()) + "}"
    return json.dumps(value)
