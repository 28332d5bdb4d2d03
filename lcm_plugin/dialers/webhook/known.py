"""What is known of an endpoint's calls by nothing but their events."""

import asyncio
from typing import Final

from attrs import define, evolve, field

from cti_hooks import Call, CallEvent, CallEventKind, ConnectionState, connection_after
from lcm_plugin.dialers.webhook.order import WebhookError

KNOWN_CALLS: Final = 10_000
"""How many calls are known at the most; the oldest is forgotten for the next."""


@define(kw_only=True, eq=False)
class KnownCalls:
    """The calls ordered here and not over, and those of an earlier run that were asked for."""

    engine: str
    unheard_seconds: float
    _calls: dict[str, Call] = field(factory=dict, init=False)
    _unheard: dict[str, float] = field(factory=dict, init=False)
    """Attempts that may have no call: no answer, and no event. Not seen, from this instant on."""

    def __contains__(self, attempt_id: str) -> bool:
        return attempt_id in self._calls

    def ordered(self, attempt_id: str) -> Call:
        """An order leaves: its events may come before its answer, and without either it is in doubt."""
        if len(self._calls) >= KNOWN_CALLS:  # of a site that tells no events
            self.forget(next(iter(self._calls)))
        self._unheard[attempt_id] = asyncio.get_running_loop().time()
        call = self._calls[attempt_id] = self._call(attempt_id)
        return call

    def taken(self, attempt_id: str) -> Call | None:
        """The endpoint took the order. The call as it is; None when its events say that it ended already."""
        self._unheard.pop(attempt_id, None)
        return self._calls.get(attempt_id)

    def forget(self, attempt_id: str) -> None:
        """There is no such call."""
        self._calls.pop(attempt_id, None)
        self._unheard.pop(attempt_id, None)

    def find(self, attempt_id: str) -> Call | None:
        """The call as its events tell; None if nothing was heard of it for as long as it gets.

        Raises:
            WebhookError: an earlier run of the host placed it, and it may go on.
        """
        call = self._calls.get(attempt_id)
        if call and attempt_id not in self._unheard:
            return call
        now = asyncio.get_running_loop().time()
        if now < self._unheard.setdefault(attempt_id, now + self.unheard_seconds):
            raise WebhookError("the webhook has no status_url: whether it has the call is not known")
        return None

    def hear(self, event: CallEvent) -> None:
        """Something happened to a call, perhaps to one of these."""
        attempt_id = event.attempt_id or ""
        if self._unheard.pop(attempt_id, None) is not None:
            self._calls.setdefault(attempt_id, self._call(attempt_id))
        call = self._calls.get(attempt_id)
        if call is None:
            return
        if event.kind is CallEventKind.CALL_CLEARED:
            self.forget(attempt_id)
        elif event.party == "customer":
            state = connection_after(event.kind, call.state)
            self._calls[attempt_id] = evolve(call, state=state, q850=event.q850)

    def _call(self, attempt_id: str) -> Call:
        state = ConnectionState.INITIATED
        return Call(id=f"{attempt_id}-c", attempt_id=attempt_id, state=state, engine=self.engine)
