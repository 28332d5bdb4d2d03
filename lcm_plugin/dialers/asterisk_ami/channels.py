"""One Asterisk, as an Exchange: legs are channels, whose ids are the attempt's with a suffix."""

import asyncio
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Final

from attrs import define, field

from cti_hooks import ConnectionState
from lcm_plugin.dialers.answers import whole_number
from lcm_plugin.dialers.asterisk.dial_status import CAUSES
from lcm_plugin.dialers.asterisk.endpoints import NumberEndpoint
from lcm_plugin.dialers.asterisk_ami.manager import Manager, Message
from lcm_plugin.dialers.asterisk_ami.settings import WAITING, WAITING_NEEDS, AmiSettings
from lcm_plugin.dialers.exchange import (
    Connection,
    EngineDownError,
    EngineRefusedError,
    ExchangeDialer,
    Heard,
    News,
    Order,
    Party,
    PutsThrough,
)
from lcm_plugin.dialers.exchange.course import ring_seconds
from lcm_plugin.dialers.exchange.legs import NORMAL_CLEARING
from lcm_plugin.dialers.numbers import display_name

GRACE_SECONDS: Final = 0.5
"""How long Hangup, which has the cause, may come after an OriginateResponse that says failure."""
MARGIN_SECONDS: Final = 15
"""Asterisk's own time-outs are this much longer than ours: they hold when this host has died."""
_SUFFIXES: Final = {Party.AGENT: "-a", Party.CUSTOMER: "-c"}
_OTHER_HALF: Final = {Party.AGENT: "-b", Party.CUSTOMER: "-d"}
"""Of a Local channel."""
_RINGING, _UP = "5", "6"
_STATES: Final = {_RINGING: ConnectionState.ALERTING, _UP: ConnectionState.CONNECTED}
_NOT_LOADED: Final = "Module not loaded"
_NOT_THERE: Final = "Unable to retrieve endpoint"


