"""Asterisk's manager interface: blocks of headers, answers matched by ActionID.

A client of our own and not panoramisk, which after a reconnect sends again what was not answered, Originate
included (`send_awaiting_actions`): somebody would be rung twice, or long after everybody gave up. This one
sends each action once, gives each a time-out, and after a lost answer raises.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Final

from cti_hooks import masked_text
from lcm_plugin.dialers.exchange import EngineLostError, EngineRefusedError, Wire

BOOT_SECONDS: Final = 2.0
"""How long to wait for FullyBooted, which a user without the `system` privilege never hears."""
LONGEST_LIST: Final = 10_000
"""Events that answer one question."""
Message = Mapping[str, str]


class Manager(Wire):
    """One connection to the manager interface."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        timeout_seconds: float,
        credentials: Callable[[], tuple[str, str]],
        heard: Callable[[Message], None],
    ) -> None:
        super().__init__(reader, writer, timeout_seconds)
        self._credentials = credentials
        self._heard = heard
        self._numbers = count()
        self._lists: dict[str, list[Message]] = {}
        self._booted = asyncio.Event()
        self._banner = ""

    async def log_in(self) -> str:
        """Log in, wait until Asterisk is up, and ask for its version."""
        user, password = self._credentials()
        try:
            await self.action("Login", Username=user, Secret=password, Events="call,system")
        except EngineRefusedError:
            raise EngineRefusedError("it refuses user and password; see user and password_env") from None
        with suppress(TimeoutError):
            async with asyncio.timeout(BOOT_SECONDS):
                await self._booted.wait()
        with suppress(EngineRefusedError):  # a user may lack the privilege
            return f"Asterisk {(await self.action('CoreSettings'))['AsteriskVersion']}"
        return self._banner

    async def ping(self) -> None:
        """Ask for a Pong."""
        await self.action("Ping")

    async def action(self, name: str, *variables: str, action_id: str = "", **headers: str) -> Message:
        """Send an action; its response.

        Raises:
            EngineRefusedError: Asterisk answers with an error.
            EngineError: as for `Wire.ask`.
        """
        key = action_id or f"lcm-{next(self._numbers)}"
        return _unless_refused(await self.ask(key, _block(name, key, headers, variables)))

    async def listed(self, name: str, **headers: str) -> Sequence[Message]:
        """Send an action that is answered by a list of events; these.

        Raises:
            as `action`.
        """
        key = f"lcm-{next(self._numbers)}"
        self._lists[key] = []
        try:
            _unless_refused(await self.ask(key, _block(name, key, headers, ())))
            return self._lists[key]
        finally:
            del self._lists[key]

    async def read(self) -> None:
        """Take the banner, or one message."""
        if not self._banner:
            self._banner = (await self.reader.readline()).decode("utf-8", "replace").strip()
            if not self._banner:
                raise EOFError
            if not self._banner.startswith("Asterisk Call Manager"):
                raise ValueError("no manager's banner")
        block = (await self.reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace")
        pairs = (line.partition(":") for line in block.split("\r\n") if line)
        self._take({name: value.lstrip() for name, _, value in pairs})

    def _take(self, message: Message) -> None:
        key = message.get("ActionID", "")
        if message.get("Event") == "FullyBooted":
            self._booted.set()
        elif key in self._lists and "Event" in message:
            if message.get("EventList") == "Complete":
                self.answer(key, message)
            elif len(self._lists[key]) < LONGEST_LIST:
                self._lists[key].append(message)
            else:
                raise EngineLostError(f"a list of more than {LONGEST_LIST} events")
        elif "Response" in message and "Event" not in message:
            if key not in self._lists or message["Response"] != "Success":
                self.answer(key, message)
        else:
            self._heard(message)


def _unless_refused(answer: Message) -> Message:
    """The answer, a response or a list's last event."""
    if answer.get("Response", "Success") not in {"Success", "Goodbye"}:
        raise EngineRefusedError(masked_text(answer.get("Message", "an error without a message")))
    return answer


def _block(name: str, key: str, headers: Mapping[str, str], variables: Sequence[str]) -> bytes:
    """The action's bytes. A newline in any value would begin another header, so it is refused."""
    pairs = [("Action", name), ("ActionID", key), *headers.items()]
    pairs += [("Variable", variable) for variable in variables]
    if any(character in value for _, value in pairs for character in "\r\n\0"):
        raise ValueError(f"a newline in a value of action {name}")
    return "".join(f"{header}: {value}\r\n" for header, value in pairs).encode() + b"\r\n"
