"""Limits on calls to one person, as settings and rules write them."""

from typing import Any, Literal

from attrs import field, frozen, validators

from lcm_plugin.policies.exemptions import Exemption

Limit = int | Literal["unlimited"]


def _at_least_one(_: object, __: object, value: Limit) -> None:
    if value != "unlimited" and int(value) < 1:
        raise ValueError('must be 1 or more, or "unlimited"')


_hours: Any = validators.ge(0.0)


@frozen(kw_only=True)
class DaysLimit:
    """At most so many calls within so many days, each of 24 hours."""

    days: int = field(validator=validators.ge(1))
    calls: int = field(validator=validators.ge(1))


@frozen(kw_only=True)
class Limits:
    """What is allowed of one number, or of one LCM contact. Days and weeks are spans of 24 and 168 hours."""

    per_day: Limit = field(default="unlimited", validator=_at_least_one)
    per_week: Limit = field(default="unlimited", validator=_at_least_one)
    within_days: tuple[DaysLimit, ...] = ()
    """More of the kind, for any number of days: `[{ days = 30, calls = 4 }]`."""
    after_conversation_hours: float = field(default=0.0, validator=_hours)
    """No call for so long after one that was answered."""
    after_abandoned_hours: float = field(default=0.0, validator=_hours)
    """No call for so long after one that was answered while no agent was there."""
    min_gap_seconds: float = field(default=0.0, validator=_hours)
    """No call for so long after any."""
    unless: tuple[Exemption, ...] = ()
    """`callback_requested`: none of these holds for a callback, by the LCM's call type, for
    `after_conversation_hours` after a conversation, in which it was asked for; `consent_given`: none holds
    for a contact that gave consent."""


@frozen(kw_only=True)
class SiteLimits(Limits):
    """A site's limits unless it sets them: the strictest figures of the rules known, for everybody."""

    per_day: Limit = field(default=3, validator=_at_least_one)
    """Florida's, Maryland's and Oklahoma's figure."""
    per_week: Limit = field(default=7, validator=_at_least_one)
    """Regulation F's figure."""
    min_gap_seconds: float = field(default=300.0, validator=_hours)
    """More than the two minutes that users of other systems complained about, and little
    enough that an agent who was cut off can call back soon."""


@frozen(kw_only=True)
class Caps:
    """A rule's limits."""

    per_number: Limits = field(factory=Limits)
    per_contact: Limits = field(factory=Limits)
