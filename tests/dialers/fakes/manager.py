"""A manager interface to test faults against; how calls go is tested against a real Asterisk."""

import asyncio
from collections.abc import Callable

from attrs import define, field

from tests.dialers.fakes.server import FakeServer


@define(eq=False)
class FakeManager(FakeServer):
    """Its channels ring for ever."""

    password: str = "secret"  # noqa: S105  (a fake's)
    channels: list[str] = field(factory=list)
    more: Callable[[bytes], bytes] | None = None
    """What is sent without end in place of a list, made of the action's id."""
    originated: list[dict[str, str]] = field(factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        while True:
            block = (await reader.readuntil(b"\r\n\r\n")).decode()
            if self.deaf:
                continue
            headers = dict(line.split(": ", 1) for line in block.split("\r\n") if line)
            self.asked.append(headers["Action"])
            if self.more and headers["Action"] == "Status":
                await self._flood(writer, headers["ActionID"].encode())
            answer = self._do(headers)
            if headers["Action"] == self.lose_answer_to:
                self.lose_answer_to = None
                return
            for message in answer:
                message["ActionID"] = headers["ActionID"]
                text = "".join(f"{name}: {value}\r\n" for name, value in message.items())
                writer.write(text.encode() + b"\r\n")

    async def _flood(self, writer: asyncio.StreamWriter, asked: bytes) -> None:
        writer.write(b"Response: Success\r\nActionID: %s\r\nEventList: start\r\n\r\n" % asked)
        while self.more:
            writer.write(b"".join(self.more(asked) for _ in range(1000)))
            await writer.drain()

    def _do(self, headers: dict[str, str]) -> list[dict[str, str]]:  # noqa: PLR0911  (one for each action)
        success = {"Response": "Success", "Message": "done"}
        action, channel = headers["Action"], headers.get("Channel", "")
        if action == "Login":
            if headers["Secret"] != self.password:
                return [{"Response": "Error", "Message": "Authentication failed"}]
            return [success, {"Event": "FullyBooted", "Status": "Fully Booted"}]
        if action == "CoreSettings":
            return [success | {"AsteriskVersion": "22.10.1"}]
        if action == "Originate":
            self.originated.append(headers)
            self.channels.append(headers["ChannelId"])
            new = {"Event": "Newchannel", "Uniqueid": headers["ChannelId"], "Channel": f"{channel}-01"}
            return [success, new]
        if action == "Status":
            there = {"Event": "Status", "Channel": "PJSIP/1001-01", "Uniqueid": channel, "ChannelState": "5"}
            if channel not in self.channels:
                return [{"Response": "Error", "Message": "No such channel"}]
            return [success, there, {"Event": "StatusComplete", "EventList": "Complete"}]
        if action == "Hangup" and channel in self.channels:
            self.channels.remove(channel)
            return [success, {"Event": "Hangup", "Uniqueid": channel, "Channel": "x", "Cause": "16"}]
        if action == "PJSIPShowEndpoint":
            return [success, {"Event": "EndpointDetailComplete", "EventList": "Complete"}]
        return [success]
