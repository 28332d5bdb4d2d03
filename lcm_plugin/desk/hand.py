"""What one agent has in hand: the open attempt, and its contact as it was fetched."""

from datetime import timedelta
from typing import Any

from attrs import define

from cti_hooks import Agent, Attempt, AttemptState, Contact
from lcm_plugin.attempt.expiry import has_expired
from lcm_plugin.attempt.transitions import EXPIRED, FETCHED, RELEASED, Transition
from lcm_plugin.ledger import IN_DOUBT, OPEN, WAITING, Ledger


@define(kw_only=True, eq=False)
class Hand:
    """One open attempt at the most.

    Attributes:
        agent: the agent, as the host told last.
        attempt: the open attempt, or None.
        fetched: its contact as it came; the attempt's own may be enriched.
        arrived: the agent was told ready here, and nothing was looked for, or found in hand, since: what
            waits for them at another host comes along.
        placing: True while the dial is being recorded; the attempt must not be released meanwhile.
    """

    agent: Agent
    ledger: Ledger
    attempt: Attempt | None = None
    fetched: Contact | None = None
    arrived: bool = False
    placing: bool = False

    @property
    def busy(self) -> bool:
        """Whether a call is being placed, is up, or may be, or waits to be disposed of."""
        return self.attempt is not None and self.attempt.state in IN_DOUBT | {AttemptState.ENDED}

    @property
    def is_called(self) -> bool:
        """Whether a call is being placed, is up, or may be."""
        return self.attempt is not None and self.attempt.state in IN_DOUBT

    def held_before(self, attempt: Attempt) -> bool:
        """Whether this attempt was offered here until now."""
        return (
            self.attempt is not None and self.has(attempt.id) and self.attempt.state is AttemptState.OFFERED
        )

    def has(self, attempt_id: str) -> bool:
        """Whether it is the attempt in hand."""
        return self.attempt is not None and self.attempt.id == attempt_id

    async def open(self, campaign_group: str) -> Attempt:
        """A new attempt, `requested`; or the one that was offered to this agent before, taken up again.

        Raises:
            LedgerError: another host has the agent's open attempt, or nothing can be recorded now.
        """
        self.attempt = await self.ledger.open(self.agent, campaign_group, arrived=self.arrived)
        self.arrived = False
        self.fetched = self.attempt.contact
        return self.attempt

    async def take_up(self) -> None:
        """Take up the agent's attempt that nobody holds, if there is one.

        Raises:
            LedgerError: another host has the agent's open attempt, or nothing can be recorded now.
        """
        if attempt := await self.ledger.take_up(self.agent, arrived=self.arrived):
            self.arrived = False
            self.keep(attempt)

    async def skipped_before(self, seconds: float) -> list[Attempt]:
        """The agent's attempts skipped so long ago, whose contact is still reserved."""
        now = self.ledger.now()
        return await self.ledger.skipped(self.agent, now - timedelta(seconds=seconds), now)

    def keep(self, attempt: Attempt) -> Attempt:
        """The attempt in hand, as it is now; once it is closed there is nothing in hand."""
        self.attempt, self.fetched = attempt, self.fetched or attempt.contact
        if attempt.state not in OPEN:
            self.attempt = self.fetched = None
        return attempt

    def held(self) -> Attempt | None:
        """The open attempt, if it is offered; one whose contact has expired is closed."""
        attempt = self.attempt
        if attempt is None or attempt.state is not AttemptState.OFFERED or self.fetched is None:
            return None
        if self.placing or not has_expired(self.fetched.expires_at, self.ledger.now()):
            return attempt
        self.put_down(EXPIRED, reason="the contact expired while it was held")
        return None

    def held_as(self, attempt_id: str) -> Attempt | None:
        """As `held`, if it is this attempt."""
        attempt = self.held()
        return attempt if attempt and attempt.id == attempt_id else None

    def take(self, attempt: Attempt, contact: Contact) -> Attempt:
        """Hold this contact from now on."""
        self.fetched = contact
        group = contact.campaign_group or attempt.campaign_group
        return self.change(attempt, FETCHED, contact=contact, campaign_group=group, reason="fetched")

    def change(self, attempt: Attempt, transition: Transition, **facts: Any) -> Attempt:
        """The open attempt after this transition."""
        self.attempt = self.ledger.change(attempt, transition, **facts)
        return self.attempt

    def put_down(self, transition: Transition, **facts: Any) -> Attempt | None:
        """Close the open attempt: nothing is in hand any more. The attempt as it is then.

        It is in hand until that is announced, so that its desk knows what has ended, and goes on.
        """
        if self.attempt is None:
            return None
        closed = self.ledger.change(self.attempt, transition, **facts)
        if self.attempt and self.attempt.id == closed.id:
            self.attempt = self.fetched = None
        return closed

    def let_go(self, reason: str) -> None:
        """Leave what waits for a person to whichever host its agent comes to."""
        if self.attempt and self.attempt.state in WAITING and not self.placing:
            attempt = self.change(self.attempt, RELEASED, reason=reason)
            self.ledger.release(attempt)
            self.attempt = self.fetched = None

    def lose(self, attempt: Attempt) -> None:
        """Another host has it; a call in progress is watched for as long as the ledger does so."""
        if self.attempt and self.attempt.id == attempt.id and self.ledger.get_open(attempt.id) is None:
            self.attempt = self.fetched = None
