"""What the asterisk dialer costs: the same calls at the same Asterisk, by a bare aiohttp script beside it.

    .venv/bin/python -m benchmarks.asterisk        as root, after `make telephony`; takes about 20 s

Both place the agent's leg, then the customer's, join them in a bridge, and hang both up as soon as they
talk; 200 calls, 20 at once, in turns. Everything is on loopback, client and Asterisk share the machine.
"""

import asyncio
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp
from attrs import define, field

from tests.telephony.bench.asterisk import asterisk
from tests.telephony.bench.centre import Centre, ari_settings, centre

CALLS: Final = 200
AT_ONCE: Final = 20
TURNS: Final = 5
TARGET: Final = 1.3
AGENT: Final = "Local/agent@agents/n"
NUMBER: Final = "+12125550100"

Place = Callable[[str], Awaitable[float]]
"""Places a call, waits for its end, and tells the seconds until the customer had answered."""


@define
class Bare:
    """No more than the requests and the events that the calls need."""

    url: str
    session: aiohttp.ClientSession
    waiting: defaultdict[tuple[str, str], asyncio.Event] = field(
        factory=lambda: defaultdict(asyncio.Event), init=False
    )

    async def listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Wake who waits for an event."""
        async for message in socket:
            event = message.json()
            if event["type"] in {"StasisStart", "ChannelDestroyed"}:
                self.waiting[event["channel"]["id"], event["type"]].set()

    async def place(self, attempt: str) -> float:
        """One call, from the first request to the last event."""
        agent, customer, bridge = f"{attempt}-a", f"{attempt}-c", f"{attempt}-b"
        began = time.perf_counter()
        await self.ask("POST", "/channels", endpoint=AGENT, app="bare", channelId=agent, timeout=20)
        await self.waiting[agent, "StasisStart"].wait()
        await self.ask("POST", f"/bridges/{bridge}", type="mixing")
        number = f"Local/{NUMBER}@at-once/n"
        order = {"endpoint": number, "app": "bare", "channelId": customer, "originator": agent, "timeout": 50}
        await self.ask("POST", "/channels", **order)
        await self.waiting[customer, "StasisStart"].wait()
        await self.ask("POST", f"/bridges/{bridge}/addChannel", channel=[agent, customer])
        answered = time.perf_counter() - began
        for leg in (customer, agent):
            await self.ask("DELETE", f"/channels/{leg}")
        for leg in (customer, agent):
            await self.waiting[leg, "ChannelDestroyed"].wait()
        await self.ask("DELETE", f"/bridges/{bridge}")
        return answered

    async def ask(self, method: str, path: str, **body: Any) -> None:
        """One request."""
        async with self.session.request(method, self.url + path, json=body or None) as reply:
            await reply.read()


def by_plugin(here: Centre) -> Place:
    """The same by a host's hooks."""

    async def place(attempt: str) -> float:
        began = time.perf_counter()
        call = await here.dial(attempt, NUMBER, agent=AGENT)
        await here.listener.told(attempt, "established")
        answered = time.perf_counter() - began
        await here.host.hooks.first("clear_call", call=call)
        await here.listener.told(attempt, "call_cleared")
        return answered

    return place


async def turn(name: str, place: Place) -> tuple[float, float]:
    """Seconds for all calls, and the median of the seconds until the customer had answered."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> float:
        async with slots:
            return await place(f"{name}-{number}")

    began = time.perf_counter()
    answered = await asyncio.gather(*(one(number) for number in range(CALLS)))
    return time.perf_counter() - began, statistics.median(answered)


async def measure(url: str, here: Centre) -> bool:
    """Both in turns; whether the target is met."""
    headers = {"Authorization": aiohttp.encode_basic_auth("lcm", "secret")}
    seconds: dict[str, list[tuple[float, float]]] = {"bare": [], "plugin": []}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(f"{url}/events", params={"app": "bare"}) as socket,
    ):
        bare = Bare(url, session)
        listening = asyncio.create_task(bare.listen(socket))
        for number in range(TURNS):
            seconds["bare"].append(await turn(f"bare{number}", bare.place))
            seconds["plugin"].append(await turn(f"plugin{number}", by_plugin(here)))
        listening.cancel()
    return report(seconds)


def report(seconds: dict[str, list[tuple[float, float]]]) -> bool:
    """Print medians and their ratio; whether the target is met."""
    medians = {
        name: [statistics.median(column) for column in zip(*turns, strict=True)]
        for name, turns in seconds.items()
    }
    for name, (total, answered) in medians.items():
        print(f"{name:7} {CALLS / total:6.0f} calls/s   answered after {answered * 1000:5.1f} ms (median)")
    ratio = medians["plugin"][0] / medians["bare"][0]
    print(f"plugin / bare, {CALLS} calls, {AT_ONCE} at once: {ratio:.2f}x   (target: at most {TARGET}x)")
    return bool(ratio <= TARGET)


async def main() -> bool:
    """Start an Asterisk of our own, and measure."""
    os.environ["ARI_PASSWORD"] = "secret"  # noqa: S105  (the bench's)
    with asterisk(customer_port=9) as pbx:
        settings = ari_settings(pbx, endpoint="Local/{number}@at-once/n")
        async with centre({"asterisk": settings}) as here:
            await here.ready()
            return await measure(pbx.ari_url, here)


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main()) else 1)
