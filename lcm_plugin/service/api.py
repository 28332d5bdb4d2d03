"""The routes of DESIGN 10 that exist so far."""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import WSCloseCode, WSMsgType, web
from attrs import define, frozen

from cti_hooks import Agent, AgentState, ConfigError, health_of
from cti_hooks import settings as table_reader
from lcm_plugin.service.agents import Agents, changed
from lcm_plugin.service.call_events import CallEventTold
from lcm_plugin.service.events import Subscription
from lcm_plugin.service.guard import CALL_EVENTS
from lcm_plugin.service.problems import ProblemError

_Shape = TypeVar("_Shape")


@frozen(kw_only=True)
class AgentUpdate:
    """The body of `PUT /v1/agents/{id}`; what is left out stays as it was."""

    state: AgentState
    reason: str | None = None
    endpoint: str | None = None
    campaign_groups: tuple[str, ...] | None = None
    name: str | None = None
    lcm_id: str | None = None
    login_id: str | None = None

    def of(self, agent: Agent) -> Agent:
        """The agent as this body tells."""
        told = {
            name: value
            for name in ("endpoint", "campaign_groups", "name", "lcm_id", "login_id")
            if (value := getattr(self, name)) is not None
        }
        return changed(agent, told)


@define(kw_only=True, eq=False)
class Api:
    """The handlers; `unready` tells why the host is not ready, in words."""

    agents: Agents
    unready: list[str]
    _sockets: set[web.WebSocketResponse]

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.put("/v1/agents/{id}", self.put_agent),
            web.get("/v1/agents", self.get_agents),
            web.get("/v1/agents/{id}", self.get_agent),
            web.post(CALL_EVENTS, self.post_call_event),
            web.get("/v1/events", self.events),
            web.get("/healthz", self.healthz),
            web.get("/readyz", self.readyz),
        ]

    async def put_agent(self, request: web.Request) -> web.Response:
        """Tell an agent's state."""
        agent_id = request.match_info["id"]
        update = _read(AgentUpdate, await _body(request))
        seat = await self.agents.put(update.of(self.agents.known(agent_id)), update.state, update.reason)
        return web.json_response(seat.as_json())

    async def get_agents(self, _: web.Request) -> web.Response:
        """All agents told of so far."""
        return web.json_response([seat.as_json() for seat in self.agents.seats.values()])

    async def get_agent(self, request: web.Request) -> web.Response:
        """One agent."""
        seat = self.agents.seats.get(request.match_info["id"])
        if seat is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "no such agent; PUT it first")
        return web.json_response(seat.as_json())

    async def post_call_event(self, request: web.Request) -> web.Response:
        """Pass on what a site's dialer tells of a call; whose call it is, the plugins know."""
        told = _read(CallEventTold, await _body(request))
        try:
            event = told.event()
        except ValueError as error:
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error}") from None
        await self.agents.host.hooks.all("on_call_event", event=event)
        return web.json_response({"heard": True}, status=HTTPStatus.ACCEPTED)

    async def healthz(self, _: web.Request) -> web.Response:
        """Whether the process lives."""
        return web.json_response({"alive": True})

    async def readyz(self, _: web.Request) -> web.Response:
        """Whether it may be given work, and why not."""
        reasons = [*self.unready, *await self._ailments()]
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=status)

    async def _ailments(self) -> list[str]:
        """What of the plugins' own is not good."""
        answers = await self.agents.host.hooks.all("report_health")
        return [f"{one.what}: {one.seen}" for one in health_of(answers) if not one.good]

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Everything that happens, from now on."""
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        subscription = self.agents.news.subscribe()
        self._sockets.add(socket)
        sending = asyncio.create_task(_send(socket, subscription))
        try:
            async for packet in socket:  # nothing is expected; this sees it close
                if packet.type is WSMsgType.ERROR:
                    break
        finally:
            self.agents.news.unsubscribe(subscription)
            self._sockets.discard(socket)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return socket

    async def close(self) -> None:
        """Send subscribers away."""
        for socket in list(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the host stops")


async def _send(socket: web.WebSocketResponse, subscription: Subscription) -> None:
    while not subscription.missed.is_set() or not subscription.events.empty():
        await socket.send_json(await subscription.events.get())
    await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too slow: events were missed")


async def _body(request: web.Request) -> Mapping[str, Any]:
    try:
        body = json.loads(await request.text())
    except (ValueError, RecursionError, LookupError):  # LookupError: a charset nobody knows
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "the body must be a JSON object")
    return body


def _read(shape: type[_Shape], body: Mapping[str, Any]) -> _Shape:
    try:
        return table_reader.read(shape, body)
    except ConfigError as error:
        wrong = [{"field": problem.key, "detail": problem.text} for problem in error.problems]
        detail = "; ".join(str(problem) for problem in error.problems)
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=wrong) from None
