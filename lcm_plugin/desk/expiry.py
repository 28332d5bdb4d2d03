"""A contact is the agent's until its ExpiryTime; after it, or when it cannot be read, it is not dialed."""

from datetime import datetime
from typing import Final

from cti_hooks import Check, Contact, Refusal
from lcm_plugin.attempt.expiry import has_expired
from lcm_plugin.lcm.normalize import unreadable_expiry

EXPIRY: Final = "expiry"
"""The rule's one name, whether it lets a contact be called or not; the reason says what is the matter."""


def expiry_refusal(contact: Contact, moment: datetime) -> Refusal | None:
    """Why the contact's expiry forbids to dial it at `moment`, or None. No expiry stated is no objection."""
    raw = unreadable_expiry(contact)
    if raw is not None:
        return Refusal(
            rule=EXPIRY,
            reason="its expiry cannot be read; check datetime_formats",
            evidence={"ExpiryTime": raw},
        )
    if contact.expires_at and has_expired(contact.expires_at, moment):
        return Refusal(
            rule=EXPIRY,
            reason=f"{_whose(contact)}'s reservation has expired",
            evidence={"expires_at": contact.expires_at.isoformat()},
        )
    return None


def expiry_check(contact: Contact, moment: datetime) -> Check:
    """What the contact's expiry says of dialing it at `moment`: a refusal as it is, else that it passed."""
    refusal = expiry_refusal(contact, moment)
    if refusal is not None:
        return Check(rule=EXPIRY, passed=False, reason=refusal.reason, evidence=refusal.evidence)
    if contact.expires_at is None:
        return Check(rule=EXPIRY, passed=True, reason=f"{_whose(contact)} states none")
    reserved = {"expires_at": contact.expires_at.isoformat()}
    holds = f"{_whose(contact)}'s reservation holds"
    return Check(rule=EXPIRY, passed=True, reason=holds, evidence=reserved)


def _whose(contact: Contact) -> str:
    return contact.source or "the LCM"
