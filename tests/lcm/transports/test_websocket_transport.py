"""Publish/subscribe without correlation ids: a reply reaches who asked for it, or nobody."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from aiohttp import web
from attrs import evolve

from lcm_plugin.errors import Fault, LcmBadReply, LcmRejected, LcmUnavailable
from lcm_plugin.lcm.catalogue import CAMPAIGN_GROUPS, MessageType
from lcm_plugin.lcm.catalogue.agent_states import AGENT_STATE
from lcm_plugin.lcm.catalogue.dispositions import CALL_RESULT
from lcm_plugin.lcm.catalogue.downloads import MANUAL_DIAL_CALL
from lcm_plugin.lcm.envelope import Request, request
from lcm_plugin.lcm.transports import Transport
from tests.people import ALICE

Serve = Callable[..., Awaitable[str]]
Connect = Callable[..., Transport]
Say = Callable[..., Awaitable[None]]
REPLY = {"channel": "LCM", "topic": "WebService", "subtopic": "DownloadContactsForDialing"}


def soon(seconds: float = 5) -> float:
    return asyncio.get_running_loop().time() + seconds


class Bus:
    """A bus whose every packet the test answers with `answer(socket, packet)`; counts its connections."""

    def __init__(self) -> None:
        self.connections = 0
        self.packets: list[dict[str, Any]] = []
        self.answer: Callable[[web.WebSocketResponse, dict[str, Any]], Coroutine[Any, Any, None]] = self.reply

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.connections += 1
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async with asyncio.TaskGroup() as answering:
            async for packet in socket:
                heard = packet.json()
                self.packets.append(heard)
                answering.create_task(self.answer(socket, heard))
        return socket

    async def reply(self, socket: web.WebSocketResponse, packet: dict[str, Any], **more: Any) -> None:
        number = len(self.packets)
        await socket.send_json({**REPLY, "message": {"response": {"AccountNumber": str(number)}}, **more})


@pytest.fixture
async def bus(serve: Serve) -> tuple[Bus, str]:
    bus = Bus()
    return bus, f"ws://{await serve(bus.handle)}/bus"


def key(reply: Any) -> str:
    return str(reply["message"]["response"]["AccountNumber"])


async def test_a_reply_reaches_who_asked(bus: tuple[Bus, str], connect: Connect, message: Request) -> None:
    """One connection, opened when needed, serves one request after another."""
    server, url = bus
    transport = connect(url)
    assert [key(await transport.send(ALICE, message, soon())) for _ in range(3)] == ["1", "2", "3"]
    assert server.connections == 1
    assert server.packets[0] == message.envelope


async def test_one_request_in_flight_for_each_name_and_connection(
    bus: tuple[Bus, str], connect: Connect, message: Request
) -> None:
    """Requests of one reply name use as many connections as are in flight, up to the pool's size."""
    server, url = bus

    async def slowly(socket: web.WebSocketResponse, packet: dict[str, Any]) -> None:
        await asyncio.sleep(1)
        await server.reply(socket, packet)

    server.answer = slowly
    transport = connect(url, connections=3)
    await asyncio.gather(*(transport.send(ALICE, message, soon(20)) for _ in range(9)))
    assert server.connections == 3


async def test_replies_of_different_names_share_a_connection(
    bus: tuple[Bus, str], connect: Connect, message: Request
) -> None:
    """Two questions whose replies have different names may be in flight on one connection."""
    server, url = bus

    async def by_name(socket: web.WebSocketResponse, packet: dict[str, Any]) -> None:
        await asyncio.sleep(1)
        name = (
            "SetCampaignGroup" if packet["subtopic"] == "GetCampaignGroups" else "DownloadContactsForDialing"
        )
        await socket.send_json({**REPLY, "subtopic": name, "message": {"response": name}})

    server.answer = by_name
    transport = connect(url, connections=1)
    groups = request(CAMPAIGN_GROUPS, source="tests", agent=ALICE)
    replies: Any = await asyncio.gather(*(transport.send(ALICE, one, soon()) for one in (message, groups)))
    assert [one["message"]["response"] for one in replies] == [
        "DownloadContactsForDialing",
        "SetCampaignGroup",
    ]
    assert server.connections == 1


async def test_waiting_for_a_connection_too_long_was_not_sent(
    bus: tuple[Bus, str], connect: Connect, message: Request
) -> None:
    """Who finds no free connection by the deadline has sent nothing."""
    server, url = bus

    async def never(socket: web.WebSocketResponse, packet: dict[str, Any]) -> None:
        pass

    server.answer = never
    transport = connect(url, connections=1)
    first = asyncio.create_task(transport.send(ALICE, message, soon(10)))
    await asyncio.sleep(1)
    with pytest.raises(LcmUnavailable) as raised:
        await transport.send(ALICE, message, soon(2))
    assert raised.value.fault is Fault.NOT_SENT
    with pytest.raises(LcmUnavailable) as raised:
        await first
    assert raised.value.fault is Fault.NO_ANSWER
    assert len(server.packets) == 1


