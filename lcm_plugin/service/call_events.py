"""The body of `POST /v1/call-events`: CallEvent's fields, strictly read."""

from datetime import datetime
from http import HTTPStatus
from typing import Final, Literal

from attrs import field, frozen
from attrs.validators import deep_iterable, ge, le, max_len, min_len, optional

from cti_hooks import AnsweredBy, Attempt, CallEvent, CallEventKind, ConfigError, Host, ToldByEvents
from lcm_plugin.plugin import lcm_of
from lcm_plugin.service.problems import ProblemError

CALLS: Final = 32
"""Calls of one attempt, all its legs and transfers."""
_SCHEMA: Final = {"schema": {"minLength": 1, "maxLength": 200}}


@frozen(kw_only=True)
class CallEventTold:
    """A call event as a site's dialer tells it; `at` is an ISO 8601 instant with its offset."""

    kind: CallEventKind
    call_id: str = field(validator=[min_len(1), max_len(200)], metadata=_SCHEMA)
    at: str
    attempt_id: str | None = None
    party: Literal["customer", "agent"] = "customer"
    q850: int | None = field(default=None, validator=optional((ge(0), le(127))))
    sip_status: int | None = field(default=None, validator=optional((ge(100), le(699))))
    text: str | None = field(default=None, validator=optional(max_len(500)))
    answered_by: AnsweredBy | None = None
    related_call_ids: tuple[str, ...] = field(default=(), validator=deep_iterable(max_len(200), max_len(16)))

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
            answered_by=self.answered_by,
        )


def refuse_strange(host: Host, event: CallEvent, *, signed: bool) -> None:
    """Look whether an event may be of the attempt it names, if this host has that one open.

    Raises:
        ProblemError: 403, it is signed, and no dialer is told of this attempt; 409, one call too many.
    """
    attempt = _open(host, event)
    if attempt is None:  # the dialers know whose it is
        return
    if signed and not any(_is_told_of(plugin, attempt) for plugin in host.plugins.values()):
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "this attempt's dialer is not told by signed events; who shows the token may tell of any",
        )
    if len(attempt.calls) >= CALLS and event.call_id not in {call.id for call in attempt.calls}:
        raise ProblemError(HTTPStatus.CONFLICT, f"its attempt has {CALLS} calls, which is all it may have")


def _open(host: Host, event: CallEvent) -> Attempt | None:
    try:
        return lcm_of(host).desks.ledger.get_open(event.attempt_id, event.call_id)
    except ConfigError:  # a host without attempts
        return None


def _is_told_of(plugin: object, attempt: Attempt) -> bool:
    return isinstance(plugin, ToldByEvents) and plugin.is_told_of(attempt)
