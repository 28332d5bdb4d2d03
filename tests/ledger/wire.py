"""A database that breaks and stalls to order."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from attrs import define, field

from cti_hooks import Attempt
from lcm_plugin.ledger import Database, Ledger

OpenLedger = Callable[..., Awaitable[Ledger]]
TOO_LATE = 6.0


@define(eq=False)
class Wire(Database):
    """The way to a database, which breaks and stalls to order."""

    database: Database
    broken: bool = False
    stalls: int = 0
    """Transactions whose answer comes too late."""
    deaf: int = 0
    """Transactions that are committed, and whose answer is lost."""
    steps: int = 0

    @property
    def name(self) -> str:
        return self.database.name

    async def run(self, step: Any) -> Any:
        if self.broken:
            raise sa.exc.OperationalError("", None, OSError("no route to host"))
        self.steps += len(step.args[0]) if isinstance(step, partial) and step.args else 1
        result = await self.database.run(step)
        if self.stalls:
            self.stalls -= 1
            await asyncio.sleep(TOO_LATE)
        if self.deaf:
            self.deaf -= 1
            raise sa.exc.OperationalError("", None, OSError("connection reset"))
        return result

    async def close(self) -> None:
        await self.database.close()


def stall(
    wire: Wire, room: ModuleType, step: str, monkeypatch: pytest.MonkeyPatch, fault: str = "stalls"
) -> None:
    """Let this fault meet the first transaction that has this step in it."""
    real = getattr(room, step)
    met: list[str] = []

    def meeting(*args: Any, **facts: Any) -> Any:
        setattr(wire, fault, 0 if met else 1)
        met.append(step)
        return real(*args, **facts)

    monkeypatch.setattr(room, step, meeting)


@define(eq=False)
class Told:
    """What a ledger has told."""

    lost_ones: list[Attempt] = field(factory=list)
    adopted_ones: list[Attempt] = field(factory=list)

    def changed(self, attempt: Attempt) -> None:
        """It is no matter here."""

    def lost(self, attempt: Attempt) -> None:
        self.lost_ones.append(attempt)

    def adopted(self, attempt: Attempt) -> None:
        self.adopted_ones.append(attempt)
