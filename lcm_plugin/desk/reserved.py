"""What the LCM has reserved for one agent, their personal callbacks among it: asked for when that is due."""

import asyncio
import math
from collections.abc import Sequence
from typing import Final

from attrs import define, field

from cti_hooks import Attempt, CallType, Contact
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.hand import Hand
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.lcm.reserved import REFUSALS
from lcm_plugin.supply.reserved_schedule import ONCE_MORE, ReservedSchedule

_KNOWN_FOR: Final = 60.0
"""Seconds until the ledger is asked for the agent's callbacks again: another host may have booked one."""
_NO_GROUP: Final = ""


@define(kw_only=True, eq=False)
class Reserved:
    """One agent's reserved contacts."""

    hand: Hand
    settings: LcmSettings
    client: LcmClient
    schedule: ReservedSchedule
    _known_until: float = field(default=-math.inf, init=False)

    def begin_login(self) -> None:
        """They are asked for at once."""
        self.schedule.begin_login()

    def disposed(self, attempt: Attempt) -> None:
        """The agent has disposed of something, with a callback perhaps."""
        if attempt.disposition and attempt.disposition.callback:
            self.booked()

    def booked(self) -> None:
        """There is a callback that is not known here."""
        self._known_until = -math.inf

    async def due(self, groups: Sequence[str]) -> list[str]:
        """The campaign groups to ask in now; a question that names no group is asked in the first.

        Raises:
            LedgerUnavailable: the agent's callbacks cannot be told now.
        """
        if not self.settings.reserved_first:
            return []
        await self.learn()
        now, at = self.hand.ledger.now(), _at()
        asked = groups if self.client.reserved.one_at_a_time else groups[:1]
        return [group for group in asked if self.schedule.is_due(self._named(group), now, at)]

    async def next(self, group: str, until: float | None = None) -> Contact | None:
        """The next one nobody knows of, a personal callback before any other; None if there is none.

        An LCM that does not know the question has none: that is told by its client, and fresh ones come.

        Raises:
            LcmError: any other; the question stays due.
            LedgerError: what is known cannot be told now.
        """
        now, at = self.hand.ledger.now(), _at()
        try:
            contacts = await self.client.reserved.unknown(self.hand.agent, group, until)
        except REFUSALS:
            contacts = []
        if len(contacts) <= (0 if self.client.reserved.one_at_a_time else 1):  # else there may be more
            self.schedule.asked(self._named(group), now, at)
        return min(contacts, key=lambda one: one.call_type is not CallType.PERSONAL_CALLBACK, default=None)

    async def learn(self) -> None:
        """Which callbacks there are: those of a minute that has just passed are once more to come.

        Raises:
            LedgerUnavailable: that cannot be told now.
        """
        at = _at()
        if at < self._known_until or not self.settings.reserved_first:
            return
        ledger = self.hand.ledger
        since = ledger.now() - 2 * ONCE_MORE
        self.schedule.book(await ledger.personal_callbacks(self.hand.agent, since))
        self._known_until = at + _KNOWN_FOR

    def _named(self, group: str) -> str:
        return group if self.client.reserved.one_at_a_time else _NO_GROUP


def _at() -> float:
    return asyncio.get_running_loop().time()
