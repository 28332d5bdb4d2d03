"""An attempt as a row, and what stands in indexes for keys, numbers and people."""

import hmac
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from cti_hooks import Attempt, AttemptPlace, CallbackKind, Contact
from lcm_plugin.attempt.states import OPEN
from lcm_plugin.ledger.codec import attempt_as_json
from lcm_plugin.ledger.schema import attempts, digest


def unique_key(key: str, source: str = "") -> str:
    """A key that no other source can have, whatever its texts; the LCM's own stays as it is."""
    return f"{digest(source)} {key}" if source else key


def key_of(contact: Contact) -> str:
    """A contact's key, in a form that no other source can have."""
    return unique_key(contact.key, contact.source)


def contact_digest(contact: Contact | None) -> str:
    """What stands for a person of a campaign, under whatever key and number they come."""
    if contact is None:
        return ""
    return digest(unique_key(f"{contact.campaign}\n{contact.contact_id or contact.key}", contact.source))


def place_digest(agent_id: str, place: AttemptPlace = AttemptPlace.NOW) -> str:
    """What stands for an agent's place for an open attempt: they have two, each for one."""
    return digest(agent_id) + (":next" if place is AttemptPlace.NEXT else "")


def number_hash(number: str, hash_key: str) -> str:
    """What stands for a phone number: a hash nobody can undo without the ledger's key."""
    return _keyed(number, hash_key)


def contact_hash(contact: Contact, hash_key: str) -> str:
    """What stands for a person of a campaign, keyed: `contact_digest` could be guessed."""
    return _keyed(contact_digest(contact), hash_key)


def _keyed(text: str, hash_key: str) -> str:
    return hmac.new(bytes.fromhex(hash_key), text.encode("utf-8", "surrogatepass"), "sha256").hexdigest()


def row_of(attempt: Attempt, holder: str | None) -> dict[str, Any]:
    """A new attempt as it is written, held by `holder` for as long as it is open."""
    own = {"id": attempt.id, "agent_digest": digest(attempt.agent.id), "opened_at": attempt.opened_at}
    return own | changes_of(attempt, holder) | {"dialed_at": None, "pruned_at": None}


def changes_of(attempt: Attempt, holder: str | None) -> dict[str, Any]:
    """What of an attempt's row can change, as it is written, held by `holder` for as long as it is open."""
    is_open, contact = attempt.state in OPEN, attempt.contact
    key = digest(key_of(contact)) if contact else None
    return {
        "state": attempt.state.value,
        "key_digest": key,
        "open_agent": place_digest(attempt.agent.id, attempt.place) if is_open else None,
        "open_key": key if is_open else None,
        "holder": holder if is_open else None,
        "changed_at": attempt.changed_at or attempt.opened_at,
        "expires_at": contact.expires_at if contact else None,
        "callback_at": _callback_at(attempt),
        "body": attempt_as_json(attempt),
    }


def _callback_at(attempt: Attempt) -> datetime | None:
    """When the agent is to call back in person, if they booked that."""
    callback = attempt.disposition.callback if attempt.disposition else None
    return callback.starts_at if callback and callback.kind is CallbackKind.PERSONAL else None


def row_with_key(connection: sa.Connection, attempt: Attempt) -> Any:
    """Another attempt's row that has this one's key open, or dialed it: an open one first."""
    key = digest(key_of(attempt.contact) if attempt.contact else "")
    return connection.execute(_OPEN_FIRST, {"key": key, "own": attempt.id}).first()


_OTHERS: Final = attempts.alias("others")
WITH_KEY: Final = _OTHERS.select().where(
    _OTHERS.c.key_digest == sa.bindparam("key"),
    _OTHERS.c.id != sa.bindparam("own"),
    _OTHERS.c.open_key.is_not(None) | _OTHERS.c.dialed_at.is_not(None),
)
"""Other attempts (than `own`) that have this `key` open, or dialed it."""
_OPEN_FIRST: Final = WITH_KEY.order_by(_OTHERS.c.open_key.is_(None))
