"""The wire to an engine, to cut: a TCP proxy on loopback that loses what it is told to lose."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from attrs import define, field


@define(kw_only=True, eq=False)
class Wire:
    """A proxy to one port.

    Attributes:
        port: where it listens.
        down: while true, no connection is taken.
        swallowed: requests with this in them reach the engine, and their answers never come back: the
            connection breaks instead. Once.
    """

    to: int
    port: int = 0
    down: bool = False
    swallowed: bytes | None = None
    _ends: dict[asyncio.StreamWriter, bytes] = field(factory=dict, init=False)
    _tasks: set["asyncio.Task[None]"] = field(factory=set, init=False)

    def cut(self, having: bytes = b"") -> int:
        """Break every connection that asked for something with this in it. How many there were."""
        cut = [writer for writer, asked in self._ends.items() if having in asked]
        for writer in cut:
            writer.transport.abort()
        return len(cut)

    async def close(self) -> None:
        """Break all connections, and wait for what is left of them."""
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        if task:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            if not self.down:
                await self._between(reader, writer)
        finally:
            self._ends.pop(writer, None)
            writer.transport.abort()

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            return
        self._ends[writer] = b""
        back = asyncio.create_task(_pump(inner_reader, writer))
        try:
            with suppress(OSError):
                while data := await reader.read(65536):
                    self._ends[writer] = data
                    lost = self.swallowed is not None and self.swallowed in data
                    if lost:
                        await _stopped(back)
                    inner_writer.write(data)
                    if lost:
                        self.swallowed = None
                        await inner_reader.read(65536)  # the engine has answered, and nobody hears it
                        break
        finally:
            await _stopped(back)
            inner_writer.transport.abort()


async def _stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


@asynccontextmanager
async def wire(to: int) -> AsyncIterator[Wire]:
    """A running proxy to a port of loopback's."""
    one = Wire(to=to)
    server = await asyncio.start_server(one.take, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    async with server:
        yield one
        await one.close()
