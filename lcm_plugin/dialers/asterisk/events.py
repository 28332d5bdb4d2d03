"""The event socket, supervised. Asterisk queues nothing: what was missed is asked for on every connection."""

import asyncio
import json
import logging
import ssl
from collections.abc import Callable, Coroutine, Mapping
from random import Random
from typing import Any, Final

import aiohttp
from attrs import define, field

from lcm_plugin.dialers.asterisk.ari import Ari, AriError, AriRefusedError, explained

log = logging.getLogger("lcm_plugin.dialers.asterisk")

_FIRST_PAUSE: Final = 0.1
_LONGEST: Final = 1.0
"""An Asterisk that comes back is to be used within 2 s."""
_LONGEST_MISTAKEN: Final = 60.0
"""A wrong password is not put right by asking often."""
_MISTAKES: Final = (aiohttp.WSServerHandshakeError, ssl.SSLError, AriRefusedError)


@define(kw_only=True, eq=False)
class EventSocket:
    """Keeps the socket open, and hands on what comes.

    Attributes:
        trouble: why there is no event socket now; None where there is.
        version: Asterisk's, as told last.
    """

    ari: Ari
    app: str
    random: Random
    on_open: Callable[[], Coroutine[Any, Any, None]]
    on_event: Callable[[Mapping[str, Any]], None]
    trouble: str | None = field(default="is not connected yet", init=False)
    version: str = field(default="", init=False)
    _failures: int = field(default=0, init=False)
    _settled: asyncio.Event = field(factory=asyncio.Event, init=False)

    async def run(self) -> None:
        """Until cancelled. A jittered pause, longer each time, lies between two tries."""
        while True:
            try:
                await self._listen()
                trouble = "closed the event socket"
                mistaken = False
            except (aiohttp.ClientError, AriError, OSError, ValueError) as error:
                trouble = str(error) if isinstance(error, AriError) else explained(error, self.ari.settings)
                mistaken = isinstance(error, _MISTAKES)
            self._say(trouble.removeprefix(f"{self.ari.name} "))
            await asyncio.sleep(self._pause(mistaken=mistaken))

    async def known(self, seconds: float) -> None:
        """Wait until the first try has come to something, but no longer than this."""
        try:
            async with asyncio.timeout(seconds):
                await self._settled.wait()
        except TimeoutError:
            return

    async def _listen(self) -> None:
        socket = await self.ari.events(self.app)
        async with socket:
            self.version = await self.ari.version()
            opening = asyncio.create_task(self.on_open(), name=f"{self.ari.name}: compare")
            self._say(None)
            try:
                await self._hand_on(socket)
            finally:
                opening.cancel()
                await asyncio.wait({opening})

    async def _hand_on(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                event = json.loads(message.data)
                if event.get("type") == "ApplicationReplaced":
                    raise AriRefusedError(
                        f"gave application {self.app!r} to another host: give each its own app"
                    )
                self.on_event(event)

    def _say(self, trouble: str | None) -> None:
        """One line for each change, however long it lasts."""
        if trouble is None:
            self._failures = 0
            log.info("%s: connected, Asterisk %s", self.ari.name, self.version)
        elif trouble != self.trouble:
            log.warning("%s %s", self.ari.name, trouble)
        self.trouble = trouble
        self._settled.set()

    def _pause(self, *, mistaken: bool) -> float:
        longest = _LONGEST_MISTAKEN if mistaken else _LONGEST
        self._failures += 1
        pause: float = min(longest, _FIRST_PAUSE * 2.0 ** min(self._failures, 16))
        return pause * self.random.uniform(0.5, 1.0)
