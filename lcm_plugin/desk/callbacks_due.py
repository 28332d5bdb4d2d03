"""Tells agents of their own callbacks at the minute they are due, as far as the ledger knows of them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from lcm_plugin.ledger import Ledger, LedgerError

EVERY: Final = 60.0
"""Seconds from one reading to the next: so late at the most is told what was booked for a minute hence."""
_AROUND: Final = timedelta(seconds=EVERY)


@define(kw_only=True, eq=False)
class CallbacksDue:
    """Each callback is told of once.

    Attributes:
        anybody: whether an agent is here who could be told.
        tell: is told an agent's digest, and when their callback starts.
    """

    ledger: Ledger
    anybody: Callable[[], bool]
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
            if self.anybody():
                with suppress(LedgerError):  # desks meet it, and say so
                    await self._read_once()
            await asyncio.sleep(EVERY)

    async def _read_once(self) -> None:
        now, loop = self.ledger.now(), asyncio.get_running_loop()
        booked = await self.ledger.called_back(now - _AROUND, now + _AROUND)
        self._timers = {one: timer for one, timer in self._timers.items() if one[1] > now - 2 * _AROUND}
        for agent, at in booked - self._timers.keys():
            seconds = max(0.0, (at - now).total_seconds())
            self._timers[agent, at] = loop.call_later(seconds, self.tell, agent, at)
