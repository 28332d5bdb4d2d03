"""Which of a dialer's engines has a call: all are asked at once, so that none makes the others too late."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Final

from cti_hooks import Call, CannotTellError

SECONDS: Final = 4.0
"""How long an engine may take to answer: `find_call` has 5 s."""


async def found(asked: Mapping[str, Awaitable[Call | None]]) -> Call | None:
    """The call as one of the engines has it, of what each is asked by its name.

    Raises:
        CannotTellError: some could not be asked, and none of the others has it.
    """
    answers = await asyncio.gather(*(_in_time(one) for one in asked.values()), return_exceptions=True)
    calls = [answer for answer in answers if isinstance(answer, Call)]
    told = zip(asked, answers, strict=True)
    failures = {engine: answer for engine, answer in told if isinstance(answer, BaseException)}
    if failures and not calls:
        raise CannotTellError(failures)
    return calls[0] if calls else None


async def _in_time(asked: Awaitable[Call | None]) -> Call | None:
    try:
        async with asyncio.timeout(SECONDS):
            return await asked
    except TimeoutError:
        raise TimeoutError(f"no answer within {SECONDS:g} s") from None
