"""The hooks: which Asterisk, which dial strings, and nothing placed that should not be."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Final

from cti_hooks import Agent, Attempt, Call, Dial, Health, Host, hookimpl
from cti_hooks import settings as plugin_settings
from lcm_plugin.dialers.asterisk.ari import Ari
from lcm_plugin.dialers.asterisk.endpoints import AgentEndpoint, NumberEndpoint
from lcm_plugin.dialers.asterisk.engine import Engine
from lcm_plugin.dialers.asterisk.order import Order
from lcm_plugin.dialers.asterisk.settings import AsteriskSettings, EngineSettings
from lcm_plugin.dialers.finding import found
from lcm_plugin.dialers.numbers import channel_variables, dialable

_ID: Final = re.compile(r"[\w.-]+", re.ASCII)


class AsteriskDialer:
    """The plugin. `engines` are its Asterisks, by name."""

    def __init__(self, table: Mapping[str, object]) -> None:
        self.settings = plugin_settings.read(AsteriskSettings, table)
        self.engines: Mapping[str, EngineSettings] = self.settings.named_engines()
        self._open: dict[str, Engine] = {}

    @hookimpl
    def on_startup(self, host: Host) -> None:
        own = next(name for name, plugin in host.plugins.items() if plugin is self)
        self.engines = self.settings.named_engines(own)  # so that two plugins' engines are told apart
        for name, settings in self.engines.items():
            ari = Ari(
                name=name,
                settings=settings,
                directory=host.directory,
                seconds=self.settings.request_seconds,
            )
            engine = Engine(
                ari=ari,
                app=self.settings.app_of(host.name, observes=host.observes),
                now=host.clock.now,
                random=host.random,
                tell=lambda event: host.hook.on_call_event(event=event),
            )
            engine.open()
            self._open[name] = engine

    @hookimpl
    async def on_shutdown(self) -> None:
        for engine in self._open.values():
            await engine.close()
        self._open.clear()

    @hookimpl
    async def report_health(self) -> Sequence[Health]:
        return await asyncio.gather(*(engine.health() for engine in self._open.values()))

    @hookimpl
    async def make_call(self, attempt: Attempt, dial: Dial) -> Call | None:
        engine = self._engine_of(attempt.agent)
        if engine is None:
            return None
        order = self._order(attempt, dial, engine.ari.settings)
        return await engine.place(attempt.id, order)

    @hookimpl
    async def find_call(self, attempt_id: str) -> Call | None:
        if not self._open:
            raise RuntimeError("the asterisk dialer is not started: start the host first")
        return await found({name: engine.find(attempt_id) for name, engine in self._open.items()})

    @hookimpl
    async def clear_call(self, call: Call) -> bool | None:
        ours = [engine for engine in self._open.values() if call.attempt_id in engine.calls]
        engine = ours[0] if ours else self._open.get(call.engine or "")
        return await engine.clear(call.attempt_id) if engine else None

    def engine_of(self, agent: Agent) -> str | None:
        """The engine that places this agent's calls, as `find_call` wants it told."""
        engine = self._engine_of(agent)
        return engine.ari.name if engine else None

    def endpoint_of(self, agent: Agent) -> str:
        """Where the agent's phone is, for an agent it serves.

        Raises:
            UnsafeEndpointError: it is none that this engine may ring.
        """
        engine = self._engine_of(agent)
        settings = engine.ari.settings if engine else self.settings
        return AgentEndpoint(settings.agent_endpoint).filled(agent, settings.agent_endpoints)

    def _engine_of(self, agent: Agent) -> Engine | None:
        fitting = (engine for engine in self._open.values() if engine.ari.settings.places_calls_of(agent))
        return next(fitting, None)

    def _order(self, attempt: Attempt, dial: Dial, engine: EngineSettings) -> Order:
        """What to place, checked before anything is.

        Raises:
            UndialableNumberError: the number, or the caller id, is no telephone number.
            ValueError: the agent's endpoint, the attempt's id or a variable would break something.
        """
        if not _ID.fullmatch(attempt.id):
            raise ValueError("an attempt's id that can be no channel's")
        channel_variables(dial.variables)
        return Order(
            dial=dial,
            agent_endpoint=self.endpoint_of(attempt.agent),
            customer_endpoint=NumberEndpoint(engine.endpoint).filled(dial.to),
            agent_caller_id=dialable(dial.to),
            caller_id=dialable(dial.caller_id) if dial.caller_id else None,
            agent_ring_seconds=self.settings.agent_ring_seconds,
            setup_seconds=self.settings.setup_seconds,
        )
