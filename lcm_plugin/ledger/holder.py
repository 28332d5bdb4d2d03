"""One host on the ledger: from start to stop, under a lease that it renews."""

import asyncio
from functools import partial
from random import Random
from typing import Any

from attrs import define, field

from cti_hooks import Agent, Attempt, Health
from lcm_plugin.attempt.transition import Transition
from lcm_plugin.ledger import reading, writing
from lcm_plugin.ledger.database import Database
from lcm_plugin.ledger.ids import new_attempt_id
from lcm_plugin.ledger.keeper import Keeper
from lcm_plugin.ledger.known import Known
from lcm_plugin.ledger.reading import Doubtful
from lcm_plugin.ledger.timeline import Timeline
from lcm_plugin.ledger.upgrade import opened


@define(kw_only=True, eq=False)
class Holder(Known):
    """What holds attempts: a host, by its lease.

    Attributes:
        timeline: dates what is recorded, none earlier than what was recorded before it.
    """

    random: Random
    host: str
    lease_seconds: float
    timeline: Timeline = field(init=False)
    _keeper: Keeper = field(init=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.timeline = Timeline(self.clock)
        self._keeper = Keeper(
            writer=self._writer,
            clock=self.timeline,
            host=self.host,
            seconds=self.lease_seconds,
            new_id=lambda: new_attempt_id(self.timeline.now(), self.random),
            held=self._memory.open.keys,
            released=self._memory.released.keys,
            on_adopted=self._custody.adopt,
            on_lost=self._custody.lose_all,
            on_taken=self._custody.give_up,
        )

    async def start(self) -> None:
        """Open the database, begin this host's lease, and see to what hosts that ended have left.

        Raises:
            ConfigError: it is no ledger, or none that this version can use.
            LedgerUnavailable: it cannot be reached or written.
        """
        try:
            self._hash_key, self.timeline.latest = await opened(self.database)
            self._writer.start()
            await self._keeper.start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Write what is left, end the lease, close the database."""
        await self._keeper.close()
        await self._writer.close()
        await self.database.close()

    def freeze(self) -> None:
        """Stop renewing this host's lease, as a process that is stopped or killed does; for fault tests."""
        self._keeper.freeze()

    def thaw(self) -> None:
        """Go on renewing it, as a process that is continued does; for fault tests."""
        self._keeper.thaw()

    def write_by(self, database: Database) -> None:
        """Go this way to whatever is written from now on; for fault tests."""
        self._writer.database = database

    def health(self) -> Health:
        """Whether it can be written now."""
        trouble = self._writer.trouble or self._writer.refused
        seen = f"{self.database.name}: {trouble}" if trouble else self.database.name
        return Health(what="ledger", good=not trouble, seen=seen)

    @property
    def holder(self) -> str:
        """Who this host is in the ledger."""
        return self._keeper.holder

    @property
    def living(self) -> int:
        """How many hosts share the ledger now, this one among them, as it saw last."""
        return self._keeper.living

    async def held_for(self, seconds: float) -> float:
        """Make sure that nobody else can take over for so long; how long that is at least, in seconds.

        Raises:
            AttemptLostError: somebody else has; this host was stopped for too long.
            LedgerUnavailable: that cannot be told now.
        """
        await self._keeper.ensure(seconds)
        return min(seconds, self._keeper.held_until - asyncio.get_running_loop().time())

    def note_doubt(self, agent: Agent, campaign_group: str, reason: str) -> None:
        """The LCM may have reserved a contact for this agent that never arrived."""
        doubt = self._memory.doubts[agent.id] = Doubtful(
            campaign_group=campaign_group, reason=reason, since=self.timeline.now()
        )
        self._writer.note(partial(writing.note_doubt, agent_id=agent.id, doubt=doubt))

    def end_doubt(self, agent: Agent) -> None:
        """The agent's doubt is settled."""
        self._memory.doubts[agent.id] = None
        self._writer.note(partial(writing.end_doubt, agent_id=agent.id))

    async def still_has(self, attempt: Attempt) -> bool:
        """Whether the attempt is recorded as this host has it; if not, it is lost to whoever changed it."""
        if await self._read(reading.is_held, attempt=attempt, holder=self.holder):
            return True
        self._custody.lose(attempt)
        return False

    def _opened(self, transition: Transition, **facts: Any) -> Attempt:
        now = self.timeline.now()
        return transition.opens(new_attempt_id(now, self.random), now, host=self.host, **facts)

    def _after(self, transition: Transition, attempt: Attempt, **facts: Any) -> Attempt:
        known = self._memory.open.get(attempt.id, attempt)
        facts = {"host": self.host, "place": known.place} | facts
        return transition.of(attempt, self.timeline.now(), **facts)
