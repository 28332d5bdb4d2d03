"""A server on a real socket that a test can freeze, cut and stop."""

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from attrs import define, field


@define(eq=False)
class FakeServer(ABC):
    """Listens on a free port of 127.0.0.1; what is asked is in `asked`."""

    port: int = 0
    asked: list[str] = field(factory=list)
    lose_answer_to: str | None = None
    """A command that is carried out, and the connection cut in place of the answer."""
    slow: float = 0.0
    """Seconds until each answer, one after another."""
    thawed: asyncio.Event = field(factory=asyncio.Event)
    """Cleared: what comes waits, and is carried out afterwards, whatever became of the connection."""
    deaf: bool = False
    """Takes what comes and does nothing."""
    writers: set[asyncio.StreamWriter] = field(factory=set)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        self.thawed.set()

    @abstractmethod
    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, cut who is connected."""
        if self._server:
            self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0.01)

    def cut(self) -> None:
        for writer in list(self.writers):
            writer.transport.abort()

    def later(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        async def waits() -> None:
            await asyncio.sleep(seconds)
            await work()

        task = asyncio.ensure_future(waits())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            await self.talk(reader, writer)
        except (OSError, EOFError):
            pass
        finally:
            self.writers.discard(writer)
            writer.transport.abort()
