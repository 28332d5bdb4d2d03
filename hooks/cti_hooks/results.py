"""Whether a plugin's result is of the type its hookspec promises."""

import types
import typing
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any


def is_allowed(value: object, function: Callable[..., object]) -> bool:
    """Whether `value` fits the return annotation of the hookspec `function`."""
    return _fits(value, _promised(function))


def promised(function: Callable[..., object]) -> str:
    """The return annotation of a hookspec, as people write it: `Contact | None`."""
    annotation = _promised(function)
    return annotation.__name__ if isinstance(annotation, type) else _short(annotation)


@cache
def _promised(function: Callable[..., object]) -> Any:
    annotation = function.__annotations__.get("return", object)
    if isinstance(annotation, str):
        return eval(annotation, function.__globals__)  # noqa: S307  (a hookspec's own annotation)
    return annotation


def _fits(value: object, annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, part) for part in typing.get_args(annotation))
    if origin is Sequence:
        (item,) = typing.get_args(annotation)
        return (
            isinstance(value, Sequence) and not isinstance(value, str) and all(_fits(v, item) for v in value)
        )
    if annotation is None:
        return value is None
    return isinstance(value, origin or annotation)


def _short(annotation: Any) -> str:
    parts = typing.get_args(annotation)
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        return " | ".join("None" if part is types.NoneType else _short(part) for part in parts)
    inner = f"[{', '.join(_short(part) for part in parts)}]" if parts else ""
    return getattr(annotation, "__name__", str(annotation)) + inner
