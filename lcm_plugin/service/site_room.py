"""The routes of the host as a whole: whether it is well, and what happens."""

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import WSCloseCode, WSMsgType, web
from attrs import asdict, define, field, frozen

from cti_hooks import Host, health_of
from lcm_plugin.service.events import News, Subscription
from lcm_plugin.service.problems import ProblemError


@frozen(kw_only=True)
class Alive:
    """The process lives."""

    alive: bool = True


@frozen(kw_only=True)
class Readiness:
    """Whether work may be given, and why not."""

    ready: bool
    reasons: tuple[str, ...]


class Measured(Protocol):
    """What gives the metrics."""

    @property
    def media(self) -> str:
        """The media type of `text`."""

    async def text(self) -> bytes:
        """Everything as it is now."""


@define(kw_only=True, eq=False)
class SiteRoom:
    """The handlers; `unready` tells why the host is not ready, in words."""

    host: Host
    news: News
    unready: list[str]
    described: Callable[[], Mapping[str, Any]]
    """Gives the API's description."""
    measured: Measured | None
    """Where prometheus-client is installed."""
    _sockets: set[web.WebSocketResponse] = field(factory=set, init=False)

    async def healthz(self) -> Alive:
        """Whether the process lives."""
        return Alive()

    async def readyz(self, request: web.Request) -> web.Response:  # noqa: ARG002  (as the table declares)
        """Whether it may be given work, and why not."""
        reasons = (*self.unready, *await self._ailments())
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        return web.json_response(asdict(Readiness(ready=not reasons, reasons=reasons)), status=status)

    async def _ailments(self) -> list[str]:
        """What of the plugins' own is not good."""
        answers = await self.host.hooks.all("report_health")
        return [f"{one.what}: {one.seen}" for one in health_of(answers) if not one.good]

    async def metrics(self, request: web.Request) -> web.Response:  # noqa: ARG002  (as the table declares)
        """What is counted and measured, for Prometheus."""
        if self.measured is None:
            raise ProblemError(
                HTTPStatus.NOT_IMPLEMENTED,
                'metrics need prometheus-client: pip install "lcm-plugin[metrics]", and start again',
            )
        return web.Response(body=await self.measured.text(), headers={"Content-Type": self.measured.media})

    async def openapi(self) -> Mapping[str, Any]:
        """This API, described."""
        return self.described()

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Everything that happens, from now on, as JSON over a WebSocket."""
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        subscription = self.news.subscribe()
        self._sockets.add(socket)
        sending = asyncio.create_task(_send(socket, subscription))
        try:
            async for packet in socket:  # nothing is expected; this sees it close
                if packet.type is WSMsgType.ERROR:
                    break
        finally:
            self.news.unsubscribe(subscription)
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
