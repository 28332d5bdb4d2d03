"""JSON Schema of what is read and shown, from the attrs classes that declare it."""

import ast
import inspect
import textwrap
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from itertools import pairwise
from typing import Any, Final

import attrs
from attrs import define, field

from lcm_plugin.service.bodies import fields_of

_PLAIN: Final[Mapping[Any, Mapping[str, Any]]] = {
    Any: {},
    None: {"type": "null"},
    types.NoneType: {"type": "null"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    float: {"type": "number"},
    int: {"type": "integer"},
    str: {"type": "string"},
}


@define
class Schemas:
    """Schemas by class name, as `components` has them; those of `bodies` are strict, with defaults."""

    bodies: frozenset[type]
    named: dict[str, Any] = field(factory=dict, init=False)

    def of(self, kind: Any) -> dict[str, Any]:
        """The schema of a type, as an annotation has it; classes are put among the named."""
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        origin, parts = typing.get_origin(kind), typing.get_args(kind)
        if origin in (types.UnionType, typing.Union):
            return {"anyOf": [self.of(part) for part in parts]}
        if origin is typing.Literal:
            return {"type": "string", "enum": list(parts)}
        if origin in (tuple, list):
            return {"type": "array", "items": self.of(parts[0])}
        if origin is Mapping:
            return {"type": "object", "additionalProperties": self.of(parts[1])}
        return self._named(kind)

    def fields(self, kind: type) -> "Iterator[tuple[attrs.Attribute[Any], dict[str, Any]]]":
        """A class's fields, each with its schema; what its type does not say is its metadata's `schema`."""
        texts = field_texts(kind)
        for one in fields_of(kind):
            schema = self.of(one.type) | ({"description": texts[one.name]} if one.name in texts else {})
            more = one.metadata.get("schema", {})
            target = schema["anyOf"][0] if "anyOf" in schema else schema
            target |= more
            yield one, schema

    def _named(self, kind: type) -> dict[str, Any]:
        if kind.__name__ not in self.named:
            self.named[kind.__name__] = {}  # so that a class within itself ends
            self.named[kind.__name__] |= _choice(kind) if issubclass(kind, Enum) else self._object(kind)
        return {"$ref": f"#/components/schemas/{kind.__name__}"}

    def event(self, kind: type) -> dict[str, Any]:
        """The schema of something that `GET /v1/events` tells: its fields, and its name."""
        shape = self._object(kind)
        name = {"event": {"type": "string", "const": kind.event}}  # type: ignore[attr-defined]
        return shape | {"properties": name | shape["properties"], "required": ["event", *shape["required"]]}

    def _object(self, kind: type) -> dict[str, Any]:
        told = list(self.fields(kind))
        is_body = kind in self.bodies
        needed = [one.alias for one, _ in told if not is_body or one.default is attrs.NOTHING]
        strict = {"additionalProperties": False} if is_body else {}
        described = {"type": "object", "description": first_line(kind)}
        return described | {
            "properties": {one.alias: schema for one, schema in told},
            "required": needed,
            **strict,
        }


def _choice(kind: type[Enum]) -> dict[str, Any]:
    return {"type": "string", "description": first_line(kind), "enum": [one.value for one in kind]}


@cache
def field_texts(kind: type) -> Mapping[str, str]:
    """What the source says of each field of a class, in the text below it; its bases' too."""
    found: dict[str, str] = {}
    for base in reversed([one for one in kind.__mro__ if attrs.has(one)]):
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        for one, following in pairwise(getattr(body, "body", ())):
            match one, following:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found[name] = " ".join(text.split())
    return found


def first_line(what: Any) -> str:
    """The summary of a docstring."""
    return (what.__doc__ or "").strip().partition("\n")[0]
