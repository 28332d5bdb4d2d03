"""Why not? One contact, one moment, and every rule's word on it: for the command and for the API."""

from collections.abc import Iterable
from datetime import datetime

from attrs import frozen

from cti_hooks import Agent, Check, Contact, Host
from lcm_plugin.explaining import explain


@frozen(kw_only=True)
class Explanation:
    """What every rule says of calling this contact at this moment."""

    attempt_id: str | None
    agent: Agent
    contact: Contact
    moment: datetime
    allowed: bool
    """Whether all checks passed."""
    not_before: datetime | None
    """The next moment at which no rule is known to object; None if that cannot be told."""
    checks: tuple[Check, ...]

    @property
    def objections(self) -> list[Check]:
        """The checks that did not pass."""
        return _objections(self.checks)


async def explained(
    host: Host, agent: Agent, contact: Contact, moment: datetime | None, attempt_id: str | None = None
) -> Explanation:
    """Ask every plugin of a running host; of the present if no moment is given. Nothing is dialed."""
    asked_of = moment or host.clock.now()
    checks = await explain(host.hooks, agent, contact, asked_of)
    return Explanation(
        attempt_id=attempt_id,
        agent=agent,
        contact=contact,
        moment=asked_of,
        allowed=not _objections(checks),
        not_before=_latest(check.not_before for check in _objections(checks)),
        checks=tuple(checks),
    )


def _objections(checks: Iterable[Check]) -> list[Check]:
    return [check for check in checks if not check.passed]


def _latest(moments: Iterable[datetime | None]) -> datetime | None:
    """The latest, or None if one of them is not known."""
    told = list(moments)
    known = [moment for moment in told if moment is not None]
    return max(known) if known and len(known) == len(told) else None
