"""What this host has in its custody: each attempt that comes, changes or goes is kept in mind and told of."""

from collections.abc import Iterable

from attrs import define

from cti_hooks import Attempt
from lcm_plugin.attempt.states import LIVE, OPEN
from lcm_plugin.ledger.memory import Memory
from lcm_plugin.ledger.news import LedgerNews


@define(eq=False)
class Custody:
    """Keeps `memory` and `news` of one mind."""

    memory: Memory
    news: LedgerNews

    def keep(self, attempt: Attempt) -> None:
        """It is so from now on."""
        self.memory.keep(attempt)
        self.news.changed(attempt)

    def adopt(self, attempts: Iterable[Attempt]) -> None:
        """A host that ended has left these behind: their calls must be looked up."""
        for attempt in attempts:
            self.keep(attempt)
            self.news.adopted(attempt)

    def lose(self, attempt: Attempt) -> None:
        """Another host has it. A call in progress is still watched: what is seen of it holds."""
        if attempt.state not in LIVE:
            self.memory.forget(attempt)
        self.news.lost(attempt)

    def lose_all(self) -> None:
        """Another host has everything that was held here."""
        for attempt in list(self.memory.open.values()):
            self.lose(attempt)

    def give_up(self, taken: Iterable[Attempt]) -> None:
        """Others have these by now; a call that goes on is still watched, one that is over is not."""
        for now in taken:
            attempt = self.memory.open.get(now.id) or self.memory.released.pop(now.id, None)
            if attempt and not (attempt.state in LIVE and now.state in OPEN):
                self.memory.forget(attempt)
                self.news.lost(attempt)
