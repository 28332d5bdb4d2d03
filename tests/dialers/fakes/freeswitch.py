"""A FreeSWITCH to test against, from the documentation and source of its mod_event_socket.

It speaks the event socket's framing, and plays two kinds of phones: agents' (`user/...`) and customers', by
the last digits of the number dialed.
"""

import asyncio
import re
from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

from attrs import define, field

from tests.dialers.fakes.server import FakeServer

VERSION = "FreeSWITCH Version 1.10.12-release+git~20240802T210227Z~a88d069d6f~64bit (git a88d069 64bit)\n"
CUSTOMERS: Mapping[str, tuple[str, int]] = {
    "02": ("USER_BUSY", 486),
    "03": ("NO_ANSWER", 480),
    "04": ("CALL_REJECTED", 603),
    "05": ("NORMAL_CIRCUIT_CONGESTION", 503),
    "06": ("UNALLOCATED_NUMBER", 404),
}
"""How customers whose number ends so refuse. 01 answers, 07 rings for ever, 08 answers and hangs up, 09 has
no gateway, 10 has early media only."""


@define(eq=False)
class Channel:
    uuid: str
    state: str = "DOWN"
    other: str = ""


@define(eq=False)
class FakeFreeSwitch(FakeServer):
    password: str = "ClueCon"  # noqa: S105  (a fake's)
    agent_answers_after: float = 1.0
    agent: str = "answers"
    """answers, or a hangup cause; `unregistered` has no channel at all."""
    rejects: bool = False
    channels: dict[str, Channel] = field(factory=dict)
    rang: list[str] = field(factory=list)
    """Dial strings of all phones that rang, in order."""
    subscribed: set[asyncio.StreamWriter] = field(factory=set)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.rejects:
            text = "Access Denied, go away.\n"
            writer.write(f"Content-Type: text/rude-rejection\nContent-Length: {len(text)}\n\n{text}".encode())
            return
        writer.write(b"Content-Type: auth/request\n\n")
        authed = False
        while True:
            block = (await reader.readuntil(b"\n\n")).decode().rstrip("\n").split("\n")
            await self.thawed.wait()
            if self.deaf:
                continue
            self.asked.append("\n".join(block))
            if not authed:
                authed = block[0] == f"auth {self.password}"
                _reply(writer, "+OK accepted" if authed else "-ERR invalid")
                if not authed:
                    text = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
                    head = f"Content-Type: text/disconnect-notice\nContent-Length: {len(text)}\n\n"
                    writer.write((head + text).encode())
                    await writer.drain()
                    return
                continue
            answer = self._do(block, writer)
            await asyncio.sleep(self.slow)
            if self.lose_answer_to and self.lose_answer_to in block[0]:
                self.lose_answer_to = None
                return
            writer.write(answer)

    def _do(self, block: list[str], writer: asyncio.StreamWriter) -> bytes:
        command, _, rest = block[0].partition(" ")
        headers = dict(line.split(": ", 1) for line in block[1:])
        if command == "event":
            self.subscribed.add(writer)
            return b"Content-Type: command/reply\nReply-Text: +OK event listener enabled plain\n\n"
        if command == "bgapi":
            job = headers["Job-UUID"]
            self._originate(rest.removeprefix("originate "), job)
            return (
                f"Content-Type: command/reply\nReply-Text: +OK Job-UUID: {job}\nJob-UUID: {job}\n\n".encode()
            )
        if command == "sendmsg":
            if rest not in self.channels:
                text = f"-ERR invalid session id [{rest}]"
            else:
                assert headers["call-command"] == "execute"
                assert headers["execute-app-name"] == "bridge"
                self._bridge(self.channels[rest], headers["execute-app-arg"])
                text = "+OK"
            return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()
        assert command == "api", block
        text = self._api(*rest.split(" "))
        return f"Content-Type: api/response\nContent-Length: {len(text)}\n\n{text}".encode()

    def _api(self, name: str, *words: str) -> str:
        if name == "version":
            return VERSION
        channel = self.channels.get(words[0])
        if name == "uuid_exists":
            return "true" if channel else "false"
        if channel is None:
            return "-ERR No such channel!\n"
        if name == "uuid_dump":
            return (
                f"Event-Name: CHANNEL_DATA\nUnique-ID: {channel.uuid}\nChannel-Call-State: {channel.state}\n"
            )
        assert name == "uuid_kill"
        self.hang_up(channel.uuid, words[1], 487 if channel.state != "ACTIVE" else 200)
        return "+OK\n"

    # -- the phones -----------------------------------------------------------------------------------------

    def _originate(self, text: str, job: str) -> None:
        variables, target, app = _dial_string(text)
        assert app == "&park()"
        if self.agent == "unregistered":
            self._event("BACKGROUND_JOB", {"Job-UUID": job}, "-ERR USER_NOT_REGISTERED\n")
            return
        channel = self._ring(variables["origination_uuid"], target)
        self.later(self.agent_answers_after, partial(self._agent, channel, job))

    async def _agent(self, channel: Channel, job: str) -> None:
        if self.agent == "silent" or channel.uuid not in self.channels:
            return
        if self.agent != "answers":
            self.hang_up(channel.uuid, self.agent, 486)
            self._event("BACKGROUND_JOB", {"Job-UUID": job}, f"-ERR {self.agent}\n")
            return
        channel.state = "ACTIVE"
        self._event("CHANNEL_ANSWER", {"Unique-ID": channel.uuid})
        self._event("BACKGROUND_JOB", {"Job-UUID": job}, f"+OK {channel.uuid}\n")

    def _bridge(self, agent: Channel, text: str) -> None:
        variables, target, _ = _dial_string(text)
        if target.endswith("09"):
            self._executed(agent, "GATEWAY_DOWN")
            return
        customer = self._ring(variables["origination_uuid"], target, quiet=target.endswith("10"))
        customer.other, agent.other = agent.uuid, customer.uuid
        self.later(2.0, partial(self._customer, customer, target[-2:]))

    async def _customer(self, customer: Channel, kind: str) -> None:
        if customer.uuid not in self.channels or kind == "07":
            return
        if kind in CUSTOMERS:
            self.hang_up(customer.uuid, *CUSTOMERS[kind])
            return
        customer.state = "ACTIVE"
        self._event("CHANNEL_ANSWER", {"Unique-ID": customer.uuid})
        if kind == "08":
            await asyncio.sleep(5)
            self.hang_up(customer.uuid, "NORMAL_CLEARING", 200)

    def _ring(self, uuid: str, target: str, *, quiet: bool = False) -> Channel:
        self.rang.append(target)
        channel = self.channels[uuid] = Channel(uuid=uuid, state="EARLY" if quiet else "RINGING")
        self._event("CHANNEL_PROGRESS_MEDIA" if quiet else "CHANNEL_PROGRESS", {"Unique-ID": uuid})
        return channel

    def hang_up(self, uuid: str, cause: str, status: int) -> None:
        channel = self.channels.pop(uuid, None)
        if channel is None:
            return
        facts = {"Unique-ID": uuid, "Hangup-Cause": cause, "variable_sip_term_status": str(status)}
        agent = self.channels.get(channel.other)
        if agent and uuid == agent.other:
            self._executed(agent, cause)  # the bridge's end may be told before its leg's
        self._event("CHANNEL_HANGUP_COMPLETE", facts)

    def _executed(self, agent: Channel, cause: str) -> None:
        facts = {"Unique-ID": agent.uuid, "Application": "bridge", "variable_originate_disposition": cause}
        self._event("CHANNEL_EXECUTE_COMPLETE", facts)

    def _event(self, name: str, facts: Mapping[str, str], body: str = "") -> None:
        lines = [f"Event-Name: {name}", *(f"{key}: {quote(value)}" for key, value in facts.items())]
        text = "\n".join(lines) + "\n"
        text += f"Content-Length: {len(body)}\n\n{body}" if body else "\n"
        head = f"Content-Length: {len(text)}\nContent-Type: text/event-plain\n\n"
        for writer in self.subscribed & self.writers:
            writer.write((head + text).encode())


def _reply(writer: asyncio.StreamWriter, text: str) -> None:
    writer.write(f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode())


def _dial_string(text: str) -> tuple[dict[str, str], str, str]:
    found = re.fullmatch(r"\{(?P<variables>[^{}]*)\}(?P<target>[^ ]+)(?: (?P<app>.*))?", text)
    assert found, text
    pairs = re.findall(r"(\w+)='([^']*)'(?:,|$)", found["variables"])
    return dict(pairs), found["target"], found["app"] or ""
