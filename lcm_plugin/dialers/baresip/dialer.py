"""A dialer that has each agent's own softphone place the call: baresip, over its control socket (ctrl_tcp).

For one desk, and for tests with a second SIP stack. The agent is at the phone, so there is no leg to ring
first: the agent's leg is up once the phone is found idle, the deadline is looked at again, and the phone
dials. In a call already, it counts as an agent's leg that failed. The SIP status is in CALL_CLOSED's text.

baresip takes no foreign id. The call is known by the phone it is on and its SIP Call-ID; after a restart of
this host a call that is still up cannot be told from one the agent dialed, so `find_call` raises then:
nothing is known until the phone is idle. A control socket has no password: keep it on loopback.

    [plugins.baresip]
    endpoint = "sip:{number}@pbx.example.com"
    phones = { alice = { port = 4444 }, bob = { host = "10.0.0.7", port = 4444 } }
"""

from collections.abc import Mapping, Sequence
from functools import partial

from cti_hooks import Agent, Health, Host, hookimpl
from cti_hooks import settings as plugin_settings
from lcm_plugin.dialers.baresip.control import Control
from lcm_plugin.dialers.baresip.settings import BaresipSettings, Phone
from lcm_plugin.dialers.baresip.softphone import Softphone
from lcm_plugin.dialers.exchange import Address, Connection, ExchangeDialer
from lcm_plugin.dialers.exchange.dialer import Line


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
        """In one line: a phone that is switched off concerns its agent only, all of them the host."""
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
        softphone = Softphone(name=f"{phone}", customer=self.settings.endpoint, dialer=self, clock=host.clock)
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
            has_one_user=True,
        )
