"""What the LCM has reserved for an agent. If an LCM does not know that question, health says so once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from attrs import define, field

from cti_hooks import Agent, Contact, Health
from lcm_plugin.config import LcmSettings, RecoverMessage
from lcm_plugin.errors import Fault, LcmBadReply, LcmRejected, LcmUnavailable
from lcm_plugin.lcm.catalogue import CATALOGUE, RequestKind
from lcm_plugin.lcm.decode import Reply
from lcm_plugin.lcm.normalize import Normalizer
from lcm_plugin.ledger import Ledger

log = logging.getLogger("lcm_plugin.lcm")

AT_ONCE: Final = 10
"""Reserved contacts asked for at once: a new one may stand behind some that are known already. If so many
come and all are known, ten times as many are asked for."""
MOST: Final = 1000
REFUSALS: Final = (LcmRejected, LcmBadReply)
"""How an LCM answers a question it does not know: it says no, or what cannot be read."""
SILENT: Final = 2
"""After so many questions in a row without an answer: on a bus nobody answers what nobody knows."""


@define(kw_only=True)
class ReservedContacts:
    """The reserved contacts of all agents. `ask` sends a message and gives its reply; `until` is a loop time.

    GetDownloadContactsForDialing, if a site has it asked instead (`recover_with`), gives one at a time, of
    the campaign group named; GetReservedManualDialContact those of all groups.
    """

    settings: LcmSettings
    ledger: Ledger
    normalizer: Normalizer
    ask: Callable[..., Awaitable[Reply]]
    _trouble: str = field(default="", init=False)
    _unanswered: int = field(default=0, init=False)

    @property
    def one_at_a_time(self) -> bool:
        """Whether it is the single download that is sent."""
        return self.settings.recover_with is RecoverMessage.SINGLE

    @property
    def only_reads(self) -> bool:
        """Whether the question reserves nothing, however it is answered, or lost."""
        return CATALOGUE[self.settings.recover_with].kind is RequestKind.READ

    async def unknown(self, agent: Agent, campaign_group: str, until: float | None = None) -> list[Contact]:
        """Those that no attempt knows of.

        Raises:
            LcmError: the last one.
            LedgerError: what is known cannot be told now.
        """
        count = 1 if self.one_at_a_time else AT_ONCE
        while True:
            reply = await self._reply(agent, campaign_group, count, until)
            contacts = self._contacts(reply, agent, campaign_group)
            known = await self.ledger.owners([contact.key for contact in contacts]) if contacts else {}
            unknown = [contact for contact in contacts if contact.key not in known]
            if unknown or len(reply.records) < count or count in {1, MOST}:
                return unknown
            count *= 10

    async def all(self, agent: Agent, campaign_group: str = "") -> list[Contact]:
        """Those of one question, known or not.

        Raises:
            LcmError: the last one.
        """
        count = 1 if self.one_at_a_time else AT_ONCE
        return self._contacts(await self._reply(agent, campaign_group, count), agent, campaign_group)

    def health(self) -> Iterator[Health]:
        """What is missing, what that means, and the way out; nothing if all is well."""
        if self._trouble:
            yield Health(what="LCM reserved contacts", good=False, seen=self._trouble, serves=True)

    async def _reply(
        self, agent: Agent, campaign_group: str, count: int, until: float | None = None
    ) -> Reply:
        values: dict[str, Any] = {
            "campaign_group": campaign_group,
            "count": count,
            "consent": self.settings.consent,
            "reserved": True,
        }
        if self._trouble:  # it may answer again, and fresh ones wait meanwhile
            one_try = asyncio.get_running_loop().time() + self.settings.try_seconds
            until = one_try if until is None else min(until, one_try)
        with self._watched():
            return await self.ask(CATALOGUE[self.settings.recover_with], agent, until=until, **values)

    def _contacts(self, reply: Reply, agent: Agent, campaign_group: str) -> list[Contact]:
        facts: dict[str, Any] = {"campaign_group": campaign_group, "reserved": True}
        return self.normalizer.usable(reply.records, agent.id, **facts)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Around one question, all its tries."""
        try:
            yield
        except REFUSALS as error:
            self._refused(str(error.args[0]))
            raise
        except LcmUnavailable as error:
            self._unanswered += error.fault is Fault.NO_ANSWER
            if self._unanswered < SILENT:
                raise
            self._refused(str(error.args[0]))
            raise LcmBadReply(str(error.args[0]), fault=error.fault, agent_id=error.agent_id) from None
        self._unanswered = 0
        if self._trouble:
            log.info("the LCM answers %s again", self.settings.recover_with)
            self._trouble = ""

    def _refused(self, error: str) -> None:
        is_news, message = not self._trouble, self.settings.recover_with
        way_out = (
            "reserved_first = false" if self.one_at_a_time else f'recover_with = "{RecoverMessage.SINGLE}"'
        )
        self._trouble = (
            f"{message} is not answered ({error}), so personal callbacks are not found, and a lost reply "
            f"cannot be settled; fresh contacts go on. Where the LCM lacks the message, set {way_out}"
        )
        if is_news:
            log.warning("%s", self._trouble)
