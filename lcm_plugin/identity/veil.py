"""What an auditor is shown: everything, with numbers, names and what people wrote masked."""

from collections.abc import Mapping
from typing import Any

import attrs

from cti_hooks.masking import masked, masked_text
from lcm_plugin.presentation import as_json


def veiled(value: Any) -> Any:
    """A value as `as_json` has it, less what its class keeps out of its repr: so one mark serves both.

    A field with `repr=False`, and the values of one marked `private`, are covered whole; one that its repr
    masks is masked; another's numbers are masked if its repr masks these.
    """
    if attrs.has(type(value)):
        return {one.name: _field(one, getattr(value, one.name)) for one in attrs.fields(type(value))}
    if isinstance(value, Mapping):
        return {str(key): veiled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [veiled(item) for item in value]
    return as_json(value)


def _field(which: "attrs.Attribute[Any]", value: Any) -> Any:
    if which.metadata.get("private"):
        return {str(key): "***" for key in value}
    if which.repr is False:
        return "***" if value else as_json(value)
    if which.repr is masked:
        return masked(value) if value else value
    return veiled(value) if which.repr is True else _without_numbers(as_json(value))


def _without_numbers(value: Any) -> Any:
    """Plain JSON, each number in its texts masked."""
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, Mapping):
        return {str(key): _without_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_numbers(item) for item in value]
    return value
