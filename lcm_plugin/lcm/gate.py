"""The way to one LCM: how many requests at once, how many a second, and none while it is down."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from aiolimiter import AsyncLimiter
from attrs import define, evolve, field, frozen

from cti_hooks import Agent, described
from lcm_plugin.config import LcmSettings
from lcm_plugin.errors import Fault, LcmError, LcmUnavailable
from lcm_plugin.lcm.breaker import Breaker
from lcm_plugin.lcm.decode import Reply, decode, parse
from lcm_plugin.lcm.envelope import Request
from lcm_plugin.lcm.transports import Transport

_SLACK = 0.25
"""Seconds after its deadline in which a transport may still say what it knows, before it is cut off."""

_SAVED: Final = 0.1
"""So many seconds' worth of requests may be saved up, and leave at a time."""

Adjust = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""A site's change to an envelope (`lcm_adjust_request`, `lcm_adjust_reply`)."""


Observe = Callable[[str, str, float], None]
"""Is told of each try: the message's name, `ok` or the fault, and the seconds it took."""


async def unchanged(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    """No site changes it."""
    return envelope


def _alone() -> int:
    """No other host shares the LCM."""
    return 1


@frozen(kw_only=True, eq=False)
class _Caps:
    hosts: int
    slots: asyncio.Semaphore
    rate: AsyncLimiter

    @classmethod
    def part_of(cls, settings: LcmSettings, hosts: int) -> "_Caps":
        """One host's part of what the LCM may be asked."""
        slots = asyncio.Semaphore(max(1, settings.max_concurrency // hosts))
        per_second = max(1.0, settings.max_per_second / hosts)
        at_a_time = max(1.0, _SAVED * per_second)
        return cls(hosts=hosts, slots=slots, rate=AsyncLimiter(at_a_time, at_a_time / per_second))


@define(kw_only=True)
class Gate:
    """Sends one request within the caps. No slot is held while waiting for anything else.

    Attributes:
        hosts: how many hosts share the caps, which are the LCM's: each takes its part.
    """

    settings: LcmSettings
    transport: Transport
    hosts: Callable[[], int] = _alone
    adjust_request: Adjust = unchanged
    adjust_reply: Adjust = unchanged
    observe: Observe | None = None
    breaker: Breaker = field(init=False)
    in_flight: int = field(default=0, init=False)
    _caps: "_Caps" = field(init=False)

    def __attrs_post_init__(self) -> None:
        settings = self.settings
        self.breaker = Breaker(failures=settings.breaker_failures, seconds=settings.breaker_seconds)
        self._caps = _Caps.part_of(settings, 1)

    async def send(self, agent: Agent, request: Request, deadline: float) -> Reply:
        """One try of one request.

        Raises:
            LcmError: with agent and attempt.
        """
        request = evolve(request, envelope=await self.adjust_request(request.envelope))
        try:
            async with self._turn(deadline):
                with self.breaker.watch(), self._observed(request.type.subtopic):
                    return await self._exchange(agent, request, deadline)
        except LcmError as error:
            error.agent_id, error.attempt_id = request.agent_id, request.attempt_id
            raise

    @asynccontextmanager
    async def _turn(self, deadline: float) -> AsyncIterator[None]:
        """A place in the rate, then a slot: no slot is held while waiting for the rate."""
        if (hosts := self.hosts()) != self._caps.hosts:
            self._caps = _Caps.part_of(self.settings, hosts)
        caps = self._caps
        try:
            async with asyncio.timeout_at(deadline):
                await caps.rate.acquire()
                await caps.slots.acquire()
        except TimeoutError:
            raise LcmUnavailable("no free connection to the LCM in time", fault=Fault.NOT_SENT) from None
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            caps.slots.release()

    @contextmanager
    def _observed(self, message: str) -> Iterator[None]:
        began, result = asyncio.get_running_loop().time(), "cancelled"
        try:
            yield
            result = "ok"
        except LcmError as error:
            result = error.fault.value
            raise
        finally:
            if self.observe:
                self.observe(message, result, asyncio.get_running_loop().time() - began)

    async def _exchange(self, agent: Agent, request: Request, deadline: float) -> Reply:
        now = asyncio.get_running_loop().time()
        until = min(deadline, now + self.settings.try_seconds)
        raw = await self._carried(agent, request, until)
        if not request.type.reply:
            return Reply()
        sent = request.envelope.get("data")
        reply = await self.adjust_reply(parse(raw))
        return decode(request.type, reply, sent if isinstance(sent, Mapping) else None)

    async def _carried(self, agent: Agent, request: Request, until: float) -> bytes | str | Mapping[str, Any]:
        try:
            async with asyncio.timeout_at(until + _SLACK):
                return await self.transport.send(agent, request, until)
        except LcmError:
            raise
        except TimeoutError:
            raise LcmUnavailable("the LCM did not answer in time", fault=Fault.NO_ANSWER) from None
        except Exception as error:
            text = f"the transport failed: {described(error)}"
            raise LcmUnavailable(text, fault=Fault.NO_ANSWER) from error
