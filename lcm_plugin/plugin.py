"""The hook implementations of lcm-plugin: wiring only."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

from cti_hooks import (
    Agent,
    AgentState,
    AnswerKind,
    Attempt,
    Call,
    CallEvent,
    Check,
    ConfigError,
    Contact,
    Disposition,
    Health,
    Host,
    PastCall,
    Problem,
    Refusal,
    hookimpl,
)
from cti_hooks import settings as plugin_settings
from lcm_plugin import spec
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk import Desks, OutcomeLists, Said, expiry_refusal
from lcm_plugin.desk.barred import bar_check
from lcm_plugin.desk.expiry import expiry_check
from lcm_plugin.desk.inbox import Inbox
from lcm_plugin.desk.site import Site
from lcm_plugin.desk.special_numbers import special_number_check, special_number_refusal
from lcm_plugin.desk.stopped import stop_check
from lcm_plugin.lcm import auth
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.lcm.normalize import Normalizer
from lcm_plugin.lcm.transports import Transport, transport_for
from lcm_plugin.lcm_hooks import LcmHooks
from lcm_plugin.ledger import Housekeeping, Ledger, Stop, database, database_for, stops


class LcmPlugin:
    """The plugin a host loads by the entry point `lcm`, with the settings of its table.

    Raises:
        ConfigError: with every problem of the settings at once; nothing is opened before the host starts.
    """

    hookspecs = spec

    def __init__(self, table: Mapping[str, object]) -> None:
        self.settings = plugin_settings.read(
            LcmSettings, table, {"auth": auth.problems, "ledger": database.problems}
        )
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

    async def answer(  # noqa: PLR0913, PLR0917  (the hook's arguments, and one more)
        self,
        agent: Agent,
        attempt_id: str,
        answer: AnswerKind,
        reason: str | None,
        actor: str,
        mode_id: str | None = None,
    ) -> Attempt | None:
        """What a person says to an offer, as the hook `answer_contact`; `mode_id` is another number to call.

        None if the ledger has no such attempt.

        Raises:
            ConflictError: another agent has it, it is no offer any more, or rules say no.
            InvalidError: the answer cannot be right.
            LedgerError: it cannot be recorded now.
        """
        said = Said(answer=answer, actor=actor, reason=reason, mode_id=mode_id)
        return await self.desks.answer(agent, attempt_id, said)

    async def keep(self, agent: Agent, attempt_id: str, actor: str) -> Attempt | None:
        """Let the agent look at an offer for another preview; None if the ledger has no such attempt.

        Raises:
            ConflictError: another agent has it, it is no offer any more, or no preview of it runs.
            LedgerError: it cannot be told now.
        """
        return await self.desks.keep(agent, attempt_id, actor)

    async def outcomes(self, agent: Agent, attempt: Attempt) -> OutcomeLists:
        """The outcomes the LCM lists for this attempt's contact.

        Raises:
            LcmError: the LCM did not give them, and none are kept.
        """
        if attempt.contact is None:
            return OutcomeLists()
        return await self.desks.disposing.listed.of(agent, attempt.contact)

    def waits_for(self, agent_id: str) -> str:
        """Why this agent gets no contact now, in words; empty if they have one, or nobody can say."""
        return self.desks.waits_for(agent_id)

    async def stop_dialing(
        self, *, campaign: str | None = None, agent_id: str | None = None, actor: str
    ) -> None:
        """From now on no dial is recorded for this campaign, agent, or the site, by any host, until resumed.

        Nor is anything fetched there; what is offered stays. A call that was recorded as dialing before may
        still be placed, within `dial_seconds`. `campaign` may be a campaign group's name.

        Raises:
            LedgerUnavailable: it cannot be recorded now.
        """
        kind, name = _scope(campaign, agent_id)
        order = Stop(kind=kind, name=name, actor=actor, since=self.desks.ledger.now())
        await self.desks.stop_dialing(order)

    async def resume_dialing(self, *, campaign: str | None = None, agent_id: str | None = None) -> bool:
        """Dial there again; whether it had been stopped.

        Raises:
            LedgerUnavailable: it cannot be recorded now.
        """
        kind, name = _scope(campaign, agent_id)
        return await self.desks.resume_dialing(kind, name)

    async def dialing_stops(self) -> list[Stop]:
        """Where dialing is stopped.

        Raises:
            LedgerUnavailable: that cannot be told now.
        """
        return await self.desks.ledger.dialing_stops()

    # -- the host's life ------------------------------------------------------------------------------------

    @hookimpl
    async def on_startup(self, host: Host) -> None:
        hook = LcmHooks(host.hooks)
        own = cast("Transport | None", await hook.lcm_transport(settings=self.settings))
        inbox = Inbox()
        ledger = Ledger(
            news=inbox,
            database=database_for(self.settings.ledger, host.directory),
            clock=host.clock,
            random=host.random,
            host=host.name,
            lease_seconds=self.settings.lease_seconds,
            e164_of=Normalizer(self.settings).e164,
        )
        client = LcmClient(
            settings=self.settings,
            ledger=ledger,
            transport=own or transport_for(self.settings, host.directory, host.clock),
            random=host.random,
            adjust_request=lambda message: hook.lcm_adjust_request(message=message),
            adjust_reply=lambda message: hook.lcm_adjust_reply(message=message),
        )
        site = Site(host.hooks, host.hooks.pm.get_name(self) or "")
        self._desks = Desks(
            settings=self.settings, client=client, host=host, ledger=ledger, inbox=inbox, site=site
        )
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
        if not host.observes:
            self._desks.start()

    @hookimpl
    async def on_shutdown(self) -> None:
        desks = self.desks
        try:
            await desks.close()
        finally:
            self._desks = None
            await self._housekeeping.close()
            await desks.ledger.close()
            await desks.client.close()

    @hookimpl
    def report_health(self) -> list[Health]:
        return self.desks.health()

    # -- agent states: noted at once, the desks' own tasks do the work --------------------------------------

    @hookimpl
    def on_agent_logged_on(self, agent: Agent) -> None:
        self.desks.of(agent).hear(agent, AgentState.LOGGED_ON)

    @hookimpl
    def on_agent_ready(self, agent: Agent) -> None:
        self.desks.of(agent).hear(agent, AgentState.READY)

    @hookimpl
    def on_agent_not_ready(self, agent: Agent, reason: str | None) -> None:
        self.desks.of(agent).hear(agent, AgentState.NOT_READY, reason)

    @hookimpl
    def on_agent_busy(self, agent: Agent, call: Call | None) -> None:
        self.desks.of(agent).hear(agent, AgentState.BUSY, call=call)

    @hookimpl
    def on_agent_working_after_call(self, agent: Agent) -> None:
        self.desks.of(agent).hear(agent, AgentState.WORKING_AFTER_CALL)

    @hookimpl
    def on_agent_logged_off(self, agent: Agent) -> None:
        self.desks.of(agent).hear(agent, AgentState.LOGGED_OFF)

    @hookimpl
    async def list_past_calls(self, contact: Contact, since: datetime) -> Sequence[PastCall]:
        return await self.desks.ledger.past_calls(contact, since)

    # -- contacts and calls ---------------------------------------------------------------------------------

    @hookimpl
    async def request_next_contact(self, agent: Agent, campaign_group: str) -> Contact | None:
        return await self.desks.of(agent).next_contact(agent, campaign_group)

    @hookimpl
    async def explain_contact(self, agent: Agent, contact: Contact, moment: datetime) -> Sequence[Check]:
        ledger = self.desks.ledger
        return [
            expiry_check(contact, moment),
            special_number_check(contact, self.settings),
            await bar_check(ledger, contact, moment),
            await stop_check(ledger, agent, contact),
        ]

    @hookimpl
    def review_contact(self, contact: Contact, moment: datetime) -> Refusal | None:
        return expiry_refusal(contact, moment) or special_number_refusal(contact, self.settings)

    @hookimpl
    async def answer_contact(
        self, agent: Agent, attempt_id: str, answer: AnswerKind, reason: str | None, actor: str
    ) -> Attempt | None:
        return await self.answer(agent, attempt_id, answer, reason, actor)

    @hookimpl
    async def dispose_attempt(
        self, agent: Agent, attempt_id: str, disposition: Disposition, actor: str
    ) -> Attempt | None:
        return await self.desks.dispose(agent, attempt_id, disposition, actor)

    @hookimpl
    def on_call_event(self, event: CallEvent) -> None:
        self.desks.on_call_event(event)


def _scope(campaign: str | None, agent_id: str | None) -> tuple[stops.StopKind, str]:
    if campaign is not None:
        return "campaign", campaign
    return ("agent", agent_id) if agent_id is not None else ("site", "")


def lcm_of(host: Host) -> LcmPlugin:
    """The host's lcm-plugin.

    Raises:
        ConfigError: it is not enabled.
    """
    for plugin in host.plugins.values():
        if isinstance(plugin, LcmPlugin):
            return plugin
    raise ConfigError([Problem("cti.plugins", 'has no "lcm"; enable it')])
