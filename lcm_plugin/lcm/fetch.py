"""One fetch of one agent's next contact: one loop over (doubt, tries left, deadline).

While there is doubt, no fresh request is sent for the agent: the reserved contacts are asked for. Those known
already are taken out of the answer; what is left is the lost contact. If nothing is left, they are asked for
once more after `settle_seconds`, because a server may commit late; then doubt is over, and a fresh contact
may be fetched: docs/architecture.md#doubt.
"""

import asyncio
import logging
from typing import Any

from attrs import define

from cti_hooks import Agent, Contact
from lcm_plugin.config import LcmSettings, RecoverMessage
from lcm_plugin.errors import Fault, LcmBadReply, LcmError
from lcm_plugin.lcm.budget import RetryBudget
from lcm_plugin.lcm.catalogue import CATALOGUE, MessageType, RequestKind
from lcm_plugin.lcm.decode import Reply
from lcm_plugin.lcm.doubt import Doubt, Doubts
from lcm_plugin.lcm.envelope import request
from lcm_plugin.lcm.gate import Gate
from lcm_plugin.lcm.normalize import Normalizer
from lcm_plugin.lcm.patience import AskAgain, Patience
from lcm_plugin.lcm.reserved import AT_ONCE
from lcm_plugin.lcm.rules import RULES, Verdict
from lcm_plugin.ledger import Ledger

log = logging.getLogger("lcm_plugin.lcm")


@define(kw_only=True)
class Fetch:
    """One fetch. `run` is called once."""

    gate: Gate
    settings: LcmSettings
    normalizer: Normalizer
    ledger: Ledger
    doubts: Doubts
    budget: RetryBudget
    patience: Patience
    agent: Agent
    campaign_group: str
    attempt_id: str

    @property
    def _doubt(self) -> Doubt | None:
        return self.doubts.of(self.agent)

    async def run(self) -> Contact | None:
        """The agent's next contact, or None when the LCM has none now.

        Raises:
            LcmError: the last one.
        """
        try:
            return await self.patience.keep_trying(self._step, self._again)
        except AskAgain:
            raise self._last_error() from None

    async def _step(self) -> Contact | None:
        if (doubt := self._doubt) and (found := await self._settle(doubt)):
            return found
        return await self._fresh()

    def _again(self, error: BaseException) -> bool:
        if isinstance(error, AskAgain):
            return True
        if not isinstance(error, LcmError):
            return False
        self.patience.error = error
        if self._doubt:  # the next question settles it: neither charged nor refused
            return RULES[error.fault][RequestKind.READ] is Verdict.RETRY
        return RULES[error.fault][RequestKind.DOWNLOAD] is Verdict.RETRY and self.budget.spend()

    # -- fresh ----------------------------------------------------------------------------------------------

    async def _fresh(self) -> Contact | None:
        self.patience.count()
        try:
            reply = await self._ask(CATALOGUE[self.settings.download_with], count=1, reserved=False)
            contacts = self._contacts(reply)
            self._refuse_others(contacts)
        except LcmError as error:
            if RULES[error.fault][RequestKind.DOWNLOAD] is Verdict.DOUBT:
                self._in_doubt(error)
            raise
        except asyncio.CancelledError:
            self._in_doubt(LcmBadReply("the fetch was cancelled before its answer", fault=Fault.NO_ANSWER))
            raise
        return self._given(contacts)

    def _group(self, *, reserved: bool) -> str:
        """Reserved contacts are asked for in the group whose download left the doubt."""
        doubt = self._doubt
        return doubt.campaign_group if reserved and doubt else self.campaign_group

    def _contacts(self, reply: Reply) -> list[Contact]:
        """The contacts that can be used; an error, if none of them can."""
        facts: dict[str, Any] = {"campaign_group": self._group(reserved=False), "reserved": False}
        contacts = self.normalizer.usable(reply.records, self.agent.id, **facts)
        return contacts or [self.normalizer.contact(record, **facts) for record in reply.records]

    def _refuse_others(self, contacts: list[Contact]) -> None:
        """Another agent's contact answers another question: a reply that came twice on a bus we share."""
        owners = self.ledger.handed_here(contact.key for contact in contacts)
        if set(owners.values()) - {self.agent.id}:
            raise LcmBadReply("the LCM answered with another agent's contact", fault=Fault.NO_ANSWER)

    def _given(self, contacts: list[Contact]) -> Contact | None:
        """The first contact. Others that came with it are treated as lost: the next fetch recovers them."""
        if contacts[1:]:
            text = f"the LCM handed out {len(contacts)} contacts at once"
            self._in_doubt(LcmBadReply(text, fault=Fault.NO_ANSWER))
        return contacts[0] if contacts else None

    # -- doubt ----------------------------------------------------------------------------------------------

    def _in_doubt(self, error: LcmError) -> None:
        self.doubts.note(self.agent, Doubt(campaign_group=self.campaign_group, error=error))
        log.warning("doubt for agent %s, attempt %s: %s", self.agent.id, self.attempt_id, error.args[0])

    async def _settle(self, doubt: Doubt) -> Contact | None:
        self.patience.count()
        single = self.settings.recover_with is RecoverMessage.SINGLE
        count = 1 if single else AT_ONCE * 10**doubt.asked_for_more
        reply = await self._ask(CATALOGUE[self.settings.recover_with], count=count, reserved=True)
        lost = await self._lost(reply)
        if not lost:
            if len(reply.records) >= count and not single:
                doubt.asked_for_more += 1
                raise AskAgain(0)
            await self._nothing_lost(doubt)
            return None
        if len(lost) == 1:
            self.doubts.found(self.agent)
        log.info("the LCM had reserved %s for agent %s", lost[0].key, self.agent.id)
        return lost[0]

    async def _lost(self, reply: Reply) -> list[Contact]:
        """The contacts nobody knows."""
        group = self._group(reserved=True)
        contacts = self.normalizer.usable(reply.records, self.agent.id, campaign_group=group, reserved=True)
        known = await self.ledger.owners([contact.key for contact in contacts]) if contacts else {}
        return [contact for contact in contacts if contact.key not in known]

    async def _nothing_lost(self, doubt: Doubt) -> None:
        now = asyncio.get_running_loop().time()
        if doubt.empty_at is None:
            doubt.empty_at = now
            raise AskAgain(self.settings.settle_seconds)
        if now < doubt.empty_at + self.settings.settle_seconds:
            raise AskAgain(doubt.empty_at + self.settings.settle_seconds - now)
        self.doubts.end(self.agent)
        await self.ledger.recorded()  # before a fresh request, which may leave doubt of another group
        log.info("doubt for agent %s is over: the LCM reserved nothing", self.agent.id)

    # -- asking ---------------------------------------------------------------------------------------------

    async def _ask(self, message: MessageType, *, count: int, reserved: bool) -> Reply:
        asked = request(
            message,
            source=self.settings.source,
            agent=self.agent,
            attempt_id=self.attempt_id,
            campaign_group=self._group(reserved=reserved),
            count=count,
            consent=self.settings.consent,
            reserved=reserved,
            idempotency_key="" if reserved else self.attempt_id,
        )
        reply = await self.gate.send(self.agent, asked, self.patience.deadline)
        self.budget.earn()
        if reply.reason:
            log.warning("the LCM told agent %s a reason beside contacts; debugging logs it", self.agent.id)
            log.debug("the LCM says to agent %s: %s", self.agent.id, reply.reason)
        return reply

    def _last_error(self) -> LcmError:
        doubt = self._doubt
        return self.patience.error or (doubt.error if doubt else LcmBadReply("", fault=Fault.NO_ANSWER))
