"""A dialer that places calls by FreeSWITCH, over its event socket.

It was written from the protocol's documentation and source and tested against a server made from the same:
**it has not met a real FreeSWITCH yet.**

Agent first: `bgapi originate {origination_uuid=...}<agent's endpoint> &park()`. Once the agent has answered,
and the deadline was looked at again, the parked leg is told to `bridge` to the customer (`sendmsg`,
`call-command: execute`), so that FreeSWITCH itself puts both through, and the agent hears it ring. Both
uuids are made from the attempt's id. Outcomes come from CHANNEL_HANGUP_COMPLETE.

    [plugins.freeswitch]
    password_env = "ESL_PASSWORD"
    endpoint = "sofia/gateway/carrier/{number}"
    agent_endpoint = "user/{agent}"
"""

from collections.abc import Mapping, Sequence
from functools import partial

from cti_hooks import Agent, Host
from cti_hooks import settings as plugin_settings
from lcm_plugin.dialers.exchange import Connection, ExchangeDialer
from lcm_plugin.dialers.exchange.dialer import Line
from lcm_plugin.dialers.freeswitch.event_socket import EventSocket
from lcm_plugin.dialers.freeswitch.settings import FreeSwitchSettings
from lcm_plugin.dialers.freeswitch.switch import FreeSwitch
from lcm_plugin.dialers.numbers import endpoint_of


class FreeSwitchDialer(ExchangeDialer):
    """The plugin."""

    def __init__(self, table: Mapping[str, object]) -> None:
        super().__init__()
        self.settings = plugin_settings.read(FreeSwitchSettings, table)

    @property
    def engines(self) -> tuple[str, ...]:
        """Its one engine's name."""
        return (self.settings.engine,)

    def open_lines(self, host: Host) -> Sequence[Line]:
        settings = self.settings
        switch = FreeSwitch(settings=settings, dialer=self)
        switch.connection = Connection(
            what=f"freeswitch {settings.engine}",
            address=settings.address(),
            open_wire=lambda reader, writer: EventSocket(
                reader,
                writer,
                timeout_seconds=settings.request_seconds,
                password=partial(settings.secret.read, host.directory),
                heard=switch.hear,
            ),
            on_up=partial(self.catch_up, settings.engine),
            random=host.random,
        )
        return [
            Line(
                exchange=switch,
                connection=switch.connection,
                agent_seconds=settings.agent_ring_seconds,
                setup_seconds=settings.setup_seconds,
            )
        ]

    def engine_of(self, agent: Agent) -> str | None:
        return self.settings.engine if self.settings.serves(agent.id) else None

    def endpoint_of(self, agent: Agent) -> str:
        settings = self.settings
        return endpoint_of(agent.id, agent.endpoint, settings.agent_endpoint, settings.agent_endpoints)
