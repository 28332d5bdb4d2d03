"""Bodies and queries, read by the attrs classes that declare them; every fault is told at once."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar, get_origin

import attrs
from aiohttp import web

from cti_hooks import ConfigError
from cti_hooks import settings as table_reader
from lcm_plugin.service.problems import ProblemError, invalid

_Shape = TypeVar("_Shape")


async def body_of(request: web.Request, shape: type[_Shape]) -> _Shape:
    """The request's body; nothing at all is an object without fields.

    Raises:
        ProblemError: 400 where it is no JSON, 422 with every wrong field.
    """
    try:
        body = json.loads(await request.text() or "{}")
    except (ValueError, RecursionError, LookupError):  # LookupError: a charset nobody knows
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "the body must be a JSON object")
    return _read(shape, body)


def query_of(request: web.Request, shape: type[_Shape]) -> _Shape:
    """The request's query; a parameter may be repeated where its field is a tuple.

    Raises:
        ProblemError: 422 with every wrong parameter.
    """
    types = {str(field.alias): field.type for field in fields_of(shape)}
    table = {name: _told(types.get(name), request.query.getall(name)) for name in request.query}
    return _read(shape, table)


def fields_of(shape: type) -> "tuple[attrs.Attribute[Any], ...]":
    """The fields of an attrs class, their types resolved."""
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(attrs.resolve_types(shape))
    return fields


def _told(wanted: Any, texts: list[str]) -> Any:
    if get_origin(wanted) is tuple:
        return texts
    if len(texts) > 1:
        return texts  # once only: the reader says so by its type
    return int(texts[0]) if wanted is int and re.fullmatch(r"\d{1,9}", texts[0], re.ASCII) else texts[0]


def _read(shape: type[_Shape], table: Mapping[str, Any]) -> _Shape:
    try:
        return table_reader.read(shape, table)
    except ConfigError as error:
        raise invalid({problem.key: problem.text for problem in error.problems}) from None
