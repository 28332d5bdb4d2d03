"""A route, declared once: what is served and what describes it are both made from it."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web
from attrs import field, frozen

from lcm_plugin.presentation import as_json
from lcm_plugin.service.bodies import body_of, query_of


@frozen(kw_only=True)
class Route:
    """One route. Its handler's docstring describes it, and its arguments are what was told.

    The handler takes the path's variables, `query` and `body` if these are declared, and `request` if it
    makes the response itself or has to know who asks. Otherwise what it returns is the answer, as JSON.
    """

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    answer: Any
    """The type of a good answer: an attrs class, or a list of it."""
    status: HTTPStatus = HTTPStatus.OK
    query: type | None = None
    """An attrs class whose fields are the query's parameters."""
    body: type | None = None
    """An attrs class whose fields are the fields of the body."""
    problems: Mapping[HTTPStatus, str] = field(factory=dict)
    """What else it may answer, as a problem, and when; what any route may answer left out."""
    answers: Mapping[HTTPStatus, str] = field(factory=dict)
    """What else it may answer in the shape of a good answer."""
    media: str = "application/json"
    gives_response: bool = False

    def web_route(self) -> web.RouteDef:
        """The route as aiohttp serves it; GET answers HEAD too."""
        if self.method == "GET":
            return web.get(self.path, self._serve)
        return web.route(self.method, self.path, self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        told: dict[str, Any] = dict(request.match_info)
        if self.query:
            told["query"] = query_of(request, self.query)
        if self.body:
            told["body"] = await body_of(request, self.body)
        if self.gives_response:
            told["request"] = request
        answer = await self.handler(**told)
        if isinstance(answer, web.StreamResponse):
            return answer
        return web.json_response(as_json(answer), status=self.status)
