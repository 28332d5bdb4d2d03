"""The hooks: which Asterisk, which dial strings, and nothing placed that should not be."""

from collections.abc import Mapping, Sequence

from cti_hooks import Agent, Host
from cti_hooks import settings as plugin_settings
from lcm_plugin.dialers.asterisk.ari import Ari
from lcm_plugin.dialers.asterisk.channels import AsteriskAri
from lcm_plugin.dialers.asterisk.endpoints import AgentEndpoint
from lcm_plugin.dialers.asterisk.event_socket import AriSocket
from lcm_plugin.dialers.asterisk.link import AriLink
from lcm_plugin.dialers.asterisk.settings import AriSettings, AsteriskSettings
from lcm_plugin.dialers.exchange import ExchangeDialer
from lcm_plugin.dialers.exchange.dialer import Line


class AsteriskDialer(ExchangeDialer):
    """The plugin."""

    def __init__(self, table: Mapping[str, object]) -> None:
        super().__init__()
        self.settings = plugin_settings.read(AsteriskSettings, table)
        self._engines = self.settings.named_engines()

    @property
    def engines(self) -> Mapping[str, AriSettings]:
        """Its Asterisks, by name."""
        return self._engines

    def open_lines(self, host: Host) -> Sequence[Line]:
        own = next(name for name, plugin in host.plugins.items() if plugin is self)
        self._engines = self.settings.named_engines(own)  # so that two plugins' engines are told apart
        return [self._line(host, name, settings) for name, settings in self._engines.items()]

    def engine_of(self, agent: Agent) -> str | None:
        fitting = (name for name, engine in self._engines.items() if engine.places_calls_of(agent))
        return next(fitting, None)

    def endpoint_of(self, agent: Agent) -> str:
        engine = self._engines.get(self.engine_of(agent) or "", self.settings)
        return AgentEndpoint(engine.agent_endpoint).filled(agent, engine.agent_endpoints)

    def _line(self, host: Host, name: str, settings: AriSettings) -> Line:
        app = self.settings.app_of(host.name, observes=host.observes)
        seconds = self.settings.request_seconds
        ari = Ari(name=name, settings=settings, directory=host.directory, seconds=seconds)
        asterisk = AsteriskAri(ari=ari, app=app, settings=self.settings, dialer=self, now=host.clock.now)
        socket = AriSocket(
            ari=ari,
            app=app,
            random=host.random,
            on_open=lambda: self._look_at(name),
            on_event=asterisk.hear,
        )
        asterisk.link = AriLink(ari=ari, socket=socket, calls=lambda: len(self.led_at(name)))
        return Line(
            exchange=asterisk,
            connection=asterisk.link,
            agent_seconds=self.settings.agent_ring_seconds,
            setup_seconds=self.settings.setup_seconds,
        )

    async def _look_at(self, engine: str) -> None:
        """After each connection: what became of the calls meanwhile? Asterisk queues no events."""
        for course in self.led_at(engine):
            course.lookout.look_now()
