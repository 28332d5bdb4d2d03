"""What people look through, a page at a time: messages to the LCM, doubts, hosts; each in a fixed order.

A page goes on behind the last of the one before, whether that one is still there or not.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from attrs import asdict, field, frozen

from cti_hooks import Attempt, Contact, Disposition, Outcome, PastCall
from cti_hooks.masking import masked_repr
from lcm_plugin.ledger.codec import attempt_of
from lcm_plugin.ledger.letters import LetterState
from lcm_plugin.ledger.reading import past_calls
from lcm_plugin.ledger.schema import attempts, doubts, holders, outbox

_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@frozen(kw_only=True)
class Message:
    """A message to the LCM: of which attempt, agent and LCM key, how far it has come, and why."""

    id: int
    attempt_id: str
    agent: str
    key: str
    message: str
    state: LetterState
    tries: int
    """How often it was sent."""
    written_at: datetime
    changed_at: datetime
    """Since when it is in this state."""
    error: str | None = field(repr=masked_repr)


@frozen(kw_only=True)
class DoubtfulAgent:
    """An agent for whom the LCM may have reserved a contact that never arrived: since when, and why."""

    agent: str
    campaign_group: str
    since: datetime
    reason: str


@frozen(kw_only=True)
class Lease:
    """A living host: its id in the ledger, when it renewed its lease last, what it holds."""

    id: str
    host: str
    renewed_at: datetime
    open_attempts: int


@frozen(kw_only=True)
class Past:
    """A call placed before, to the same number or the same contact: how it went, and what was said of it."""

    attempt_id: str
    at: datetime
    """When it was dialed."""
    ended_at: datetime | None
    outcome: Outcome | None
    same_number: bool
    same_contact: bool
    agent: str | None
    """Who called; None if the ledger knows no more than that there was a call."""
    disposition: Disposition | None
    """What the agent said of it, with their comments."""


def past(connection: sa.Connection, contact: Contact, number_hash: str, limit: int) -> list[Past]:
    """The calls placed to this number or contact, newest first."""
    calls = past_calls(connection, contact, number_hash, _EVER)[::-1][:limit]
    query = sa.select(attempts.c.body).where(attempts.c.id.in_([call.attempt_id for call in calls]))
    known = {one.id: one for one in map(attempt_of, connection.execute(query).scalars())}
    return [_past(call, known.get(call.attempt_id)) for call in calls]


def _past(call: PastCall, attempt: Attempt | None) -> Past:
    return Past(
        agent=attempt.agent.id if attempt else None,
        disposition=attempt.disposition if attempt else None,
        **asdict(call),
    )


def messages(
    connection: sa.Connection, *, states: Iterable[LetterState] = (), before: int = 0, limit: int
) -> list[Message]:
    """Messages to the LCM in these states, or in any, newest first; `before` is the last one's id."""
    joined = outbox.join(attempts, attempts.c.id == outbox.c.attempt_id)
    query = sa.select(outbox, attempts.c.body.label("attempt")).select_from(joined)
    if wanted := [state.value for state in states]:
        query = query.where(outbox.c.state.in_(wanted))
    if before:
        query = query.where(outbox.c.id < before)
    return [_message(row) for row in connection.execute(query.order_by(outbox.c.id.desc()).limit(limit))]


def _message(row: Any) -> Message:
    attempt = attempt_of(row.attempt)
    return Message(
        id=row.id,
        attempt_id=row.attempt_id,
        agent=attempt.agent.id,
        key=attempt.contact.key if attempt.contact else "",
        message=row.message,
        state=LetterState(row.state),
        tries=row.tries,
        written_at=row.written_at,
        changed_at=row.changed_at,
        error=row.error,
    )


def doubtful_agents(connection: sa.Connection, *, before: str = "", limit: int) -> list[DoubtfulAgent]:
    """Agents in doubt, by their ids, after the id `before`."""
    query = doubts.select().order_by(doubts.c.agent_id).limit(limit)
    if before:
        query = query.where(doubts.c.agent_id > before)
    return [
        DoubtfulAgent(
            agent=row.agent_id, campaign_group=row.campaign_group, since=row.since, reason=row.reason
        )
        for row in connection.execute(query)
    ]


def leases(connection: sa.Connection, *, before: str = "", limit: int) -> list[Lease]:
    """The hosts whose lease has not ended, newest first; `before` is the last one's id."""
    held = sa.func.count(attempts.c.id).label("held")
    query = (
        sa.select(*holders.c, held)
        .select_from(holders.outerjoin(attempts, attempts.c.holder == holders.c.id))
        .where(holders.c.ended.is_(False))
        .group_by(*holders.c)
    )
    if before:
        query = query.where(holders.c.id < before)
    return [
        Lease(id=row.id, host=row.host, renewed_at=row.beat_at, open_attempts=row.held)
        for row in connection.execute(query.order_by(holders.c.id.desc()).limit(limit))
    ]
