"""One piece of work at the LCM: how often and how long it is tried: docs/architecture.md#patience.

tenacity does the waiting and counting. The first try runs outside it: its set-up costs more than the request.
Time comes from the running loop and chance from the host, so tenacity's own clock and random are not used.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final, TypeVar

from attrs import define, field
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_exponential

from lcm_plugin.errors import Fault, LcmError, LcmUnavailable

_Result = TypeVar("_Result")
_GROWING: Final = wait_exponential(multiplier=0.2, max=2)
"""0.2 s, 0.4 s ... 2 s; what is waited is a random share of it (full jitter)."""


class AskAgain(Exception):
    """Not an error: the same work has to be done again, `wait` seconds later."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"ask again in {wait:g} s")
        self.wait = wait


@define(kw_only=True)
class Patience:
    """How long and how often one piece of work is tried.

    Attributes:
        deadline: instant of the running loop.
        max_requests: requests at the most, whatever they are for.
        error: the LCM's last error, or None.
    """

    deadline: float
    max_requests: int
    random: Random
    error: LcmError | None = field(default=None, init=False)
    _requests: int = field(default=0, init=False)

    def count(self) -> None:
        """Note that a request is about to be sent.

        Raises:
            LcmError: the last one, when all requests are used up.
        """
        if self._requests >= self.max_requests:
            raise self.error or LcmUnavailable("too many requests in one fetch", fault=Fault.NOT_SENT)
        self._requests += 1

    async def keep_trying(
        self, step: Callable[[], Awaitable[_Result]], again: Callable[[BaseException], bool]
    ) -> _Result:
        """Do `step`, and do it again while `again(error)` says so and there is time."""
        try:
            return await step()
        except (LcmError, AskAgain) as error:
            failures: list[Exception] = [error]

        async def next_step() -> _Result:
            if failures:  # tenacity is told how the first try ended
                raise failures.pop()
            return await step()

        retrying = AsyncRetrying(
            retry=retry_if_exception(again),
            wait=self._wait,
            stop=self._stop,
            sleep=asyncio.sleep,
            reraise=True,
        )
        return await retrying(next_step)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, AskAgain):
            return error.wait
        if isinstance(error, LcmError) and error.retry_after is not None:
            return error.retry_after
        return _GROWING(state) * self.random.random()

    def _stop(self, state: RetryCallState) -> bool:
        in_time = asyncio.get_running_loop().time() + state.upcoming_sleep < self.deadline
        return not in_time or self._requests >= self.max_requests
