"""A connection to a telephone engine that is kept up.

An engine that answers too late, or whose connection broke, is left and connected to anew, after a pause that
grows and is jittered (full jitter: peers, section 4a). What was not answered is never sent again: whoever
asked gets an error and finds out by looking.
"""

import asyncio
import logging
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any, Final

from attrs import define, field, frozen

from cti_hooks import Health, described

log = logging.getLogger("lcm_plugin.dialers")

BASE_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 1.5
"""Seconds: an engine that is back is used again within 2 s."""
LONGEST_PAUSE_REFUSED: Final = 60.0
"""Seconds, where the engine refuses the login: knocking on would lock this address out."""
PING_SECONDS: Final = 15.0
LARGEST: Final = 1 << 20
"""Bytes a message of an engine may have."""


class EngineError(ConnectionError):
    """The engine cannot be used; one line for people, without secrets or numbers."""


class EngineDownError(EngineError):
    """There is no connection: nothing was sent."""


class EngineLostError(EngineError):
    """The answer was lost: whether the engine did it is unknown."""


class EngineRefusedError(EngineError):
    """The engine says no: nothing was done."""


@frozen(kw_only=True)
class Address:
    """Where an engine listens."""

    host: str
    port: int
    timeout_seconds: float = 5.0
    tls: Callable[[], ssl.SSLContext] | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Wire(ABC):
    """One connection, for as long as it lasts: asks, and passes on what the engine tells by itself."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeout_seconds: float
    ) -> None:
        self.reader = reader
        self._writer = writer
        self._seconds = timeout_seconds
        self._asked: dict[str, asyncio.Future[Any]] = {}
        self._closed = False

    @abstractmethod
    async def log_in(self) -> str:
        """Log in and subscribe; the engine's version, for people."""

    @abstractmethod
    async def ping(self) -> None:
        """Ask something harmless."""

    @abstractmethod
    async def read(self) -> None:
        """Read one message and deal with it."""

    async def run(self) -> None:
        """Read until the connection ends; the reason is raised."""
        try:
            while True:
                await self.read()
        except ValueError:
            self.close(EngineLostError("another protocol is spoken there; is the port right?"))
            raise
        except EngineError as error:
            self.close(error)
            raise
        finally:
            self.close()

    async def ask(self, key: str, data: bytes) -> Any:
        """Send, and wait for what `answer` is given for this key.

        Raises:
            EngineDownError: the connection is gone; nothing was sent.
            EngineLostError: no answer came in time, and the connection is closed for it.
        """
        if self._closed:
            raise EngineDownError("the connection is gone")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked[key] = answer
        try:
            async with asyncio.timeout(self._seconds):
                self._writer.write(data)
                await self._writer.drain()
                return await answer
        except TimeoutError:
            self.close()  # a late answer must not be taken for the next one's
            raise EngineLostError(f"no answer within {self._seconds:g} s") from None
        except OSError as error:
            self.close()
            if isinstance(error, EngineError):
                raise
            raise EngineLostError("the connection broke before an answer came") from None
        finally:
            self._asked.pop(key, None)

    def answer(self, key: str | None, value: Any) -> None:
        """The answer to what was asked under this key; None: to what was asked first."""
        key = next(iter(self._asked), None) if key is None else key
        asked = self._asked.pop(key, None) if key is not None else None
        if asked and not asked.done():
            asked.set_result(value)

    def close(self, why: EngineError | None = None) -> None:
        """Close at once; who waits for an answer is told why it will not come."""
        why = why or EngineLostError("the connection was closed before an answer came")
        self._closed = True
        self._writer.transport.abort()
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(why)
                asked.exception()  # seen, should nobody wait any more


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
        """How it is; waits for the first try to end, so that a check right after the start can tell."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.address.timeout_seconds * 0.8):
                await self._tried.wait()
        return Health(what=self.what, good=self._wire is not None, seen=self._seen)

    async def _keep_up(self) -> None:
        while True:
            longest = LONGEST_PAUSE
            try:
                await self._session()
            except Exception as error:  # noqa: BLE001  (whatever it was, the connection is made anew)
                longest = LONGEST_PAUSE_REFUSED if isinstance(error, EngineRefusedError) else LONGEST_PAUSE
                self._down(explained(error, self.address))
            self._failures += 1
            ceiling = min(longest, BASE_PAUSE * 2 ** min(self._failures, 16))
            await asyncio.sleep(self.random.uniform(ceiling / 2, ceiling))

    async def _session(self) -> None:
        """Connect, log in, and stay until the connection ends."""
        async with asyncio.timeout(self.address.timeout_seconds):
            reader, writer = await self._connected()
        wire = self.open_wire(reader, writer)
        reading = asyncio.create_task(wire.run(), name=f"reading from {self.what}")
        try:
            await self._use(wire, reading)
        finally:
            self._wire = None
            wire.close()
            reading.cancel()
            await asyncio.wait({reading})
            if not reading.cancelled():
                reading.exception()  # seen

    async def _use(self, wire: Wire, reading: asyncio.Task[None]) -> None:
        async with asyncio.timeout(self.address.timeout_seconds):
            version = await wire.log_in()
        self._wire, self._failures = wire, 0
        self._seen = f"{version} at {self.address}"
        self._tried.set()
        log.info("%s: connected: %s", self.what, self._seen)
        await self.on_up()
        while True:
            done, _ = await asyncio.wait({reading}, timeout=PING_SECONDS)
            if done:
                reading.result()
            await wire.ping()

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
