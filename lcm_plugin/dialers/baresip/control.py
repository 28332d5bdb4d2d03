"""baresip's control socket (module ctrl_tcp): netstrings of JSON, answers matched by token.

It serves one connection; a second one takes the first one's place, so one host alone may use a softphone.
"""

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, Final

from attrs import frozen

from cti_hooks import ConnectionState, masked_text
from lcm_plugin.dialers.exchange import EngineRefusedError, Wire
from lcm_plugin.dialers.exchange.wire import LARGEST

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_VERSION: Final = re.compile(r"baresip +(?P<version>[0-9][0-9.]*)")
_LINE: Final = re.compile(
    r"^(?P<mark>[> ]) \[line (?P<line>\d+)\] ++(?P<time>\S++) ++"
    r"(?:(?P<state>[A-Z]++(?: [A-Z]++)*+) ++)?(?P<peer>sips?:\S++)",
    re.MULTILINE,
)
"""Nothing in it is tried twice: the time it takes grows with a line's length, and no faster."""
_STATES: Final = {
    "OUTGOING": ConnectionState.INITIATED,
    "RINGING": ConnectionState.ALERTING,
    "EARLY": ConnectionState.ALERTING,
    "ESTABLISHED": ConnectionState.CONNECTED,
}
Event = Mapping[str, Any]


@frozen(kw_only=True)
class PhoneCall:
    """A call the softphone has."""

    peer: str
    state: ConnectionState
    current: bool
    """Whether it is the one that commands are about."""


class Control(Wire):
    """One connection to a softphone's control socket."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        timeout_seconds: float,
        heard: Callable[[Event], None],
    ) -> None:
        super().__init__(reader, writer, timeout_seconds)
        self._heard = heard
        self._numbers = count()

    async def log_in(self) -> str:
        """There is no login: ask what it is."""
        found = _VERSION.search(_COLOUR.sub("", await self.command("about")))
        return f"baresip {found['version'] if found else '(of no known version)'}"

    async def ping(self) -> None:
        """Ask for its calls."""
        await self.command("listcalls")

    async def calls(self) -> Sequence[PhoneCall]:
        """The calls it has."""
        found = _LINE.finditer(await self.command("listcalls"))
        return [
            PhoneCall(
                peer=one["peer"],
                state=_STATES.get(one["state"] or "", ConnectionState.INITIATED),
                current=one["mark"] == ">",
            )
            for one in found
        ]

    async def command(self, name: str, parameter: str | None = None) -> str:
        """Send a command; what it prints.

        Raises:
            EngineRefusedError: it answers that it is not ok.
            EngineError: as for `Wire.ask`.
        """
        token = f"lcm-{next(self._numbers)}"
        order = {"command": name, "token": token} | ({"params": parameter} if parameter else {})
        text = json.dumps(order).encode()
        answer: Event = await self.ask(token, b"%d:%s," % (len(text), text))
        printed = str(answer.get("data", ""))
        if answer.get("ok") is not True:
            raise EngineRefusedError(masked_text(" ".join(printed.split())) or f"it does not {name}")
        return printed

    async def read(self) -> None:
        """Take one netstring."""
        head = await self.reader.readuntil(b":")
        if not head[:-1].isdigit() or int(head[:-1]) > LARGEST:
            raise ValueError("no netstring")
        text = await self.reader.readexactly(int(head[:-1]) + 1)
        message = json.loads(text[:-1])
        if text[-1:] != b"," or not isinstance(message, dict):
            raise ValueError("no netstring of a JSON object")
        if message.get("response"):
            self.answer(str(message.get("token", "")), message)
        elif message.get("event"):
            self._heard(message)
