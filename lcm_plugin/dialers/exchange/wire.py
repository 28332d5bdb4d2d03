"""One connection to an engine: what a protocol brings, and how it fails.

A question whose answer is late, or whose asker stopped waiting, ends the connection: if answers come in
the order of the questions, a late one would be taken for the answer to the next.
"""

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from attrs import frozen

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
        except asyncio.CancelledError:
            self.close()  # as above
            raise
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
