"""One agent's softphone, as an Exchange: the agent's leg is the phone itself, the customer's leg its call."""

import re
from collections.abc import Mapping
from typing import Final

from attrs import define, field

from cti_hooks import Clock, ConnectionState
from lcm_plugin.dialers.baresip.causes import Q850
from lcm_plugin.dialers.baresip.control import Control, Event
from lcm_plugin.dialers.exchange import (
    Connection,
    EngineDownError,
    EngineError,
    EngineRefusedError,
    ExchangeDialer,
    Heard,
    News,
    Order,
    Party,
    PutsThrough,
)
from lcm_plugin.dialers.exchange.legs import NORMAL_CLEARING

_STATUS: Final = re.compile(r"(?P<status>[3-6][0-9][0-9]) ")
_BY_US: Final = "Connection reset by user"
"""What it says of a call hung up here; anything else that is no SIP status tells what went wrong."""
_NEWS: Final = {
    "CALL_RINGING": News.RINGING,
    "CALL_PROGRESS": News.PROGRESS,
    "CALL_ESTABLISHED": News.ANSWERED,
    "CALL_CLOSED": News.ENDED,
}


@define(kw_only=True, eq=False)
class Softphone(PutsThrough):
    """A softphone, and whose call it is in."""

    name: str
    customer: str
    dialer: ExchangeDialer
    clock: Clock
    connection: Connection = field(init=False)
    _attempt: str | None = field(default=None, init=False)
    """Whose call it is in, or about to be."""
    _peer: str = field(default="", init=False)
    _call_id: str | None = field(default=None, init=False)
    _was_up: bool = field(default=False, init=False)

    async def place_agent(self, order: Order) -> None:
        """Nothing rings; the phone has to be idle."""
        if self._attempt or await self._control().calls():
            raise EngineRefusedError("the agent's softphone is in a call")
        self._attempt, self._call_id, self._was_up = order.attempt_id, None, False
        self._peer = self.customer.replace("{number}", order.number)
        self.dialer.hear(order.attempt_id, Heard(party=Party.AGENT, news=News.ANSWERED))

    async def place_customer(self, order: Order) -> None:
        """Dial, if the phone is still idle. It may have taken its time to say so: the deadline is kept."""
        control = self._control()
        if await control.calls():
            raise EngineRefusedError("the agent's softphone is in a call")
        if self.clock.now() >= order.dial.not_after:
            raise EngineRefusedError("too late to call the customer")
        await control.command("dial", self._peer)

    async def hang_up(self, attempt_id: str, party: Party, cause: int) -> None:
        """The customer's leg by command, if it is the phone's current call; the agent's with it."""
        if party is Party.AGENT:
            ended = Heard(party=Party.AGENT, news=News.ENDED, q850=cause)
            self.dialer.hear(attempt_id, ended)
            return
        calls = [one for one in await self._control().calls() if self._is_ours(one.peer)]
        if not calls:
            return
        if not calls[0].current:
            raise EngineRefusedError("the agent's softphone is busy with another call")
        await self._control().command("hangup")

    async def seen(self, attempt_id: str) -> Mapping[Party, ConnectionState]:
        calls = await self._control().calls()
        if attempt_id != self._attempt:
            if calls and self._attempt is None:
                raise EngineError("the softphone has a call, and whose it is cannot be told")
            return {}
        ours = [one.state for one in calls if self._is_ours(one.peer)]
        self._was_up = self._was_up or ConnectionState.CONNECTED in ours
        return dict([(Party.AGENT, ConnectionState.CONNECTED), *((Party.CUSTOMER, one) for one in ours)])

    def forget(self, attempt_id: str) -> None:
        if attempt_id == self._attempt:
            self._attempt, self._call_id = None, None

    def hear(self, event: Event) -> None:
        """Pass on what concerns the call that was placed here."""
        news = _NEWS.get(str(event.get("type")))
        if news is None or self._attempt is None or event.get("direction") != "outgoing":
            return
        if self._call_id is None and self._is_ours(str(event.get("peeruri"))):
            self._call_id = str(event.get("id"))
        if self._call_id == event.get("id"):
            self._was_up = self._was_up or news is News.ANSWERED
            self.dialer.hear(self._attempt, self._heard(news, str(event.get("param", ""))))

    def _heard(self, news: News, text: str) -> Heard:
        if news is not News.ENDED:
            return Heard(party=Party.CUSTOMER, news=news)
        found = _STATUS.match(f"{text} ")
        status = int(found["status"]) if found else None
        cleared = NORMAL_CLEARING if self._was_up or text == _BY_US else None
        q850 = Q850.get(status) if status else cleared
        return Heard(party=Party.CUSTOMER, news=news, q850=q850, sip_status=status, text=text or None)

    def _is_ours(self, peer: str) -> bool:
        """Whether it is who was dialed: baresip puts its account's parameters behind (`;transport=tcp`)."""
        return f"{peer};".startswith(f"{self._peer};")

    def _control(self) -> Control:
        wire = self.connection.wire
        if not isinstance(wire, Control):
            raise EngineDownError("no control socket")
        return wire
