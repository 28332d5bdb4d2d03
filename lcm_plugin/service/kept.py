"""An answer that is kept for a while, so that many questions cost no more than one."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from attrs import define, field

T = TypeVar("T")


@define(eq=False)
class Kept(Generic[T]):
    """What `ask` says, asked at most once in so many seconds; until then everybody gets the same answer."""

    ask: Callable[[], Coroutine[Any, Any, T]]
    seconds: float
    _asking: "asyncio.Task[T] | None" = field(default=None, init=False)
    _asked_at: float = field(default=0.0, init=False)

    async def get(self) -> T:
        """The answer, perhaps an earlier one.

        Raises:
            Exception: whatever `ask` raises.
        """
        now = asyncio.get_running_loop().time()
        if self._asking is None or (self._asking.done() and now - self._asked_at >= self.seconds):
            self._asked_at = now
            self._asking = asyncio.create_task(self.ask(), name="an answer to be kept")
        return await asyncio.shield(self._asking)

    async def close(self) -> None:
        """Ask no more."""
        if self._asking:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
