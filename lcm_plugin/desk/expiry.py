"""A contact is the agent's until its ExpiryTime; after it, or when it cannot be read, it is not dialed."""

from datetime import datetime

from cti_hooks import Contact, Refusal
from lcm_plugin.lcm.normalize import unreadable_expiry


def expiry_refusal(contact: Contact, moment: datetime) -> Refusal | None:
    """Why the contact's expiry forbids to dial it at `moment`, or None. No expiry stated is no objection."""
    raw = unreadable_expiry(contact)
    if raw is not None:
        return Refusal(
            rule="expiry_unreadable",
            reason="its expiry cannot be read; check datetime_formats",
            evidence={"ExpiryTime": raw},
        )
    if contact.expires_at and contact.expires_at <= moment:
        return Refusal(
            rule="expired",
            reason="the LCM's reservation has expired",
            evidence={"expires_at": contact.expires_at.isoformat()},
        )
    return None
