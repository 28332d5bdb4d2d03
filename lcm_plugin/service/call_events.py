"""The body of `POST /v1/call-events`: CallEvent's fields, strictly read."""

from datetime import datetime
from typing import Literal

from attrs import field, frozen
from attrs.validators import ge, le, min_len, optional

from cti_hooks import CallEvent, CallEventKind


@frozen(kw_only=True)
class CallEventTold:
    """A call event as a site's dialer tells it; `at` is an ISO 8601 instant with its offset."""

    kind: CallEventKind
    call_id: str = field(validator=min_len(1))
    at: str
    attempt_id: str | None = None
    party: Literal["customer", "agent"] = "customer"
    q850: int | None = field(default=None, validator=optional((ge(0), le(127))))
    sip_status: int | None = field(default=None, validator=optional((ge(100), le(699))))
    text: str | None = None
    related_call_ids: tuple[str, ...] = ()

    def event(self) -> CallEvent:
        """The event.

        Raises:
            ValueError: `at` is no instant, or has no offset.
        """
        try:
            at = datetime.fromisoformat(self.at)
        except ValueError:
            raise ValueError("at: must be an instant: 2024-01-30T15:00:00+00:00") from None
        return CallEvent(
            kind=self.kind,
            call_id=self.call_id,
            at=at,
            attempt_id=self.attempt_id,
            party=self.party,
            q850=self.q850,
            sip_status=self.sip_status,
            text=self.text,
            related_call_ids=self.related_call_ids,
        )
