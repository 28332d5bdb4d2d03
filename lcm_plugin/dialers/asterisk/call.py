"""One call, from the first leg to its last event, told in CSTA's words.

What happens is put into a queue and taken out by one task, so events are told in the order they happened:
service_initiated, originated, network_reached, delivered, established or failed, connection_cleared for each
leg that was up, and call_cleared, once and last.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from attrs import define, field

from cti_hooks import Call, CallEvent, CallEventKind, ConnectionState, connection_after, described
from lcm_plugin.dialers.asterisk.ari import Ari, AriDoubtError, AriError
from lcm_plugin.dialers.asterisk.leg import NORMAL_CLEARING, Leg
from lcm_plugin.dialers.asterisk.order import Order

log = logging.getLogger("lcm_plugin.dialers.asterisk")

NO_ANSWER: Final = 19
GONE: Final = "Gone"
RING_OVER: Final = "RingOver"
CLOSE: Final = "Close"
_FINISHES: Final = 2.0
"""Seconds in which the step just under way may finish when the host stops."""
_CHANNEL_STATES: Final = {"Up": ConnectionState.CONNECTED, "Ringing": ConnectionState.ALERTING}


@define(kw_only=True, eq=False)
class AriCall:
    """A call at one Asterisk. `order` is None if it was found there, and others had placed it."""

    attempt_id: str
    ari: Ari
    app: str
    now: Callable[[], datetime]
    tell: Callable[[CallEvent], Awaitable[object]]
    on_over: Callable[["AriCall"], None]
    order: Order | None = None
    agent: Leg = field(init=False)
    customer: Leg = field(init=False)
    state: ConnectionState = field(default=ConnectionState.INITIATED, init=False)
    stopping: bool = field(default=False, init=False)
    over: asyncio.Event = field(factory=asyncio.Event, init=False)
    _told: set[CallEventKind] = field(factory=set, init=False)
    _cause: int | None = field(default=None, init=False)
    _queue: "asyncio.Queue[tuple[Leg, str, Mapping[str, Any]]]" = field(
        factory=asyncio.Queue, init=False, repr=False
    )
    """Asterisk's events, which have numbers in them."""
    _task: "asyncio.Task[None] | None" = field(default=None, init=False)
    _ringing: asyncio.TimerHandle | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        def gone(leg: Leg) -> None:
            self.put(leg, GONE)

        self.agent = Leg(id=f"{self.attempt_id}-a", party="agent", ari=self.ari, gone=gone)
        self.customer = Leg(id=f"{self.attempt_id}-c", party="customer", ari=self.ari, gone=gone)

    # -- for the engine -------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Whether nothing of it is left at Asterisk."""
        return not self.agent.there and not self.customer.there

    @property
    def call(self) -> Call:
        """The call as it is now."""
        return Call(
            id=self.customer.id,
            attempt_id=self.attempt_id,
            state=self.state,
            q850=self._cause,
            engine=self.ari.name,
        )

    def leg(self, channel: str) -> Leg | None:
        """The leg with this channel."""
        return next((leg for leg in (self.agent, self.customer) if leg.id == channel), None)

    def put(self, leg: Leg, kind: str, event: Mapping[str, Any] | None = None) -> None:
        """Something happened."""
        self._queue.put_nowait((leg, kind, event or {}))

    async def place(self) -> None:
        """Let the agent's phone ring. What comes of it is told by events.

        Raises:
            RepeatedChannelError: this attempt was placed before; nothing is told of it from here.
            AriDoubtError: whether the agent's phone rings is unknown. If it does, it is hung up again, and
                the customer's never rings.
        """
        order = self._ordered()
        self.agent.placed = True
        left = (order.dial.not_after - self.now()).total_seconds()
        try:
            await self._originate(self.agent, **order.for_agent(left))
        except (AriDoubtError, asyncio.CancelledError):
            self._doubt()
            raise
        self.start()

    def _doubt(self) -> None:
        """The answer to the agent's order was lost: hang up whatever comes of it."""
        self.agent.doubtful = True
        self.stop()
        self.start()

    def refuse(self, why: str) -> None:
        """Asterisk would not place the agent's leg: nothing rang."""
        self.put(self.agent, GONE, {"text": why})
        self.start()

    def adopt(self, channels: Mapping[str, Any]) -> None:
        """Follow a call that others placed. With one leg only nobody could talk: it is hung up."""
        for leg in (self.agent, self.customer):
            leg.placed = leg.seen = leg.id in channels
        state = str(channels.get(self.customer.id, {}).get("state", ""))
        self.state = _CHANNEL_STATES.get(state, ConnectionState.INITIATED)
        self.start()
        if not (self.agent.placed and self.customer.placed):
            self.stop()

    def legs_seen(self) -> frozenset[Leg]:
        """The legs that Asterisk has, unless it lost them; one whose order is under way is not seen yet."""
        return frozenset(leg for leg in (self.agent, self.customer) if leg.there and leg.seen)

    def start(self) -> None:
        """Follow it."""
        self._task = asyncio.create_task(self._follow(), name=f"call {self.customer.id}")

    def stop(self) -> None:
        """Hang up both legs, and place nothing more."""
        self.stopping = True
        for leg in (self.customer, self.agent):
            leg.hang_up(NORMAL_CLEARING, appears_no_more=self._too_late)

    def compare(self, channels: Mapping[str, Mapping[str, Any]], known: frozenset[Leg]) -> None:
        """Catch up with what Asterisk has, of the legs known before it was asked."""
        for leg in (self.customer, self.agent):
            if leg in known and leg.id not in channels:
                self.put(leg, GONE)
        for leg in (self.agent, self.customer):
            state = channels.get(leg.id, {}).get("state")
            if state == "Up":
                self.put(leg, "StasisStart")
            elif state == "Ringing":
                self.put(leg, "Dial", {"dialstatus": "RINGING"})

    async def close(self) -> None:
        """Follow it no longer; it stays as it is."""
        self._stop_timer()
        for leg in (self.agent, self.customer):
            await leg.close()
        if self._task:
            self.put(self.agent, CLOSE)
            await asyncio.wait({self._task}, timeout=_FINISHES)
            self._task.cancel()
            await asyncio.wait({self._task})

    # -- what happens ---------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        if self.order:
            await self._say(CallEventKind.SERVICE_INITIATED)
        steps = {
            "Dial": self._dialing,
            "StasisStart": self._answered,
            "ChannelDestroyed": self._destroyed,
            GONE: self._destroyed,
            RING_OVER: self._rung_out,
        }
        while not self.over.is_set():
            leg, kind, event = await self._queue.get()
            if kind == CLOSE:
                return
            try:
                await steps[kind](leg, event)
            except AriError as error:
                log.warning("call %s: %s", self.customer.id, error)
                self.stop()
            except Exception as error:  # noqa: BLE001  (one step's fault leaves no phone ringing)
                log.error("call %s: %s", self.customer.id, described(error))  # noqa: TRY400  (masked)
                self.stop()

    async def _dialing(self, leg: Leg, event: Mapping[str, Any]) -> None:
        leg.appeared()
        status = leg.dialed = str(event.get("dialstatus", ""))
        if leg is not self.customer or leg.over:
            return
        if status in {"PROGRESS", "PROCEEDING"}:
            await self._say_once(CallEventKind.NETWORK_REACHED)
        if status == "RINGING" and await self._say_once(CallEventKind.DELIVERED) and self.order:
            loop = asyncio.get_running_loop()
            self._ringing = loop.call_later(self.order.ring_seconds, self.put, leg, RING_OVER)
            with suppress(AriError):  # what the agent hears meanwhile is no reason to hang up
                await self.ari.ring(self.agent.id)

    async def _rung_out(self, leg: Leg, _: Mapping[str, Any]) -> None:
        if not leg.up:
            leg.hang_up(NO_ANSWER, appears_no_more=self._too_late)

    async def _answered(self, leg: Leg, _: Mapping[str, Any]) -> None:
        if leg.up or leg.over:
            return
        leg.appeared()
        leg.up = True
        if leg is self.agent:
            await self._say(CallEventKind.ORIGINATED, party="agent")
            await self._agent_is_up()
        else:
            await self._customer_is_up()

    async def _agent_is_up(self) -> None:
        if self.customer.placed:
            return
        if self.order is None or self.stopping or self._too_late():
            self.stop()
            return
        try:
            await self.ari.make_bridge(self._bridge)
            await self._place_customer(self.order)
        except AriError as error:
            self.customer.doubtful = self.customer.placed and isinstance(error, AriDoubtError)
            if not self.customer.doubtful:
                self.customer.ended()
                await self._say(CallEventKind.FAILED, text=str(error))
            raise

    async def _place_customer(self, order: Order) -> None:
        """The moment that counts: not after the deadline, and not when it was cleared meanwhile."""
        if self.stopping or self._too_late():
            self.stop()
            return
        self.customer.placed = True
        await self._originate(self.customer, originator=self.agent.id, **order.for_customer())
        if self.stopping:
            self.stop()

    async def _customer_is_up(self) -> None:
        self._stop_timer()
        try:
            if self.agent.there and not self.stopping:
                await self._join()
        finally:
            await self._say(CallEventKind.ESTABLISHED)
        if CallEventKind.DELIVERED in self._told:
            with suppress(AriError):
                await self.ari.stop_ringing(self.agent.id)

    async def _join(self) -> None:
        if self.order is None:
            await self.ari.make_bridge(self._bridge)
        await self.ari.join(self._bridge, [self.agent.id, self.customer.id])

    async def _destroyed(self, leg: Leg, event: Mapping[str, Any]) -> None:
        if leg.over:
            return
        leg.ended()
        facts = leg.cause_of(event) | ({"text": event["text"]} if "text" in event else {})
        if leg is self.customer:
            self._cause = facts["q850"]
            self._stop_timer()
        cancelled = self.stopping and leg is self.customer
        kind = CallEventKind.CONNECTION_CLEARED if leg.up or cancelled else CallEventKind.FAILED
        await self._say(kind, party=leg.party, **(facts if leg.up or not cancelled else {}))
        self.stop()
        if self.ended:
            await self._end()

    async def _end(self) -> None:
        await self._say(CallEventKind.CALL_CLEARED, q850=self._cause)
        self.over.set()
        with suppress(AriError):
            if self.agent.up:
                await self.ari.remove_bridge(self._bridge)
        self.on_over(self)

    # -- small change ---------------------------------------------------------------------------------------

    @property
    def _bridge(self) -> str:
        return f"{self.attempt_id}-b"

    def _stop_timer(self) -> None:
        if self._ringing:
            self._ringing.cancel()

    async def _originate(self, leg: Leg, **order: Any) -> None:
        await self.ari.originate(leg.id, app=self.app, appArgs=f"{leg.party},{self.attempt_id}", **order)
        leg.seen = True

    def _too_late(self) -> bool:
        return self.order is None or self.now() >= self.order.dial.not_after

    def _ordered(self) -> Order:
        if self.order is None:
            raise RuntimeError("a call that was found cannot be placed")
        return self.order

    async def _say_once(self, kind: CallEventKind) -> bool:
        if kind in self._told:
            return False
        await self._say(kind)
        return True

    async def _say(self, kind: CallEventKind, *, party: str = "customer", **facts: Any) -> None:
        self._told.add(kind)
        if party == "customer":
            self.state = connection_after(kind, self.state)
        call, attempt = self.customer.id, self.attempt_id
        event = CallEvent(kind=kind, call_id=call, attempt_id=attempt, at=self.now(), party=party, **facts)
        await self.tell(event)
