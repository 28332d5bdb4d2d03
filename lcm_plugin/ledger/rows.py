"""An attempt as a row, and what stands in indexes for keys, numbers and people."""

import hmac
from functools import cache
from typing import Any

import sqlalchemy as sa

from cti_hooks import Attempt, Contact
from lcm_plugin.ledger.codec import attempt_as_json
from lcm_plugin.ledger.schema import attempts, digest
from lcm_plugin.ledger.states import OPEN


def contact_digest(contact: Contact | None) -> str:
    """What stands for a person of a campaign, under whatever key and number they come."""
    return digest(f"{contact.campaign}\n{contact.contact_id or contact.key}") if contact else ""


def number_hash(contact: Contact, hash_key: str) -> str:
    """What stands for a phone number: a hash nobody can undo without the ledger's key."""
    number = contact.e164 or contact.phone_number
    return hmac.new(bytes.fromhex(hash_key), number.encode("utf-8", "surrogatepass"), "sha256").hexdigest()


def row_of(attempt: Attempt, holder: str | None) -> dict[str, Any]:
    """The attempt as it is written, held by `holder` for as long as it is open."""
    is_open = attempt.state in OPEN
    agent, contact = digest(attempt.agent.id), attempt.contact
    key = digest(contact.key) if contact else None
    return {
        "id": attempt.id,
        "state": attempt.state.value,
        "agent_digest": agent,
        "key_digest": key,
        "open_agent": agent if is_open else None,
        "open_key": key if is_open else None,
        "holder": holder if is_open else None,
        "opened_at": attempt.opened_at,
        "changed_at": attempt.changed_at or attempt.opened_at,
        "expires_at": contact.expires_at if contact else None,
        "body": attempt_as_json(attempt),
    }


def row_with_key(connection: sa.Connection, attempt: Attempt) -> Any:
    """Another attempt's row that has this one's key open, or dialed it: an open one first."""
    key = digest(attempt.contact.key if attempt.contact else "")
    return connection.execute(_other_query(), {"key": key, "own": attempt.id}).first()


@cache
def _other_query() -> sa.Select[Any]:
    query = attempts.select().where(
        attempts.c.key_digest == sa.bindparam("key"),
        attempts.c.id != sa.bindparam("own"),
        sa.or_(attempts.c.open_key.is_not(None), attempts.c.dialed_at.is_not(None)),
    )
    return query.order_by(attempts.c.open_key.is_(None))


def held_by(holder: str | None) -> sa.ColumnElement[bool]:
    """That an attempt is this holder's; nobody's for None."""
    return attempts.c.holder.is_(None) if holder is None else attempts.c.holder == holder
