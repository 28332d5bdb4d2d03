"""Tells agents of their own callbacks at the minute they are due, as far as the ledger knows of them."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from lcm_plugin.ledger import Ledger, LedgerError
from lcm_plugin.ledger.schema import digest

EVERY: Final = 60.0
"""Seconds from one reading to the next: so late at the most is told what was booked for a minute hence."""
_AROUND: Final = timedelta(seconds=EVERY)


@define(kw_only=True, eq=False)
class CallbacksDue:
    """Each callback is told of once.

    Attributes:
        here: the ids of the agents who may be here.
        tell: is told one's id, and when their callback starts.
    """

    ledger: Ledger
    here: Callable[[], Collection[str]]
    tell: Callable[[str, datetime], None]
    _timers: dict[tuple[str, datetime], asyncio.TimerHandle] = field(factory=dict, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.create_task(self._read(), name="callbacks that are due")

    async def close(self) -> None:
        """Tell nothing more."""
        for timer in self._timers.values():
            timer.cancel()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        while True:
            if self.here():
                with suppress(LedgerError):  # desks meet it, and say so
                    await self._read_once()
            await asyncio.sleep(EVERY)

    async def _read_once(self) -> None:
        now, loop = self.ledger.now(), asyncio.get_running_loop()
        booked = await self.ledger.called_back(now - _AROUND, now + _AROUND)
        self._timers = {one: timer for one, timer in self._timers.items() if one[1] > now - 2 * _AROUND}
        known = {digest(agent_id): agent_id for agent_id in self.here()} if booked else {}
        for mark, at in booked - self._timers.keys():
            if mark in known:  # who comes later is told at the next reading
                seconds = max(0.0, (at - now).total_seconds())
                self._timers[mark, at] = loop.call_later(seconds, self.tell, known[mark], at)
