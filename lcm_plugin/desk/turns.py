"""What is done at one desk: one thing after another, in the order it was asked for, by one task."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from attrs import define, field, frozen

from cti_hooks import described

log = logging.getLogger("lcm_plugin.desk")

_Result = TypeVar("_Result")
Act = Callable[[], Awaitable[_Result]]


@frozen(eq=False)
class _Turn:
    act: Act[Any]
    result: asyncio.Future[Any] | None
    """Of whoever waits for it; None if nobody does."""


@define(eq=False)
class Turns:
    """The turns of one desk; `name` names their task, which is there while anything is to be done.

    Attributes:
        after: called after each turn.
    """

    name: str
    after: Callable[[], None]
    _line: list[_Turn] = field(factory=list, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def __iter__(self) -> Iterator[asyncio.Task[None]]:
        """The task, if there is one."""
        return iter([] if self._task is None else [self._task])

    async def take(self, act: Act[_Result]) -> _Result:
        """Have it done in its turn, and wait for what it comes to.

        Whoever waits may be cut off: what has begun then goes on to its end, and what has not is left out.
        """
        result: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._line_up(_Turn(act, result))
        return await result

    def tell(self, act: Act[object]) -> None:
        """Have it done in its turn. Nobody waits for it: a failure is in the log."""
        self._line_up(_Turn(act, None))

    def _line_up(self, turn: _Turn) -> None:
        self._line.append(turn)
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name=self.name)

    async def _work(self) -> None:
        try:
            while self._line:
                await _done(self._line.pop(0))
                self._tell_after()
        finally:  # cancelled with the host: nobody waits for ever
            for turn in self._line:
                if turn.result:
                    turn.result.cancel()
            self._line.clear()
            self._task = None

    def _tell_after(self) -> None:
        try:
            self.after()
        except Exception as error:  # noqa: BLE001  (those in line have their turns all the same)
            log.error("%s", described(error))  # noqa: TRY400  (masked)


async def _done(turn: _Turn) -> None:
    result = turn.result
    if result is not None and result.done():
        return
    try:
        value = await turn.act()
    except asyncio.CancelledError:
        if result is not None:
            result.cancel()
        raise
    except Exception as error:  # noqa: BLE001  (it is whoever waits who answers it)
        if result is not None and not result.done():
            result.set_exception(error)
        else:
            log.error("%s", described(error))  # noqa: TRY400  (masked)
    else:
        if result is not None and not result.done():
            result.set_result(value)
