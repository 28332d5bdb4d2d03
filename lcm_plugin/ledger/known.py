"""What one host knows: what it holds, without asking the database, and the records of all hosts."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

from attrs import define, field

from cti_hooks import Agent, Attempt, Clock, Contact, PastCall
from lcm_plugin.ledger import reading
from lcm_plugin.ledger.custody import Custody
from lcm_plugin.ledger.errors import LedgerUnavailable
from lcm_plugin.ledger.memory import Memory
from lcm_plugin.ledger.news import LedgerNews, Unheard
from lcm_plugin.ledger.reading import Doubtful, Objection
from lcm_plugin.ledger.records import Records
from lcm_plugin.ledger.writer import PATIENCE


def _no_step(_: object) -> None:
    """Write nothing."""


@define(kw_only=True, eq=False)
class Known(Records):
    """As of `Records`; what this host holds is known without a question.

    Attributes:
        news: takes note of what becomes of this host's attempts.
    """

    clock: Clock
    news: LedgerNews = field(factory=Unheard)
    _memory: Memory = field(factory=Memory, init=False)
    _custody: Custody = field(init=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self._custody = Custody(self._memory, self.news)

    def now(self) -> datetime:
        """The present moment by the host's clock: what rules, expiries and callbacks go by."""
        return self.clock.now()

    async def recorded(self) -> None:
        """Wait until all that was changed or noted before is committed.

        Raises:
            LedgerUnavailable: it is not, yet.
        """
        await self._writer.do(_no_step)

    def get_open(self, attempt_id: str | None, call_id: str = "") -> Attempt | None:
        """This host's open attempt of this id, or with this call, as it is now."""
        return self._memory.get(attempt_id, call_id)

    @property
    def held(self) -> list[Attempt]:
        """This host's open attempts, as they are now."""
        return list(self._memory.open.values())

    async def get(self, attempt_id: str) -> Attempt | None:
        """Any attempt."""
        return self._memory.open.get(attempt_id) or await self._read(
            reading.get_attempt, attempt_id=attempt_id
        )

    def handed_here(self, keys: Iterable[str]) -> dict[str, str]:
        """Of these LCM keys those that came to this host, and the agent each came for; the last thousands."""
        return self._memory.handed(keys)

    async def owners(self, keys: Sequence[str]) -> dict[str, str]:
        """Of these LCM keys the known ones, and the agent each was handed to last."""
        known = await self._read(reading.owners, keys=keys)
        return known | self._memory.owners(keys)

    def count_anew(self, contact: Contact) -> None:
        """A review begins: a call of this contact relies on the past calls told from here on."""
        self._memory.counted(contact)

    async def past_calls(self, contact: Contact, since: datetime) -> list[PastCall]:
        """As of `Records`; a call that is placed then has to find no others."""
        calls = await super().past_calls(contact, since)
        counted = reading.Counted(since=since, attempt_ids=frozenset(call.attempt_id for call in calls))
        self._memory.count(contact, counted)
        return calls

    async def doubt(self, agent: Agent) -> Doubtful | None:
        """The agent's doubt, if there is one: as it was when the agent's attempt was opened, if it was."""
        if agent.id in self._memory.doubts:
            return self._memory.doubts[agent.id]
        return await self._read(reading.doubt_of, agent_id=agent.id)

    async def objection(self, attempt: Attempt) -> Objection:
        """What there is against dialing it, as it was when it was offered: another with its key, a bar.

        Raises:
            LedgerUnavailable: it cannot be told now.
        """
        told = self._memory.objection(attempt.id)
        if told is None:
            asked = self.subjects(attempt.contact).at(self.now())
            return await self._read(reading.objection, attempt=attempt, asked=asked)
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(told)
        except TimeoutError:
            raise LedgerUnavailable("the ledger has not recorded the offer yet") from None
