"""Attempts and contacts to JSON and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cattrs import Converter

from cti_hooks import Attempt
from lcm_plugin.presentation import as_json

_converter = Converter()
_converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
_converter.register_structure_hook_func(
    lambda kind: getattr(kind, "__origin__", kind) is Mapping, lambda mapping, _: dict(mapping)
)


def attempt_as_json(attempt: Attempt) -> dict[str, Any]:
    """The attempt as a JSON object."""
    body: dict[str, Any] = as_json(attempt)
    return body


def attempt_of(body: Mapping[str, Any]) -> Attempt:
    """The attempt a JSON object stands for. One of 0.1.0 has its dialers in one text only."""
    if "backends" not in body:
        body = {**body, "backends": (body.get("backend") or "").split()}
    return _converter.structure(body, Attempt)
