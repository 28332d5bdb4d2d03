"""A route, declared once: what is served and what describes it are both made from it."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from aiohttp import web
from attrs import field, frozen

from lcm_plugin.identity import Role
from lcm_plugin.service.bodies import body_of, query_of
from lcm_plugin.service.callers import caller_of, shown_to
from lcm_plugin.service.rights import ACTS, Rights


@frozen(kw_only=True)
class Route:
    """One route. Its handler's docstring describes it, and its arguments are what was told.

    The handler takes the path's variables, `query` and `body` if these are declared, `caller` if it has to
    know who asks, and `request` if it makes the response itself. Otherwise what it returns is the answer, as
    JSON; an auditor is shown no number in it.
    """

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    answer: Any
    """The type of a good answer: an attrs class, or a list of it."""
    roles: frozenset[Role] = ACTS
    """Who may use it; an agent for their own seat and attempts only."""
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
    gives_caller: bool = False

    @property
    def tag(self) -> str:
        """The part of the API that it belongs to: its handlers' class, as `Agents`."""
        return self.handler.__qualname__.partition(".")[0].removesuffix("Routes")

    def web_route(self, rights: Rights) -> web.RouteDef:
        """The route as aiohttp serves it, to those who have the right; GET answers HEAD too."""
        serve = partial(self._serve, rights=rights)
        if self.method == "GET":
            return web.get(self.path, serve)
        return web.route(self.method, self.path, serve)

    async def _serve(self, request: web.Request, *, rights: Rights) -> web.StreamResponse:
        if caller := caller_of(request):
            await rights.refuse(self.roles, caller, request.match_info)
        answer = await self.handler(**await self._told(request))
        if isinstance(answer, web.StreamResponse):
            return answer
        return web.json_response(shown_to(caller, answer), status=self.status)

    async def _told(self, request: web.Request) -> dict[str, Any]:
        told: dict[str, Any] = dict(request.match_info)
        if self.query:
            told["query"] = query_of(request, self.query)
        if self.body:
            told["body"] = await body_of(request, self.body)
        if self.gives_response:
            told["request"] = request
        if self.gives_caller:
            told["caller"] = caller_of(request)
        return told
