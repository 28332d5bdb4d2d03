"""What a course does later: a look at the engine in a while, and news that come with time."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import define, field

from cti_hooks import ConnectionState
from lcm_plugin.dialers.exchange.legs import Exchange, Heard, News, Party
from lcm_plugin.dialers.exchange.wire import EngineError

SETTLE_SECONDS: Final = 2.0
"""An order whose answer was lost may still be carried out just after a reconnect: it is looked for twice."""


@define(kw_only=True, eq=False)
class Lookout:
    """Looks for one call's legs; `close` ends all that it would do later.

    Attributes:
        legs: whose legs may be there now, and how much was heard of each.
        hear: is told what was seen, and what comes with time.
    """

    attempt_id: str
    exchange: Exchange
    legs: Callable[[], Mapping[Party, int]]
    hear: Callable[[Heard], None]
    _timers: list[asyncio.TimerHandle] = field(factory=list, init=False)
    _looking: set[asyncio.Task[None]] = field(factory=set, init=False)

    async def look(self) -> None:
        """Ask the engine for both legs, and tell the answer.

        Raises:
            EngineError: it cannot tell.
        """
        asked = self.legs()  # one that is placed meanwhile may not be there yet
        self.see(await self.exchange.seen(self.attempt_id), asked)

    def see(self, legs: Mapping[Party, ConnectionState], asked: Mapping[Party, int]) -> None:
        """Tell what the engine answered, which was asked for these legs."""
        for party, as_of in asked.items():
            self.hear(Heard(party=party, news=News.SEEN, state=legs.get(party), as_of=as_of))

    def look_now(self) -> None:
        """Look in a task of its own, and again until the engine can tell."""
        looking = asyncio.create_task(self._look(), name=f"looking for attempt {self.attempt_id}")
        self._looking.add(looking)
        looking.add_done_callback(self._looking.discard)

    def look_later(self) -> None:
        """As `look_now`, once what is under way has settled."""
        self._after(SETTLE_SECONDS, self.look_now)

    def give_up_after(self, seconds: float, party: Party) -> None:
        """Tell then that it rang long enough."""
        self._after(seconds, self.hear, Heard(party=party, news=News.GIVE_UP))

    def close(self) -> None:
        """Nothing of it happens any more."""
        for timer in self._timers:
            timer.cancel()
        for looking in self._looking:
            looking.cancel()

    async def _look(self) -> None:
        try:
            await self.look()
        except EngineError:
            self.look_later()

    def _after(self, seconds: float, told: Callable[..., object], *facts: Any) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(seconds, told, *facts))
