"""What is read, each a function of a connection; transactions are the writer's business."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from attrs import field, frozen

from cti_hooks import Attempt, AttemptState, Contact, PastCall
from cti_hooks.masking import masked_repr
from lcm_plugin.attempt.states import WAITING
from lcm_plugin.ledger.audit import write_noted
from lcm_plugin.ledger.barring import Bar, bar_for
from lcm_plugin.ledger.codec import attempt_of
from lcm_plugin.ledger.letters import OF_KEPT
from lcm_plugin.ledger.rows import contact_digest, row_with_key
from lcm_plugin.ledger.schema import attempts, dials, digest, doubts, facts, history, holders

CALLBACKS: Final = 100
"""How many of an agent's callbacks are told of at once."""


@frozen(kw_only=True)
class Doubtful:
    """An agent for whom the LCM may have reserved a contact: in which group, why, since when."""

    campaign_group: str
    reason: str
    since: datetime


@frozen(kw_only=True)
class Line:
    """One line of an attempt's history."""

    at: datetime
    state: AttemptState
    host: str
    reason: str = field(repr=masked_repr)


def doubt_of(connection: sa.Connection, agent_id: str) -> Doubtful | None:
    """The agent's doubt, if there is one."""
    row = connection.execute(_doubt_query(), {"agent": digest(agent_id)}).first()
    return None if row is None else _doubtful(row)


def _doubtful(row: Any) -> Doubtful:
    """The doubt in a row that has one."""
    return Doubtful(campaign_group=row.campaign_group, reason=row.reason, since=row.since)


@cache
def _doubt_query() -> sa.Select[Any]:
    return doubts.select().where(doubts.c.agent_digest == sa.bindparam("agent"))


def all_doubts(connection: sa.Connection) -> dict[str, Doubtful]:
    """Doubts by agent id."""
    return {row.agent_id: _doubtful(row) for row in connection.execute(doubts.select())}


def owners(connection: sa.Connection, keys: Sequence[str]) -> dict[str, str]:
    """Of these LCM keys the known ones, and the agent each was handed to last."""
    digests = {digest(key): key for key in keys}
    query = attempts.select().where(attempts.c.key_digest.in_(digests)).order_by(attempts.c.opened_at)
    return {digests[row.key_digest]: attempt_of(row.body).agent.id for row in connection.execute(query)}


def get_attempt(connection: sa.Connection, attempt_id: str) -> Attempt | None:
    """One attempt."""
    body = connection.execute(sa.select(attempts.c.body).where(attempts.c.id == attempt_id)).scalar()
    return None if body is None else attempt_of(body)


def not_erased(connection: sa.Connection, ids: Collection[str]) -> set[str]:
    """Of these attempts those that still know who was called."""
    query = sa.select(attempts.c.id).where(attempts.c.id.in_(ids), attempts.c.pruned_at.is_(None))
    return set(connection.execute(query).scalars())


def is_held(connection: sa.Connection, attempt: Attempt, holder: str) -> bool:
    """Whether this holder has the attempt, in this state."""
    query = sa.select(attempts.c.id).where(
        attempts.c.id == attempt.id, attempts.c.holder == holder, attempts.c.state == attempt.state.value
    )
    return connection.execute(query).first() is not None


@frozen(kw_only=True)
class Objection:
    """What the ledger has against dialing an offer; nothing if both are None."""

    other: Attempt | None = None
    """Another attempt that has its key open, or dialed it."""
    bar: Bar | None = None


def objection(connection: sa.Connection, attempt: Attempt, asked: Mapping[str, Any]) -> Objection:
    """What there is against dialing this attempt; its contact's bars as `Subjects.at` asks."""
    row = row_with_key(connection, attempt)
    other = None if row is None else attempt_of(row.body)
    return Objection(other=other, bar=bar_for(connection, asked))


def list_attempts(  # noqa: PLR0913  (each narrows the list)
    connection: sa.Connection,
    *,
    agent_id: str | None = None,
    states: Iterable[AttemptState] = (),
    key: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: Attempt | None = None,
    kept: bool | None = None,
    limit: int = 1000,
) -> list[Attempt]:
    """Attempts, newest first; with `before`, those that come after it in this order.

    `kept` leaves those alone, or out, that have a message to the LCM on which a person has to decide.
    """
    query = attempts.select().order_by(attempts.c.opened_at.desc(), attempts.c.id.desc()).limit(limit)
    if before is not None:
        older = attempts.c.opened_at < before.opened_at
        query = query.where(
            sa.or_(older, sa.and_(attempts.c.opened_at == before.opened_at, attempts.c.id < before.id))
        )
    if agent_id is not None:
        query = query.where(attempts.c.agent_digest == digest(agent_id))
    if key is not None:
        query = query.where(attempts.c.key_digest == digest(key))
    if since is not None:
        query = query.where(attempts.c.opened_at >= since)
    if until is not None:
        query = query.where(attempts.c.opened_at < until)
    if kept is not None:
        query = query.where(OF_KEPT if kept else ~OF_KEPT)
    if wanted := [state.value for state in states]:
        query = query.where(attempts.c.state.in_(wanted))
    return [attempt_of(row.body) for row in connection.execute(query)]


