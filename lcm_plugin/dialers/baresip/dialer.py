"""A dialer that has each agent's own softphone place the call: baresip, over its control socket (ctrl_tcp).

For one desk, and for tests with a second SIP stack. The agent is at the phone, so there is no leg to ring
first: the agent's leg is up once the phone is found idle, the deadline is looked at again, and the phone
dials. In a call already, it counts as an agent's leg that failed. The SIP status is in CALL_CLOSED's text.

baresip takes no id of ours. The call is known by the phone it is on and its SIP Call-ID; after a restart of
this host a call that is still up cannot be told from one the agent dialed, so `find_call` raises then:
nothing is known until the phone is idle. A control socket has no password: keep it on loopback.

    [plugins.baresip]
    endpoint = "sip:{number}@pbx.example.com"
    phones = { alice = { port = 4444 }, bob = { host = "10.0.0.7", port = 4444 } }
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from attrs import define, field, frozen

from cti_hooks import Agent, ConfigError, ConnectionState, Health, Host, Problem, hookimpl
from cti_hooks import settings as plugin_settings
from lcm_plugin.dialers.baresip.causes import Q850
from lcm_plugin.dialers.baresip.control import Control, Event
from lcm_plugin.dialers.exchange import (
    Address,
    Connection,
    EngineDownError,
    EngineError,
    EngineRefusedError,
    ExchangeDialer,
    Heard,
    News,
    Order,
    Party,
)
from lcm_plugin.dialers.exchange.dialer import Line
from lcm_plugin.dialers.exchange.legs import NORMAL_CLEARING
from lcm_plugin.dialers.exchange.settings import PORT, POSITIVE

_TARGET: Final = re.compile(r"sips?:[A-Za-z0-9_.:@;=+{}\[\]-]+")
_STATUS: Final = re.compile(r"(?P<status>[3-6][0-9][0-9]) ")
_NEWS: Final = {
    "CALL_RINGING": News.RINGING,
    "CALL_PROGRESS": News.PROGRESS,
    "CALL_ESTABLISHED": News.ANSWERED,
    "CALL_CLOSED": News.ENDED,
}


@frozen(kw_only=True)
class Phone:
    """Where a softphone's control socket is."""

    host: str = "127.0.0.1"
    port: int = field(default=4444, validator=PORT)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@frozen(kw_only=True)
class BaresipSettings:
    """The `[plugins.baresip]` table."""

    phones: Mapping[str, Phone]
    """By agent's id."""
    endpoint: str
    """What is dialed: `sip:{number}@pbx.example.com`."""
    request_seconds: float = field(default=5.0, validator=POSITIVE)
    setup_seconds: float = field(default=10.0, validator=POSITIVE)
    """How long the network may take until the customer's phone rings."""

    def __attrs_post_init__(self) -> None:
        problems = []
        if "{number}" not in self.endpoint or not _TARGET.fullmatch(self.endpoint):
            problems.append(Problem("endpoint", 'wants a SIP URI: "sip:{number}@pbx.example.com"'))
        if not self.phones:
            problems.append(Problem("phones", "wants an agent's: { alice = { port = 4444 } }"))
        if len(set(self.phones.values())) < len(self.phones):
            problems.append(Problem("phones", "two agents have the same phone"))
        if problems:
            raise ConfigError(problems)


