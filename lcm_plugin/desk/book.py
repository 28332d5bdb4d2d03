"""The attempts of this process: what DESIGN 5 keeps in the ledger, in memory until there is one.

Each change is noted here before the side effect it stands for, and announced in order. A restart forgets all.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

import attrs
from attrs import define, field

from cti_hooks import Agent, Attempt, AttemptState, Clock, Contact, Refusal
from lcm_plugin.desk.ids import new_attempt_id

KEPT: Final = timedelta(hours=24)
"""How long a key that was dialed is remembered; a key is per delivery, so it has no reason to come back."""

LIVE: Final = frozenset({AttemptState.DIALING, AttemptState.CALLING})
"""A call is being placed or is up."""
DIALED: Final = LIVE | {AttemptState.UNKNOWN, AttemptState.ENDED, AttemptState.DISPOSED, AttemptState.CLOSED}
"""Never dialed again by software."""
_IN_THE_WAY: Final = DIALED | {AttemptState.OFFERED}


@define(kw_only=True)
class Book:
    """All attempts, by id, and the one each LCM key was dialed or is open in."""

    clock: Clock
    random: Random
    announce: Callable[[Attempt], None]
    _attempts: dict[str, Attempt] = field(factory=dict, init=False)
    _by_key: dict[str, str] = field(factory=dict, init=False)
    _by_call: dict[str, str] = field(factory=dict, init=False)

    def open(self, agent: Agent, campaign_group: str = "") -> Attempt:
        """A new attempt, `requested`, before the first byte leaves."""
        now = self.clock.now()
        self._forget(now)
        attempt = Attempt(
            id=new_attempt_id(now, self.random),
            agent=agent,
            contact=None,
            state=AttemptState.REQUESTED,
            campaign_group=campaign_group,
            opened_at=now,
            changed_at=now,
        )
        return self._note(attempt)

    def change(self, attempt: Attempt, state: AttemptState, **facts: Any) -> Attempt:
        """The attempt in its new state."""
        return self._note(attrs.evolve(attempt, state=state, changed_at=self.clock.now(), **facts))

    def get(self, attempt_id: str) -> Attempt | None:
        """The attempt as it is now."""
        return self._attempts.get(attempt_id)

    def of_call(self, attempt_id: str | None, call_id: str) -> Attempt | None:
        """The attempt a call event is about."""
        return self._attempts.get(attempt_id or self._by_call.get(call_id, ""))

    def objection(self, agent: Agent, attempt: Attempt, contact: Contact) -> Refusal | None:
        """Why this key may not be dialed (DESIGN 5, a key that comes again)."""
        before = self._attempts.get(self._by_key.get(contact.key, ""))
        if before is None or before.id == attempt.id:
            return None
        if before.state in DIALED:
            return Refusal(
                rule="dialed_before",
                reason=f"this key was dialed before and is {before.state}",
                evidence={"attempt": before.id, "agent": before.agent.id},
            )
        if before.state is AttemptState.OFFERED and before.agent.id != agent.id:
            return Refusal(
                rule="open_elsewhere",
                reason=f"agent {before.agent.id} holds this contact",
                evidence={"attempt": before.id, "agent": before.agent.id},
            )
        return None

    def _note(self, attempt: Attempt) -> Attempt:
        self._attempts[attempt.id] = attempt
        if attempt.contact:
            self._note_key(attempt, attempt.contact.key)
        for call in attempt.calls:
            self._by_call[call.id] = attempt.id
        self.announce(attempt)
        if attempt.state is AttemptState.EMPTY:
            del self._attempts[attempt.id]
        return attempt

    def _note_key(self, attempt: Attempt, key: str) -> None:
        before = self._attempts.get(self._by_key.get(key, ""))
        if attempt.state in DIALED or before is None or before.state not in _IN_THE_WAY:
            self._by_key[key] = attempt.id

    def _forget(self, now: datetime) -> None:
        """Drop what is old, oldest first."""
        while self._attempts:
            oldest = next(iter(self._attempts.values()))
            if (oldest.changed_at or oldest.opened_at) > now - KEPT or oldest.state in LIVE:
                return
            del self._attempts[oldest.id]
            for call in oldest.calls:
                self._by_call.pop(call.id, None)
            if oldest.contact and self._by_key.get(oldest.contact.key) == oldest.id:
                del self._by_key[oldest.contact.key]
