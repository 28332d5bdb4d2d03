"""The course of one call over its two legs, told as CallEvents, `call_cleared` last and once.

Agent first; the customer's leg is placed once the agent has answered, after one more look at the deadline,
and never by a course whose `make_call` failed or that was found at the engine after a restart: a person may
redial those. An order that an engine has not read cannot be taken back: of one that froze, and carries it out
after the deadline, the leg is hung up as soon as it is seen.

What is heard of a call is dealt with in order, in the call's own task, so that a slow listener holds up no
other call.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Final

from attrs import define, evolve, field

from cti_hooks import Call, CallEventKind, ConnectionState, described
from lcm_plugin.dialers.exchange.legs import NO_ANSWER, NORMAL_CLEARING, Exchange, Heard, News, Order, Party
from lcm_plugin.dialers.exchange.reports import Reports
from lcm_plugin.dialers.exchange.wire import EngineDownError, EngineError, EngineRefusedError

log = logging.getLogger("lcm_plugin.dialers")

SHORTEST_RING: Final = 15.0
"""Seconds a customer's phone rings at the least, whatever `Dial.ring_seconds` says."""
SETTLE_SECONDS: Final = 2.0
"""An order whose answer was lost may still be carried out just after a reconnect: it is looked for twice."""


class Leg(StrEnum):
    """How far a leg is."""

    NONE = "none"
    PLACED = "placed"
    UP = "up"
    OVER = "over"


LIVE: Final = {Leg.PLACED, Leg.UP}


def _no_legs() -> dict[Party, Leg]:
    return {Party.AGENT: Leg.NONE, Party.CUSTOMER: Leg.NONE}


