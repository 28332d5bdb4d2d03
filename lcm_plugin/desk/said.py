"""What a person says to an offer."""

from datetime import datetime
from typing import Any

from attrs import field, frozen

from cti_hooks import AnswerKind


@frozen(kw_only=True)
class Said:
    """An answer. `mode_id` is another of the contact's numbers to call; `reason` an outcome id with CLOSE."""

    answer: AnswerKind = field(converter=AnswerKind)
    actor: str
    reason: str | None = None
    mode_id: str | None = None

    def told(self, at: datetime) -> dict[str, Any]:
        """What the attempt keeps of it."""
        return {"answer": self.answer, "actor": self.actor, "answered_at": at}
