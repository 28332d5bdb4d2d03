"""The event socket, supervised. Asterisk queues nothing: what was missed is asked for on every connection."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from random import Random
from typing import Any, Final

import aiohttp
from attrs import define, field

from cti_hooks import described
from lcm_plugin.dialers.answers import UnreadableError, json_of, object_of
from lcm_plugin.dialers.asterisk.ari import Ari, AriError, AriRefusedError, explained

log = logging.getLogger("lcm_plugin.dialers.asterisk")

EVENTS: Final = ("Dial", "StasisStart", "ChannelDestroyed")
"""What a call's course is told from; of some 40 events a call, seven."""
_REPLACED: Final = "ApplicationReplaced"
_FIRST_PAUSE: Final = 0.1
_LONGEST: Final = 1.0
"""An Asterisk that comes back is used within 2 s."""
_LONGEST_MISTAKEN: Final = 60.0
"""A wrong password is not put right by asking often."""
_STABLE: Final = 30.0
"""A connection that lasted this many seconds resets the count of failures."""
_MISTAKES: Final = (aiohttp.WSServerHandshakeError, ssl.SSLError, AriRefusedError)


@define(kw_only=True, eq=False)
class AriSocket:
    """Keeps the event socket open, and hands on what comes.

    Attributes:
        trouble: why there is no event socket now; None if there is.
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
    _mistaken: bool = field(default=False, init=False)
    _odd: bool = field(default=False, init=False)
    """Whether this connection brought something that is no event."""
    _tried: asyncio.Event = field(factory=asyncio.Event, init=False)
    _open: asyncio.Event = field(factory=asyncio.Event, init=False)

    async def run(self) -> None:
        """Until cancelled. A jittered pause, longer each time, lies between two tries."""
        try:
            await self._keep_listening()
        finally:
            self._deaf("is not listened to any more")

    async def _keep_listening(self) -> None:
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self._listen()
                trouble = "closed the event socket"
                mistaken = False
            except (aiohttp.ClientError, AriError, OSError, ValueError) as error:
                trouble = str(error) if isinstance(error, AriError) else explained(error, self.ari.settings)
                mistaken = isinstance(error, _MISTAKES)
            except Exception as error:  # noqa: BLE001  (whatever it was, it is told, and the next try is made)
                trouble, mistaken = f"sent what cannot be dealt with: {described(error)}", False
            self._say(trouble.removeprefix(f"{self.ari.name} "))
            lasted = asyncio.get_running_loop().time() - began
            self._count(mistaken=mistaken, anew=lasted > _STABLE)
            await asyncio.sleep(self._pause())

    async def tried(self, seconds: float) -> None:
        """Wait until the first try has come to something, but no longer than this."""
        await happened(self._tried, seconds)

    async def opened(self, seconds: float) -> bool:
        """Whether there is an event socket, now or within these seconds."""
        await happened(self._open, seconds)
        return self._open.is_set()

    async def _listen(self) -> None:
        socket = await self.ari.events(self.app)
        self._odd = False
        async with socket:
            self.version = await self.ari.version()
            await self.ari.hear_only(self.app, (*EVENTS, _REPLACED))
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
                event = _event(message.data)
                if event is None:
                    self._pass_over()
                elif event["type"] == _REPLACED:
                    raise AriRefusedError(
                        f"gave application {self.app!r} to another host: give each its own app"
                    )
                else:
                    self.on_event(event)

    def _pass_over(self) -> None:
        """One line for each connection, however many there are."""
        level = logging.DEBUG if self._odd else logging.WARNING
        self._odd = True
        log.log(level, "%s sent an event that cannot be read: it is passed over", self.ari.name)

    def _say(self, trouble: str | None) -> None:
        """One line for each change, however long it lasts."""
        if trouble is None:
            log.info("%s: connected, Asterisk %s", self.ari.name, self.version)
        elif trouble != self.trouble:
            log.warning("%s %s", self.ari.name, trouble)
        self._tried.set()
        if trouble is None:
            self.trouble = None
            self._open.set()
        else:
            self._deaf(trouble)

    def _deaf(self, trouble: str) -> None:
        self.trouble = trouble
        self._open.clear()

    def _count(self, *, mistaken: bool, anew: bool) -> None:
        """Failures of one kind in a row: an Asterisk that starts says 404 for a moment."""
        in_a_row = mistaken == self._mistaken and not anew
        self._failures = self._failures + 1 if in_a_row else 1
        self._mistaken = mistaken

    def _pause(self) -> float:
        longest = _LONGEST_MISTAKEN if self._mistaken else _LONGEST
        pause: float = min(longest, _FIRST_PAUSE * 2.0 ** min(self._failures, 16))
        return pause * self.random.uniform(0.5, 1.0)


def _event(text: str) -> dict[str, Any] | None:
    """The event, with the channel it is about if it has one; None if it is none."""
    try:
        event = object_of(json_of(text))
        about = object_of(event.get("peer") or event.get("channel") or {})
    except UnreadableError:
        return None
    told = isinstance(event.get("type"), str) and isinstance(about.get("id", ""), str)
    return event if told else None


async def happened(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, and no longer than this."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
