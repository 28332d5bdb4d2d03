"""Publish an envelope, and hear its reply: no correlation ids, as the LCM documents its bus.

A reply is known by its name only. So a connection carries one request for each reply name at a time, a small
pool of connections carries more, and one that may still bring a late or second reply takes no new request.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
from attrs import define, field

from cti_hooks import Agent, Clock
from lcm_plugin import redirects
from lcm_plugin.config import LcmSettings
from lcm_plugin.errors import Fault, LcmBadReply, LcmError, LcmUnavailable
from lcm_plugin.lcm.auth import Credentials
from lcm_plugin.lcm.decode import LARGEST, inner, is_request, parse, reply_name
from lcm_plugin.lcm.envelope import Request
from lcm_plugin.lcm.spelling import MISSING, folded, pick
from lcm_plugin.lcm.tls import ssl_context
from lcm_plugin.lcm.transports.http import status_error

log = logging.getLogger("lcm_plugin.lcm")

_CLOSING: Final = 1.0
"""Seconds the other side gets to take part in closing a connection."""
_HEARTBEAT: Final = 20.0


@define(kw_only=True, eq=False)
class WebSocketTransport:
    """A pool of connections, opened when they are needed."""

    settings: LcmSettings
    directory: Path
    clock: Clock
    _session: aiohttp.ClientSession | None = field(default=None, init=False)
    _credentials: Credentials = field(init=False)
    _lines: "list[_Line]" = field(init=False)
    _free: "dict[str, asyncio.LifoQueue[_Line]]" = field(factory=dict, init=False)
    _connections: "set[_Connection]" = field(factory=set, init=False)
    """All that are not closed yet, retired ones too."""

    def __attrs_post_init__(self) -> None:
        self._credentials = Credentials(auth=self.settings.auth, directory=self.directory)
        self._lines = [_Line() for _ in range(self.settings.connections)]

    async def send(self, agent: Agent, message: Request, deadline: float) -> Mapping[str, Any]:  # noqa: ARG002  (one bus)
        """As `Transport.send` says."""
        text = json.dumps(message.envelope)
        name = folded(message.type.reply)
        if not name:
            return await self._exchanged(self._lines[0], "", text, deadline)
        free = self._free_lines(name)
        try:
            async with asyncio.timeout_at(deadline):
                line = await free.get()
        except TimeoutError:
            raise LcmUnavailable("no free connection to the LCM in time", fault=Fault.NOT_SENT) from None
        try:
            return await self._exchanged(line, name, text, deadline)
        finally:
            free.put_nowait(line)

    async def close(self) -> None:
        """Close all connections."""
        for connection in list(self._connections):
            await connection.close()
        if self._session:
            await self._session.close()

    def _free_lines(self, name: str) -> "asyncio.LifoQueue[_Line]":
        if name not in self._free:
            self._free[name] = asyncio.LifoQueue()
            for line in reversed(self._lines):
                self._free[name].put_nowait(line)
        return self._free[name]

    async def _exchanged(self, line: "_Line", name: str, text: str, deadline: float) -> Mapping[str, Any]:
        connected = False
        try:
            async with asyncio.timeout_at(deadline):
                connection = await self._connected(line)
                connected = True
                return await connection.ask(name, text) if name else await connection.tell(text)
        except TimeoutError:
            fault = Fault.NO_ANSWER if connected else Fault.NOT_SENT
            raise LcmUnavailable("the LCM did not answer in time", fault=fault) from None

    async def _connected(self, line: "_Line") -> "_Connection":
        async with line.opening:
            if line.connection is None or not line.connection.usable:
                line.connection = _Connection(await self._opened(), self.settings.source)
                self._connections.add(line.connection)
                line.connection.on_closed(self._connections.discard)
            return line.connection

    async def _opened(self) -> "aiohttp.ClientWebSocketResponse[Any]":
        settings = self.settings
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=ssl_context(settings.tls, self.directory))
            self._session = aiohttp.ClientSession(
                connector=connector, headers=dict(settings.headers), trace_configs=[redirects.refused()]
            )
        headers = await self._credentials.headers(self._session)
        try:
            async with asyncio.timeout(settings.connect_seconds):
                return await self._session.ws_connect(
                    settings.url,
                    headers=headers,
                    max_msg_size=LARGEST,
                    heartbeat=_HEARTBEAT,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSING),
                )
        except aiohttp.WSServerHandshakeError as error:
            self._credentials.refused()
            raise self._handshake_error(error) from None
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            text = f"the LCM cannot be reached: {type(error).__name__}"
            raise LcmUnavailable(text, fault=Fault.NOT_SENT) from None

    def _handshake_error(self, error: aiohttp.WSServerHandshakeError) -> LcmError:
        """As for HTTP, but that nothing was sent yet."""
        told = status_error(error.status, error.headers or {}, self.clock.now())
        if told is None or told.fault is Fault.NO_ANSWER:
            text = f"the LCM's gateway takes no WebSocket: {error.status}"
            return LcmUnavailable(text, fault=Fault.NOT_SENT, status=error.status)
        return told


@define(eq=False)
class _Line:
    """A place in the pool, with a connection while it is good."""

    connection: "_Connection | None" = None
    opening: asyncio.Lock = field(factory=asyncio.Lock)


class _Connection:
    """A connection, and who waits on it for a reply of which name."""

    def __init__(self, socket: "aiohttp.ClientWebSocketResponse[Any]", source: str) -> None:
        self._socket = socket
        self._source = source
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._asked: set[str] = set()
        self._retired = False
        self._listening = asyncio.create_task(self._listen(), name="LCM bus")

    @property
    def usable(self) -> bool:
        """Whether a new request may start on it."""
        return not self._retired and not self._listening.done()

    def on_closed(self, forget: "Callable[[_Connection], None]") -> None:
        """Call `forget` once it is closed."""
        self._listening.add_done_callback(lambda _: forget(self))

    async def ask(self, name: str, text: str) -> Mapping[str, Any]:
        """Publish, and wait for the reply. Who stops waiting ends the connection: it may still come."""
        future: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[name] = future
        self._asked.add(name)
        try:
            await self._socket.send_str(text)
            return await future
        except (aiohttp.ClientError, OSError):
            raise _broken() from None
        except asyncio.CancelledError:
            self._retired = True
            raise
        finally:
            del self._waiting[name]
            future.cancel()
            if self._retired and not self._waiting:
                self._listening.cancel()

    async def tell(self, text: str) -> Mapping[str, Any]:
        """Publish what has no reply."""
        try:
            await self._socket.send_str(text)
        except (aiohttp.ClientError, OSError):
            raise _broken() from None
        return {}

    async def close(self) -> None:
        """Stop listening, and close."""
        self._retired = True
        self._listening.cancel()
        await asyncio.wait({self._listening})

    async def _listen(self) -> None:
        fail: Callable[[], LcmError] = _broken
        try:
            async for packet in self._socket:
                if packet.type is aiohttp.WSMsgType.ERROR:
                    fail = _unreadable if isinstance(packet.data, aiohttp.WebSocketError) else _broken
                    break
                self._hear(packet.data)
        except LcmBadReply:  # whose reply it was cannot be told
            fail = _unreadable
        finally:  # `async for` over a closed socket ends without a word
            self._retired = True
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(fail())
            await self._socket.close()

    def _hear(self, data: bytes | str) -> None:
        """Give a packet to who waits for it.

        Raises:
            LcmBadReply: it is no packet.
        """
        packet = inner(parse(data))
        mine = pick(packet, "source") == self._source and pick(packet, "message") is MISSING
        if mine or is_request(packet):
            return  # our own, heard again, or somebody else's
        name = reply_name(packet)
        if pick(packet, "subtopic") is MISSING and len(self._waiting) == 1:
            name = next(iter(self._waiting))  # an error without a name
        future = self._waiting.get(name)
        if future and not future.done():
            future.set_result(packet)
        elif name in self._asked:  # late, or a second time: the next one could be taken for an answer
            log.warning("an unasked-for %s; its connection takes no new request", name)
            self._retired = True
            if not self._waiting:
                self._listening.cancel()


def _unreadable() -> LcmBadReply:
    return LcmBadReply("the LCM's reply is not JSON, or larger than 1 MiB", fault=Fault.NO_ANSWER)


def _broken() -> LcmUnavailable:
    return LcmUnavailable("the connection to the LCM broke", fault=Fault.NO_ANSWER)
