"""Caps on calls: how many of one kind within a span of time, and when the next one is allowed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from attrs import field, frozen

from cti_hooks import Check, Contact, Outcome, PastCall, counts_as_attempt
from lcm_plugin.policies.exemptions import Exemption, exemptions, said
from lcm_plugin.policies.limits import Limits

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)


class Whom(StrEnum):
    """Whose calls are counted."""

    NUMBER = "number"
    CONTACT = "contact"


class Measure(StrEnum):
    """Which calls are counted, and by which instant."""

    ATTEMPTS = "attempts"
    """Whatever may have rung, from when it was dialed."""
    PAUSES = "pauses"
    """The same, from when it ended."""
    CONVERSATIONS = "conversations"
    ABANDONED = "abandoned"


_OUTCOMES: Final = {Measure.CONVERSATIONS: Outcome.ANSWERED, Measure.ABANDONED: Outcome.ABANDONED}


@frozen(kw_only=True)
class Basis:
    """What a cap is based on; in force from `effective` until before `expires`, by the date in UTC."""

    rule: str
    evidence: Mapping[str, Any] = field(factory=dict)
    effective: date = date.min
    expires: date = date.max

    def in_force(self, moment: datetime) -> bool:
        """Whether it is."""
        return self.effective <= moment.astimezone(UTC).date() < self.expires

    def turns(self) -> set[datetime]:
        """When it comes into force, and goes out of it."""
        return {datetime.combine(day, time(), UTC) for day in (self.effective, self.expires)}


@frozen(kw_only=True)
class Cap:
    """At most `limit` calls of a kind within any `span`."""

    rule: str
    whom: Whom
    kind: Measure
    limit: int
    span: timedelta
    basis: Basis
    lifted_for: timedelta = timedelta()
    """How long after a conversation it does not hold."""
    exempt: Exemption | None = None
    """Why it does not hold for this contact at all."""

    def instants(self, calls: Iterable[PastCall]) -> list[datetime]:
        """When the calls that count were, latest first.

        One later than the moment asked about counts too: another host's clock may be ahead.
        """
        return sorted((self._instant(call) for call in calls if self._counts(call)), reverse=True)

    def free_again(self, calls: Iterable[PastCall]) -> datetime | None:
        """The instant from which on one more call is within the cap; None: it always was."""
        instants = self.instants(calls)
        return instants[self.limit - 1] + self.span if len(instants) >= self.limit else None

    def allows(self, calls: Iterable[PastCall], moment: datetime) -> bool:
        """Whether one more call is within the cap."""
        free = self.free_again(calls)
        return (
            free is None
            or free <= moment
            or not self.basis.in_force(moment)
            or self.exempt is not None
            or self.is_lifted(calls, moment)
        )

    def is_lifted(self, calls: Iterable[PastCall], moment: datetime) -> bool:
        """Whether a conversation was so lately that the cap does not hold."""
        return bool(self.lifted_for) and any(
            self._is_of(call)
            and call.outcome is Outcome.ANSWERED
            and moment < (call.ended_at or call.at) + self.lifted_for
            for call in calls
        )

    def _is_of(self, call: PastCall) -> bool:
        return call.same_number if self.whom is Whom.NUMBER else call.same_contact

    def _counts(self, call: PastCall) -> bool:
        if not self._is_of(call):
            return False
        wanted = _OUTCOMES.get(self.kind)
        return call.outcome is wanted if wanted else counts_as_attempt(call.outcome)

    def _instant(self, call: PastCall) -> datetime:
        return call.at if self.kind is Measure.ATTEMPTS else call.ended_at or call.at


def caps_of(limits: Limits, whom: Whom, basis: Basis, contact: Contact) -> Iterator[Cap]:
    """The caps a table of limits means, each named after its rule, whose calls and what it limits.

    A callback's exemption is for a while after the conversation that it was asked for in; consent's for good.
    """
    after_conversation = timedelta(hours=limits.after_conversation_hours)
    exempt = exemptions(limits.unless, contact)
    lifted_for = after_conversation if "callback_requested" in exempt else timedelta()
    table = (
        ("day", Measure.ATTEMPTS, limits.per_day, DAY),
        ("week", Measure.ATTEMPTS, limits.per_week, WEEK),
        *((f"{one.days}-days", Measure.ATTEMPTS, one.calls, one.days * DAY) for one in limits.within_days),
        ("gap", Measure.PAUSES, 1, timedelta(seconds=limits.min_gap_seconds)),
        ("conversation", Measure.CONVERSATIONS, 1, after_conversation),
        ("abandoned", Measure.ABANDONED, 1, timedelta(hours=limits.after_abandoned_hours)),
    )
    for name, kind, limit, span in table:
        if limit != "unlimited" and span:
            rule = f"{basis.rule}-{whom}-{name}"
            yield Cap(
                rule=rule,
                whom=whom,
                kind=kind,
                limit=limit,
                span=span,
                basis=basis,
                lifted_for=lifted_for,
                exempt="consent_given" if "consent_given" in exempt else None,
            )


def caps_checks(caps: Sequence[Cap], calls: Sequence[PastCall], moment: datetime) -> list[Check]:
    """Every cap's word. `not_before` is the earliest instant at which all of them allow one more call."""
    next_one = _next(caps, calls, moment)
    return [_check(cap, calls, moment, next_one) for cap in caps]