async def test_a_late_reply_is_never_the_next_ones(
    bus: tuple[Bus, str], connect: Connect, message: Request
) -> None:
    """A connection whose request timed out is closed, so its late reply reaches nobody."""
    server, url = bus

    async def first_late(socket: web.WebSocketResponse, packet: dict[str, Any]) -> None:
        number = str(len(server.packets))
        if number == "1":
            await asyncio.sleep(6)
        if not socket.closed:
            await socket.send_json({**REPLY, "message": {"response": {"AccountNumber": number}}})

    server.answer = first_late
    transport = connect(url, connections=1)
    with pytest.raises(LcmUnavailable):
        await transport.send(ALICE, message, soon(5))
    assert key(await transport.send(ALICE, message, soon(5))) == "2"
    assert server.connections == 2


async def test_a_cancelled_request_ends_its_connection(
    bus: tuple[Bus, str], connect: Connect, message: Request
) -> None:
    """A request nobody waits for any more may still be answered: its connection is not used again."""
    server, url = bus

    async def slowly(socket: web.WebSocketResponse, packet: dict[str, Any]) -> None:
        await asyncio.sleep(2)
        if not socket.closed:
            await server.reply(socket, packet)

    server.answer = slowly
    transport = connect(url, connections=1)
    sending = asyncio.create_task(transport.send(ALICE, message, soon(30)))
    await asyncio.sleep(1)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await transport.send(ALICE, message, soon(30))
    assert server.connections == 2


async def test_a_reply_that_comes_twice_retires_its_connection(
    bus: tuple[Bus, str], connect: Connect, message: Request
) -> None:
    """After an unasked-for reply no new request starts on that connection."""
    server, url = bus

    async def twice(socket: web.WebSocketResponse, packet: dict[str, Any]) -> None:
        for _ in range(2):
            await server.reply(socket, packet)

    server.answer = twice
    transport = connect(url, connections=1)
    assert key(await transport.send(ALICE, message, soon())) == "1"
    await asyncio.sleep(2)
    assert key(await transport.send(ALICE, message, soon())) == "2"
    assert server.connections == 2


async def test_broadcasts_and_echoes_are_not_replies(
    bus: tuple[Bus, str], connect: Connect, message: Request
) -> None:
    """What others say, and our own request heard again, are passed over."""
    server, url = bus

    async def noisy(socket: web.WebSocketResponse, packet: dict[str, Any]) -> None:
        await socket.send_json(packet)
        await socket.send_json(
            {"channel": "Amazon", "topic": "Agent", "subtopic": "SetAgentState", "message": {}}
        )
        await socket.send_json({**REPLY, "data": packet["data"], "source": "tests"})
        await server.reply(socket, packet)

    server.answer = noisy
    transport = connect(url)
    assert [key(await transport.send(ALICE, message, soon())) for _ in range(2)] == ["1", "2"]
    assert server.connections == 1


async def test_names_are_compared_loosely(bus: tuple[Bus, str], connect: Connect, message: Request) -> None:
    """A reply's name counts whatever its case and blanks, inside an outer packet too."""
    server, url = bus

    async def loosely(socket: web.WebSocketResponse, packet: dict[str, Any]) -> None:
        inner = {
            **REPLY,
            "subtopic": " downloadcontactsfordialing ",
            "message": {"response": {"AccountNumber": "1"}},
        }
        await socket.send_json({"channel": "LCM", "topic": "", "subTopic": "", "message": inner})

    server.answer = loosely
    assert key(await connect(url).send(ALICE, message, soon())) == "1"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("this is no JSON", LcmBadReply),
        ('{"x": "' + "y" * (1 << 20) + '"}', LcmBadReply),
        ('{"x": ' + "[" * 400 + "]" * 400 + "}", LcmBadReply),
        (None, LcmUnavailable),
    ],
    ids=["not JSON", "more than 1 MiB", "nested without end", "connection cut"],
)
async def test_no_usable_answer_is_doubt(
    bus: tuple[Bus, str], connect: Connect, message: Request, said: str | None, kind: type[Exception]
) -> None:
    """A broken packet or a lost connection fails who waits, and the next request gets another connection."""
    server, url = bus

    async def broken(socket: web.WebSocketResponse, packet: dict[str, Any]) -> None:
        if said is None:
            await socket.close()
        else:
            await socket.send_str(said)

    server.answer = broken
    transport = connect(url)
    with pytest.raises(kind) as raised:
        await transport.send(ALICE, message, soon())
    assert isinstance(raised.value, LcmBadReply | LcmUnavailable)
    assert raised.value.fault is Fault.NO_ANSWER
    server.answer = server.reply
    assert key(await transport.send(ALICE, message, soon())) == "2"


