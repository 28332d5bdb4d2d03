"""One Asterisk over ARI, as an Exchange: legs are channels, whose ids are the attempt's with a suffix.

Asterisk does what it is told and no more: a bridge is made before the customer is called, and both channels
are put into it once the customer has answered.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from math import ceil
from typing import Any, ClassVar, Final

from attrs import define, field

from cti_hooks import ConnectionState
from lcm_plugin.dialers.answers import short_text, small_number
from lcm_plugin.dialers.asterisk.ari import (
    Ari,
    AriDoubtError,
    AriError,
    AriRefusedError,
    AriUnreachableError,
    RepeatedChannelError,
)
from lcm_plugin.dialers.asterisk.dial_status import CAUSES
from lcm_plugin.dialers.asterisk.endpoints import NumberEndpoint
from lcm_plugin.dialers.asterisk.event_socket import EVENTS
from lcm_plugin.dialers.asterisk.link import AriLink
from lcm_plugin.dialers.asterisk.settings import AsteriskSettings
from lcm_plugin.dialers.exchange import ExchangeDialer, Heard, News, Order, Party
from lcm_plugin.dialers.exchange.course import ring_seconds
from lcm_plugin.dialers.exchange.legs import NORMAL_CLEARING

log = logging.getLogger("lcm_plugin.dialers.asterisk")

_SUFFIXES: Final = {Party.AGENT: "-a", Party.CUSTOMER: "-c"}
_BRIDGE: Final = "-b"
_PARTIES: Final = {suffix: party for party, suffix in _SUFFIXES.items()}
_STATES: Final = {"Up": ConnectionState.CONNECTED, "Ringing": ConnectionState.ALERTING}
_DIALED: Final = {"PROGRESS": News.PROGRESS, "PROCEEDING": News.PROGRESS, "RINGING": News.RINGING}
_LATECOMERS: Final = 0.2
"""Seconds in which events come that Asterisk sent before it was asked what it has."""

_Channels = Mapping[str, Mapping[str, Any]]


@define(kw_only=True, eq=False)
class AsteriskAri:
    """One Asterisk, as an Exchange."""

    puts_through: ClassVar[bool] = False
    ari: Ari
    app: str
    settings: AsteriskSettings
    dialer: ExchangeDialer
    now: Callable[[], datetime]
    link: AriLink = field(init=False)
    _statuses: dict[str, str] = field(factory=dict, init=False)
    """How a channel's dial went, in Asterisk's words."""
    _hung_up: set[str] = field(factory=set, init=False)
    """Channels that end because we say so."""
    _lost: dict[str, datetime] = field(factory=dict, init=False)
    """Channels whose order may be under way still, and until when it may be carried out."""
    _bridged: set[str] = field(factory=set, init=False)
    _ringing: set[str] = field(factory=set, init=False)
    """Attempts whose agent is let hear ringing."""
    _asking: "asyncio.Task[_Channels] | None" = field(default=None, init=False)

    @property
    def name(self) -> str:
        return self.ari.name

    async def place_agent(self, order: Order) -> None:
        """The agent's phone rings no longer than the customer's may still be called."""
        if not await self.link.opened():
            raise AriUnreachableError(f"{self.name} {self.link.socket.trouble}")
        left = (order.dial.not_after - self.now()).total_seconds()
        if left <= 0:
            raise AriUnreachableError("too late to place this call")
        ring = max(1, ceil(min(self.settings.agent_ring_seconds, left)))
        await self._originate(order, Party.AGENT, order.endpoint, ring, callerId=order.number)

    async def prepare(self, order: Order) -> None:
        await self._make_bridge(order.attempt_id)

    async def place_customer(self, order: Order) -> None:
        """Asterisk's time-out is for a host that is there no more."""
        endpoint = NumberEndpoint(self.ari.settings.endpoint).filled(order.number)
        ring = ceil(ring_seconds(order) + self.settings.setup_seconds)
        facts = {"callerId": order.caller_id} if order.caller_id else {}
        facts["originator"] = f"{order.attempt_id}{_SUFFIXES[Party.AGENT]}"
        try:
            await self._originate(order, Party.CUSTOMER, endpoint, ring, **facts)
        except RepeatedChannelError as error:
            raise AriRefusedError(f"{error}") from None
        except AriDoubtError as error:  # who cannot be asked may not put them through either
            lost = Heard(party=Party.CUSTOMER, news=News.CLEAR, text=f"{error}")
            self.dialer.hear(order.attempt_id, lost)
            raise

    async def ring_back(self, attempt_id: str) -> None:
        self._ringing.add(attempt_id)
        await self.ari.ring(f"{attempt_id}{_SUFFIXES[Party.AGENT]}")

    async def put_through(self, attempt_id: str) -> None:
        agent, customer = (f"{attempt_id}{suffix}" for suffix in _SUFFIXES.values())
        if attempt_id not in self._bridged:
            await self._make_bridge(attempt_id)
        await self.ari.join(f"{attempt_id}{_BRIDGE}", [agent, customer])
        if attempt_id in self._ringing:
            with suppress(AriError):
                await self.ari.stop_ringing(agent)

    async def hang_up(self, attempt_id: str, party: Party, cause: int) -> None:
        channel = f"{attempt_id}{_SUFFIXES[party]}"
        self._hung_up.add(channel)
        await self.ari.hang_up(channel, cause)

    async def seen(self, attempt_id: str) -> Mapping[Party, ConnectionState]:
        """Its channels, of which it hears from here on.

        Raises:
            AriError: Asterisk cannot be asked, or an order may be under way to it still.
        """
        channels = await self._channels()
        legs = {}
        for party, suffix in _SUFFIXES.items():
            channel = f"{attempt_id}{suffix}"
            if channel in channels and await self._hears_of(channel):
                state = str(channels[channel].get("state"))
                legs[party] = _STATES.get(state, ConnectionState.INITIATED)
            elif channel in self._lost and self.now() < self._lost[channel]:
                raise AriDoubtError(f"{self.name} may carry out an order still")
        if len(legs) < len(Party) and self.dialer.leads(attempt_id):
            await asyncio.sleep(_LATECOMERS)
        return legs

    async def tidy(self, attempt_id: str) -> None:
        await self.ari.remove_bridge(f"{attempt_id}{_BRIDGE}")

    def forget(self, attempt_id: str) -> None:
        self._bridged.discard(attempt_id)
        self._ringing.discard(attempt_id)
        for suffix in _SUFFIXES.values():
            channel = f"{attempt_id}{suffix}"
            self._hung_up.discard(channel)
            self._statuses.pop(channel, None)
            self._lost.pop(channel, None)

    def hear(self, event: Mapping[str, Any]) -> None:
        """Pass on what concerns one of our channels."""
        kind, about = event.get("type"), event.get("peer") or event.get("channel") or {}
        channel = str(about.get("id", ""))
        attempt_id, party = channel[:-2], _PARTIES.get(channel[-2:])
        if kind not in EVENTS or party is None:
            return
        if self.dialer.leads(attempt_id):
            for heard in self._news(party, channel, event):
                self.dialer.hear(attempt_id, heard)
        elif kind == "StasisStart":
            self.link.spawn(self._hang_up_stray(channel))

    def _news(self, party: Party, channel: str, event: Mapping[str, Any]) -> Iterator[Heard]:
        if event["type"] == "StasisStart":
            yield Heard(party=party, news=News.ANSWERED)
        elif event["type"] == "ChannelDestroyed":
            yield self._ended(party, channel, event)
        else:
            status = self._statuses[channel] = str(event.get("dialstatus", ""))
            if status in _DIALED:
                yield Heard(party=party, news=_DIALED[status])

    def _ended(self, party: Party, channel: str, event: Mapping[str, Any]) -> Heard:
        """Q.850 cause, SIP status and text, as far as the network gave them.

        0 is no cause: Asterisk gives it for whatever fails on a `Local` leg. The dial's status tells it then.
        The SIP status of a leg that we hung up is our own doing.
        """
        cause, text = small_number(event.get("cause")), event.get("cause_txt")
        by_sip = str(event.get("channel", {}).get("name", "")).startswith("PJSIP/")
        status = small_number(event.get("tech_cause")) if by_sip else None
        return Heard(
            party=party,
            news=News.ENDED,
            q850=cause or CAUSES.get(self._statuses.get(channel, "")),
            sip_status=status if status and channel not in self._hung_up else None,
            text=short_text(text) if cause else None,
        )

    async def _hang_up_stray(self, channel: str) -> None:
        """Someone answered a call that nobody follows: an earlier host's. There is no one to talk to."""
        log.warning("%s: channel %s was answered and nobody follows it: hung up", self.name, channel)
        try:
            await self.ari.hang_up(channel, NORMAL_CLEARING)
        except AriError as error:
            log.warning("%s", error)

    async def _make_bridge(self, attempt_id: str) -> None:
        await self.ari.make_bridge(f"{attempt_id}{_BRIDGE}")
        self._bridged.add(attempt_id)

    async def _originate(self, order: Order, party: Party, endpoint: str, ring: int, **facts: str) -> None:
        channel = f"{order.attempt_id}{_SUFFIXES[party]}"
        told = {"endpoint": endpoint, "timeout": ring, "variables": dict(order.variables), **facts}
        told |= {"app": self.app, "appArgs": f"{party},{order.attempt_id}"}
        try:
            await self.ari.originate(channel, **told)
        except (AriDoubtError, asyncio.CancelledError):
            self._lost[channel] = order.dial.not_after
            raise

    async def _channels(self) -> _Channels:
        """All channels by their ids; who asks in one moment shares the answer."""
        if self._asking is None:
            self._asking = self.link.spawn(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> _Channels:
        await asyncio.sleep(0)  # for those who ask in this moment
        self._asking = None
        return await self.ari.channels()

    async def _hears_of(self, channel: str) -> bool:
        """Whether it is there. Asterisk refuses for one that ended this instant, or if our socket is away."""
        try:
            await self.ari.subscribe(self.app, channel)
        except AriRefusedError:
            return await self.ari.channel(channel) is not None
        return True
