"""One FreeSWITCH, as an Exchange: legs are channels, whose uuids are made from the attempt's id."""

import asyncio
from collections.abc import Mapping
from math import ceil
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from attrs import define, field

from cti_hooks import ConnectionState
from lcm_plugin.dialers.answers import whole_number
from lcm_plugin.dialers.exchange import (
    Connection,
    EngineDownError,
    ExchangeDialer,
    Heard,
    News,
    Order,
    Party,
    PutsThrough,
)
from lcm_plugin.dialers.exchange.course import ring_seconds
from lcm_plugin.dialers.freeswitch.causes import Q850, name_of
from lcm_plugin.dialers.freeswitch.event_socket import Event, EventSocket
from lcm_plugin.dialers.freeswitch.settings import FreeSwitchSettings
from lcm_plugin.dialers.numbers import display_name

GRACE_SECONDS: Final = 0.5
"""How long CHANNEL_HANGUP_COMPLETE, which has the SIP status, may come after the bridge's end."""
MARGIN_SECONDS: Final = 15
"""FreeSWITCH's own time-outs are this much longer than ours: they hold when this host has died."""
_STATES: Final = {
    "DOWN": ConnectionState.INITIATED,
    "DIALING": ConnectionState.INITIATED,
    "RINGING": ConnectionState.ALERTING,
    "EARLY": ConnectionState.ALERTING,
    "ACTIVE": ConnectionState.CONNECTED,
    "HELD": ConnectionState.CONNECTED,
}
"""Channel-Call-State, as the state of the leg's connection."""
_NEWS: Final = {
    "CHANNEL_PROGRESS": News.RINGING,
    "CHANNEL_PROGRESS_MEDIA": News.PROGRESS,
    "CHANNEL_ANSWER": News.ANSWERED,
    "CHANNEL_HANGUP_COMPLETE": News.ENDED,
}


def leg_uuid(attempt_id: str, party: Party) -> str:
    """The uuid of an attempt's leg."""
    return str(uuid5(NAMESPACE_OID, f"lcm-plugin {attempt_id} {party.value}"))


@define(kw_only=True, eq=False)
class FreeSwitch(PutsThrough):
    """One FreeSWITCH, as an Exchange."""

    settings: FreeSwitchSettings
    dialer: ExchangeDialer
    connection: Connection = field(init=False)
    _legs: dict[str, tuple[str, Party]] = field(factory=dict, init=False)
    """By uuid: whose leg it is."""

    @property
    def name(self) -> str:
        return self.settings.engine

    async def place_agent(self, order: Order) -> None:
        self._know(order.attempt_id)
        ring = self.settings.agent_ring_seconds + MARGIN_SECONDS
        stay = ring + ring_seconds(order) + self.settings.setup_seconds
        variables = {
            "origination_uuid": leg_uuid(order.attempt_id, Party.AGENT),
            "origination_caller_id_number": order.number,
            "origination_caller_id_name": display_name(order.dial.display_name) or order.number,
            "originate_timeout": f"{ceil(ring)}",
            "ignore_early_media": "true",
            "continue_on_fail": "true",
            "hangup_after_bridge": "true",
            "park_timeout": f"{ceil(stay)}",
        }
        socket = self._socket()
        job = f"Job-UUID: {_job(order.attempt_id)}"
        await socket.command(f"bgapi originate {_braced(variables)}{order.endpoint} &park()", job)

    async def place_customer(self, order: Order) -> None:
        ring = ring_seconds(order) + self.settings.setup_seconds + MARGIN_SECONDS
        caller = {"origination_caller_id_number": order.caller_id} if order.caller_id else {}
        variables = {
            **order.variables,
            **caller,
            "origination_uuid": leg_uuid(order.attempt_id, Party.CUSTOMER),
            "originate_timeout": f"{ceil(ring)}",
        }
        target = self.settings.endpoint.replace("{number}", order.number)
        await self._socket().command(
            f"sendmsg {leg_uuid(order.attempt_id, Party.AGENT)}",
            "call-command: execute",
            "execute-app-name: bridge",
            f"execute-app-arg: {_braced(variables)}{target}",
        )

    async def hang_up(self, attempt_id: str, party: Party, cause: int) -> None:
        await self._socket().api(f"uuid_kill {leg_uuid(attempt_id, party)} {name_of(cause)}")

    async def seen(self, attempt_id: str) -> Mapping[Party, ConnectionState]:
        self._know(attempt_id)
        found = {party: await self._state(leg_uuid(attempt_id, party)) for party in Party}
        return {party: state for party, state in found.items() if state is not None}

    def forget(self, attempt_id: str) -> None:
        for uuid in (*(leg_uuid(attempt_id, party) for party in Party), _job(attempt_id)):
            self._legs.pop(uuid, None)

    def hear(self, event: Event) -> None:
        """Pass on what concerns one of our legs."""
        if event.name == "BACKGROUND_JOB":
            self._job_done(event)
        elif leg := self._legs.get(event.headers.get("Unique-ID", "")):
            if event.name == "CHANNEL_EXECUTE_COMPLETE":
                self._executed(leg[0], event)
            elif news := _NEWS.get(event.name):
                self.dialer.hear(leg[0], _heard(leg[1], news, event))

    def _job_done(self, event: Event) -> None:
        """An originate that failed may never have made a channel."""
        leg = self._legs.get(event.headers.get("Job-UUID", ""))
        if leg and event.body.startswith("-ERR"):
            cause = event.body.removeprefix("-ERR").strip()
            ended = Heard(party=leg[1], news=News.ENDED, q850=Q850.get(cause), text=cause)
            self.dialer.hear(leg[0], ended)

    def _executed(self, attempt_id: str, event: Event) -> None:
        """The bridge is over, or never made a channel: a gateway that is down."""
        if event.headers.get("Application") != "bridge":
            return
        cause = event.headers.get("variable_originate_disposition", "")
        ended = Heard(party=Party.CUSTOMER, news=News.ENDED, q850=Q850.get(cause), text=cause or None)
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self.dialer.hear, attempt_id, ended)

    async def _state(self, uuid: str) -> ConnectionState | None:
        socket = self._socket()
        if (await socket.api(f"uuid_exists {uuid}")).strip() != "true":
            return None
        dump = await socket.api(f"uuid_dump {uuid}")
        lines = dict(line.split(": ", 1) for line in dump.splitlines() if ": " in line)
        return _STATES.get(lines.get("Channel-Call-State", ""))

    def _know(self, attempt_id: str) -> None:
        for party in Party:
            self._legs[leg_uuid(attempt_id, party)] = (attempt_id, party)
        self._legs[_job(attempt_id)] = (attempt_id, Party.AGENT)

    def _socket(self) -> EventSocket:
        wire = self.connection.wire
        if not isinstance(wire, EventSocket):
            raise EngineDownError("no event socket")
        return wire


def _job(attempt_id: str) -> str:
    return str(uuid5(NAMESPACE_OID, f"lcm-plugin {attempt_id} originate"))


def _braced(variables: Mapping[str, str]) -> str:
    """`{name='value',...}`: the values have no quotes, commas or braces in them (see `numbers`)."""
    return "{" + ",".join(f"{name}='{value}'" for name, value in variables.items()) + "}"


def _heard(party: Party, news: News, event: Event) -> Heard:
    if news is not News.ENDED:
        return Heard(party=party, news=news)
    cause = event.headers.get("Hangup-Cause", "")
    status = event.headers.get("variable_sip_term_status", "")
    return Heard(
        party=party,
        news=news,
        q850=Q850.get(cause),
        sip_status=whole_number(status),
        text=cause or None,
    )
