"""An LCM in a process of its own, over HTTP on 127.0.0.1: as fast as aiohttp serves, and counting."""

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final

from aiohttp import web
from attrs import define, field

from lcm_plugin.lcm.catalogue import CATALOGUE
from lcm_plugin.lcm.catalogue.message import Shape

SINGLE: Final = "GetDownloadContactsForDialing"
RESERVED: Final = "GetReservedManualDialContact"


@define(kw_only=True)
class Orders:
    """How it behaves.

    Attributes:
        contacts: how many it has left to give; each has a key and a number of its own.
        seconds: how long it takes to answer.
        gone: whether it ends every connection without an answer.
    """

    contacts: int = 0
    seconds: float = 0.0
    gone: bool = False


@define(eq=False)
class LcmServer:
    """The other process, from this one."""

    url: str
    _pipe: Connection

    def order(self, **orders: Any) -> None:
        """Behave like this from now on."""
        self._asked("order", orders)

    def counts(self) -> Counter[str]:
        """How many questions came since this was asked last, by message; and the most in one second."""
        counted: Counter[str] = self._asked("counts", None)
        return counted

    def _asked(self, what: str, facts: Any) -> Any:
        self._pipe.send((what, facts))
        return self._pipe.recv()


@contextmanager
def lcm_server(**orders: Any) -> Iterator[LcmServer]:
    """An LCM that behaves like this, for as long as the context lasts."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_process, args=(there, orders), daemon=True)
    process.start()
    try:
        yield LcmServer(here.recv(), here)
    finally:
        here.send(("end", None))
        process.join(5)
        process.kill()


@define(eq=False)
class _Lcm:
    orders: Orders
    counted: Counter[str] = field(factory=Counter)
    given: int = 0
    _second: int = 0
    _in_second: int = 0

    async def message(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self._count(asked["subtopic"])
        if self.orders.seconds:
            await asyncio.sleep(self.orders.seconds)
        if self.orders.gone:
            if request.transport:
                request.transport.abort()
            return web.Response()
        reply = {"channel": "LCM", "topic": "WebService", "subtopic": CATALOGUE[asked["subtopic"]].reply}
        return web.json_response(reply | {"message": {"response": self._answer(asked["subtopic"])}})

    def _answer(self, subtopic: str) -> Any:
        if CATALOGUE[subtopic].shape is Shape.ACKNOWLEDGEMENT:
            return {"success": True}
        if "OutCome" in subtopic:
            return [{"OutComeID": "0", "Description": "Answered"}]
        if subtopic != SINGLE or self.orders.contacts <= 0:
            return [] if subtopic == RESERVED else None
        self.orders.contacts -= 1
        self.given += 1
        number = f"+1212555{self.given % 10_000:04}"
        return {"PhoneNumber": number, "AccountNumber": f"0|{self.given}", "Consent": "Yes", "CallType": 0}

    def _count(self, subtopic: str) -> None:
        self.counted[subtopic] += 1
        second = int(asyncio.get_running_loop().time())
        self._in_second = self._in_second + 1 if second == self._second else 1
        self._second = second
        self.counted["most in a second"] = max(self.counted["most in a second"], self._in_second)

    def told(self, what: str, facts: Any) -> Any:
        if what == "order":
            self.orders = Orders(**facts)
            return None
        counted, self.counted = self.counted, Counter()
        return counted


def _process(pipe: Connection, orders: dict[str, Any]) -> None:
    asyncio.run(_serve(pipe, _Lcm(Orders(**orders))))


async def _serve(pipe: Connection, lcm: _Lcm) -> None:
    app = web.Application()
    app.router.add_post("/message", lcm.message)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    pipe.send(f"http://127.0.0.1:{runner.addresses[0][1]}/message")
    while True:
        what, facts = await asyncio.to_thread(pipe.recv)
        if what == "end":
            break
        pipe.send(lcm.told(what, facts))
    await runner.cleanup()
