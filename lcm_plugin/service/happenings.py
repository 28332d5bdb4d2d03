"""What `GET /v1/events` tells: an event is a class here, and its fields are what is told."""

from datetime import datetime
from typing import ClassVar, Final

from attrs import field, frozen

from cti_hooks import ActivityKind, AgentState, Attempt, CallEvent
from cti_hooks.masking import masked_repr


@frozen(kw_only=True)
class AgentStateTold:
    """An agent's state was told, by the site or the agent."""

    event: ClassVar[str] = "agent_state"
    agent: str
    """Whose, by the host's id."""
    state: AgentState
    reason: str | None
    """The pause code, if one was told."""


@frozen(kw_only=True)
class AgentActivityTold:
    """What an agent is doing has changed, or why they have nothing to do."""

    event: ClassVar[str] = "agent_activity"
    agent: str
    """Whose, by the host's id."""
    activity: ActivityKind
    since: datetime
    """Since when they do that."""
    wants: bool
    """Whether they want a contact now."""
    waits_for: str = field(repr=masked_repr)
    """Why they get none, in one sentence; empty if they have one."""


@frozen(kw_only=True)
class ContactOffered:
    """A contact is on an agent's screen; by host or plugin it may be shown again."""

    event: ClassVar[str] = "contact_offered"
    attempt: Attempt


@frozen(kw_only=True)
class AttemptChanged:
    """An attempt has changed: its state, its calls, what was said of it."""

    event: ClassVar[str] = "attempt_changed"
    attempt: Attempt
    """As it is now."""


@frozen(kw_only=True)
class CallbackDue:
    """An agent's own callback starts now."""

    event: ClassVar[str] = "callback_due"
    agent: str
    """Whose, by the host's id."""
    at: datetime


@frozen(kw_only=True)
class CallHeard:
    """A dialer told something of a call."""

    event: ClassVar[str] = "call_event"
    call: CallEvent


Happening = AgentStateTold | AgentActivityTold | ContactOffered | AttemptChanged | CallbackDue | CallHeard
HAPPENINGS: Final = (
    AgentStateTold, AgentActivityTold, ContactOffered, AttemptChanged, CallbackDue, CallHeard,
)  # fmt: skip
