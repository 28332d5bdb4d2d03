"""What all policies have in common: one list of checks, told by `explain_contact`, refused by the first."""

from collections.abc import Iterable
from datetime import datetime

from cti_hooks import Check, Contact, Host, Refusal, hookimpl


class Policy:
    """A policy is its `checks`: production, dry run and tests ask the same function."""

    host: Host | None = None

    async def checks(self, contact: Contact, moment: datetime) -> list[Check]:
        """Every rule's word on calling this contact at this moment, passed or not."""
        raise NotImplementedError

    @hookimpl
    def on_startup(self, host: Host) -> None:
        self.host = host

    @hookimpl
    async def explain_contact(self, contact: Contact, moment: datetime) -> list[Check]:
        return await self.checks(contact, moment)

    @hookimpl
    async def review_contact(self, contact: Contact, moment: datetime) -> Refusal | None:
        return first_refusal(await self.checks(contact, moment))


def first_refusal(checks: Iterable[Check]) -> Refusal | None:
    """The first check that did not pass, as a refusal."""
    for check in checks:
        if not check.passed:
            return Refusal(
                rule=check.rule,
                reason=check.reason,
                not_before=check.not_before,
                evidence=check.evidence,
            )
    return None