class BaresipDialer(ExchangeDialer):
    """The plugin."""

    def __init__(self, table: Mapping[str, object]) -> None:
        super().__init__()
        self.settings = plugin_settings.read(BaresipSettings, table)

    @property
    def engines(self) -> tuple[str, ...]:
        """The addresses of its phones."""
        return tuple(f"{phone}" for phone in self.settings.phones.values())

    @hookimpl
    async def report_health(self) -> list[Health]:
        """In one: a phone that is switched off is its agent's trouble; all of them off are the host's."""
        phones = await super().report_health()
        up = [one.seen for one in phones if one.good]
        down = [f"{one.what} not: {one.seen}" for one in phones if not one.good]
        seen = "; ".join([f"{len(up)} of {len(phones)} softphones", *up[:1], *down])
        return [Health(what="baresip", good=bool(up), seen=seen)]

    def open_lines(self, host: Host) -> Sequence[Line]:
        return [self._line(host, agent_id, phone) for agent_id, phone in self.settings.phones.items()]

    def engine_of(self, agent: Agent) -> str | None:
        phone = self.settings.phones.get(agent.id)
        return f"{phone}" if phone else None

    def endpoint_of(self, agent: Agent) -> str:
        return f"{self.settings.phones[agent.id]}"

    def _line(self, host: Host, agent_id: str, phone: Phone) -> Line:
        seconds = self.settings.request_seconds
        softphone = Softphone(name=f"{phone}", customer=self.settings.endpoint, dialer=self)
        softphone.connection = Connection(
            what=f"{agent_id}'s",
            address=Address(host=phone.host, port=phone.port, timeout_seconds=seconds),
            open_wire=partial(Control, timeout_seconds=seconds, heard=softphone.hear),
            on_up=partial(self.catch_up, softphone.name),
            random=host.random,
        )
        return Line(
            exchange=softphone,
            connection=softphone.connection,
            agent_seconds=seconds,
            setup_seconds=self.settings.setup_seconds,
        )


@define(kw_only=True, eq=False)
class Softphone:
    """One agent's softphone, as an Exchange."""

    name: str
    customer: str
    dialer: BaresipDialer
    connection: Connection = field(init=False)
    _attempt: str | None = field(default=None, init=False)
    """Whose call it is in, or about to be."""
    _peer: str = field(default="", init=False)
    _call_id: str | None = field(default=None, init=False)

    async def place_agent(self, order: Order) -> None:
        """Nothing rings; the phone has to be idle."""
        if self._attempt or await self._control().lines():
            raise EngineRefusedError("the agent's softphone is in a call")
        self._attempt, self._call_id = order.attempt_id, None
        self._peer = self.customer.replace("{number}", order.number)
        self.dialer.hear(order.attempt_id, Heard(party=Party.AGENT, news=News.ANSWERED))

    async def place_customer(self, order: Order) -> None:
        """Dial, if the phone is still idle."""
        control = self._control()
        if await control.lines():
            raise EngineRefusedError("the agent's softphone is in a call")
        await control.command("dial", self._peer)
        del order  # what is dialed was made from it, for the agent's leg

    async def hang_up(self, attempt_id: str, party: Party, cause: int) -> None:
        """The customer's leg by command, if it is the phone's current call; the agent's with it."""
        if party is Party.AGENT:
            ended = Heard(party=Party.AGENT, news=News.ENDED, q850=cause)
            self.dialer.hear(attempt_id, ended)
            return
        lines = [one for one in await self._control().lines() if one.peer == self._peer]
        if not lines:
            return
        if not lines[0].current:
            raise EngineRefusedError("the agent's softphone is busy with another call")
        await self._control().command("hangup")

    async def seen(self, attempt_id: str) -> Mapping[Party, ConnectionState]:
        lines = await self._control().lines()
        if attempt_id != self._attempt:
            if lines and self._attempt is None:
                raise EngineError("the softphone has a call, and whose it is cannot be told")
            return {}
        ours = [(Party.CUSTOMER, one.state) for one in lines if one.peer == self._peer]
        return dict([(Party.AGENT, ConnectionState.CONNECTED), *ours])

    def forget(self, attempt_id: str) -> None:
        if attempt_id == self._attempt:
            self._attempt, self._call_id = None, None

    def hear(self, event: Event) -> None:
        """Pass on what concerns the call of ours."""
        news = _NEWS.get(str(event.get("type")))
        if news is None or self._attempt is None or event.get("direction") != "outgoing":
            return
        if self._call_id is None and event.get("peeruri") == self._peer:
            self._call_id = str(event.get("id"))
        if self._call_id == event.get("id"):
            self.dialer.hear(self._attempt, _heard(news, str(event.get("param", ""))))

    def _control(self) -> Control:
        wire = self.connection.wire
        if not isinstance(wire, Control):
            raise EngineDownError("no control socket")
        return wire


def _heard(news: News, text: str) -> Heard:
    if news is not News.ENDED:
        return Heard(party=Party.CUSTOMER, news=news)
    found = _STATUS.match(f"{text} ")
    status = int(found["status"]) if found else None
    q850 = Q850.get(status) if status else NORMAL_CLEARING
    return Heard(party=Party.CUSTOMER, news=news, q850=q850, sip_status=status, text=text or None)
