"""The client of one LCM: fetches contacts, asks and tells: docs/architecture.md#talking-to-the-lcm."""

import asyncio
from random import Random
from typing import Any

from attrs import define, field

from cti_hooks import Agent, Contact
from lcm_plugin.config import LcmSettings
from lcm_plugin.errors import LcmError
from lcm_plugin.lcm.budget import RetryBudget
from lcm_plugin.lcm.catalogue import CAMPAIGN_GROUPS, MessageType, RequestKind
from lcm_plugin.lcm.decode import Reply
from lcm_plugin.lcm.doubt import Doubts
from lcm_plugin.lcm.envelope import request
from lcm_plugin.lcm.fetch import Fetch
from lcm_plugin.lcm.gate import Adjust, Gate, unchanged
from lcm_plugin.lcm.normalize import Normalizer, campaign_group_names, campaigns_of_groups
from lcm_plugin.lcm.patience import Patience
from lcm_plugin.lcm.reserved import ReservedContacts
from lcm_plugin.lcm.rules import RULES, Verdict
from lcm_plugin.lcm.transports import Transport
from lcm_plugin.ledger import Ledger


@define(kw_only=True)
class LcmClient:
    """Speaks to one LCM for all agents. What it knows of doubt and of keys handed out is in the ledger."""

    settings: LcmSettings
    transport: Transport
    random: Random
    ledger: Ledger
    adjust_request: Adjust = unchanged
    adjust_reply: Adjust = unchanged
    gate: Gate = field(init=False)
    _budget: RetryBudget = field(init=False)
    _doubts: Doubts = field(init=False)
    _fetching: dict[str, asyncio.Lock] = field(factory=dict, init=False)
    normalizer: Normalizer = field(init=False)
    reserved: ReservedContacts = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.gate = Gate(
            settings=self.settings,
            transport=self.transport,
            hosts=lambda: self.ledger.living,
            adjust_request=self.adjust_request,
            adjust_reply=self.adjust_reply,
        )
        self._budget = RetryBudget(self.settings.retry_budget)
        self._doubts = Doubts(self.ledger)
        self.normalizer = Normalizer(self.settings)
        self.reserved = ReservedContacts(
            settings=self.settings, ledger=self.ledger, normalizer=self.normalizer, ask=self.ask
        )

    async def next_contact(
        self, agent: Agent, campaign_group: str, attempt_id: str = "", *, until: float | None = None
    ) -> Contact | None:
        """The agent's next contact of this group, or None when the LCM has none now.

        It is asked for no longer than `fetch_seconds`, nor after `until`, by the running loop's clock.
        A contact lost in an earlier fetch comes first, with the group it was asked for. One fetch at a time
        for each agent; another waits. Once the contact is recorded, the caller tells so: `recorded`.

        Raises:
            LcmError: the last one; doubt, if it arose, lasts until it is settled.
            LedgerError: nothing can be recorded now.
        """
        async with self._fetching.setdefault(agent.id, asyncio.Lock()):
            await self._doubts.learn(agent)
            fetch = Fetch(
                gate=self.gate,
                settings=self.settings,
                ledger=self.ledger,
                doubts=self._doubts,
                normalizer=self.normalizer,
                budget=self._budget,
                patience=self._patience(until),
                agent=agent,
                campaign_group=campaign_group,
                attempt_id=attempt_id,
            )
            return await fetch.run()

    def recorded(self, agent: Agent) -> None:
        """The agent's last contact is in the ledger: if it had been lost, the doubt is over."""
        self._doubts.recorded(agent)

    async def campaign_groups(self, agent: Agent) -> tuple[str, ...]:
        """The names of the campaign groups the LCM runs for this agent.

        Raises:
            LcmError: the last one.
        """
        return campaign_group_names(await self.ask(CAMPAIGN_GROUPS, agent))

    async def campaigns(self, agent: Agent) -> dict[str, frozenset[str]]:
        """Each campaign group's campaigns, by id, as the LCM lists them for this agent.

        Raises:
            LcmError: the last one.
        """
        return campaigns_of_groups(await self.ask(CAMPAIGN_GROUPS, agent))

    async def ask(
        self,
        message: MessageType,
        agent: Agent,
        attempt_id: str = "",
        *,
        until: float | None = None,
        **values: Any,
    ) -> Reply:
        """Send any message but a fresh download; `values` are its fields by their names in the catalogue.

        A read is tried again, a setter only if it surely was not delivered. So is a message that may reserve
        a contact (GetContactOD); its sender asks for the reserved contact before sending another.

        Raises:
            LcmError: the last one. If its fault is NO_ANSWER, a setter may have been done: it is unconfirmed.
            ValueError: a value is lacking or misspelt, or a moment has no zone; nothing was sent.
        """
        patience = self._patience(until)
        once = f"{attempt_id}/{message.subtopic}" if attempt_id and message.kind is RequestKind.SETTER else ""
        asked = request(
            message,
            source=self.settings.source,
            agent=agent,
            attempt_id=attempt_id,
            idempotency_key=once,
            **values,
        )

        async def step() -> Reply:
            patience.count()
            reply = await self.gate.send(agent, asked, patience.deadline)
            self._budget.earn()
            return reply

        def again(error: BaseException) -> bool:
            return (
                isinstance(error, LcmError)
                and RULES[error.fault][message.kind] is Verdict.RETRY
                and self._budget.spend()
            )

        return await patience.keep_trying(step, again)

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()

    def _patience(self, until: float | None = None) -> Patience:
        settings = self.settings
        deadline = asyncio.get_running_loop().time() + settings.fetch_seconds
        return Patience(
            deadline=deadline if until is None else min(deadline, until),
            max_requests=settings.max_requests,
            random=self.random,
        )
