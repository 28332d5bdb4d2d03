"""The embedded host: a `Host`, and an API around it."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from cti_hooks import Host
from lcm_plugin.identity import identity_of
from lcm_plugin.service.agents import Agents
from lcm_plugin.service.api import Api
from lcm_plugin.service.counts import Counts
from lcm_plugin.service.door import Door
from lcm_plugin.service.events import Feed
from lcm_plugin.service.guard import Guard
from lcm_plugin.service.headers import keep_to_ourselves
from lcm_plugin.service.loading import load
from lcm_plugin.service.metrics import Metrics
from lcm_plugin.service.openapi import document
from lcm_plugin.service.problems import problems
from lcm_plugin.service.process import Complaints, raise_descriptors, take_signals
from lcm_plugin.service.routes.agents import AgentsRoutes
from lcm_plugin.service.routes.attempts import AttemptsRoutes
from lcm_plugin.service.routes.calls import CallsRoutes
from lcm_plugin.service.routes.dialing import DialingRoutes
from lcm_plugin.service.routes.identity import IdentityRoutes
from lcm_plugin.service.routes.ledger import LedgerRoutes
from lcm_plugin.service.routes.reports import ReportsRoutes
from lcm_plugin.service.routes.site import SiteRoutes
from lcm_plugin.service.settings import SHORT_TOKEN, ServiceSettings
from lcm_plugin.service.token import token_of

log = logging.getLogger("lcm_plugin.service")


class Service:
    """`async with Service(host, settings) as service: ... service.url`.

    The host starts before anybody can ask, and stops after the last answer; its own plugin is in front.
    `unready` says why it may not be given work; `/readyz` shows it.
    """

    def __init__(self, host: Host, settings: ServiceSettings) -> None:
        self._host = host
        self._settings = settings
        token = token_of(settings, host.directory)
        self._is_guessable = token is not None and len(token) < SHORT_TOKEN
        self._identity = identity_of(
            host_token=token,
            tokens=settings.tokens,
            jwt=settings.jwt,
            directory=host.directory,
            clock=host.clock,
        )
        self.unready = ["starting"]
        self.agents = Agents(host=host, feed=Feed())
        self._metrics = _metrics(host)
        self._counts = Counts(self._metrics.registry)
        host.register(self._counts, name="service-counts")
        attempts = AttemptsRoutes(host=host)
        self._api = Api(
            agents=AgentsRoutes(agents=self.agents, attempts=attempts),
            attempts=attempts,
            calls=CallsRoutes(attempts=attempts, agents=self.agents),
            dialing=DialingRoutes(attempts=attempts),
            ledger=LedgerRoutes(attempts=attempts),
            reports=ReportsRoutes(attempts=attempts),
            identity=IdentityRoutes(tickets=self._identity.tickets),
            site=SiteRoutes(
                host=host,
                feed=self.agents.feed,
                unready=self.unready,
                measured=self._metrics,
                described=lambda: self.document,
            ),
        )
        self._door = Door(most=settings.connections)
        self._runner = web.AppRunner(self._application(), shutdown_timeout=1)
        self._stack = AsyncExitStack()
        host.register(self.agents, name="service")

    @property
    def document(self) -> dict[str, Any]:
        """The API's description, as OpenAPI."""
        return document(self._api.table())

    @property
    def url(self) -> str:
        """Where it listens."""
        name = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"http://{name}:{self._door.port or self._settings.port}"

    def say_who_may_ask(self) -> None:
        """Warn of a token that is not set, or that may be guessed."""
        if self._identity.is_open:
            log.warning(
                "no token is set: every user and program of this machine may use the API;"
                " see token_env and token_file"
            )
        elif self._is_guessable:
            log.warning("the token has fewer than %d characters and may be guessed; set another", SHORT_TOKEN)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._host)
            self._metrics.watch(self._host)
            stack.push_async_callback(self.agents.close)
            stack.push_async_callback(self._runner.cleanup)
            stack.push_async_callback(self._api.close)
            await self._runner.setup()
            await self._door.open(self._runner, self._settings.host, self._settings.port)
            stack.callback(self._door.close)
            self._stack = stack.pop_all()
        self.unready.clear()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unready.append("draining")
        await self._stack.aclose()

    def _application(self) -> web.Application:
        guard = Guard(
            settings=self._settings, identity=self._identity, clock=self._host.clock, door=self._door
        )
        app = web.Application(middlewares=[self._counts.watch, problems, guard.watch])
        app.on_response_prepare.append(keep_to_ourselves)
        app.add_routes(self._api.web_routes())
        return app


def _metrics(host: Host) -> Metrics:
    """The plugin that measures, registered."""
    metrics = Metrics()
    host.register(metrics, name="service-metrics")
    return metrics


async def serve(config: Path, on_listening: Callable[[str], None]) -> None:
    """Run the embedded host of a config file until SIGINT or SIGTERM; drains first.

    Raises:
        ConfigError: the file cannot be used; nothing was started.
        AddressError: the address cannot be listened on.
    """
    host, settings = load(config)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    take_signals(loop, stop)
    raise_descriptors()
    loop.set_exception_handler(Complaints())
    service = Service(host, settings)
    service.say_who_may_ask()
    async with service:
        on_listening(service.url)
        await stop.wait()