@define(kw_only=True, eq=False)
class AsteriskAmi(PutsThrough):
    """One Asterisk, as an Exchange."""

    settings: AmiSettings
    dialer: ExchangeDialer
    connection: Connection = field(init=False)
    _names: dict[str, str] = field(factory=dict, init=False)
    """Our own channels by id, as Asterisk names them."""
    _statuses: dict[str, str] = field(factory=dict, init=False)
    """DialEnd's status, by id."""

    @property
    def name(self) -> str:
        return self.settings.engine

    async def place_agent(self, order: Order) -> None:
        ring = self.settings.agent_ring_seconds + MARGIN_SECONDS
        stay = ring + ring_seconds(order) + self.settings.setup_seconds
        application, data = self.settings.application(order.attempt_id, ceil(stay))
        name = display_name(order.dial.display_name)
        caller = f'"{name}" <{order.number}>' if name else order.number
        headers = {"Channel": order.endpoint, "Application": application, "Data": data, "CallerID": caller}
        await self._originate(order, Party.AGENT, headers, ring=ring)

    async def place_customer(self, order: Order) -> None:
        channel = f"{order.attempt_id}{_SUFFIXES[Party.AGENT]}"
        if channel not in self._names:  # it has answered, and yet nobody told its name: asked, it is known
            await self._state(channel)
        agent = self._names.get(channel)
        if not agent:
            raise EngineRefusedError("the agent's channel is gone")
        ring = ring_seconds(order) + self.settings.setup_seconds + MARGIN_SECONDS
        target = NumberEndpoint(self.settings.endpoint).filled(order.number)
        headers = {"Channel": target, "Application": "Bridge", "Data": agent}
        if order.caller_id:
            headers["CallerID"] = order.caller_id
        variables = [f"{name}={value}" for name, value in order.variables.items()]
        await self._originate(order, Party.CUSTOMER, headers, *variables, ring=ring)

    async def hang_up(self, attempt_id: str, party: Party, cause: int) -> None:
        channel = f"{attempt_id}{_SUFFIXES[party]}"
        try:
            await self._manager().action("Hangup", Channel=channel, Cause=f"{cause}")
        except EngineRefusedError:
            return  # no such channel: it is gone

    async def seen(self, attempt_id: str) -> Mapping[Party, ConnectionState]:
        found = {party: await self._state(f"{attempt_id}{_SUFFIXES[party]}") for party in Party}
        return {party: state for party, state in found.items() if state is not None}

    async def wrong(self) -> str | None:
        """What it lacks that calls need; None if it lacks nothing, or nothing can be told.

        Raises:
            EngineError: Asterisk cannot be asked.
        """
        return await self._wrong_modules() or await self._wrong_endpoint()

    async def _wrong_modules(self) -> str | None:
        if self.settings.waiting:
            return None
        for module in WAITING_NEEDS:
            try:
                await self._manager().action("ModuleCheck", Module=module)
            except EngineRefusedError as error:  # or the user may not ask
                if _NOT_LOADED in f"{error}":
                    return f"module {module} is not loaded; agents wait in {WAITING} unless you set waiting"
        return None

    async def _wrong_endpoint(self) -> str | None:
        name = NumberEndpoint(self.settings.endpoint).pjsip_endpoint
        if name is None:
            return None
        said = f"endpoint {self.settings.endpoint!r}:"
        try:
            details = await self._manager().listed("PJSIPShowEndpoint", Endpoint=name)
        except EngineRefusedError as error:  # or the user may not ask, or there is no PJSIP at all
            return f"{said} there is no PJSIP endpoint {name!r}" if _NOT_THERE in f"{error}" else None
        offline = any(one.get("DeviceState") == "Unavailable" for one in details)
        return f"{said} PJSIP endpoint {name!r} is offline" if offline else None

    def forget(self, attempt_id: str) -> None:
        for suffix in _SUFFIXES.values():
            self._names.pop(f"{attempt_id}{suffix}", None)
            self._statuses.pop(f"{attempt_id}{suffix}", None)

    def hear(self, message: Message) -> None:
        """Pass on what concerns one of our channels."""
        channel = message.get("DestUniqueid") or message.get("Uniqueid", "")
        party = next((one for one, suffix in _SUFFIXES.items() if channel.endswith(suffix)), None)
        if party is None:
            return
        attempt_id = channel[: -len(_SUFFIXES[party])]
        if not self.dialer.leads(attempt_id):
            return
        self._note(channel, message)
        for heard in self._news(party, channel, message):
            self.dialer.hear(attempt_id, heard)
        if message.get("Event") == "OriginateResponse" and message.get("Response") == "Failure":
            failed = Heard(party=party, news=News.ENDED, text="Asterisk could not call it")
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self.dialer.hear, attempt_id, failed)

    def _note(self, channel: str, message: Message) -> None:
        if message.get("Event") in {"Newchannel", "Status"}:
            self._names[channel] = message.get("Channel", "")
        elif message.get("Event") == "DialEnd":
            self._statuses[channel] = message.get("DialStatus", "")

    def _news(self, party: Party, channel: str, message: Message) -> Sequence[Heard]:
        event, state = message.get("Event"), message.get("ChannelState")
        if event == "Hangup" or (event == "HangupRequest" and state == _UP):
            return [self._ended(party, channel, message)]  # the request tells who hung up first
        if event == "OriginateResponse" and message.get("Response") == "Success":
            return [Heard(party=party, news=News.ANSWERED)]
        if event == "Newstate" and state == _UP and party is Party.CUSTOMER:
            return [Heard(party=party, news=News.ANSWERED)]
        if event == "Newstate" and state == _RINGING:
            return [Heard(party=party, news=News.RINGING)]
        if event == "DialState" and message.get("DialStatus") == "PROGRESS":
            return [Heard(party=party, news=News.PROGRESS)]
        return []

    def _ended(self, party: Party, channel: str, message: Message) -> Heard:
        up = NORMAL_CLEARING if message.get("ChannelState") == _UP else None
        cause, status = message.get("Cause", ""), message.get("TechCause", "")
        dialed = self._statuses.get(channel, "")
        return Heard(
            party=party,
            news=News.ENDED,
            q850=whole_number(cause) or up or CAUSES.get(dialed),
            sip_status=whole_number(status),
            text=message.get("Cause-txt"),
        )

    async def _originate(
        self, order: Order, party: Party, headers: Mapping[str, str], *variables: str, ring: float
    ) -> None:
        identity = f"{order.attempt_id}{_SUFFIXES[party]}"
        asked = {"ChannelId": identity, "Async": "true", "Timeout": f"{ceil(ring * 1000)}", **headers}
        if headers["Channel"].startswith("Local/"):
            asked["OtherChannelId"] = f"{order.attempt_id}{_OTHER_HALF[party]}"
        await self._manager().action("Originate", *variables, action_id=identity, **asked)

    async def _state(self, channel: str) -> ConnectionState | None:
        try:
            messages = await self._manager().listed("Status", Channel=channel)
        except EngineRefusedError:
            return None  # no such channel
        for message in messages:
            if message.get("Uniqueid") == channel:
                self._names[channel] = message.get("Channel", "")
                return _STATES.get(message.get("ChannelState", ""), ConnectionState.INITIATED)
        return None

    def _manager(self) -> Manager:
        wire = self.connection.wire
        if not isinstance(wire, Manager):
            raise EngineDownError("no manager interface")
        return wire
