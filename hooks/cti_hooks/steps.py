"""The steps of a coroutine: what it does from one wait to the next, with the event loop held up."""

import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from inspect import iscoroutine
from typing import Any

Around = Callable[[Callable[[], Any]], Any]
"""Runs a step and gives its result; the caller measures what it likes."""


@types.coroutine
def in_steps(coroutine: Coroutine[Any, Any, Any], around: Around) -> Generator[Any, Any, Any]:
    """Await `coroutine` in the caller's task, each of its steps run by `around`."""
    step = partial(coroutine.send, None)
    while True:
        try:
            waits_for = around(step)
        except StopIteration as end:
            return end.value
        try:
            step = partial(coroutine.send, (yield waits_for))
        except GeneratorExit:
            coroutine.close()
            raise
        except BaseException as error:  # noqa: BLE001  (a cancellation, too, is the coroutine's to answer)
            step = partial(coroutine.throw, error)


async def result_of(awaitable: Awaitable[Any], around: Around) -> Any:
    """What `awaitable` comes to; a future or another awaitable has no steps of its own."""
    return await (in_steps(awaitable, around) if iscoroutine(awaitable) else awaitable)
