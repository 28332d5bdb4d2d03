"""An Asterisk's REST interface and event sockets, to test faults against; calls are tested at a real one.

A second event socket of an application takes the first one's place, as Asterisk's does.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from attrs import define, field


@define(eq=False)
class FakeAri:
    """Its channels stay as they are until a test says otherwise."""

    port: int = 0
    channels: dict[str, dict[str, Any]] = field(factory=dict)
    hung_up: list[str] = field(factory=list)
    fails: list[str] = field(factory=list)
    """Requests that are answered by 503, once each: `GET channels`."""
    apps: list[str] = field(factory=list)
    """Applications, in the order their event sockets were opened."""
    sockets: dict[str, web.WebSocketResponse] = field(factory=dict)
    asked: list[str] = field(factory=list)
    """Every request, as its raw path says."""
    says: dict[str, bytes] = field(factory=dict)
    """Requests that are answered by these bytes, whatever they are."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ari"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_get("/ari/events", self._events)
        app.router.add_route("*", "/ari/{path:.*}", self._rest)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self.port = runner.addresses[0][1]
        try:
            yield
        finally:
            await self.cut()
            await runner.cleanup()

    async def cut(self) -> None:
        """Close the event sockets."""
        for socket in list(self.sockets.values()):
            await socket.close()

    async def answers(self, channel: str) -> None:
        """A phone is picked up."""
        self.channels[channel]["state"] = "Up"
        await self._tell(channel, type="StasisStart", channel=self.channels[channel])

    async def dialed(self, channel: str, status: str) -> None:
        """A dial goes on, or ends."""
        await self._tell(channel, type="Dial", dialstatus=status, peer=self.channels[channel])

    async def ends(self, channel: str, cause: int = 16) -> None:
        """A channel is over."""
        over = self.channels[channel]
        await self._tell(channel, type="ChannelDestroyed", channel=over, cause=cause, cause_txt="over")
        del self.channels[channel]

    async def utters(self, text: str) -> None:
        """A text that may be no event at all, to every application."""
        for socket in self.sockets.values():
            await socket.send_str(text)

    async def _tell(self, channel: str, /, **event: Any) -> None:
        if socket := self.sockets.get(self.channels[channel]["app"]):
            await socket.send_json(event)

    async def _events(self, request: web.Request) -> web.WebSocketResponse:
        socket, app = web.WebSocketResponse(), request.query["app"]
        await socket.prepare(request)
        self.apps.append(app)
        before, self.sockets[app] = self.sockets.get(app), socket
        if before:
            await before.send_json({"type": "ApplicationReplaced", "application": app})
        async for _ in socket:
            pass
        if self.sockets[app] is socket:
            del self.sockets[app]
        return socket

    async def _rest(self, request: web.Request) -> web.Response:
        asked = f"{request.method} {request.match_info['path']}"
        self.asked.append(f"{request.method} {request.raw_path}")
        if asked in self.says:
            return web.Response(body=self.says[asked])
        if asked in self.fails:
            self.fails.remove(asked)
            return web.Response(status=503)
        if asked == "POST channels":
            return web.json_response(self._placed(await request.json()))
        if asked.startswith("DELETE channels/") and not asked.endswith("/ring"):
            return await self._hung_up(asked.split("/")[1])
        found = self._found(asked)
        return web.json_response(found) if found is not None else web.Response(status=404)

    def _found(self, asked: str) -> Any:
        match asked.split("/"):
            case ["GET channels"]:
                return list(self.channels.values())
            case ["GET channels", channel]:
                return self.channels.get(channel)
            case ["GET asterisk", "info"]:
                return {"system": {"version": "22"}}
            case ["GET endpoints", "PJSIP"]:
                return [{"resource": "trunk", "state": "online"}]
        return {}

    async def _hung_up(self, channel: str) -> web.Response:
        if channel not in self.channels:
            return web.Response(status=404)
        self.hung_up.append(channel)
        await self.ends(channel)
        return web.Response(status=204)

    def _placed(self, order: dict[str, Any]) -> dict[str, Any]:
        channel = order["channelId"]
        self.channels[channel] = {"id": channel, "state": "Down", "app": order["app"], "name": "PJSIP/x-1"}
        return self.channels[channel]
