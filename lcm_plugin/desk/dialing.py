"""From the hand to the dialer: one `make_call` for each attempt, whatever comes of it."""

import asyncio
import logging
from datetime import datetime, timedelta

from attrs import define, evolve, field

from cti_hooks import (
    Attempt,
    AttemptState,
    Call,
    CallEvent,
    CallEventKind,
    ConnectionState,
    Contact,
    Dial,
    described,
)
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.site import Site

log = logging.getLogger("lcm_plugin.desk")

_CONNECTION = {
    CallEventKind.SERVICE_INITIATED: ConnectionState.INITIATED,
    CallEventKind.DELIVERED: ConnectionState.ALERTING,
    CallEventKind.ESTABLISHED: ConnectionState.CONNECTED,
    CallEventKind.HELD: ConnectionState.HOLD,
    CallEventKind.RETRIEVED: ConnectionState.CONNECTED,
    CallEventKind.FAILED: ConnectionState.FAIL,
    CallEventKind.CONNECTION_CLEARED: ConnectionState.NULL,
    CallEventKind.CALL_CLEARED: ConnectionState.NULL,
}
"""What an event about the customer says of the customer's connection."""


@define(kw_only=True, eq=False)
class Dialing:
    """Places the calls of one agent."""

    hand: Hand
    settings: LcmSettings
    site: Site
    _not_after: datetime | None = field(default=None, init=False)

    async def place(self, attempt: Attempt, contact: Contact) -> bool:
        """Note that it is being dialed, then dial. Whether a dialer took it, or may have.

        A failure leaves open whether something rang: the attempt is `unknown` and never dialed again.
        """
        dial = self._dial(contact)
        self._not_after = dial.not_after
        attempt = self.hand.change(attempt, AttemptState.DIALING, reason="ready")
        try:
            call = await self.site.make_call(attempt, dial)
        except Exception as error:  # noqa: BLE001  (whatever a dialer raises)
            self._in_doubt(attempt.id, error)
            return True
        except asyncio.CancelledError as error:
            self._in_doubt(attempt.id, error)
            raise
        if call is not None:
            self._placed(attempt.id, call)
        return call is not None

    async def settled(self) -> bool:
        """Whether the hand is free. A call in doubt is looked for at the dialers once its deadline is over.

        Not seen is no proof that nothing rang: the attempt stays `unknown`, shown and never dialed again,
        but the agent, who says to be ready, is free.
        """
        attempt = self.hand.attempt
        if attempt is None or attempt.state is not AttemptState.UNKNOWN:
            return not self.hand.busy
        await asyncio.sleep(self._seconds_left())
        for call in await self.site.found_calls(attempt.id):
            if call.state is not ConnectionState.NULL:
                self.hand.change(attempt, AttemptState.CALLING, calls=(call,), reason="found at the dialer")
                return False
        if self.hand.attempt is attempt:
            self.hand.attempt = None
        return not self.hand.busy

    def _seconds_left(self) -> float:
        if self._not_after is None:
            return 0
        return max(0.0, (self._not_after - self.hand.book.clock.now()).total_seconds())

    def _dial(self, contact: Contact) -> Dial:
        not_after = self.hand.book.clock.now() + timedelta(seconds=self.settings.dial_seconds)
        return Dial(
            to=contact.e164 or contact.phone_number,
            not_after=min(not_after, contact.expires_at) if contact.expires_at else not_after,
            caller_id=self.settings.caller_id,
            ring_seconds=self.settings.ring_seconds,
        )

    def _placed(self, attempt_id: str, call: Call) -> None:
        """The dialer took it. Events that came before know better."""
        attempt = self.hand.book.get(attempt_id)
        if attempt and attempt.state is AttemptState.DIALING:
            calls = attempt.calls or (call,)
            self.hand.change(attempt, AttemptState.CALLING, calls=calls, reason="placed")

    def _in_doubt(self, attempt_id: str, error: BaseException) -> None:
        attempt = self.hand.book.get(attempt_id)
        if attempt and attempt.state is AttemptState.DIALING:
            self.hand.change(attempt, AttemptState.UNKNOWN, reason=described(error))
            log.error("attempt %s: whether it rang is unknown: %s", attempt_id, described(error))


def calls_after(attempt: Attempt, event: CallEvent) -> tuple[Call, ...]:
    """The attempt's calls after this event; what concerns the agent's leg only leaves them as they are."""
    if event.party != "customer" and event.kind is not CallEventKind.CALL_CLEARED:
        return attempt.calls
    calls = {call.id: call for call in attempt.calls}
    first = Call(id=event.call_id, attempt_id=attempt.id, state=ConnectionState.INITIATED)
    call = calls.get(event.call_id, first)
    calls[call.id] = evolve(
        call,
        state=_CONNECTION.get(event.kind, call.state),
        q850=call.q850 if event.q850 is None else event.q850,
    )
    return tuple(calls.values())
