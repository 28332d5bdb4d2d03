"""What became of calls whose end nobody saw: the dialers are asked until there is an answer.

If a call is found, it goes on, or has ended. If its own backend and engine have not seen it, and its deadline
is over, it has ended; the outcome is what the ledger knew of the call before, or unknown if that was too
little. An engine that cannot be reached leaves the call unknown, and is asked again. Nothing is dialed.
"""

import asyncio
import logging
from typing import Final

from attrs import define, field

from cti_hooks import Answer, Attempt, AttemptState, Call, ConnectionState, Host
from lcm_plugin.attempt.outcomes import events_before, outcome_of
from lcm_plugin.attempt.transitions import FOUND, SETTLED
from lcm_plugin.desk.site import Site
from lcm_plugin.ledger import Ledger, LedgerError

log = logging.getLogger("lcm_plugin.desk")

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0


@define(kw_only=True, eq=False)
class Verdicts:
    """One task for each attempt that is `unknown`. A host that only observes leaves them to another."""

    ledger: Ledger
    site: Site
    dial_seconds: float
    host: Host
    _tasks: dict[str, asyncio.Task[None]] = field(factory=dict, init=False)

    def seek(self, attempt: Attempt) -> None:
        """Find out what became of this attempt's call."""
        if attempt.id not in self._tasks and not self.host.observes:
            task = asyncio.create_task(self._seek(attempt.id), name=f"verdict on attempt {attempt.id}")
            self._tasks[attempt.id] = task
            task.add_done_callback(lambda _: self._tasks.pop(attempt.id, None))

    async def close(self) -> None:
        """Stop asking; what is unknown stays so."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _seek(self, attempt_id: str) -> None:
        attempt, pause = self._unknown(attempt_id), _FIRST_PAUSE
        deadline = asyncio.get_running_loop().time() + (self._seconds_left(attempt) if attempt else 0)
        while attempt := self._unknown(attempt_id):
            left = max(0, deadline - asyncio.get_running_loop().time())
            await self.host.started.wait()  # a dialer that is not started has seen nothing
            if await self._decided(attempt, over=not left):
                return
            await asyncio.sleep(left or pause)
            pause = pause if left else min(_LONGEST_PAUSE, 2 * pause)

    def _unknown(self, attempt_id: str) -> Attempt | None:
        attempt = self.ledger.get_open(attempt_id)
        return attempt if attempt and attempt.state is AttemptState.UNKNOWN else None

    async def _decided(self, attempt: Attempt, *, over: bool) -> bool:
        answers = await self.site.find_call(attempt.id)
        try:
            ours = await self.ledger.still_has(attempt)
        except LedgerError:
            return False
        now = self._unknown(attempt.id)
        if not ours or now is None:  # an event came meanwhile, at the host that had it before or here
            return True
        found = [answer.value for answer in answers if answer.value is not None]
        if found:
            self._found(now, found[0])
            return True
        silent = self._cannot_tell(attempt, answers)
        if silent:
            log.warning("attempt %s stays unknown: %s", attempt.id, silent)
        elif over:
            reason = "its dialer has not seen it, and its deadline is over"
            outcome = outcome_of(events_before(now))
            self.ledger.change(now, SETTLED, outcome=outcome, reason=reason)
        return over and not silent

    def _found(self, attempt: Attempt, call: Call) -> None:
        if call.state is not ConnectionState.NULL:
            self.ledger.change(attempt, FOUND, calls=(call,), reason="found at the dialer")
            return
        outcome, reason = outcome_of(events_before(attempt)), "the dialer says that it ended"
        self.ledger.change(attempt, SETTLED, calls=(call,), outcome=outcome, reason=reason)

    def _cannot_tell(self, attempt: Attempt, answers: list[Answer]) -> str:
        """Why nobody who could have seen it can be asked now, or empty. Only its own backend may say no."""
        by_plugin = {answer.plugin: answer for answer in answers}
        for backend in attempt.backends:
            if not self.site.is_loaded(backend):
                return f"its dialer {backend} is not enabled"
            answer = by_plugin.get(backend)
            if answer and self.site.leaves_open(answer, attempt):
                return f"its dialer {backend} cannot be asked"
            gone = set(self.site.engines_missing(backend, attempt.calls))
            if gone:
                return f"dialer {backend} has no engine {', '.join(sorted(gone))} any more"
        return ""

    def _seconds_left(self, attempt: Attempt) -> float:
        """Until its deadline; never more than a dialer is given, should the clock have been set back."""
        if attempt.not_after is None:
            return 0
        left = (attempt.not_after - self.ledger.clock.now()).total_seconds()
        return min(max(0.0, left), self.dial_seconds)
