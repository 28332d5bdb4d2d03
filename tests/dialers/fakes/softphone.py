"""A softphone's control socket to test faults against; how calls go is tested against a real baresip."""

import asyncio
import json
from typing import Any

from attrs import define, field

from tests.dialers.fakes.server import FakeServer


@define(eq=False)
class FakeSoftphone(FakeServer):
    """Its calls ring for ever."""

    account_parameters: str = ""
    """As baresip does, behind whatever is dialed."""
    fails: str | None = None
    """What it says of a call that it cannot place."""
    answered: bool = False
    prints: str = ""
    """What else it prints when it is asked for its calls."""
    calls: list[str] = field(factory=list)
    dialed: list[str] = field(factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b":")
            order = json.loads((await reader.readexactly(int(head[:-1]) + 1))[:-1])
            if self.deaf:
                continue
            self.asked.append(order["command"])
            data = self._do(order["command"], order.get("params", ""))
            await asyncio.sleep(self.slow)
            if order["command"] == self.lose_answer_to:
                self.lose_answer_to = None
                return
            _tell(writer, {"response": True, "ok": True, "data": data, "token": order["token"]})

    def _do(self, command: str, parameter: str) -> str:
        if command == "about":
            return "\x1b[34;1mbare\x1b[31;1msip\x1b[;m 1.0.0   |\n"
        if command == "listcalls":
            state = "ESTABLISHED" if self.answered else "RINGING    "
            lines = "".join(f"> [line 1]  0:00:00    {state}         {peer}\n" for peer in self.calls)
            return f"\n--- Active calls ({len(self.calls)}) ---\n{lines}\n{self.prints}"
        if command == "dial":
            self._dial(parameter)
        if command == "hangup" and self.calls:
            self._event("CALL_CLOSED", self.calls.pop(), "Connection reset by user")
        return ""

    def _dial(self, to: str) -> None:
        self.dialed.append(to)
        peer = to + self.account_parameters
        if self.fails:
            self._event("CALL_CLOSED", peer, self.fails)
            return
        self.calls.append(peer)
        self._event("CALL_RINGING", peer)

    def answer(self) -> None:
        """The customer answers."""
        self.answered = True
        self._event("CALL_ESTABLISHED", self.calls[-1])

    def end(self, why: str) -> None:
        """The call ends by itself."""
        self._event("CALL_CLOSED", self.calls.pop(), why)

    def _event(self, kind: str, peer: str, text: str = "") -> None:
        facts = {"type": kind, "class": "call", "direction": "outgoing", "peeruri": peer, "id": "7c0e"}
        for writer in self.writers:
            _tell(writer, {"event": True, **facts, "param": text or peer})


def _tell(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    text = json.dumps(message).encode()
    writer.write(b"%d:%s," % (len(text), text))
