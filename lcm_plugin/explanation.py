"""Why not? One contact, one moment, and every rule's word on it: for the command and for the API."""

from datetime import datetime
from typing import Any

from attrs import frozen

from cti_hooks import Agent, Check, Contact, Host
from lcm_plugin.explaining import explain
from lcm_plugin.presentation import as_json


@frozen(kw_only=True)
class Explanation:
    """What every rule says of calling this contact at this moment."""

    agent: Agent
    contact: Contact
    moment: datetime
    checks: tuple[Check, ...]
    attempt_id: str | None = None

    @property
    def objections(self) -> list[Check]:
        """The checks that did not pass."""
        return [check for check in self.checks if not check.passed]

    @property
    def not_before(self) -> datetime | None:
        """The next moment no rule is known to object; None where one cannot tell, or none objects now."""
        moments = [check.not_before for check in self.objections]
        known = [moment for moment in moments if moment is not None]
        return max(known) if known and len(known) == len(moments) else None

    def as_json(self) -> dict[str, Any]:
        """The explanation as a JSON object, numbers in full."""
        return {
            "attempt_id": self.attempt_id,
            "agent": as_json(self.agent),
            "contact": as_json(self.contact),
            "moment": as_json(self.moment),
            "allowed": not self.objections,
            "not_before": as_json(self.not_before),
            "checks": [as_json(check) for check in self.checks],
        }


async def explained(
    host: Host, agent: Agent, contact: Contact, moment: datetime | None, attempt_id: str | None = None
) -> Explanation:
    """Ask every plugin of a running host; of the present where no moment is given. Nothing is dialed."""
    asked_of = moment or host.clock.now()
    checks = await explain(host.hooks, agent, contact, asked_of)
    return Explanation(
        agent=agent, contact=contact, moment=asked_of, checks=tuple(checks), attempt_id=attempt_id
    )
