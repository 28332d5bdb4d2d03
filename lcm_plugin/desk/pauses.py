"""How long an agent's desk waits before it asks again."""

import asyncio
from contextlib import suppress
from random import Random
from typing import Final

from attrs import define, field

from lcm_plugin.config import LcmSettings
from lcm_plugin.errors import LONGEST_WAIT

REFUSALS_IN_A_ROW: Final = 5
"""After so many, fetching stops for this agent until they are ready anew."""
LONGEST_AFTER_REFUSAL: Final = 300.0
LONGEST_AFTER_ERROR: Final = 15.0


@define
class Pauses:
    """Counts what came in a row; all pauses in seconds.

    Attributes:
        owed: the pause of a refusal that came at the end of a preview or of an answer, before the next fetch.
    """

    settings: LcmSettings
    random: Random
    refusals: int = field(default=0, init=False)
    owed: float = field(default=0.0, init=False)
    _errors: int = field(default=0, init=False)

    def reset(self) -> None:
        """A new ready, or a call: nothing counts any more."""
        self.refusals = self._errors = 0
        self.owed = 0.0

    def answered(self) -> None:
        """A question was answered: errors in a row are over."""
        self._errors = 0

    def before_next_look(self) -> float:
        """1 to 5 s, jittered, so that agents without contacts do not ask in step."""
        return self.random.uniform(self.settings.poll_min_seconds, self.settings.poll_max_seconds)

    def after_refusal(self) -> float | None:
        """Each in a row doubles it, from 1 s to 5 min; None after the fifth: stop."""
        self._errors = 0
        self.refusals += 1
        if self.refusals >= REFUSALS_IN_A_ROW:
            return None
        self.owed = min(LONGEST_AFTER_REFUSAL, 2.0 ** (self.refusals - 1))
        return self.owed

    def after_error(self, wished: float | None) -> float:
        """Growing and jittered, or what the LCM asked for, if that is longer; a minute at the most."""
        self._errors = min(self._errors + 1, 10)
        own = self.random.uniform(1, min(LONGEST_AFTER_ERROR, 2.0**self._errors))
        return max(own, min(wished or 0.0, LONGEST_WAIT))


async def waited(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, and no longer than this."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
