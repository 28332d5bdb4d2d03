"""The line for one campaign group: whether its contacts flow, and who asks for the next."""

import math
from collections.abc import Iterator
from typing import Final

from attrs import define, field

from lcm_plugin.supply.question import Answer
from lcm_plugin.supply.waiter import Waiter

FIRST: Final = 1
"""A group of which nothing is known yet is asked by one agent."""


@define(kw_only=True, eq=False)
class Line:
    """The longest waiting agent stands first. Instants are those of the running loop.

    Attributes:
        group: the campaign group's name.
        at_once: how many may ask at once; 0 if the group is dry, and one question is asked now and then.
        ask_at: when a dry group is asked again.
        dry_at: when it had nothing; None if it is not dry.
        in_flight: how many questions of this line are.
    """

    group: str
    at_once: int = field(default=FIRST, init=False)
    ask_at: float = field(default=-math.inf, init=False)
    dry_at: float | None = field(default=None, init=False)
    in_flight: int = field(default=0, init=False)
    _waiters: dict[str, Waiter] = field(factory=dict, init=False)
    _places: dict[str, int] = field(factory=dict, init=False)
    _counted_at: float = field(default=-math.inf, init=False)

    def __bool__(self) -> bool:
        """Whether anybody stands in it."""
        return bool(self._waiters)

    def __iter__(self) -> Iterator[Waiter]:
        """Those who stand in it, the longest waiting first."""
        return iter(self._waiters.values())

    def join(self, waiter: Waiter) -> None:
        """Stand behind the others, unless they stand in it."""
        self._waiters.setdefault(waiter.agent_id, waiter)

    def leave(self, waiter: Waiter) -> None:
        """Stand in it no longer."""
        self._waiters.pop(waiter.agent_id, None)

    def to_the_back(self, waiter: Waiter) -> None:
        """Their question failed: the others come first."""
        if self._waiters.pop(waiter.agent_id, None):
            self._waiters[waiter.agent_id] = waiter

    def place_of(self, waiter: Waiter, now: float) -> int:
        """How many stand before this one, and one; counted anew once a second."""
        if now >= self._counted_at + 1 or waiter.agent_id not in self._places:
            self._places = {agent_id: place for place, agent_id in enumerate(self._waiters, start=1)}
            self._counted_at = now
        return self._places.get(waiter.agent_id, 0)

    @property
    def is_open(self) -> bool:
        """Whether contacts flow, as far as is known."""
        return self.at_once > 0

    def may_ask(self, now: float) -> bool:
        """Whether one more question may leave."""
        if self.is_open:
            return self.in_flight < self.at_once
        return not self.in_flight and now >= self.ask_at

    def first_able(self, now: float) -> Waiter | None:
        """The longest waiting agent who may ask."""
        return next((one for one in self if one.may_ask(now)), None)

    def able_at(self, now: float) -> float:
        """When the first of those may ask again whose last question failed."""
        return min((one.able_at for one in self if one.able_at > now), default=math.inf)

    def hear(self, answer: Answer, now: float, pause: float, most: int) -> None:
        """What came of a question in this group: a contact opens it twice as wide, an empty answer shuts it.

        A failure shuts it, too, for a `pause` of so many seconds; it says nothing of what the group has.
        """
        if answer is Answer.CONTACT:
            self.at_once, self.dry_at = min(most, max(2, 2 * self.at_once)), None
        elif answer in {Answer.NOTHING, Answer.FAILED}:
            self.at_once, self.ask_at = 0, now + pause
            self.dry_at = now if answer is Answer.NOTHING else self.dry_at
