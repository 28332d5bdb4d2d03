"""What one agent has in hand: the open attempt, and its contact as it was fetched."""

from attrs import define

from cti_hooks import Agent, Attempt, AttemptState, Contact
from lcm_plugin.desk.book import LIVE, Book


@define(kw_only=True, eq=False)
class Hand:
    """One open attempt at the most.

    Attributes:
        agent: the agent, as the host told last.
        attempt: the open attempt, or None.
        fetched: its contact as it came; the attempt's own may be enriched.
    """

    agent: Agent
    book: Book
    attempt: Attempt | None = None
    fetched: Contact | None = None

    @property
    def busy(self) -> bool:
        """Whether a call is being placed, is up, or may be."""
        return self.attempt is not None and self.attempt.state in LIVE | {AttemptState.UNKNOWN}

    def held(self) -> Attempt | None:
        """The open attempt, if it is offered; one whose contact has expired is closed."""
        attempt = self.attempt
        if attempt is None or attempt.state is not AttemptState.OFFERED or self.fetched is None:
            return None
        expires_at = self.fetched.expires_at
        if expires_at is None or expires_at > self.book.clock.now():
            return attempt
        self.put_down(AttemptState.EXPIRED, reason="the contact expired while it was held")
        return None

    def take(self, attempt: Attempt, contact: Contact) -> Attempt:
        """Hold this contact from now on."""
        self.fetched = contact
        group = contact.campaign_group or attempt.campaign_group
        return self.change(
            attempt, AttemptState.OFFERED, contact=contact, campaign_group=group, reason="fetched"
        )

    def change(self, attempt: Attempt, state: AttemptState, **facts: object) -> Attempt:
        """The open attempt in its new state."""
        self.attempt = self.book.change(attempt, state, **facts)
        return self.attempt

    def put_down(self, state: AttemptState, **facts: object) -> None:
        """Close the open attempt: nothing is in hand any more."""
        attempt, self.attempt, self.fetched = self.attempt, None, None
        if attempt:
            self.book.change(attempt, state, **facts)
