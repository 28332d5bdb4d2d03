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
from datetime import datetime
from math import ceil
from typing import Final

from attrs import define, evolve, field

from cti_hooks import Call, CallEventKind, ConnectionState, described
from lcm_plugin.dialers.errors import RepeatedAttemptError
from lcm_plugin.dialers.exchange.leg import Leg, Stage
from lcm_plugin.dialers.exchange.legs import NO_ANSWER, NORMAL_CLEARING, Exchange, Heard, News, Order, Party
from lcm_plugin.dialers.exchange.lookout import Lookout
from lcm_plugin.dialers.exchange.reports import Reports
from lcm_plugin.dialers.exchange.wire import EngineDownError, EngineError, EngineRefusedError

log = logging.getLogger("lcm_plugin.dialers")

SHORTEST_RING: Final = 15.0
"""Seconds a customer's phone rings at the least, whatever `Dial.ring_seconds` says."""


def _both() -> dict[Party, Leg]:
    """The customer's first: if both are gone, the agent's end must not pass for the reason."""
    return {party: Leg(party) for party in (Party.CUSTOMER, Party.AGENT)}


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
    lookout: Lookout = field(init=False)
    _legs: dict[Party, Leg] = field(factory=_both, init=False)
    _inbox: "asyncio.Queue[Heard]" = field(factory=asyncio.Queue, init=False)
    _cleared: bool = field(default=False, init=False)
    """Whether somebody wants the call hung up: known before its news is dealt with."""
    _why: str | None = field(default=None, init=False)
    """Why the call was ended by us, for people."""

    def __attrs_post_init__(self) -> None:
        self.lookout = Lookout(
            attempt_id=self.call.attempt_id, exchange=self.exchange, legs=self._live_legs, hear=self.hear
        )

    @property
    def call(self) -> Call:
        """The call as it was told last."""
        return self.reports.call

    @property
    def live(self) -> list[Party]:
        """Whose legs may be there."""
        return list(self._live_legs())

    @property
    def known(self) -> Mapping[Party, int]:
        """Whose legs are there, unless the engine lost them, and how much was heard of each."""
        return {party: heard for party, heard in self._live_legs().items() if not self._legs[party].unsure}

    @property
    def ends_with_host(self) -> bool:
        """Whether nobody would put the customer through to the agent if this host were gone."""
        stage = self._legs[Party.CUSTOMER].stage
        return stage is Stage.NONE if self.exchange.puts_through else stage is not Stage.UP

    def hear(self, heard: Heard) -> None:
        """Take a piece of news."""
        self._cleared = self._cleared or heard.news is News.CLEAR
        self._inbox.put_nowait(heard)

    def adopt(self, legs: Mapping[Party, ConnectionState]) -> None:
        """Start from what the engine has."""
        for party, state in legs.items():
            self._legs[party].found(state)
        self.reports.call = evolve(self.call, state=legs.get(Party.CUSTOMER, ConnectionState.INITIATED))
        if len(legs) < len(Party):  # the host died between the legs, or one of them is over
            self.hear(Heard(party=Party.AGENT, news=News.CLEAR, text="found with one leg only"))

    def found(self, legs: Mapping[Party, ConnectionState], asked: Mapping[Party, int]) -> Call:
        """The call as the engine says it is, which was asked for these legs."""
        self.lookout.see(legs, asked)
        gone = Party.CUSTOMER in asked and Party.CUSTOMER not in legs
        return evolve(self.call, state=ConnectionState.NULL) if gone else self.call

    async def begin(self) -> None:
        """Ring the agent's phone.

        Raises:
            EngineDownError: nothing was sent, and there is no call.
            RepeatedAttemptError: the engine has a call of this attempt, which is not this one.
            EngineError: whether it rings is unknown.
        """
        order, agent = self.order, self._legs[Party.AGENT]
        if order is None:
            raise RuntimeError("a call found at the engine has begun already")
        agent.placed()
        try:
            await self.exchange.place_agent(order)
        except (EngineDownError, RepeatedAttemptError):
            raise
        except EngineRefusedError as error:
            self.hear(Heard(party=Party.AGENT, news=News.ENDED, text=f"{error}"))
        except BaseException:  # cancelled at the deadline, too
            agent.unwanted = NORMAL_CLEARING
            self.lookout.look_later()
            self.in_doubt = True
            raise
        left = (order.dial.not_after - self._now()).total_seconds()
        self.lookout.give_up_after(max(1, ceil(min(self.agent_seconds, left))), Party.AGENT)

    async def run(self) -> None:
        """Lead the call to its end."""
        try:
            if self.order is not None:
                await self.reports.tell_once(CallEventKind.SERVICE_INITIATED)
            while self.live:
                heard = await self._inbox.get()
                if heard.news is News.LEAVE:
                    return
                await self._take_safely(heard)
            await self._tell_cleared()
            with suppress(EngineError):
                await self.exchange.tidy(self.call.attempt_id)
        finally:
            self.lookout.close()

    async def _take_safely(self, heard: Heard) -> None:
        """One step's fault leaves no phone ringing."""
        try:
            await self._take(heard)
        except Exception as error:  # noqa: BLE001  (whatever it was, it is told, and both legs go)
            log.error("attempt %s: %s", self.call.attempt_id, described(error))  # noqa: TRY400  (masked)
            for leg in self._legs.values():
                leg.unwanted = leg.unwanted or NORMAL_CLEARING
            self.lookout.look_later()

    async def _take(self, heard: Heard) -> None:
        leg = self._legs[heard.party]
        if heard.news is News.CLEAR:
            await self._clear(heard.text)
        elif not leg.live:
            return
        elif heard.news is News.ENDED:
            await self._ended(leg, heard)
        elif heard.news is News.SEEN:
            await self._looked_for(leg, heard)
        elif heard.news is News.GIVE_UP:
            if leg.stage is Stage.PLACED:
                await self._hang_up(leg, NO_ANSWER)
        else:
            await self._proceeds(leg, heard.news)

    # -- what is heard --------------------------------------------------------------------------------------

    async def _proceeds(self, leg: Leg, news: News) -> None:
        leg.proceeds()
        if self._is_ghost(leg):
            await self._hang_up(leg, NORMAL_CLEARING)
        elif news is News.ANSWERED:
            await self._answered(leg)
        elif leg.unwanted:  # hung up before the engine had it
            await self._hang_up(leg, leg.unwanted)
        elif leg.is_customers and leg.stage is Stage.PLACED:
            await self._rings(news)

    async def _rings(self, news: News) -> None:
        if news is News.PROGRESS:
            await self.reports.tell_once(CallEventKind.NETWORK_REACHED)
        elif await self.reports.tell_once(CallEventKind.DELIVERED) and self.order is not None:
            self.lookout.give_up_after(ring_seconds(self.order), Party.CUSTOMER)
            with suppress(EngineError):  # what the agent hears meanwhile is no reason to hang up
                await self.exchange.ring_back(self.call.attempt_id)

    async def _answered(self, leg: Leg) -> None:
        if leg.stage is Stage.UP:
            return
        leg.stage = Stage.UP
        if leg.is_customers:
            await self._put_through()
        elif leg.unwanted or self.order is None:
            await self._hang_up(leg, NORMAL_CLEARING)
        else:
            await self.reports.tell_once(CallEventKind.ORIGINATED, Party.AGENT)
            await self._call_customer(self.order, self._legs[Party.CUSTOMER])

    async def _put_through(self) -> None:
        why = None
        if self._legs[Party.AGENT].live and not self._cleared:
            try:
                await self.exchange.put_through(self.call.attempt_id)
            except EngineError as error:
                why = f"they could not be put through: {error}"
        await self.reports.tell_once(CallEventKind.ESTABLISHED)
        if why:
            await self._clear(why)

    async def _call_customer(self, order: Order, leg: Leg) -> None:
        """In time, and once."""
        try:
            await self.exchange.prepare(order)
        except EngineError as error:
            await self._ended(leg, Heard(party=leg.party, news=News.ENDED, text=f"{error}"))
            return
        if self._cleared or self._now() >= order.dial.not_after:
            self._why = "too late to call the customer"
            await self._hang_up(self._legs[Party.AGENT], NORMAL_CLEARING)
            return
        leg.placed()
        self.lookout.give_up_after(ring_seconds(order) + self.setup_seconds, leg.party)
        try:
            await self.exchange.place_customer(order)
        except (EngineDownError, EngineRefusedError) as error:
            self.hear(Heard(party=leg.party, news=News.ENDED, text=f"{error}"))
        except EngineError as error:
            leg.lost = True
            log.warning("attempt %s: whether the customer is called: %s", order.attempt_id, described(error))

    async def _ended(self, leg: Leg, heard: Heard) -> None:
        await self.reports.tell(*leg.over(heard))
        for other in self._legs.values():
            if other.live and not other.unwanted:
                await self._hang_up(other, NORMAL_CLEARING)

    def _is_ghost(self, leg: Leg) -> bool:
        """Whether it rings because an engine carried out an order after its deadline."""
        if self.order is None or not leg.lost or leg.stage is not Stage.PLACED:
            return False
        late = self._now() >= self.order.dial.not_after
        self._why = "the engine carried out the order after its deadline" if late else self._why
        return late

    async def _looked_for(self, leg: Leg, heard: Heard) -> None:
        """What was missed is caught up with. What was heard since the engine was asked is newer."""
        state = heard.state
        if state is None and (leg.unsure or leg.heard > heard.as_of):
            leg.proceeds()
            self.lookout.look_later()
        elif state is None:
            await self._ended(leg, evolve(heard, text="the engine does not have it"))
        elif leg.unwanted or self._is_ghost(leg):
            await self._hang_up(leg, leg.unwanted or NORMAL_CLEARING)
        elif state is ConnectionState.CONNECTED:
            await self._answered(leg)
        elif leg.is_customers and state is ConnectionState.ALERTING:
            await self._rings(News.RINGING)

    # -- what is asked of the engine, and told last ---------------------------------------------------------

    async def _clear(self, why: str | None) -> None:
        self._why = why
        for party in self.live:
            await self._hang_up(self._legs[party], NORMAL_CLEARING)

    async def _hang_up(self, leg: Leg, cause: int) -> None:
        """Ask for it. The leg is over when the engine says so, or does not have it any more."""
        leg.unwanted = cause
        try:
            await self.exchange.hang_up(self.call.attempt_id, leg.party, cause)
        except EngineError as error:
            log.warning("attempt %s: not hung up yet: %s", self.call.attempt_id, described(error))
        self.lookout.look_later()

    async def _tell_cleared(self) -> None:
        """The last word, with the customer's cause; an agent's is not to be taken for one."""
        agents = self._legs[Party.AGENT].end
        never_called = Heard(party=Party.CUSTOMER, news=News.ENDED, text=agents.text if agents else None)
        heard = self._legs[Party.CUSTOMER].end or never_called
        await self.reports.tell(CallEventKind.CALL_CLEARED, evolve(heard, text=self._why or heard.text))

    def _live_legs(self) -> Mapping[Party, int]:
        return {party: leg.heard for party, leg in self._legs.items() if leg.live}

    def _now(self) -> datetime:
        return self.reports.host.clock.now()


def ring_seconds(order: Order) -> float:
    """How long the customer's phone rings."""
    return max(order.dial.ring_seconds, SHORTEST_RING)
