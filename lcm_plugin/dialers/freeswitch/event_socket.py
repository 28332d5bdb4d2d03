"""FreeSWITCH's event socket, inbound: blocks of headers, some with a body, both ways.

Framing and answers as in FreeSWITCH's documentation of mod_event_socket and in its source: `auth/request`,
`command/reply` and `api/response` in the order they were asked for, `text/event-plain` with URL-encoded
values, `text/disconnect-notice`, `text/rude-rejection`.
"""

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
from typing import Final
from urllib.parse import unquote

from attrs import frozen

from cti_hooks import masked_text
from lcm_plugin.dialers.exchange import EngineLostError, EngineRefusedError, Wire
from lcm_plugin.dialers.exchange.wire import LARGEST

EVENTS: Final = (
    "BACKGROUND_JOB CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_EXECUTE_COMPLETE "
    "CHANNEL_HANGUP_COMPLETE"
)
LARGEST_HEAD: Final = 1 << 16
"""Bytes of a message's headers, blank lines before them included; an event's own headers are in its body."""


@frozen(kw_only=True)
class Event:
    """One event: its headers, decoded, and its body."""

    headers: Mapping[str, str]
    body: str = ""

    @property
    def name(self) -> str:
        """`CHANNEL_ANSWER`."""
        return self.headers.get("Event-Name", "")


class EventSocket(Wire):
    """One connection to the event socket. Answers come in the order of the questions."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        timeout_seconds: float,
        password: Callable[[], str],
        heard: Callable[[Event], None],
    ) -> None:
        super().__init__(reader, writer, timeout_seconds)
        self._password = password
        self._heard = heard
        self._numbers = count()

    async def log_in(self) -> str:
        """Show the password, subscribe, and ask for the version."""
        await self.ask("auth/request", b"")
        password = self._password()
        try:
            await self.command(f"auth {password}")
        except EngineRefusedError:
            raise EngineRefusedError("it refuses the password; see password_env") from None
        await self.command(f"event plain {EVENTS}")
        return " ".join((await self.api("version")).split()[:3])

    async def ping(self) -> None:
        """Ask for something small."""
        await self.api("uuid_exists 0")

    async def command(self, *lines: str) -> str:
        """Send a command with its headers; its reply's text.

        Raises:
            EngineRefusedError: FreeSWITCH answers `-ERR`.
            EngineError: as for `Wire.ask`.
        """
        reply: str = await self.ask(f"{next(self._numbers)}", _block(lines))
        if not reply.startswith("+OK"):
            raise EngineRefusedError(masked_text(" ".join(reply.split())))
        return reply

    async def api(self, command: str) -> str:
        """Run an API command and wait for what it prints."""
        printed: str = await self.ask(f"{next(self._numbers)}", _block([f"api {command}"]))
        return printed

    async def read(self) -> None:
        """Take one message."""
        headers = await self._headers()
        length = int(headers.get("Content-Length", "0"))
        if not 0 <= length <= LARGEST:
            raise ValueError("a message too large")
        body = (await self.reader.readexactly(length)).decode("utf-8", "replace")
        self._take(headers, body)

    async def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        size = 0
        while True:
            line = await self.reader.readline()
            size += len(line)
            if size > LARGEST_HEAD:
                raise ValueError("a head too large")
            if not line.endswith(b"\n"):
                raise EOFError
            text = line.decode("utf-8", "replace").strip("\r\n")
            if text:
                name, colon, value = text.partition(":")
                if not colon:
                    raise ValueError("a line that is no header")
                headers[name] = value.lstrip()
            elif headers:
                return headers

    def _take(self, headers: Mapping[str, str], body: str) -> None:
        kind = headers.get("Content-Type", "")
        if kind == "auth/request":
            self.answer("auth/request", "")
        elif kind == "command/reply":
            self.answer(None, headers.get("Reply-Text", ""))
        elif kind == "api/response":
            self.answer(None, body)
        elif kind == "text/event-plain":
            self._heard(_event(body))
        elif kind == "text/disconnect-notice":
            raise EngineLostError("it says goodbye")
        elif kind.endswith("rude-rejection"):
            raise EngineRefusedError("it rejects this address; see apply-inbound-acl there")


def _block(lines: tuple[str, ...] | list[str]) -> bytes:
    if any("\n" in line or "\r" in line for line in lines):
        raise ValueError("a newline would begin another command")
    return ("\n".join(lines) + "\n\n").encode()


def _event(text: str) -> Event:
    head, _, body = text.partition("\n\n")
    pairs = (line.partition(":") for line in head.splitlines())
    return Event(headers={name: unquote(value.strip()) for name, _, value in pairs}, body=body)
