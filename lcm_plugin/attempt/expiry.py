"""When a contact's reservation is over: one rule for everybody who asks."""

import math
from datetime import datetime

from cti_hooks import Contact


def has_expired(expires_at: datetime | None, moment: datetime) -> bool:
    """Whether a reservation until `expires_at` is over at `moment`; one without an end never is."""
    return expires_at is not None and expires_at <= moment


def seconds_left(contact: Contact | None, moment: datetime) -> float:
    """Seconds until the contact's reservation ends, 0 if it has; infinite if nobody said when."""
    if contact is None or contact.expires_at is None:
        return math.inf
    return max(0.0, (contact.expires_at - moment).total_seconds())
