"""One Asterisk: the calls placed there, and what becomes of them when its event socket was away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from random import Random
from typing import Any, Final

from attrs import define, evolve, field

from cti_hooks import Call, CallEvent, ConnectionState, Health
from lcm_plugin.dialers.asterisk.ari import (
    Ari,
    AriError,
    AriRefusedError,
    AriUnreachableError,
    RepeatedChannelError,
)
from lcm_plugin.dialers.asterisk.call import GONE, AriCall
from lcm_plugin.dialers.asterisk.events import EVENTS, EventSocket
from lcm_plugin.dialers.asterisk.health import wrong_endpoint
from lcm_plugin.dialers.asterisk.leg import NORMAL_CLEARING, Leg
from lcm_plugin.dialers.asterisk.order import Order

log = logging.getLogger("lcm_plugin.dialers.asterisk")

_Channels = Mapping[str, Mapping[str, Any]]
_Known = Mapping[AriCall, frozenset[Leg]]
"""Calls, and the legs that Asterisk has of each unless it lost them."""

_LATECOMERS: Final = 0.2
"""Seconds in which events come that Asterisk sent before it was asked what it has."""
_AGAIN: Final = 2.0
"""Seconds until Asterisk is asked once more what it could not tell."""
_TO_HANG_UP: Final = 5.0
_TO_CONNECT: Final = 3.0


@define(kw_only=True, eq=False)
class Engine:
    """Places calls, finds them, and follows each to its end."""

    ari: Ari
    app: str
    now: Callable[[], datetime]
    random: Random
    tell: Callable[[CallEvent], Awaitable[object]]
    calls: dict[str, AriCall] = field(factory=dict, init=False)
    socket: EventSocket = field(init=False)
    _tasks: set["asyncio.Task[Any]"] = field(factory=set, init=False)

    def open(self) -> None:
        """Connect, now and whenever the connection is lost.

        Raises:
            OSError: the password's or the CA's file cannot be read.
        """
        self.ari.open()
        self.socket = EventSocket(
            ari=self.ari, app=self.app, random=self.random, on_open=self._compare, on_event=self._take
        )
        self._spawn(self.socket.run())

    async def close(self) -> None:
        """Hang up what only rings, since nobody could put it through; those who talk go on talking."""
        ringing = [call for call in self.calls.values() if not call.customer.up]
        for call in ringing:
            call.stop()
        if ringing:
            await asyncio.wait(
                {asyncio.create_task(call.over.wait()) for call in ringing}, timeout=_TO_HANG_UP
            )
        for call in list(self.calls.values()):
            await call.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self.ari.close()

    async def place(self, attempt_id: str, order: Order) -> Call | None:
        """Place a call; None when there is no Asterisk that could, and surely nothing was placed.

        Raises:
            TimeoutError: it is too late.
            RepeatedChannelError: this attempt was placed before.
            AriDoubtError: whether the agent's phone rings is unknown; the customer's never will.
        """
        if not await self.socket.opened(_TO_CONNECT):
            log.warning("attempt %s not placed: %s %s", attempt_id, self.ari.name, self.socket.trouble)
            return None
        if self.now() >= order.dial.not_after:
            raise TimeoutError("too late to place this call")
        if attempt_id in self.calls:
            raise RepeatedChannelError(f"attempt {attempt_id} was placed before")
        call = self._call(attempt_id, order)
        try:
            await call.place()
        except AriRefusedError as error:
            call.refuse(str(error))
        except (AriUnreachableError, RepeatedChannelError) as error:
            del self.calls[attempt_id]
            if isinstance(error, RepeatedChannelError):
                raise
            log.warning("attempt %s not placed: %s", attempt_id, error)
            return None
        return call.call

    async def find(self, attempt_id: str) -> Call | None:
        """The call of an attempt as it is now; followed from here on, also if others had placed it.

        Raises:
            AriError: this Asterisk cannot be asked.
        """
        followed = self.calls.get(attempt_id)
        known = followed.legs_seen() if followed else frozenset()
        channels = await self.ari.channels()
        call = followed or self.calls.get(attempt_id) or self._adopted(attempt_id, channels)
        if call is None:
            return None
        gone = {leg for leg in known if leg.id not in channels}
        if gone:
            await asyncio.sleep(_LATECOMERS)
        await self._catch_up(call, channels, known)
        return evolve(call.call, state=ConnectionState.NULL) if call.customer in gone else call.call

    async def clear(self, attempt_id: str) -> bool:
        """Hang up both legs. Whether there was anything to hang up.

        Raises:
            AriError: this Asterisk cannot be asked.
        """
        if call := self.calls.get(attempt_id):
            call.stop()
            return not call.ended
        legs = [f"{attempt_id}-c", f"{attempt_id}-a"]
        return any([await self.ari.hang_up(leg, NORMAL_CLEARING) for leg in legs])

    async def health(self) -> Health:
        """Whether it is reachable, its version, and whether the customer's endpoint makes sense."""
        await self.socket.tried(_TO_CONNECT)
        what = "asterisk" if self.ari.name == "asterisk" else f"asterisk {self.ari.name}"
        if self.socket.trouble:
            return Health(what=what, good=False, seen=self.socket.trouble)
        try:
            wrong = await wrong_endpoint(self.ari)
        except AriError as error:
            return Health(what=what, good=False, seen=str(error))
        seen = f"Asterisk {self.socket.version}, {len(self.calls)} calls"
        return Health(what=what, good=not wrong, seen=wrong or seen)

    # -- what the event socket brings -----------------------------------------------------------------------

    def _take(self, event: Mapping[str, Any]) -> None:
        kind = event.get("type")
        channel = str((event.get("peer") or event.get("channel") or {}).get("id", ""))
        if kind not in EVENTS or channel[-2:] not in {"-a", "-c"}:
            return
        call = self.calls.get(channel[:-2])
        leg = call.leg(channel) if call else None
        if call and leg:
            call.put(leg, str(kind), event)
        elif kind == "StasisStart":
            self._spawn(self._hang_up_stray(channel))

    async def _hang_up_stray(self, channel: str) -> None:
        """Someone answered a call that nobody follows: an earlier host's. There is no one to talk to."""
        log.warning("%s: channel %s was answered and nobody follows it: hung up", self.ari.name, channel)
        try:
            await self.ari.hang_up(channel, NORMAL_CLEARING)
        except AriError as error:
            log.warning("%s", error)

    async def _compare(self) -> None:
        """After each connection: what became of the calls meanwhile? Asterisk queues no events."""
        known: _Known = {call: call.legs_seen() for call in self.calls.values()}
        while known and (known := await self._not_compared(known)):  # noqa: ASYNC110  (it is asked, not told)
            await asyncio.sleep(_AGAIN)

    async def _not_compared(self, known: _Known) -> _Known:
        """Catch up with these calls; those that Asterisk could not be asked about."""
        try:
            channels = await self.ari.channels()
        except AriError as error:
            log.warning("%s", error)
            return known
        await asyncio.sleep(_LATECOMERS)
        return {call: legs for call, legs in known.items() if not await self._caught_up(call, channels, legs)}

    async def _caught_up(self, call: AriCall, channels: _Channels, known: frozenset[Leg]) -> bool:
        try:
            await self._catch_up(call, channels, known)
        except AriError as error:
            log.warning("call %s: %s", call.customer.id, error)
            return False
        return True

    async def _catch_up(self, call: AriCall, channels: _Channels, known: frozenset[Leg]) -> None:
        for leg in (call.agent, call.customer):
            if leg.id in channels and leg.there:
                await self._hear_of(call, leg)
        call.compare(channels, known)

    async def _hear_of(self, call: AriCall, leg: Leg) -> None:
        """Asterisk refuses for a channel that ended this instant, and while our application is away."""
        try:
            await self.ari.subscribe(self.app, leg.id)
        except AriRefusedError:
            if await self.ari.channel(leg.id) is None:
                call.put(leg, GONE)

    # -- small change ---------------------------------------------------------------------------------------

    def _call(self, attempt_id: str, order: Order | None) -> AriCall:
        call = self.calls[attempt_id] = AriCall(
            attempt_id=attempt_id,
            ari=self.ari,
            app=self.app,
            now=self.now,
            tell=self.tell,
            on_over=self._forget,
            order=order,
        )
        return call

    def _adopted(self, attempt_id: str, channels: Mapping[str, Any]) -> AriCall | None:
        """A call that an earlier host placed. With one leg only, it is hung up."""
        if f"{attempt_id}-a" not in channels and f"{attempt_id}-c" not in channels:
            return None
        call = self._call(attempt_id, None)
        call.adopt(channels)
        return call

    def _forget(self, call: AriCall) -> None:
        self.calls.pop(call.attempt_id, None)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work, name=f"{self.ari.name}: {work.__name__}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
