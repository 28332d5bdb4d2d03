"""What the ledger says to agents who wait: read once for all of them, and told to those whom it concerns."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final, Protocol

from attrs import define, field

from lcm_plugin.desk.fetch_stops import FetchStops
from lcm_plugin.ledger import Ledger, LedgerError
from lcm_plugin.ledger.schema import digest
from lcm_plugin.supply.reserved_schedule import ONCE_MORE

EVERY: Final = 1.0
"""Seconds from one reading to the next."""
_LEFT_BEHIND: Final = 5
"""Readings after which it is asked again whether anything was left for somebody who waits."""
_CALLBACKS: Final = 60
"""Readings after which it is asked again which callbacks were booked for them, at any host."""


class Reader(Protocol):
    """A desk whose agent waits."""

    def wake(self) -> None:
        """Stops have changed: look again."""

    def left_behind(self) -> None:
        """Something of the agent's is nobody's: take it up."""

    def booked(self) -> None:
        """A callback comes due for the agent: learn which there are."""


@define(kw_only=True, eq=False)
class Bulletin:
    """It is read for as long as somebody waits."""

    ledger: Ledger
    stops: FetchStops
    _readers: dict[str, Reader] = field(factory=dict, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def add(self, agent_id: str, reader: Reader) -> None:
        """Tell this one, too."""
        self._readers[digest(agent_id)] = reader
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read(), name="bulletin of the ledger")

    def drop(self, agent_id: str) -> None:
        """Tell this one no more."""
        self._readers.pop(digest(agent_id), None)

    async def close(self) -> None:
        """Read no more."""
        self._readers.clear()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        readings = 0
        while self._readers:
            await asyncio.sleep(EVERY)
            readings += 1
            with suppress(LedgerError):  # desks that look meet it, and say so
                await self._read_once(readings)

    async def _read_once(self, readings: int) -> None:
        if await self.stops.have_changed():
            for reader in list(self._readers.values()):
                reader.wake()
        if readings % _LEFT_BEHIND == 0:
            self._tell(await self.ledger.left_behind(), lambda one: one.left_behind())
        if readings % _CALLBACKS == 0:
            now = self.ledger.now()
            until = now + ONCE_MORE + timedelta(seconds=_CALLBACKS * EVERY)
            booked = await self.ledger.called_back(now - ONCE_MORE, until)
            self._tell({agent for agent, _ in booked}, lambda one: one.booked())

    def _tell(self, agents: set[str], what: Callable[[Reader], None]) -> None:
        for agent in agents & self._readers.keys():
            what(self._readers[agent])
