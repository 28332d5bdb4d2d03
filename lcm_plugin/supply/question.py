"""A question that an agent is granted, and what came of it."""

from enum import StrEnum

from attrs import frozen


class Kind(StrEnum):
    """What is asked for."""

    RESERVED = "reserved"
    """What the LCM has reserved for this agent, personal callbacks among it."""
    FRESH = "fresh"
    """A campaign group's next contact."""


@frozen(kw_only=True)
class Question:
    """One question of one agent.

    Attributes:
        group: the campaign group; empty if the question names none.
        own: whether it is asked on the agent's own account, whatever is known of the group.
    """

    kind: Kind
    group: str
    own: bool = False


class Answer(StrEnum):
    """What came of a question."""

    CONTACT = "contact"
    NOTHING = "nothing"
    FAILED = "failed"
    """The LCM as a whole did not answer, or too late."""
    REFUSED = "refused"
    """It failed for this agent alone."""
    NOT_ASKED = "not_asked"
    """The agent wanted nothing any more, or may not ask."""