async def test_an_error_without_a_name_is_for_who_waits(
    bus: tuple[Bus, str], connect: Connect, message: Request
) -> None:
    """The documented errors have no name; the only one who waits gets it."""
    server, url = bus

    async def refuse(socket: web.WebSocketResponse, packet: dict[str, Any]) -> None:
        await socket.send_json({"channel": "LCM", "errorType": "WS_Error"})

    server.answer = refuse
    assert await connect(url).send(ALICE, message, soon()) == {"channel": "LCM", "errorType": "WS_Error"}


@pytest.mark.parametrize(
    ("status", "fault"),
    [(503, Fault.BUSY), (401, Fault.REJECTED), (500, Fault.NOT_SENT), (200, Fault.NOT_SENT)],
)
async def test_a_refused_handshake_sent_nothing(
    serve: Serve, connect: Connect, message: Request, status: int, fault: Fault
) -> None:
    """A gateway that takes no WebSocket is told apart like any status, but nothing was sent."""

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=status)

    transport = connect(f"ws://{await serve(refuse)}/")
    with pytest.raises((LcmUnavailable, LcmRejected)) as raised:
        await transport.send(ALICE, message, soon())
    assert isinstance(raised.value, LcmUnavailable | LcmRejected)
    assert raised.value.fault is fault


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirected_handshake_goes_nowhere_else(
    bus: tuple[Bus, str],
    serve: Serve,
    connect: Connect,
    message: Request,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A redirect is not followed: the host it points to hears of no key, no header and no request."""
    elsewhere, location = bus

    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": location.replace("ws:", "http:")})

    monkeypatch.setenv("KEY", "secret")
    transport = connect(f"ws://{await serve(redirect)}/", auth={"type": "api_key", "token_env": "KEY"})
    for _ in range(2):
        with pytest.raises(LcmBadReply, match="redirects are not followed") as raised:
            await transport.send(ALICE, message, soon())
        assert (raised.value.fault, raised.value.status) == (Fault.REDIRECTED, status)
    assert elsewhere.connections == 0


async def test_nobody_listening_was_not_sent(connect: Connect, message: Request) -> None:
    """A refused connection has sent nothing."""
    with pytest.raises(LcmUnavailable) as raised:
        await connect("ws://127.0.0.1:9/").send(ALICE, message, soon())
    assert raised.value.fault is Fault.NOT_SENT


async def test_closing_leaves_no_task(bus: tuple[Bus, str], connect: Connect, message: Request) -> None:
    """After close nothing listens any more."""
    _, url = bus
    transport = connect(url)
    await transport.send(ALICE, evolve(message), soon())
    await transport.close()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "LCM bus"]


@pytest.mark.parametrize("source", ["tests", "another-app"])
@pytest.mark.parametrize("told", [MANUAL_DIAL_CALL, CALL_RESULT], ids=lambda told: told.subtopic)
async def test_a_request_heard_again_is_not_its_reply(
    bus: tuple[Bus, str], connect: Connect, told: MessageType, source: str
) -> None:
    """If request and reply go by one name, data without a message is a request, whoever sent it."""
    server, url = bus

    async def answer(socket: web.WebSocketResponse, packet: dict[str, Any]) -> None:
        await socket.send_json({**packet, "source": source})
        await socket.send_json({"channel": "LCM", "subtopic": told.subtopic, "message": {"response": True}})

    server.answer = answer
    transport = connect(url)
    asked = request(told, source="tests", agent=ALICE, phone_number="+12125550101", key="k", outcome_id="3")
    for _ in range(2):
        heard: Any = await transport.send(ALICE, asked, soon())
        assert heard["message"] == {"response": True}
    assert server.connections == 1


async def test_what_has_no_reply_is_only_published(bus: tuple[Bus, str], connect: Connect) -> None:
    """Nobody waits, the next request goes over the same connection, and a bus that is away is told."""
    server, url = bus
    transport = connect(url)
    state = request(AGENT_STATE, source="tests", agent=ALICE, state="READY")
    await transport.send(ALICE, state, soon())
    groups = request(CAMPAIGN_GROUPS, source="tests", agent=ALICE)
    server.answer = lambda socket, _: server.reply(socket, {}, subtopic="SetCampaignGroup")
    await transport.send(ALICE, groups, soon())
    assert [packet["subtopic"] for packet in server.packets] == ["SendAgentState", "GetCampaignGroups"]
    assert server.connections == 1
    with pytest.raises(LcmUnavailable) as raised:
        await connect("ws://127.0.0.1:1/bus").send(ALICE, state, soon())
    assert raised.value.fault is Fault.NOT_SENT