def skipped_contacts(
    connection: sa.Connection, agent_id: str, before: datetime, now: datetime
) -> list[Attempt]:
    """The agent's attempts skipped before then whose contact is still reserved and known, oldest first."""
    later = attempts.alias()
    come_again = sa.exists().where(
        later.c.key_digest == attempts.c.key_digest, later.c.opened_at > attempts.c.opened_at
    )
    query = attempts.select().where(
        attempts.c.agent_digest == digest(agent_id),
        attempts.c.state == AttemptState.SKIPPED.value,
        attempts.c.changed_at <= before,
        attempts.c.expires_at > now,
        attempts.c.pruned_at.is_(None),
        ~come_again,
    )
    return [attempt_of(row.body) for row in connection.execute(query.order_by(attempts.c.changed_at))]


def personal_callbacks(connection: sa.Connection, agent_id: str, since: datetime) -> list[datetime]:
    """When the callbacks that this agent booked for themselves start: the next ones that do so after then."""
    query = sa.select(attempts.c.callback_at).where(
        attempts.c.agent_digest == digest(agent_id), attempts.c.callback_at > since
    )
    return list(connection.execute(query.order_by(attempts.c.callback_at).limit(CALLBACKS)).scalars())


def booked(connection: sa.Connection, agent_id: str, since: datetime, until: datetime) -> list[Attempt]:
    """The attempts by which this agent booked a callback for themselves that starts in this time."""
    at = attempts.c.callback_at
    query = sa.select(attempts.c.body).where(
        attempts.c.agent_digest == digest(agent_id), at >= since, at <= until
    )
    return [attempt_of(body) for body in connection.execute(query.order_by(at).limit(CALLBACKS)).scalars()]


def left_behind(connection: sa.Connection) -> set[str]:
    """The digests of the agents whose open attempt waits for them at no host that lives."""
    joined = attempts.outerjoin(holders, holders.c.id == attempts.c.holder)
    nobodys = attempts.c.holder.is_(None) | holders.c.ended.is_not(False)
    waits = attempts.c.state.in_([state.value for state in WAITING])
    query = sa.select(attempts.c.agent_digest).select_from(joined)
    return set(connection.execute(query.where(attempts.c.open_agent.is_not(None), nobodys, waits)).scalars())


def called_back(connection: sa.Connection, since: datetime, until: datetime) -> set[tuple[str, datetime]]:
    """The callbacks booked by agents for themselves that start then: the agent's digest, and when."""
    at = attempts.c.callback_at
    query = sa.select(attempts.c.agent_digest, at).where(at > since, at <= until)
    return {(agent, starts_at) for agent, starts_at in connection.execute(query)}


def history_of(connection: sa.Connection, attempt_id: str) -> list[Line]:
    """An attempt's history, oldest line first."""
    write_noted(connection)
    query = history.select().where(history.c.attempt_id == attempt_id).order_by(history.c.id)
    return [
        Line(at=row.at, state=AttemptState(row.state), host=row.host, reason=row.reason)
        for row in connection.execute(query)
    ]


@frozen(kw_only=True)
class Counted:
    """The past calls that a review counted: those dialed `since`, by their attempts' ids."""

    since: datetime
    attempt_ids: frozenset[str]

    def and_(self, other: "Counted") -> "Counted":
        """What both were told."""
        both = self.attempt_ids & other.attempt_ids
        return Counted(since=max(self.since, other.since), attempt_ids=both)


def is_counted(connection: sa.Connection, contact: Contact, number_hash: str, counted: Counted) -> bool:
    """Whether there was no other call to this number, or contact. No other transaction adds one meanwhile."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer
        for which in sorted((number_hash, contact_digest(contact))):
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(int(which[:15], 16))))
    calls = past_calls(connection, contact, number_hash, counted.since)
    return all(call.attempt_id in counted.attempt_ids for call in calls)


def past_calls(
    connection: sa.Connection, contact: Contact, number_hash: str, since: datetime
) -> list[PastCall]:
    """The calls to this number, or to this contact, dialed since then."""
    write_noted(connection)
    person = contact_digest(contact)
    mine = sa.or_(dials.c.number_hash == number_hash, dials.c.contact_digest == person)
    query = dials.select().where(mine, dials.c.dialed_at >= since).order_by(dials.c.dialed_at)
    return [
        PastCall(
            attempt_id=row.attempt_id,
            at=row.dialed_at,
            outcome=row.outcome,
            ended_at=row.ended_at,
            same_number=row.number_hash == number_hash,
            same_contact=row.contact_digest == person,
        )
        for row in connection.execute(query)
    ]


def fact(connection: sa.Connection, name: str) -> Any:
    """Something the ledger knows of itself."""
    return connection.execute(sa.select(facts.c.value).where(facts.c.name == name)).scalar()


def latest(connection: sa.Connection) -> datetime | None:
    """The latest instant in the ledger."""
    moment: datetime | None = connection.execute(
        sa.select(sa.func.max(history.c.at, type_=history.c.at.type))
    ).scalar()
    return moment
