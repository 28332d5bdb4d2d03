"""What can go wrong with the LCM, told apart by what the caller does next.

What each failure means for each kind of request: docs/architecture.md#what-a-failure-means.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from cti_hooks import DeclinedError, Refusal


class Fault(StrEnum):
    """How a request failed."""

    NOT_SENT = "not_sent"
    """Refused, DNS, TLS, no free connection: the LCM cannot have seen it."""
    BUSY = "busy"
    """429 or 503: the LCM said that it did not do it."""
    NO_ANSWER = "no_answer"
    """Sent, and no usable answer came: reset, time-out, 5xx, broken JSON, wrong subtopic."""
    UNUSABLE = "unusable"
    """Answered in the LCM's shape, but the contact has no key or no number."""
    REDIRECTED = "redirected"
    """3xx; not followed."""
    REJECTED = "rejected"
    """4xx, an error reply, or a failure reason without contacts."""


LONGEST_WAIT: Final = 60.0
"""Seconds: a gateway that asks for more is asked again all the same, or it would silence agents for days."""


class LcmError(Exception):
    """The LCM did not do what was asked. The text never holds a phone number.

    Attributes:
        fault: how it failed.
        agent_id, attempt_id: for whom; empty if unknown.
        status: the HTTP status, if there was one.
        retry_after: seconds the LCM asked to wait, if it did, 60 at the most.
    """

    def __init__(  # noqa: PLR0913  (keyword-only facts, none of them needed)
        self,
        text: str,
        *,
        fault: Fault,
        agent_id: str = "",
        attempt_id: str = "",
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(text)
        self.fault = fault
        self.agent_id = agent_id
        self.attempt_id = attempt_id
        self.status = status
        self.retry_after = None if retry_after is None else min(retry_after, LONGEST_WAIT)

    def __str__(self) -> str:
        facts = {"agent": self.agent_id, "attempt": self.attempt_id}
        told = ", ".join(f"{name} {value}" for name, value in facts.items() if value)
        return f"{self.args[0]} ({told})" if told else str(self.args[0])


class LcmUnavailable(LcmError):
    """The LCM could not be reached or did not answer; worth another try."""


class LcmRejected(LcmError):
    """The LCM said no; the same request will be refused again."""


class LcmBadReply(LcmError):
    """The LCM answered, but not in its documented shape."""


class LcmConfigError(LcmError):
    """The LCM cannot be asked with these settings: a missing secret, an unreadable certificate."""


class ConflictError(DeclinedError, RuntimeError):
    """What is asked for does not go with how things stand; the text says what would. Nothing was done.

    Attributes:
        refusals: if rules said no, each rule's refusal.
    """

    def __init__(self, text: str, refusals: Sequence[Refusal] = ()) -> None:
        super().__init__(text)
        self.refusals = tuple(refusals)


class InvalidError(DeclinedError, ValueError):
    """What is asked for cannot be right. Nothing was done.

    Attributes:
        errors: one for each wrong field: `field` and `detail`, which says what would be right.
    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {detail}" for field, detail in errors.items()))
        self.errors = [{"field": field, "detail": detail} for field, detail in errors.items()]