@define(kw_only=True, eq=False)
class Course:
    """One call. `hear` takes news of its legs from anywhere; `run` deals with them until the call is over."""

    reports: Reports
    exchange: Exchange
    order: Order | None = None
    """None: found at the engine, not placed by this process."""
    agent_seconds: float = 20.0
    setup_seconds: float = 10.0
    in_doubt: bool = False
    """Whether `make_call` failed: then the customer is not called any more."""
    _legs: dict[Party, Leg] = field(factory=_no_legs, init=False)
    _inbox: "asyncio.Queue[Heard]" = field(factory=asyncio.Queue, init=False)
    _unsure: set[Party] = field(factory=set, init=False)
    """Legs that were ordered, and nothing heard of them yet."""
    _unwanted: dict[Party, int] = field(factory=dict, init=False)
    """Legs being hung up, and the cause."""
    _end: dict[Party, Heard] = field(factory=dict, init=False)
    _timers: list[asyncio.TimerHandle] = field(factory=list, init=False)
    _looking: asyncio.Task[None] | None = field(default=None, init=False)
    _order_lost: bool = field(default=False, init=False)
    """Whether the answer to the customer's order was lost: a frozen engine may carry it out late."""
    _why: str | None = field(default=None, init=False)
    """Why the call was ended by us, for people."""

    @property
    def call(self) -> Call:
        """The call as it was told last."""
        return self.reports.call

    @property
    def open_to_cancel(self) -> bool:
        """Whether nobody but the agent can have been rung so far."""
        return self._legs[Party.CUSTOMER] is Leg.NONE

    def hear(self, heard: Heard) -> None:
        """Take a piece of news."""
        self._inbox.put_nowait(heard)

    def adopt(self, legs: Mapping[Party, ConnectionState]) -> None:
        """Start from what the engine has."""
        for party, state in legs.items():
            self._legs[party] = Leg.UP if state is ConnectionState.CONNECTED else Leg.PLACED
        self.reports.call = evolve(self.call, state=legs.get(Party.CUSTOMER, ConnectionState.INITIATED))
        if self.open_to_cancel:  # the host died between the legs
            self.hear(Heard(party=Party.AGENT, news=News.CLEAR, text="found with no customer's leg"))

    async def begin(self) -> None:
        """Ring the agent's phone.

        Raises:
            EngineDownError: nothing was sent, and there is no call.
            EngineError: whether it rings is unknown.
        """
        order = self.order
        if order is None:
            raise RuntimeError("a call found at the engine has begun already")
        self._placed(Party.AGENT)
        try:
            await self.exchange.place_agent(order)
        except EngineDownError:
            raise
        except EngineRefusedError as error:
            self.hear(Heard(party=Party.AGENT, news=News.ENDED, text=f"{error}"))
        except BaseException:  # cancelled at the deadline, too
            self._unwanted[Party.AGENT] = NORMAL_CLEARING
            self._look_later()
            self.in_doubt = True
            raise
        left = (order.dial.not_after - self.reports.host.clock.now()).total_seconds()
        self._give_up_after(Party.AGENT, max(0.0, min(self.agent_seconds, left)))

    async def run(self) -> None:
        """Lead the call to its end."""
        try:
            if self.order is not None:
                await self.reports.tell_once(CallEventKind.SERVICE_INITIATED)
            while any(leg in LIVE for leg in self._legs.values()):
                heard = await self._inbox.get()
                if heard.news is News.LEAVE:
                    return
                await self._take(heard)
            await self._tell_cleared()
        finally:
            for timer in self._timers:
                timer.cancel()
            if self._looking:
                self._looking.cancel()

    async def _take(self, heard: Heard) -> None:
        party = heard.party
        if heard.news is News.CLEAR:
            await self._clear(heard)
        elif self._legs[party] in {Leg.NONE, Leg.OVER}:
            return
        elif heard.news is News.ENDED:
            await self._ended(heard)
        elif heard.news is News.SEEN:
            await self._looked_for(heard)
        elif heard.news is News.GIVE_UP:
            if self._legs[party] is Leg.PLACED:
                await self._hang_up(party, NO_ANSWER)
        else:
            await self._proceeds(heard)

    # -- what is heard --------------------------------------------------------------------------------------

    async def _proceeds(self, heard: Heard) -> None:
        party = heard.party
        self._unsure.discard(party)
        if self._is_ghost(party):
            await self._hang_up(party, NORMAL_CLEARING)
        elif heard.news is News.ANSWERED:
            await self._answered(party)
        elif party in self._unwanted:  # hung up before the engine had it
            await self._hang_up(party, self._unwanted[party])
        elif party is Party.CUSTOMER and self._legs[party] is Leg.PLACED:
            await self._rings(heard.news)

    async def _rings(self, news: News) -> None:
        if news is News.PROGRESS:
            await self.reports.tell_once(CallEventKind.NETWORK_REACHED)
        elif await self.reports.tell_once(CallEventKind.DELIVERED) and self.order is not None:
            self._give_up_after(Party.CUSTOMER, max(self.order.dial.ring_seconds, SHORTEST_RING))

    async def _answered(self, party: Party) -> None:
        if self._legs[party] is Leg.UP:
            return
        self._legs[party] = Leg.UP
        if party is Party.CUSTOMER:
            await self.reports.tell_once(CallEventKind.ESTABLISHED)
        elif party in self._unwanted or self.order is None:
            await self._hang_up(party, NORMAL_CLEARING)
        else:
            await self.reports.tell_once(CallEventKind.ORIGINATED, Party.AGENT)
            await self._call_customer(self.order)

    async def _call_customer(self, order: Order) -> None:
        """In time, and once."""
        if self.reports.host.clock.now() >= order.dial.not_after:
            self._why = "too late to call the customer"
            await self._hang_up(Party.AGENT, NORMAL_CLEARING)
            return
        self._placed(Party.CUSTOMER)
        ring = max(order.dial.ring_seconds, SHORTEST_RING)
        self._give_up_after(Party.CUSTOMER, ring + self.setup_seconds)
        try:
            await self.exchange.place_customer(order)
        except (EngineDownError, EngineRefusedError) as error:
            self.hear(Heard(party=Party.CUSTOMER, news=News.ENDED, text=f"{error}"))
        except EngineError as error:
            self._order_lost = True
            log.warning("attempt %s: whether the customer is called: %s", order.attempt_id, described(error))

    async def _ended(self, heard: Heard) -> None:
        party = heard.party
        was_up = self._legs[party] is Leg.UP
        self._legs[party] = Leg.OVER
        if self._unwanted.get(party) == NO_ANSWER and not was_up:  # whatever the engine calls it
            heard = evolve(heard, q850=NO_ANSWER)
        self._end[party] = heard
        if was_up or not self._cancelled(party):
            await self.reports.tell(
                CallEventKind.CONNECTION_CLEARED if was_up else CallEventKind.FAILED, heard
            )
        else:  # by us, so it says nothing of the customer
            await self.reports.tell(CallEventKind.CONNECTION_CLEARED, Heard(party=party, news=News.ENDED))
        other = Party.CUSTOMER if party is Party.AGENT else Party.AGENT
        if self._legs[other] in LIVE:
            await self._hang_up(other, NORMAL_CLEARING)

    def _is_ghost(self, party: Party) -> bool:
        """Whether it rings because an engine carried out an order after its deadline."""
        if party is not Party.CUSTOMER or not self._order_lost or self.order is None:
            return False
        late = self._legs[party] is Leg.PLACED and self.reports.host.clock.now() >= self.order.dial.not_after
        self._why = "the engine carried out the order after its deadline" if late else self._why
        return late

    def _cancelled(self, party: Party) -> bool:
        return party is Party.CUSTOMER and self._unwanted.get(party) == NORMAL_CLEARING

    async def _looked_for(self, heard: Heard) -> None:
        """After a reconnect: what was missed is caught up with."""
        party = heard.party
        if heard.state is None:
            await self._not_seen(party)
        elif party in self._unwanted or self._is_ghost(party):
            await self._hang_up(party, self._unwanted.get(party, NORMAL_CLEARING))
        elif heard.state is ConnectionState.CONNECTED:
            await self._answered(party)
        elif party is Party.CUSTOMER and heard.state is ConnectionState.ALERTING:
            await self._rings(News.RINGING)

    async def _not_seen(self, party: Party) -> None:
        if party in self._unsure:
            self._unsure.discard(party)
            self._look_later()
        else:
            await self._ended(Heard(party=party, news=News.ENDED, text="the engine does not have it"))

    def _look_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(SETTLE_SECONDS, self._start_looking))

    def _start_looking(self) -> None:
        self._looking = asyncio.create_task(
            self._try_to_look(), name=f"looking for attempt {self.call.attempt_id}"
        )

    async def _try_to_look(self) -> None:
        with suppress(EngineError):
            await self.look()

    async def look(self) -> None:
        """Ask the engine for both legs, and hear the answer.

        Raises:
            EngineError: it cannot tell; the next reconnect asks again.
        """
        live = [party for party, leg in self._legs.items() if leg in LIVE]
        legs = await self.exchange.seen(self.call.attempt_id)
        for party in live:  # one that was placed meanwhile may not have been there yet
            self.hear(Heard(party=party, news=News.SEEN, state=legs.get(party)))

    async def _clear(self, heard: Heard) -> None:
        self._why = heard.text
        for party, leg in list(self._legs.items()):
            if leg in LIVE:
                await self._hang_up(party, NORMAL_CLEARING)

    def _placed(self, party: Party) -> None:
        """It is about to be ordered; until something is heard of it, the engine may not have it yet."""
        self._legs[party] = Leg.PLACED
        self._unsure.add(party)

    async def _hang_up(self, party: Party, cause: int) -> None:
        """Ask for it. The leg is over when the engine says so, or does not have it any more."""
        self._unwanted[party] = cause
        try:
            await self.exchange.hang_up(self.call.attempt_id, party, cause)
        except EngineError as error:
            log.warning("attempt %s: not hung up yet: %s", self.call.attempt_id, described(error))
        self._look_later()

    def _give_up_after(self, party: Party, seconds: float) -> None:
        news = Heard(party=party, news=News.GIVE_UP)
        self._timers.append(asyncio.get_running_loop().call_later(seconds, self.hear, news))

    # -- what is told ---------------------------------------------------------------------------------------

    async def _tell_cleared(self) -> None:
        """The last word, with the customer's cause; an agent's is not to be taken for one."""
        agents = self._end.get(Party.AGENT)
        never_called = Heard(party=Party.CUSTOMER, news=News.ENDED, text=agents.text if agents else None)
        heard = self._end.get(Party.CUSTOMER, never_called)
        await self.reports.tell(CallEventKind.CALL_CLEARED, evolve(heard, text=self._why or heard.text))
