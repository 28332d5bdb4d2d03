"""How a contact gets into an agent's hand: the one held, or the next one of the agent's groups."""

import asyncio
from collections.abc import Sequence

from attrs import define, field

from cti_hooks import Agent, Attempt, AttemptState, Contact, described
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.site import Site
from lcm_plugin.lcm.client import LcmClient


class OpenAttemptError(RuntimeError):
    """The agent has a call in hand, so no contact is fetched for them."""


@define(kw_only=True, eq=False)
class Intake:
    """Fetches for one agent."""

    hand: Hand
    settings: LcmSettings
    site: Site
    client: LcmClient
    _lock: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    async def offered(self) -> Attempt | None:
        """The attempt whose contact is in hand, enriched; None when there is no contact now.

        Raises:
            LedgerError: nothing can be recorded now, so nothing is asked for.
            LcmError: the LCM's; the round over the groups stops at the first.
        """
        attempt = self.hand.held() or await self._next()
        return await self._enriched(attempt) if attempt else None

    async def next_contact(self, agent: Agent, campaign_group: str) -> Contact | None:
        """The answer to `request_next_contact`: the contact held, or the LCM's next one, held from now on.

        Raises:
            OpenAttemptError: a call is in hand.
            LedgerError: another host has the agent's open attempt, or nothing can be recorded now.
            LcmError: the LCM's.
        """
        async with self._lock:
            if self.hand.busy and self.hand.attempt:
                raise OpenAttemptError(f"agent {agent.id} has a call in hand: attempt {self.hand.attempt.id}")
            if self.hand.held():
                return self.hand.fetched
            if self.hand.attempt:  # a round's, which closes it itself
                return await self._fetched(self.hand.attempt, campaign_group)
            attempt = await self.hand.open(campaign_group)
            if attempt.state is AttemptState.OFFERED:
                return self.hand.fetched
            try:
                return await self._fetched(attempt, campaign_group)
            finally:
                self._nothing_came("no contact")

    async def _fetched(self, attempt: Attempt, campaign_group: str) -> Contact | None:
        contact = await self.client.next_contact(self.hand.agent, campaign_group, attempt.id)
        if contact is not None:
            self.hand.take(attempt, contact)
            self.client.recorded(self.hand.agent)
        return contact

    async def _next(self) -> Attempt | None:
        for group in await self.campaign_groups():
            attempt = await self.hand.open(group)
            if attempt.state is AttemptState.OFFERED:
                return attempt
            try:
                contact = await self.site.next_contact(self.hand.agent, group)
            except BaseException as error:
                self._nothing_came(described(error))
                raise
            if contact is not None:
                return self._taken(attempt, contact)
            self._nothing_came("no contact")
        return None

    async def campaign_groups(self) -> Sequence[str]:
        """The site's choice, else the agent's own, else the configured ones, else those the LCM lists."""
        agent = self.hand.agent
        chosen = await self.site.campaign_groups(agent)
        if chosen is not None:
            return chosen
        return (
            agent.campaign_groups or self.settings.campaign_groups or await self.client.campaign_groups(agent)
        )

    def _nothing_came(self, reason: str) -> None:
        """Close a request that brought nothing. A contact that did come stays in hand."""
        attempt = self.hand.attempt
        if attempt and attempt.state is AttemptState.REQUESTED:
            self.hand.put_down(AttemptState.EMPTY, reason=reason)

    def _taken(self, attempt: Attempt, contact: Contact) -> Attempt:
        """The attempt that holds this contact; it is not yet held where another source answered."""
        held = self.hand.held()
        if held is None or self.hand.fetched != contact:
            return self.hand.take(attempt, contact)
        if held.id != attempt.id:  # a fetch of the host's own was quicker
            self.hand.ledger.change(attempt, AttemptState.EMPTY, reason=f"attempt {held.id} holds a contact")
        return held

    async def _enriched(self, attempt: Attempt) -> Attempt:
        contact = self.hand.fetched
        if contact is None:
            return attempt
        enriched = await self.site.enriched(contact, self.hand.agent)
        if enriched == attempt.contact:
            return attempt
        return self.hand.change(attempt, AttemptState.OFFERED, contact=enriched, reason="enriched")
