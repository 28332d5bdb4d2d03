"""Dispositions made without an agent: `auto_dispose` maps an outcome to one."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from attrs import define

from cti_hooks import Attempt, Disposition
from lcm_plugin.config import ANY
from lcm_plugin.desk.disposing import Disposing
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.pauses import waited
from lcm_plugin.desk.site import is_foreign
from lcm_plugin.errors import ConflictError, InvalidError
from lcm_plugin.ledger import Ledger, LedgerUnavailable

log = logging.getLogger("lcm_plugin.desk")

AUTO: Final = "auto"
"""The actor of a disposition that no person made."""
_LISTED_AGAIN: Final = (5.0, 15.0, 60.0)
"""Seconds after which an outcome that the LCM did not list is tried again."""


@define(kw_only=True, eq=False)
class AutoDisposing:
    """For one agent.

    Attributes:
        wanted: the LCM's outcome ids, by how calls end.
        after_error: tells of an error, and how long to wait after it.
        closed: set when the host stops: another host finishes the work.
    """

    wanted: Mapping[str, str]
    hand: Hand
    ledger: Ledger
    disposing: Disposing
    after_error: Callable[[Exception], float]
    closed: asyncio.Event

    async def dispose_in_time(self, attempt: Attempt, outcome_id: str | None = None) -> None:
        """Dispose of it, again while the ledger cannot be written; by this outcome, if it is given.

        If the LCM does not list the outcome, it is tried a few times more: its lists may be incomplete.
        """
        pauses = iter(_LISTED_AGAIN)
        while not self.closed.is_set():
            try:
                known = self.ledger.get_open(attempt.id) or await self.ledger.get(attempt.id)
                if await self.dispose(known or attempt, outcome_id):
                    return
                pause = next(pauses)
            except LedgerUnavailable as error:
                pause = self.after_error(error)
            except StopIteration:
                return
            await waited(self.closed, pause)

    async def dispose_or_release(self, attempt: Attempt) -> None:
        """What ended at a host that is gone waits for a person, wherever its agent is."""
        await self.dispose_in_time(attempt)
        left = self.ledger.get_open(attempt.id)
        if left and not self.hand.has(left.id):
            self.ledger.release(left)

    async def dispose(self, attempt: Attempt, outcome_id: str | None = None) -> bool:
        """Whether all is done that can be: False if the LCM does not list the outcome.

        Raises:
            LedgerUnavailable: it cannot be recorded now.
        """
        outcome = attempt.outcome.value if attempt.outcome else "unknown"
        wanted = outcome_id or self.wanted.get(outcome, self.wanted.get(ANY))
        if wanted is None:
            return True
        try:
            said = Disposition() if is_foreign(attempt) else Disposition(outcome_id=wanted)
            await self.disposing.dispose(attempt, said, AUTO)
        except ConflictError as error:  # somebody else was quicker
            log.debug("%s", error)
        except InvalidError as error:
            log.error("attempt %s cannot be disposed of by itself: %s", attempt.id, error)  # noqa: TRY400  (no trace)
            return False
        return True
