"""The API's description (OpenAPI 3.1), made of the table of routes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

import attrs

from lcm_plugin.service.happenings import HAPPENINGS
from lcm_plugin.service.origins import OPEN
from lcm_plugin.service.route import Route
from lcm_plugin.service.schemas import Schemas, first_line

_ANY: Final = {
    HTTPStatus.UNAUTHORIZED: "a token is set, and was not shown",
    HTTPStatus.FORBIDDEN: "asked by a page of another origin, under another name, or through a proxy",
    HTTPStatus.TOO_MANY_REQUESTS: "too many wrong tokens from this address; Retry-After says when again",
}
_OF_TOKENS: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}
_QUERY: Final = {HTTPStatus.UNPROCESSABLE_ENTITY: "wrong fields; `errors` names each"}
_BODY: Final = {
    HTTPStatus.BAD_REQUEST: "the body is not JSON",
    HTTPStatus.REQUEST_TIMEOUT: "the body did not come in time",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is above 1 MiB",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "the body has a Content-Encoding",
    **_QUERY,
}
_PROBLEM: Final = {
    "type": "object",
    "description": "What is wrong, and what would be right (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
                "required": ["field", "detail"],
            },
        },
    },
    "required": ["type", "title", "status", "detail"],
}
_AS_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The whole document."""
    table = list(routes)
    schemas = Schemas(frozenset(_bodies(table)))
    paths: dict[str, dict[str, Any]] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    events = {f"Event{kind.__name__}": schemas.event(kind) for kind in HAPPENINGS}
    schemas.named |= events | {"Event": {"oneOf": [_ref(name) for name in events]}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "lcm-plugin's embedded host",
            "description": "Agents, attempts and calls. Instants are ISO 8601 with offset; errors RFC 9457.",
            "version": version("lcm-plugin"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8765"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**dict(sorted(schemas.named.items())), "Problem": _PROBLEM},
            "responses": {
                _name(status): _response(text, _AS_PROBLEM) for status, text in {**_ANY, **_BODY}.items()
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _operation(route: Route, schemas: Schemas) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": route.handler.__qualname__.replace("Routes.", "_").lower(),
        "summary": first_line(route.handler),
        "description": f"For: {', '.join(sorted(route.roles))}.",
        "x-roles": sorted(route.roles),
        "tags": [route.tag],
        "parameters": [*_path_parameters(route), *_query_parameters(route, schemas)],
        "responses": _responses(route, schemas),
    }
    if route.body:
        content = {"application/json": {"schema": schemas.of(route.body)}}
        needed = any(one.default is attrs.NOTHING for one in attrs.fields(route.body))
        told["requestBody"] = {"required": needed, "content": content}
    if route.path in OPEN:
        told["security"] = []
    if route.status is HTTPStatus.SWITCHING_PROTOCOLS:
        told["x-messages"] = _ref("Event")
    return told


def _path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"\{(\w+)\}", route.path):
        text = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": text}


def _query_parameters(route: Route, schemas: Schemas) -> Iterator[dict[str, Any]]:
    for one, schema in schemas.fields(route.query) if route.query else ():
        needed = one.default is attrs.NOTHING
        choices = [part for part in schema.get("anyOf", ()) if part != {"type": "null"}]
        yield {
            "name": one.alias,
            "in": "query",
            "required": needed,
            "schema": choices[0] if choices else schema,
        }


def _responses(route: Route, schemas: Schemas) -> dict[str, Any]:
    said = first_line(route.answer) if attrs.has(route.answer) else route.status.phrase
    shape = {} if route.answer is None else {route.media: {"schema": schemas.of(route.answer)}}
    good = {status: _response(text, shape) for status, text in {route.status: said, **route.answers}.items()}
    own = {status: _response(text, _AS_PROBLEM) for status, text in route.problems.items()}
    told = {**_ANY, **(_BODY if route.body else {}), **(_QUERY if route.query else {})}
    if route.path in OPEN:
        told = {status: text for status, text in told.items() if status not in _OF_TOKENS}
    answers = {status: _common(status) for status in told} | good | own
    return {str(int(status)): answer for status, answer in sorted(answers.items())}


def _common(status: HTTPStatus) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{_name(status)}"}


def _name(status: HTTPStatus) -> str:
    """A name of our own: Python 3.13 has renamed some members of HTTPStatus."""
    return f"Problem{int(status)}"


def _response(text: str, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": content} if content else {"description": text}


def _bodies(routes: Iterable[Route]) -> Iterator[type]:
    """The classes bodies are read by, those within them too."""
    for route in routes:
        if route.body:
            yield from _with_inner(route.body)


def _with_inner(kind: Any) -> Iterator[type]:
    yield kind
    for one in attrs.fields(attrs.resolve_types(kind)):
        for part in getattr(one.type, "__args__", (one.type,)):
            if isinstance(part, type) and attrs.has(part):
                yield from _with_inner(part)
