"""The routes of the host as a whole: whether it is well, and what happens."""

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from aiohttp import WSCloseCode, WSMsgType, web
from attrs import asdict, define, field, frozen

from cti_hooks import Health, Host, health_of
from lcm_plugin.identity import Caller
from lcm_plugin.service.callers import CALLER, caller_of
from lcm_plugin.service.events import Feed, Subscription
from lcm_plugin.service.kept import Kept
from lcm_plugin.service.metrics import Metrics
from lcm_plugin.service.rights import READS

ASKED_AGAIN: Final = 2.0
"""Seconds an answer of the plugins' health is kept: engines are asked for it, and anybody may want it."""
PROTOCOL: Final = "lcm-events"
"""What a page may ask for beside its ticket; a browser wants one of those it asked for in the answer."""
HEARD: Final = 1024
"""Bytes of a message from a subscriber, which has nothing to say."""
_PARTING: Final = 1
"""Seconds a subscriber has to hear why it is sent away."""


@frozen(kw_only=True)
class Alive:
    """The process lives."""

    alive: bool = True


@frozen(kw_only=True)
class Readiness:
    """Whether work may be given; and what is not good, though it may."""

    ready: bool
    reasons: tuple[str, ...]


@define(kw_only=True, eq=False)
class SiteRoutes:
    """The handlers; `unready` tells why the host is not ready, in words."""

    host: Host
    feed: Feed
    unready: list[str]
    described: Callable[[], Mapping[str, Any]]
    """Gives the API's description."""
    measured: Metrics
    _sockets: dict[web.WebSocketResponse, web.Request] = field(factory=dict, init=False)
    _ailments: Kept[tuple[Health, ...]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._ailments = Kept(self._asked, ASKED_AGAIN)

    async def healthz(self) -> Alive:
        """Whether the process lives."""
        return Alive()

    async def readyz(self, request: web.Request) -> web.Response:
        """Whether it may be given work; and what is not good, for those who may read the whole floor."""
        ailing = await self._ailments.get()
        ready = not self.unready and all(one.serves for one in ailing)
        reasons = (*self.unready, *(f"{one.what}: {one.seen}" for one in ailing))
        caller = caller_of(request)
        may_know = caller is not None and caller.role in READS
        told = reasons if may_know else ("why is told who shows the token",) * (not ready)
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return web.json_response(asdict(Readiness(ready=ready, reasons=told)), status=status)

    async def _asked(self) -> tuple[Health, ...]:
        """What of the plugins' own is not good."""
        return tuple(one for one in health_of(await self.host.hook.report_health()) if not one.good)

    async def metrics(self, request: web.Request) -> web.Response:  # noqa: ARG002  (as the table declares)
        """What is counted and measured, for Prometheus."""
        return web.Response(body=await self.measured.text(), headers={"Content-Type": self.measured.media})

    async def openapi(self) -> Mapping[str, Any]:
        """This API, described."""
        return self.described()

    async def events(self, request: web.Request) -> web.StreamResponse:
        """What happens from now on, as JSON over a WebSocket: to an agent what is theirs, to others all.

        It ends with the token it was opened by.
        """
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=HEARD, protocols=(PROTOCOL,))
        await socket.prepare(request)
        subscription = self.feed.subscribe(request[CALLER])
        self._sockets[socket] = request
        sending = asyncio.create_task(_send(socket, request, subscription))
        try:
            async with asyncio.timeout(self._seconds_left(request[CALLER])):
                async for packet in socket:  # nothing is expected; this sees it close
                    if packet.type is WSMsgType.ERROR:
                        break
        except TimeoutError:
            sending.cancel()
            await _send_away(socket, request, WSCloseCode.POLICY_VIOLATION, b"your token has expired")
        finally:
            self.feed.unsubscribe(subscription)
            del self._sockets[socket]
            _cut_off_soon(request)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return socket

    def _seconds_left(self, caller: Caller) -> float | None:
        """How long a caller's token lasts; None if it does not end."""
        return (caller.until - self.host.clock.now()).total_seconds() if caller.until else None

    async def close(self) -> None:
        """Send subscribers away."""
        parting = (
            _send_away(socket, request, WSCloseCode.GOING_AWAY, b"the host stops")
            for socket, request in self._sockets.items()
        )
        await asyncio.gather(*parting)
        await self._ailments.close()


async def _send(socket: web.WebSocketResponse, request: web.Request, subscription: Subscription) -> None:
    while not subscription.missed.is_set() or not subscription.events.empty():
        await socket.send_str(await subscription.events.get())
    await _send_away(socket, request, WSCloseCode.TRY_AGAIN_LATER, b"too slow: events were missed")


async def _send_away(
    socket: web.WebSocketResponse, request: web.Request, code: WSCloseCode, message: bytes
) -> None:
    _cut_off_soon(request)
    await socket.close(code=code, message=message)


def _cut_off_soon(request: web.Request) -> None:
    """A close waits until all is read, and a subscriber that has stalled never reads."""
    asyncio.get_running_loop().call_later(_PARTING, _cut_off, request)


def _cut_off(request: web.Request) -> None:
    if request.transport:
        request.transport.abort()
