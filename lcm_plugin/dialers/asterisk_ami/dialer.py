"""A dialer that places calls by Asterisk over AMI, for the older installed base.

Two Originates, both with Async and a ChannelId made from the attempt's id. `<attempt>-a` rings the agent,
whose channel then waits; once it has answered, and the deadline was looked at again, `<attempt>-c` rings the
customer and runs `Bridge` with the agent's channel when the customer answers. The agent's channel waits in
BridgeWait (modules app_bridgewait and bridge_holding), from where Asterisk moves it to that bridge. Outcomes
come from `Hangup`, never from OriginateResponse, whose Reason is 0 for busy, no answer and congestion alike.

What AMI does not tell apart: an agent's phone that is not registered and one that does not exist, or a
customer's trunk that is down and one that does not exist: each is an Originate that failed, without a cause,
so the outcome is unknown. `check` tells such a trunk and a missing module, if the user may ask (`system`).
If Asterisk tells no TechCause (22 does), there is no SIP status, and a network's no answer and a time-out
of our own are both cause 19. A Local channel that ends by `Busy()` or `Congestion()` has cause 0: DialEnd's
status is used then.

    [plugins.asterisk-ami]
    user = "lcm"              # in manager.conf: read and write = call,system,originate,reporting
    password_env = "AMI_PASSWORD"
    endpoint = "PJSIP/{number}@trunk"
    agent_endpoint = "PJSIP/{agent}"
"""

from collections.abc import Mapping, Sequence
from functools import partial

from attrs import evolve

from cti_hooks import Agent, Health, Host, hookimpl
from cti_hooks import settings as plugin_settings
from lcm_plugin.dialers.asterisk.endpoints import AgentEndpoint
from lcm_plugin.dialers.asterisk_ami.channels import AsteriskAmi
from lcm_plugin.dialers.asterisk_ami.manager import Manager
from lcm_plugin.dialers.asterisk_ami.settings import AmiSettings
from lcm_plugin.dialers.exchange import Connection, ExchangeDialer
from lcm_plugin.dialers.exchange.dialer import Line
from lcm_plugin.dialers.exchange.wire import EngineError


class AsteriskAmiDialer(ExchangeDialer):
    """The plugin."""

    def __init__(self, table: Mapping[str, object]) -> None:
        super().__init__()
        self.settings = plugin_settings.read(AmiSettings, table)
        self._asterisk: AsteriskAmi | None = None

    @property
    def engines(self) -> tuple[str, ...]:
        """Its one engine's name."""
        return (self.settings.engine,)

    def open_lines(self, host: Host) -> Sequence[Line]:
        settings = self.settings
        asterisk = self._asterisk = AsteriskAmi(settings=settings, dialer=self)
        asterisk.connection = Connection(
            what=f"asterisk-ami {settings.engine}",
            address=settings.address_in(host.directory),
            open_wire=lambda reader, writer: Manager(
                reader,
                writer,
                timeout_seconds=settings.request_seconds,
                credentials=lambda: (settings.user, settings.secret.read(host.directory)),
                heard=asterisk.hear,
            ),
            on_up=partial(self.catch_up, settings.engine),
            random=host.random,
        )
        return [
            Line(
                exchange=asterisk,
                connection=asterisk.connection,
                agent_seconds=settings.agent_ring_seconds,
                setup_seconds=settings.setup_seconds,
            )
        ]

    @hookimpl
    async def report_health(self) -> list[Health]:
        return [await self._with_what_is_wrong(health) for health in await super().report_health()]

    def engine_of(self, agent: Agent) -> str | None:
        return self.settings.engine if self.settings.serves(agent.id) else None

    def endpoint_of(self, agent: Agent) -> str:
        return AgentEndpoint(self.settings.agent_endpoint).filled(agent, self.settings.agent_endpoints)

    async def _with_what_is_wrong(self, health: Health) -> Health:
        if not health.good or self._asterisk is None:
            return health
        try:
            wrong = await self._asterisk.wrong()
        except EngineError as error:
            wrong = f"{error}"
        return evolve(health, good=False, seen=wrong) if wrong else health
