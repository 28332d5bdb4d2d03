"""What one agent has in hand: the open attempt, the next one, and each one's contact as it was fetched."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from attrs import define, field

from cti_hooks import Agent, Attempt, AttemptPlace, AttemptState, Contact
from lcm_plugin.attempt.expiry import has_expired
from lcm_plugin.attempt.transition import Transition
from lcm_plugin.attempt.transitions import AMENDED, EXPIRED, FETCHED, RELEASED
from lcm_plugin.ledger import IN_DOUBT, WAITING, Ledger


@define(eq=False)
class _Held:
    """An attempt in one place, and its contact as it was fetched."""

    attempt_id: str = ""
    fetched: Contact | None = None


@define(kw_only=True, eq=False)
class Hand:
    """One open attempt at the most, and one that comes next, which waits until the first is disposed of.

    Attributes:
        agent: the agent, as the host told last.
        arrived: the agent was told ready here, and nothing was looked for, or found in hand, since: what
            waits for them at another host comes along.
        may_wait: something of the agent's may wait in the ledger, which was not looked for since.
    """

    agent: Agent
    ledger: Ledger
    arrived: bool = field(default=False, init=False)
    may_wait: bool = field(default=True, init=False)
    _being_placed: bool = field(default=False, init=False)
    _now: _Held = field(factory=_Held, init=False)
    _next: _Held = field(factory=_Held, init=False)

    @property
    def attempt(self) -> Attempt | None:
        """The open attempt, as it is in the ledger by now."""
        return self.ledger.get_open(self._now.attempt_id)

    @property
    def next(self) -> Attempt | None:
        """The one that comes next, as it is in the ledger by now."""
        return self.ledger.get_open(self._next.attempt_id)

    @property
    def fetched(self) -> Contact | None:
        """The open attempt's contact as it came, and completed; the attempt's own may be enriched."""
        return self._now.fetched if self.attempt else None

    @property
    def busy(self) -> bool:
        """Whether a call is being placed, is up, or may be, or waits to be disposed of."""
        return self.attempt is not None and self.attempt.state in IN_DOUBT | {AttemptState.ENDED}

    @property
    def is_called(self) -> bool:
        """Whether a call is being placed, is up, or may be."""
        return self.attempt is not None and self.attempt.state in IN_DOUBT

    @property
    def has_ended(self) -> bool:
        """Whether a call is over, and waits to be disposed of."""
        return self.attempt is not None and self.attempt.state is AttemptState.ENDED

    def has(self, attempt_id: str) -> bool:
        """Whether it is the attempt in hand."""
        return self.attempt is not None and self._now.attempt_id == attempt_id

    def had(self, attempt_id: str) -> bool:
        """Whether it is the attempt in hand, or was before it was over."""
        return self._now.attempt_id == attempt_id

    def get(self, attempt_id: str) -> Attempt | None:
        """The open attempt of this id, in either place, as it is by now."""
        is_here = attempt_id in (self._now.attempt_id, self._next.attempt_id)
        return self.ledger.get_open(attempt_id) if is_here else None

    def is_next(self, attempt: Attempt) -> bool:
        """Whether it comes after another one still."""
        return self._next.attempt_id == attempt.id

    def told(self, agent: Agent, *, is_ready: bool) -> None:
        """The agent is as given from now on, and has come here if they are ready."""
        self.agent, self.arrived, self.may_wait = agent, is_ready, True

    def looked(self) -> None:
        """What the agent's arrival stood for is looked for, or found."""
        self.arrived = self.may_wait = False

    def lost(self) -> None:
        """What was in hand, or may have been, is anybody's now."""
        self.may_wait = True

    @contextmanager
    def placing(self) -> Iterator[None]:
        """While the dial is being recorded: the attempt is not released, nor does it expire, meanwhile."""
        self._being_placed = True
        try:
            yield
        finally:
            self._being_placed = False

    async def open(self, campaign_group: str) -> Attempt:
        """A new attempt, `requested`; or the one that was offered to this agent before, taken up again.

        While a call waits to be disposed of, it is the next one.

        Raises:
            LedgerError: another host has the agent's open attempt, or nothing can be recorded now.
        """
        place = AttemptPlace.NEXT if self.has_ended else AttemptPlace.NOW
        attempt = await self.ledger.open(self.agent, campaign_group, arrived=self.arrived, place=place)
        self.looked()
        return self.hold(attempt)

    async def take_up(self) -> None:
        """Take up the agent's attempt that nobody holds, if there is one.

        Raises:
            LedgerError: another host has the agent's open attempt, or nothing can be recorded now.
        """
        attempt = await self.ledger.take_up(self.agent, arrived=self.arrived)
        self.may_wait = False
        if attempt:
            self.looked()
            self.hold(attempt)

    async def skipped_before(self, seconds: float) -> list[Attempt]:
        """The agent's attempts skipped so long ago, whose contact is still reserved."""
        now = self.ledger.now()
        return await self.ledger.skipped(self.agent, now - timedelta(seconds=seconds), now)

    def hold(self, attempt: Attempt) -> Attempt:
        """This one from now on, with its contact as it is."""
        held = _Held(attempt.id, attempt.contact)
        if attempt.place is AttemptPlace.NEXT:
            self._next = held
            return attempt
        self._now = held
        if self.is_next(attempt):
            self._next = _Held()
        return attempt

    def promoted(self, attempt: Attempt) -> None:
        """If it is the next one, and comes next no more: the agent has to do with it from now on."""
        if self.is_next(attempt) and attempt.place is AttemptPlace.NOW:
            self._now, self._next = self._next, _Held()

    def fetched_for(self, attempt: Attempt) -> Contact | None:
        """The contact of an attempt in either place, as it came, and completed."""
        return self._next.fetched if self.is_next(attempt) else self.fetched

    def complete(self, attempt: Attempt, contact: Contact) -> None:
        """More is known of the contact that was fetched."""
        (self._next if self.is_next(attempt) else self._now).fetched = contact

    def held(self) -> Attempt | None:
        """The open attempt, if it is offered; one whose contact has expired is closed."""
        attempt = self.attempt
        if attempt is None or attempt.state is not AttemptState.OFFERED or self.fetched is None:
            return None
        if self._being_placed or not has_expired(self.fetched.expires_at, self.ledger.now()):
            return attempt
        self.put_down(attempt, EXPIRED, reason="the contact expired while it was held")
        return None

    def held_as(self, attempt_id: str) -> Attempt | None:
        """As `held`, if it is this attempt."""
        attempt = self.held()
        return attempt if attempt and attempt.id == attempt_id else None

    def take(self, attempt: Attempt, contact: Contact) -> Attempt:
        """Hold this contact from now on."""
        group = contact.campaign_group or attempt.campaign_group
        changed = self.change(attempt, FETCHED, contact=contact, campaign_group=group, reason="fetched")
        self.complete(changed, contact)
        return changed

    def amend(self, attempt: Attempt, contact: Contact, reason: str) -> Attempt:
        """The offer's contact is this one from now on."""
        self.complete(attempt, contact)
        return self.change(attempt, AMENDED, contact=contact, reason=reason)

    def change(self, attempt: Attempt, transition: Transition, **facts: Any) -> Attempt:
        """The open attempt after this transition."""
        changed = self.ledger.change(attempt, transition, **facts)
        if not self.is_next(changed):
            self._now.attempt_id = changed.id
        return changed

    def put_down(self, attempt: Attempt, transition: Transition, **facts: Any) -> Attempt | None:
        """Close this one, if it is open: it is in hand no more. The attempt as it is then."""
        known = self.ledger.get_open(attempt.id)
        return self.ledger.change(known, transition, **facts) if known else None

    def let_go(self, reason: str) -> None:
        """Leave what waits for a person, and what comes next, to whichever host its agent comes to."""
        for attempt in (self.attempt, self.next):
            if attempt and attempt.state in WAITING and not self._being_placed:
                self.ledger.release(self.change(attempt, RELEASED, reason=reason))
                self.may_wait = True
