"""What the LCM has reserved for one agent, their personal callbacks among it: asked for when that is due."""

import asyncio
import math
from collections.abc import Sequence
from typing import Final

from attrs import define, field

from cti_hooks import CallType, Contact
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.reserved_schedule import ONCE_MORE, ReservedSchedule
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.lcm.reserved import REFUSALS

_KNOWN_FOR: Final = 60.0
"""Seconds until the ledger is asked for the agent's callbacks again: another host may have booked one."""
_NO_GROUP: Final = ""


@define(kw_only=True, eq=False)
class Reserved:
    """One agent's reserved contacts."""

    hand: Hand
    settings: LcmSettings
    client: LcmClient
    _schedule: ReservedSchedule = field(init=False)
    _known_until: float = field(default=-math.inf, init=False)

    def __attrs_post_init__(self) -> None:
        seconds = self.settings.reserved_every_seconds
        self._schedule = ReservedSchedule(every_seconds=seconds, random=self.client.random)

    def begin_login(self) -> None:
        """They are asked for at once."""
        self._schedule.begin_login()

    def booked(self) -> None:
        """The agent has disposed of something, with a callback perhaps."""
        self._known_until = -math.inf

    async def due(self, groups: Sequence[str]) -> list[str]:
        """The campaign groups to ask in now; a question that names no group is asked in the first.

        Raises:
            LedgerUnavailable: the agent's callbacks cannot be told now.
        """
        if not self.settings.reserved_first:
            return []
        await self._learn()
        now, at = self.hand.ledger.now(), _at()
        asked = groups if self.client.reserved.one_at_a_time else groups[:1]
        return [group for group in asked if self._schedule.is_due(self._named(group), now, at)]

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
            self._schedule.asked(self._named(group), now, at)
        return min(contacts, key=lambda one: one.call_type is not CallType.PERSONAL_CALLBACK, default=None)

    def until_next(self, seconds: float) -> float:
        """A pause of so many seconds, ended by the minute of the next callback."""
        now = self.hand.ledger.now()
        minute = self._schedule.next_minute(now) if self.settings.reserved_first else None
        return seconds if minute is None else min(seconds, (minute - now).total_seconds())

    async def _learn(self) -> None:
        """Which callbacks there are: those of a minute that has just passed are once more to come."""
        at = _at()
        if at < self._known_until:
            return
        ledger = self.hand.ledger
        since = ledger.now() - 2 * ONCE_MORE
        self._schedule.book(await ledger.personal_callbacks(self.hand.agent, since))
        self._known_until = at + _KNOWN_FOR

    def _named(self, group: str) -> str:
        return group if self.client.reserved.one_at_a_time else _NO_GROUP


def _at() -> float:
    return asyncio.get_running_loop().time()
