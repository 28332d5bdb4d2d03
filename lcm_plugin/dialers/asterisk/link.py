"""One Asterisk in reach: its REST interface and its event socket, from the host's start to its stop."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from attrs import define, field

from cti_hooks import Health
from lcm_plugin.dialers.asterisk.ari import Ari, AriError
from lcm_plugin.dialers.asterisk.event_socket import AriSocket
from lcm_plugin.dialers.asterisk.health import wrong_endpoint

T = TypeVar("T")

_TO_CONNECT: Final = 3.0
"""Seconds that a call, or a question for health, waits for the event socket."""


@define(kw_only=True, eq=False)
class AriLink:
    """Keeps one Asterisk in reach.

    Attributes:
        calls: how many calls are led there now.
    """

    ari: Ari
    socket: AriSocket
    calls: Callable[[], int]
    _tasks: set["asyncio.Task[Any]"] = field(factory=set, init=False)

    def start(self) -> None:
        """Connect, now and whenever the connection is lost.

        Raises:
            OSError: the password's or the CA's file cannot be read.
        """
        self.ari.open()
        self.spawn(self.socket.run())

    async def stop(self) -> None:
        """Disconnect, for good."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self.ari.close()

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Do it beside everything else, until the host stops."""
        task = asyncio.create_task(work, name=f"{self.ari.name}: beside its calls")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def opened(self) -> bool:
        """Whether events can come, now or in a moment."""
        return await self.socket.opened(_TO_CONNECT)

    async def health(self) -> Health:
        """Whether it is reachable, its version, and whether the customer's endpoint makes sense."""
        await self.socket.tried(_TO_CONNECT)
        what = "asterisk" if self.ari.name == "asterisk" else f"asterisk {self.ari.name}"
        if self.socket.trouble:
            return Health(what=what, good=False, seen=self.socket.trouble)
        try:
            wrong = await wrong_endpoint(self.ari)
        except AriError as error:
            return Health(what=what, good=False, seen=str(error))
        seen = f"Asterisk {self.socket.version}, {self.calls()} calls"
        return Health(what=what, good=not wrong, seen=wrong or seen)
