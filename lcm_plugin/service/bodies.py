"""Bodies and queries, read by the attrs classes that declare them; every fault is told at once."""

import asyncio
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, TypeVar, get_origin

import attrs
from aiohttp import web

from cti_hooks import ConfigError
from cti_hooks import settings as table_reader
from lcm_plugin.service.problems import ProblemError, invalid

_Shape = TypeVar("_Shape")

MEMBERS: Final = 100
"""Of an object or a list in a body; no field there is wants more."""
BODY_SECONDS: Final = 30.0
"""How long a request's body may take to come."""


def refuse_encoded(request: web.Request) -> None:
    """Take no body that has to be unpacked: none is large.

    Raises:
        ProblemError: 415.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().casefold()
    if encoding not in {"", "identity"}:
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body without a Content-Encoding")


async def bytes_of(request: web.Request) -> bytes:
    """The request's body as it came.

    Raises:
        ProblemError: 408, it did not come in time.
        HTTPRequestEntityTooLarge: it is above 1 MiB.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        raise ProblemError(
            HTTPStatus.REQUEST_TIMEOUT, f"the body did not come within {BODY_SECONDS:g} s"
        ) from None


async def body_of(request: web.Request, shape: type[_Shape]) -> _Shape:
    """The request's body; nothing at all is an object without fields.

    Raises:
        ProblemError: 400 if it is no JSON, 408 if it does not come, 422 with every wrong field.
    """
    told = await bytes_of(request)
    try:  # UTF-8 whatever charset is named: some take minutes to decode
        body = json.loads(told.decode() or "{}", object_pairs_hook=_object)
    except (ValueError, RecursionError):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the body is not JSON in UTF-8") from None
    if not isinstance(body, dict):
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "the body must be a JSON object")
    return _read(shape, body)


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of a body; one of a hundred thousand members would have each looked up and complained of."""
    if len(members) > MEMBERS or any(isinstance(told, list) and len(told) > MEMBERS for _, told in members):
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"an object, or a list, may have {MEMBERS} members at the most"
        )
    return dict(members)


def query_of(request: web.Request, shape: type[_Shape]) -> _Shape:
    """The request's query; a parameter may be repeated if its field is a tuple.

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