def _next(caps: Sequence[Cap], calls: Sequence[PastCall], moment: datetime) -> datetime | None:
    """A cap starts or stops refusing only when a call leaves its span, or when the cap comes into force."""
    turns = {free for cap in caps if (free := cap.free_again(calls))}
    turns |= {turn for cap in caps for turn in cap.basis.turns()}
    return next(
        (turn for turn in sorted(turns) if turn > moment and all(cap.allows(calls, turn) for cap in caps)),
        None,
    )


def _check(cap: Cap, calls: Sequence[PastCall], moment: datetime, next_one: datetime | None) -> Check:
    within = [at for at in cap.instants(calls) if at > moment - cap.span]
    evidence = {
        **cap.basis.evidence,
        "counted": len(within),
        "limit": cap.limit,
        "span_hours": cap.span / timedelta(hours=1),
        "last_at": within[0].isoformat() if within else None,
    }
    if cap.exempt:
        evidence |= {"exempt": cap.exempt}
    elif cap.is_lifted(calls, moment):
        evidence |= {"exempt": "callback_requested"}
    passed = cap.allows(calls, moment)
    return Check(
        rule=cap.rule,
        passed=passed,
        reason=_reason(cap, calls, len(within), moment),
        not_before=None if passed else next_one,
        evidence=evidence,
    )


_LIFTED: Final = "a callback that was asked for in a conversation: it does not hold"
_SAID: Final = {
    Measure.ATTEMPTS: "{count} of {limit} attempts to this {whom} in {span}",
    Measure.PAUSES: "{count} attempts to this {whom} ended less than {span} ago",
    Measure.CONVERSATIONS: "{count} conversations with this {whom} ended less than {span} ago",
    Measure.ABANDONED: "{count} calls to this {whom} were abandoned less than {span} ago",
}


def _reason(cap: Cap, calls: Sequence[PastCall], count: int, moment: datetime) -> str:
    if cap.exempt:
        return said(cap.exempt)
    if cap.is_lifted(calls, moment):
        return _LIFTED
    if not cap.basis.in_force(moment):
        return f"not in force on {moment.date()}"
    hours = cap.span / timedelta(hours=1)
    span = f"{hours:g} h" if hours >= 1 else f"{cap.span.total_seconds():g} s"
    return _SAID[cap.kind].format(count=count, limit=cap.limit, whom=cap.whom, span=span)
