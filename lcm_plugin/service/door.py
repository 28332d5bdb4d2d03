"""The embedded host's connections: so many at most, and each must soon bring a request that is let in."""

import asyncio
import logging
from typing import Final

from aiohttp import web
from attrs import define, field

from lcm_plugin.listening import listening_on
from lcm_plugin.service.process import descriptors

log = logging.getLogger("lcm_plugin.service.http")

HEAD_SECONDS: Final = 10.0
"""How long a connection has until its first request was let in."""
IDLE_SECONDS: Final = 75.0
"""How long one that was let in is kept between two requests."""
BACKLOG: Final = 32
"""Connections the loop accepts at once, and the kernel keeps meanwhile."""
OWN_FILES: Final = 96 + 3 * BACKLOG
"""File descriptors kept for the ledger, the LCM, dialers, and what was accepted and is being closed."""
_SAYS_AGAIN: Final = 60.0
"""Seconds between two lines of the log that connections are closed for want of room."""


def _without_its_text(record: logging.LogRecord) -> bool:
    """What a malformed request holds is not logged: its token may be in it."""
    if record.exc_info and record.exc_info[0]:
        record.msg = f"{record.msg}: {record.exc_info[0].__name__}"
    record.exc_info = record.exc_text = None
    return True


log.addFilter(_without_its_text)


@define(kw_only=True, eq=False)
class Door:
    """Listens, and closes what is too many or too slow."""

    most: int
    _server: asyncio.Server | None = field(default=None, init=False)
    _runner: web.AppRunner | None = field(default=None, init=False)
    _strangers: dict[asyncio.BaseTransport, asyncio.TimerHandle] = field(factory=dict, init=False)
    """Connections that brought no request yet that was let in, the oldest first, and when they are closed."""
    _inside: set[asyncio.BaseTransport] = field(factory=set, init=False)
    """The others."""
    _said_at: float = field(default=-_SAYS_AGAIN, init=False)

    async def open(self, runner: web.AppRunner, host: str, port: int) -> None:
        """Listen.

        Raises:
            AddressError: it cannot be listened there.
        """
        self._runner = runner
        with listening_on(host, port, "stop what listens there, or set another [service] port"):
            self._server = await asyncio.get_running_loop().create_server(
                self._connection, host, port, backlog=BACKLOG
            )

    def close(self) -> None:
        """Listen no more; what is connected stays so."""
        if self._server:
            self._server.close()

    @property
    def port(self) -> int | None:
        """Where it listens."""
        sockets = self._server.sockets if self._server else ()
        return int(sockets[0].getsockname()[1]) if sockets else None

    def let_in(self, request: web.Request) -> None:
        """Let this connection stay."""
        if request.transport and (timer := self._strangers.pop(request.transport, None)):
            timer.cancel()
            self._inside.add(request.transport)

    def comes(self, transport: asyncio.Transport) -> bool:
        """Whether there is room for one more. If need be, the oldest that was not let in is closed for it."""
        most = min(self.most, max(descriptors() - OWN_FILES, 1))
        if len(self._strangers) + len(self._inside) >= most:
            if not self._strangers:
                self._say_full(most, "new ones are closed")
                return False
            self._say_full(most, "those that have asked nothing yet are closed for new ones")
            self._send_away_the_oldest()
        self._strangers[transport] = asyncio.get_running_loop().call_later(HEAD_SECONDS, transport.abort)
        return True

    def goes(self, transport: asyncio.BaseTransport) -> None:
        """Its place is free."""
        if timer := self._strangers.pop(transport, None):
            timer.cancel()
        self._inside.discard(transport)

    def _connection(self) -> "_Connection":
        if self._runner is None or self._runner.server is None:
            raise RuntimeError("the runner is not set up")
        return _Connection(self, self._runner.server)

    def _send_away_the_oldest(self) -> None:
        oldest = next(iter(self._strangers))
        self._strangers.pop(oldest).cancel()
        if isinstance(oldest, asyncio.Transport):
            oldest.abort()

    def _say_full(self, most: int, closed: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._said_at >= _SAYS_AGAIN:
            self._said_at = now
            log.warning("all %d connections are taken: %s", most, closed)


class _Connection(web.RequestHandler):
    """One connection, as aiohttp serves it."""

    def __init__(self, door: Door, server: web.Server) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=IDLE_SECONDS,
            access_log=None,  # type: ignore[arg-type]  # no access log, as aiohttp does it itself
            logger=log,
            auto_decompress=False,
        )
        self._door = door
        self._place: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport) or not self._door.comes(transport):
            transport.close()
            return
        self._place = transport
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._place:
            self._door.goes(self._place)
            super().connection_lost(exc)
