"""An agent as the supply knows them: whether they wait, since when, and what they may ask next."""

from collections.abc import Callable, Sequence

from attrs import define, field

from lcm_plugin.supply.question import Question
from lcm_plugin.supply.reserved_schedule import ReservedSchedule


@define(kw_only=True, eq=False)
class Waiter:
    """One agent's place; it is kept while they are logged on. Instants are those of the running loop.

    Attributes:
        ask: is told a question that is granted. It has to be answered, even if it is not asked.
        schedule: when what is reserved for the agent is asked for.
        groups: the campaign groups the agent waits for, in order.
        since: since when they wait; None if they do not.
        asked: the question in flight, if there is one.
        able_at: until then they may ask nothing, as their last question failed.
        own_at: when they ask on their own account, whatever is known of their groups.
        own_left: the groups of that round that are still to be asked.
        reserved_first: whether no question for what is reserved was asked since the last fresh one.
    """

    agent_id: str
    ask: Callable[[Question], None]
    schedule: ReservedSchedule
    groups: tuple[str, ...] = field(default=(), init=False)
    since: float | None = field(default=None, init=False)
    asked: Question | None = field(default=None, init=False)
    able_at: float = field(default=0.0, init=False)
    own_at: float = field(default=0.0, init=False)
    own_left: Sequence[str] = field(default=(), init=False)
    reserved_first: bool = field(default=True, init=False)

    @property
    def waits(self) -> bool:
        """Whether they stand in line."""
        return self.since is not None

    def may_ask(self, now: float) -> bool:
        """Whether a question may be granted: they wait, none is in flight, and none has just failed."""
        return self.waits and self.asked is None and now >= self.able_at

    def next_own(self) -> str:
        """The group to ask in on their own account: each once in a round."""
        if not self.own_left:
            self.own_left = self.groups
        group, *self.own_left = self.own_left
        return group
