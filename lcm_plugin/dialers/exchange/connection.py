"""A connection to a telephone engine that is kept up.

An engine that answers too late, or whose connection broke, is left and connected to anew, after a pause that
grows and is jittered. What was not answered is never sent again: whoever asked gets an error and finds out by
looking.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Final

from attrs import define, evolve, field

from cti_hooks import Health, described
from lcm_plugin.dialers.exchange.wire import (
    LARGEST,
    Address,
    EngineDownError,
    EngineError,
    EngineRefusedError,
    Wire,
)

log = logging.getLogger("lcm_plugin.dialers")

BASE_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 1.5
"""Seconds: an engine that is back is used again within 2 s."""
LONGEST_PAUSE_REFUSED: Final = 60.0
"""Seconds, if the engine refuses the login: knocking on would lock this address out."""
PING_SECONDS: Final = 15.0
HEALTH_SECONDS: Final = 4.0
"""How long a question for health waits for the first try: `report_health` has 5 s."""


WireFactory = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Wire]


@define(kw_only=True, eq=False)
class Connection:
    """Keeps one wire to one engine up, from `start` to `stop`; `on_up` runs after each login."""

    what: str
    address: Address
    open_wire: WireFactory
    on_up: Callable[[], Awaitable[None]]
    random: Random
    _wire: Wire | None = field(default=None, init=False)
    _seen: str = field(default="not connected yet", init=False)
    _tried: asyncio.Event = field(factory=asyncio.Event, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)

    def start(self) -> None:
        """Connect, in a task of its own."""
        self._task = asyncio.create_task(self._keep_up(), name=f"connection to {self.what}")

    async def stop(self) -> None:
        """Disconnect, for good."""
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task})

    @property
    def wire(self) -> Wire:
        """The wire, logged in.

        Raises:
            EngineDownError: there is none now; the text says why.
        """
        if self._wire is None:
            raise EngineDownError(f"{self.what}: {self._seen}")
        return self._wire

    async def health(self) -> Health:
        """How it is; waits for the first try to end, so that a check right after the start can tell.

        A connection that is not kept up is made for the question, and ended.
        """
        seconds = min(self.address.timeout_seconds, HEALTH_SECONDS)
        if self._task is None:
            return await self._glanced(seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._tried.wait()
        return Health(what=self.what, good=self._wire is not None, seen=self._seen)

    async def _glanced(self, seconds: float) -> Health:
        try:
            async with asyncio.timeout(seconds):
                await self._session(self._greet)
        except Exception as error:  # noqa: BLE001  (whatever it was, it is told)
            self._down(explained(error, evolve(self.address, timeout_seconds=seconds)))
            return Health(what=self.what, good=False, seen=self._seen)
        return Health(what=self.what, good=True, seen=self._seen)

    async def _keep_up(self) -> None:
        while True:
            longest = LONGEST_PAUSE
            try:
                await self._session(self._use)
            except Exception as error:  # noqa: BLE001  (whatever it was, the connection is made anew)
                longest = LONGEST_PAUSE_REFUSED if isinstance(error, EngineRefusedError) else LONGEST_PAUSE
                self._down(explained(error, self.address))
            self._failures += 1
            ceiling = min(longest, BASE_PAUSE * 2 ** min(self._failures, 16))
            await asyncio.sleep(self.random.uniform(ceiling / 2, ceiling))

    async def _session(self, use: Callable[[Wire, "asyncio.Task[None]"], Awaitable[None]]) -> None:
        """Connect, use it, and close it."""
        async with asyncio.timeout(self.address.timeout_seconds):
            reader, writer = await self._connected()
        wire = self.open_wire(reader, writer)
        reading = asyncio.create_task(wire.run(), name=f"reading from {self.what}")
        try:
            await use(wire, reading)
        finally:
            self._wire = None
            wire.close()
            reading.cancel()
            await asyncio.wait({reading})
            if not reading.cancelled():
                reading.exception()  # seen

    async def _use(self, wire: Wire, reading: asyncio.Task[None]) -> None:
        """Log in, and stay until the connection ends."""
        await self._greet(wire, reading)
        await self.on_up()
        self._failures = 0
        while True:
            done, _ = await asyncio.wait({reading}, timeout=PING_SECONDS)
            if done:
                reading.result()
            await wire.ping()

    async def _greet(self, wire: Wire, _: "asyncio.Task[None]") -> None:
        async with asyncio.timeout(self.address.timeout_seconds):
            version = await wire.log_in()
        self._wire = wire
        self._seen = f"{version} at {self.address}"
        self._tried.set()
        log.info("%s: connected: %s", self.what, self._seen)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        tls = self.address.tls() if self.address.tls else None
        return await asyncio.open_connection(self.address.host, self.address.port, ssl=tls, limit=LARGEST)

    def _down(self, why: str) -> None:
        if self._seen != why:
            log.warning("%s: %s", self.what, why)
        self._seen = why
        self._tried.set()


def explained(error: Exception, address: Address) -> str:  # noqa: PLR0911  (one line for each kind of trouble)
    """What is wrong with a connection, and the way out, in one line."""
    if isinstance(error, EngineError):
        return f"{error} ({address})"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not good for {address}: {error.verify_message}; see host and ca_file"
    if isinstance(error, ssl.SSLError):
        return f"no TLS is spoken on {address}; set its TLS port, or tls = false"
    if isinstance(error, TimeoutError):
        return f"no answer from {address} within {address.timeout_seconds:g} s"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens on {address}; is it running, and is the port right?"
    if isinstance(error, socket.gaierror):
        return f"there is no host {address.host}"
    if isinstance(error, ValueError):
        return f"another protocol is spoken on {address}; is the port right?"
    if isinstance(error, (OSError, EOFError)):
        return f"the connection to {address} was closed"
    return f"it failed here: {described(error)}"
