"""The time in which an agent writes up a call that is over, where the site sets a limit."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import define, field

from cti_hooks import AgentState, Attempt
from lcm_plugin import agent_flow
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.site import Site


@define(kw_only=True, eq=False)
class WrapUp:
    """One agent's. Its timer tells, and never acts.

    Attributes:
        over: is told the attempt whose time is over.
    """

    limit: agent_flow.WrapUp
    hand: Hand
    site: Site
    over: Callable[[str], None]
    _attempt_id: str = field(default="", init=False)
    _ends_at: datetime | None = field(default=None, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)

    def begin(self, attempt: Attempt) -> None:
        """Its call is over, or was taken up when it was; once for each."""
        if not self.limit.seconds or self._attempt_id == attempt.id:
            return
        self.end()
        self._attempt_id = attempt.id
        self._ends_at = self.hand.ledger.now() + timedelta(seconds=self.limit.seconds)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.limit.seconds, self.over, attempt.id)

    def end(self) -> None:
        """The agent does something else."""
        if self._timer:
            self._timer.cancel()
        self._timer, self._ends_at, self._attempt_id = None, None, ""

    def ends_at(self, attempt_id: str) -> datetime | None:
        """When this attempt's time is over; None if there is no limit."""
        return self._ends_at if attempt_id == self._attempt_id else None

    async def ask_for_state(self) -> None:
        """Ask the host for the state that follows; the call waits for its disposition all the same."""
        reason = f"after {self.limit.seconds:g} s the last call has no disposition"
        await self.site.request_state(self.hand.agent, AgentState(self.limit.then), reason)
