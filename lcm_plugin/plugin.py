"""The hook implementations of lcm-plugin: wiring only."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from cti_hooks import (
    Agent,
    CallEvent,
    ConfigError,
    Contact,
    Health,
    Host,
    PastCall,
    Problem,
    Refusal,
    hookimpl,
)
from cti_hooks import settings as plugin_settings
from lcm_plugin import spec
from lcm_plugin.config import LcmSettings, without_later
from lcm_plugin.desk import Desks, expiry_refusal
from lcm_plugin.lcm.auth import problems
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.lcm.transports import Transport, transport_for
from lcm_plugin.ledger import Housekeeping, Ledger, database_for

log = logging.getLogger("lcm_plugin")


class LcmPlugin:
    """The plugin a host loads by the entry point `lcm`, with the settings of its table.

    Raises:
        ConfigError: with every problem of the settings at once; nothing is opened before the host starts.
    """

    hookspecs = spec

    def __init__(self, table: Mapping[str, object]) -> None:
        now, later = without_later(table)
        self.settings = plugin_settings.read(LcmSettings, now)
        if found := list(problems(self.settings.auth)):
            raise ConfigError(problem.under("auth") for problem in found)
        for key in later:
            log.warning("the setting %s has no effect in this version", key)
        self._desks: Desks | None = None
        self._housekeeping: Housekeeping

    @property
    def desks(self) -> Desks:
        """The agents' desks.

        Raises:
            RuntimeError: the host is not running.
        """
        if self._desks is None:
            raise RuntimeError("lcm-plugin is not started: start the host first")
        return self._desks

    @property
    def client(self) -> LcmClient:
        """The client of the LCM, for as long as the host runs."""
        return self.desks.client

    async def campaign_groups(self, agent: Agent) -> Sequence[str]:
        """The groups this agent is served from, in order.

        Raises:
            LcmError: nobody chose or configured any, and the LCM did not list them.
        """
        return await self.desks.of(agent).intake.campaign_groups()

    # -- the host's life ------------------------------------------------------------------------------------

    @hookimpl
    async def on_startup(self, host: Host) -> None:
        own: Transport | None = await host.hooks.first("lcm_transport", settings=self.settings)
        ledger = Ledger(
            database=database_for(self.settings.ledger, host.directory),
            clock=host.clock,
            random=host.random,
            host=host.name,
            lease_seconds=self.settings.lease_seconds,
        )
        client = LcmClient(
            settings=self.settings,
            ledger=ledger,
            transport=own or transport_for(self.settings, host.directory, host.clock),
            random=host.random,
            adjust_request=partial(_adjusted, host, "lcm_adjust_request"),
            adjust_reply=partial(_adjusted, host, "lcm_adjust_reply"),
        )
        self._desks = Desks(settings=self.settings, client=client, hooks=host.hooks, ledger=ledger)
        try:
            await ledger.start()
        except BaseException:
            await client.close()
            raise
        self._housekeeping = Housekeeping(
            ledger=ledger,
            keep=timedelta(days=self.settings.keep_days),
            audit=timedelta(days=365.25 * self.settings.audit_years),
        )
        self._housekeeping.start()

    @hookimpl
    async def on_shutdown(self) -> None:
        desks, self._desks = self.desks, None
        try:
            await desks.close()
        finally:
            await self._housekeeping.close()
            await desks.ledger.close()
            await desks.client.close()

    @hookimpl
    def report_health(self) -> list[Health]:
        return [self.desks.ledger.health()]

    # -- agent states: noted at once, the desks' own tasks do the work --------------------------------------

    @hookimpl
    def on_agent_ready(self, agent: Agent) -> None:
        self.desks.of(agent).on_ready(agent)

    @hookimpl
    def on_agent_not_ready(self, agent: Agent) -> None:
        self.desks.of(agent).on_not_ready()

    @hookimpl
    def on_agent_logged_off(self, agent: Agent) -> None:
        self.desks.of(agent).on_not_ready()

    @hookimpl
    async def list_past_calls(self, contact: Contact, since: datetime) -> Sequence[PastCall]:
        return await self.desks.ledger.past_calls(contact, since)

    # -- contacts and calls ---------------------------------------------------------------------------------

    @hookimpl
    async def request_next_contact(self, agent: Agent, campaign_group: str) -> Contact | None:
        return await self.desks.of(agent).intake.next_contact(agent, campaign_group)

    @hookimpl
    def review_contact(self, contact: Contact, moment: datetime) -> Refusal | None:
        return expiry_refusal(contact, moment)

    @hookimpl
    def on_call_event(self, event: CallEvent) -> None:
        self.desks.on_call_event(event)


def lcm_of(host: Host) -> LcmPlugin:
    """The host's lcm-plugin.

    Raises:
        ConfigError: it is not enabled.
    """
    for plugin in host.plugins.values():
        if isinstance(plugin, LcmPlugin):
            return plugin
    raise ConfigError([Problem("cti.plugins", 'has no "lcm"; enable it')])


async def _adjusted(host: Host, hook: str, message: Mapping[str, Any]) -> Mapping[str, Any]:
    adjusted: Mapping[str, Any] = await host.hooks.chain(hook, message=message)
    return adjusted
