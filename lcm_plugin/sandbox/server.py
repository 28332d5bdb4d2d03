"""The sandbox's socket: one LCM behind HTTP and WebSocket, misbehaving as ordered."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

from aiohttp import WSMsgType, web
from attrs import define, field

from lcm_plugin.lcm.decode import LARGEST
from lcm_plugin.sandbox.account import Account, Received
from lcm_plugin.sandbox.answers import Answers, UnknownMessageError
from lcm_plugin.sandbox.faults import Fault
from lcm_plugin.sandbox.spoiling import STATUS, Answered, replied, spoilt, unprocessed, ws_error
from lcm_plugin.sandbox.variants import MALFORMED

_NOT_PROCESSED: Final = {"busy", "reject", "redirect", "late_commit"}
_NOT_DELIVERED: Final = {"drop", "late_commit", "error", "truncated", "huge", "not_json", "wrong_subtopic"}


@define(kw_only=True, eq=False)
class Server:
    """Takes requests, orders their faults, keeps the account."""

    answers: Answers
    account: Account
    requests: list[Received]
    fault_of: Callable[[str, str], Fault | None]
    _later: set[asyncio.Task[None]] = field(factory=set, init=False)

    def application(self) -> web.Application:
        """`POST /message` and the WebSocket `/bus`."""
        app = web.Application(client_max_size=LARGEST)
        app.router.add_post("/message", self._http)
        app.router.add_get("/bus", self._bus)
        app.on_shutdown.append(self._end)
        return app

    async def _end(self, _: web.Application) -> None:
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)

    # -- HTTP -----------------------------------------------------------------------------------------------

    async def _http(self, request: web.Request) -> web.StreamResponse:
        outcome = await self._handled(await request.text(), dict(request.headers))
        if outcome.text is None:
            if request.transport:
                request.transport.abort()
            return web.Response()
        if outcome.headers.pop("cut", ""):
            return await self._cut(request, outcome.text)
        return web.Response(
            status=outcome.status,
            text=outcome.text,
            content_type="application/json",
            headers=outcome.headers,
        )

    async def _cut(self, request: web.Request, text: str) -> web.StreamResponse:
        """Promise the whole, send a half."""
        body = text.encode()
        reply = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await reply.prepare(request)
        await reply.write(body[: len(body) // 2])
        if request.transport:
            request.transport.close()
        return reply

    # -- WebSocket ------------------------------------------------------------------------------------------

    async def _bus(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async with asyncio.TaskGroup() as publishing:
            async for packet in socket:
                if packet.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    publishing.create_task(self._publish(request, socket, packet.data))
        return socket

    async def _publish(self, request: web.Request, socket: web.WebSocketResponse, data: str) -> None:
        outcome = await self._handled(data, dict(request.headers))
        if outcome.text is None or outcome.status in {STATUS["redirect"], STATUS["error"]}:  # no bus's
            if request.transport:
                request.transport.abort()
            return
        text = outcome.text[: len(outcome.text) // 2] if outcome.headers.pop("cut", "") else outcome.text
        for _ in range(2 if outcome.twice else 1):
            if not outcome.unheard and not socket.closed:
                await socket.send_str(text)

    # -- either ---------------------------------------------------------------------------------------------

    async def _handled(self, text: str, headers: dict[str, str]) -> Answered:
        account = self.account
        account.in_flight += 1
        account.max_in_flight = max(account.max_in_flight, account.in_flight)
        try:
            return await self._answered(text, headers)
        finally:
            account.in_flight -= 1

    async def _answered(self, text: str, headers: dict[str, str]) -> Answered:
        try:
            envelope = json.loads(text)
            message = self.answers.message(envelope)
        except (ValueError, AttributeError) as error:
            what = "unknown subtopic" if isinstance(error, UnknownMessageError) else "not a JSON object"
            return Answered(status=400, text=ws_error(what))
        received = Received(
            subtopic=message.subtopic,
            envelope=envelope,
            headers=headers,
            at=asyncio.get_running_loop().time(),
        )
        self.requests.append(received)
        fault = self.fault_of(message.subtopic, received.agent_id)
        received.fault = fault.name if fault else ""

        def process() -> dict[str, Any] | None:
            delivered = fault is None or not (fault.name in _NOT_DELIVERED or fault.variant in MALFORMED)
            return self.answers.answer(message, envelope, delivered=delivered)

        outcome = await self._misbehaved(fault, process) if fault else replied(process())
        outcome.unheard = not message.reply
        return outcome

    async def _misbehaved(self, fault: Fault, process: Callable[[], dict[str, Any] | None]) -> Answered:
        if fault.name == "late_commit":
            self._do_later(fault.seconds, process)
        if fault.name in _NOT_PROCESSED:
            return unprocessed(fault)
        reply = process()
        if fault.name == "late":
            await asyncio.sleep(fault.seconds)
        if reply is None and fault.name not in {"drop", "error"}:
            return replied(reply)  # there is none to spoil
        return spoilt(fault, reply or {})

    def _do_later(self, seconds: float, process: Callable[[], object]) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            process()

        task = asyncio.create_task(later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)
