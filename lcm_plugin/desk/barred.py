"""What a bar says when a contact is refused or explained: nobody calls a person who is barred."""

from datetime import datetime
from typing import Any, Final

from cti_hooks import Check, Contact, Refusal
from lcm_plugin.ledger import Bar, Ledger

BARRED: Final = "barred"


def bar_refusal(bar: Bar) -> Refusal:
    """Why nobody may dial whom this bars; until it ends, if it does."""
    return Refusal(rule=BARRED, reason=bar.said, not_before=bar.until, evidence=_evidence(bar))


async def bar_check(ledger: Ledger, contact: Contact, moment: datetime) -> Check:
    """What all hosts' bars say of calling this contact at this moment.

    Raises:
        LedgerUnavailable: that cannot be told now.
    """
    bar = await ledger.bar_on(contact, moment)
    if bar is None:
        return Check(rule=BARRED, passed=True, reason="nobody has barred its number or contact here")
    return Check(rule=BARRED, passed=False, reason=bar.said, not_before=bar.until, evidence=_evidence(bar))


def _evidence(bar: Bar) -> dict[str, Any]:
    return {
        "by": bar.actor,
        "since": bar.since.isoformat(),
        "until": bar.until.isoformat() if bar.until else None,
        "bars": bar.kind,
        "campaign": bar.campaign,
        "attempt": bar.attempt_id,
    }
