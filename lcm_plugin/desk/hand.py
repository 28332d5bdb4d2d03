"""What one agent has in hand: the open attempt, and its contact as it was fetched."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from attrs import define, field

from cti_hooks import Agent, Attempt, AttemptState, Contact
from lcm_plugin.attempt.expiry import has_expired
from lcm_plugin.attempt.transition import Transition
from lcm_plugin.attempt.transitions import AMENDED, EXPIRED, FETCHED, RELEASED
from lcm_plugin.ledger import IN_DOUBT, WAITING, Ledger


@define(kw_only=True, eq=False)
class Hand:
    """One open attempt at the most.

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
    _attempt_id: str = field(default="", init=False)
    _fetched: Contact | None = field(default=None, init=False)

    @property
    def attempt(self) -> Attempt | None:
        """The open attempt, as it is in the ledger by now."""
        return self.ledger.get_open(self._attempt_id)

    @property
    def fetched(self) -> Contact | None:
        """Its contact as it came, and completed; the attempt's own may be enriched."""
        return self._fetched if self.attempt else None

    @property
    def busy(self) -> bool:
        """Whether a call is being placed, is up, or may be, or waits to be disposed of."""
        return self.attempt is not None and self.attempt.state in IN_DOUBT | {AttemptState.ENDED}

    @property
    def is_called(self) -> bool:
        """Whether a call is being placed, is up, or may be."""
        return self.attempt is not None and self.attempt.state in IN_DOUBT

    def has(self, attempt_id: str) -> bool:
        """Whether it is the attempt in hand."""
        return self.attempt is not None and self._attempt_id == attempt_id

    def had(self, attempt_id: str) -> bool:
        """Whether it is the attempt in hand, or was before it was over."""
        return self._attempt_id == attempt_id

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

        Raises:
            LedgerError: another host has the agent's open attempt, or nothing can be recorded now.
        """
        attempt = await self.ledger.open(self.agent, campaign_group, arrived=self.arrived)
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
        self._attempt_id, self._fetched = attempt.id, attempt.contact
        return attempt

    def complete(self, contact: Contact) -> None:
        """More is known of the contact that was fetched."""
        self._fetched = contact

    def held(self) -> Attempt | None:
        """The open attempt, if it is offered; one whose contact has expired is closed."""
        attempt = self.attempt
        if attempt is None or attempt.state is not AttemptState.OFFERED or self.fetched is None:
            return None
        if self._being_placed or not has_expired(self.fetched.expires_at, self.ledger.now()):
            return attempt
        self.put_down(EXPIRED, reason="the contact expired while it was held")
        return None

    def held_as(self, attempt_id: str) -> Attempt | None:
        """As `held`, if it is this attempt."""
        attempt = self.held()
        return attempt if attempt and attempt.id == attempt_id else None

    def take(self, attempt: Attempt, contact: Contact) -> Attempt:
        """Hold this contact from now on."""
        group = contact.campaign_group or attempt.campaign_group
        changed = self.change(attempt, FETCHED, contact=contact, campaign_group=group, reason="fetched")
        self._fetched = contact
        return changed

    def amend(self, attempt: Attempt, contact: Contact, reason: str) -> Attempt:
        """The offer's contact is this one from now on."""
        self._fetched = contact
        return self.change(attempt, AMENDED, contact=contact, reason=reason)

    def change(self, attempt: Attempt, transition: Transition, **facts: Any) -> Attempt:
        """The open attempt after this transition."""
        changed = self.ledger.change(attempt, transition, **facts)
        self._attempt_id = changed.id
        return changed

    def put_down(self, transition: Transition, **facts: Any) -> Attempt | None:
        """Close the open attempt: nothing is in hand any more. The attempt as it is then."""
        attempt = self.attempt
        return self.ledger.change(attempt, transition, **facts) if attempt else None

    def let_go(self, reason: str) -> None:
        """Leave what waits for a person to whichever host its agent comes to."""
        attempt = self.attempt
        if attempt and attempt.state in WAITING and not self._being_placed:
            self.ledger.release(self.change(attempt, RELEASED, reason=reason))
            self.may_wait = True
