"""From the hand to the dialer: one `make_call` for each attempt, whatever comes of it."""

import asyncio
import logging
from datetime import timedelta
from typing import Any, Final

from attrs import define, evolve

from cti_hooks import (
    Attempt,
    AttemptState,
    Call,
    Contact,
    Dial,
    NotPlacedError,
    Refusal,
    described,
    masked_text,
)
from lcm_plugin.attempt.keys import Again
from lcm_plugin.attempt.transitions import DOUBTED, PLACED
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.barred import bar_refusal
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.site import Site
from lcm_plugin.ledger import GONE, BarredError, KeyTakenError

log = logging.getLogger("lcm_plugin.desk")

NO_DIALER: Final = "no dialer took the call"


@define(kw_only=True, eq=False)
class Dialing:
    """Places the calls of one agent."""

    hand: Hand
    settings: LcmSettings
    site: Site

    async def intended(
        self, attempt: Attempt, *, contact: Contact | None = None, by_person: bool = False, **facts: Any
    ) -> tuple[Attempt, Dial] | Refusal:
        """Record that it is being dialed, before anything is; or why it may not be.

        Raises:
            KeyTakenError: another attempt has its key, or dialed it.
            DialingStoppedError: nothing may be placed now.
            LedgerError: it is not this host's any more, or nothing can be recorded now.
        """
        called = contact or attempt.contact
        if called is None or _number(called) == GONE:
            return Refusal(rule="no_contact", reason="there is nobody to call")
        dial = await self._dial(called)
        facts |= {"not_after": dial.not_after, "backends": self.site.dialers, "contact": called}
        try:
            with self.hand.placing():
                recorded = await self.hand.ledger.dial(attempt, by_person=by_person, **facts)
        except BarredError as error:
            return bar_refusal(error.bar)
        return recorded, dial

    async def place(self, attempt: Attempt, dial: Dial) -> str:
        """Dial. Why surely nothing was placed; empty if a dialer took it, or may have.

        A failure leaves open whether something rang: the attempt is `unknown` and never dialed again.
        """
        try:
            call = await self.site.make_call(attempt, dial)
        except NotPlacedError as error:
            return f"{NO_DIALER}: {masked_text(str(error))}"
        except Exception as error:  # noqa: BLE001  (whatever a dialer raises)
            self._in_doubt(attempt.id, error)
            return ""
        except asyncio.CancelledError as error:
            self._in_doubt(attempt.id, error)
            raise
        if call is None:
            return NO_DIALER
        self._placed(attempt.id, call)
        return ""

    async def _dial(self, contact: Contact) -> Dial:
        """The deadline is within our lease: nothing is placed once another host may have taken over."""
        seconds = await self.hand.ledger.held_for(self.settings.dial_seconds)
        not_after = self.hand.ledger.clock.now() + timedelta(seconds=seconds)
        return Dial(
            to=_number(contact),
            not_after=min(not_after, contact.expires_at) if contact.expires_at else not_after,
            caller_id=self.settings.caller_ids.get(contact.campaign, self.settings.caller_id),
            ring_seconds=self.settings.ring_seconds,
        )

    def _placed(self, attempt_id: str, call: Call) -> None:
        """The dialer took it. Events that came before know better, but not by which engine."""
        attempt = self.hand.ledger.get_open(attempt_id)
        if attempt and attempt.state is AttemptState.DIALING:
            calls = tuple(evolve(seen, engine=call.engine) for seen in attempt.calls) or (call,)
            self.hand.change(attempt, PLACED, calls=calls, reason="placed")

    def _in_doubt(self, attempt_id: str, error: BaseException) -> None:
        attempt = self.hand.ledger.get_open(attempt_id)
        if attempt and attempt.state is AttemptState.DIALING:
            self.hand.change(attempt, DOUBTED, reason=described(error))
            log.error("attempt %s: whether it rang is unknown: %s", attempt_id, described(error))


def _number(contact: Contact) -> str:
    return contact.e164 or contact.phone_number


def key_taken(error: KeyTakenError) -> Refusal:
    """Why a key that comes again is not called: another attempt has it, or dialed it."""
    evidence = {"attempt": error.attempt_id, "agent": error.agent_id, "state": error.state}
    if error.again is Again.ELSEWHERE:
        reason = f"agent {error.agent_id} holds this contact"
        return Refusal(rule="open_elsewhere", reason=reason, evidence=evidence)
    reason = f"this key was dialed before and is {error.state}"
    return Refusal(rule="dialed_before", reason=reason, evidence=evidence)
