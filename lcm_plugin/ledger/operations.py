"""What is written and read, each a function of a connection; transactions are the writer's business.

Each first looks, then writes: what it raises, it raises before it has written anything.
"""

import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from attrs import evolve, frozen

from cti_hooks import Attempt, AttemptState, Contact, PastCall
from lcm_plugin.ledger.codec import attempt_as_json, attempt_of
from lcm_plugin.ledger.errors import (
    AttemptLostError,
    DialingStoppedError,
    KeyTakenError,
    OpenElsewhereError,
)
from lcm_plugin.ledger.schema import attempts, dials, digest, doubts, facts, history, holders, outbox
from lcm_plugin.ledger.states import OPEN, WAITING
from lcm_plugin.ledger.stops import stop_for


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
    reason: str


# -- writing ------------------------------------------------------------------------------------------------


def open_attempt(connection: sa.Connection, attempt: Attempt, holder: str) -> Attempt:
    """Record that a contact is about to be asked for; or take up the agent's attempt that nobody holds.

    Raises:
        OpenElsewhereError: the agent has one that is not to be taken up.
    """
    if resumed := take_up_attempt(connection, attempt, holder):
        return resumed
    connection.execute(attempts.insert(), _row(attempt, holder))
    note(connection, attempt)
    return attempt


def take_up_attempt(connection: sa.Connection, asked: Attempt, holder: str) -> Attempt | None:
    """The attempt of `asked`'s agent that waits for a person, held from now on; None where there is none.

    Raises:
        OpenElsewhereError: the agent has one that is not to be taken up.
    """
    row = _open_of(connection, asked.agent.id)
    return None if row is None else _taken_up(connection, row, asked, holder)


def _open_of(connection: sa.Connection, agent_id: str) -> Any:
    return connection.execute(_open_query(), {"agent": digest(agent_id)}).first()


@cache
def _open_query() -> sa.Select[Any]:
    joined = attempts.outerjoin(holders, holders.c.id == attempts.c.holder)
    return (
        sa.select(attempts, holders.c.host, holders.c.ended)
        .select_from(joined)
        .where(attempts.c.open_agent == sa.bindparam("agent"))
    )


def _taken_up(connection: sa.Connection, row: Any, asked: Attempt, holder: str) -> Attempt | None:
    """The agent's open attempt as ours, or None where it has expired and a new one may be opened."""
    free = row.holder is None or row.holder == holder or row.ended is not False
    if not free or row.state not in WAITING:
        where = f"is held by host {row.host}" if not free else "is being settled"
        raise OpenElsewhereError(
            f"agent {asked.agent.id} has an open attempt: {row.id} is {row.state} and {where}"
        )
    moment = asked.opened_at
    before = attempt_of(row.body)
    if row.state == AttemptState.OFFERED and row.expires_at is not None and row.expires_at <= moment:
        expired = evolve(before, state="expired", changed_at=moment, reason="it expired while nobody held it")
        change_attempt(connection, expired, row.holder)
        return None
    resumed = evolve(
        before, agent=asked.agent, host=asked.host, changed_at=moment, reason="taken up by this host"
    )
    connection.execute(
        attempts.update().where(attempts.c.id == row.id, held_by(row.holder)), _row(resumed, holder)
    )
    note(connection, resumed)
    return resumed


def change_attempt(connection: sa.Connection, attempt: Attempt, holder: str | None) -> None:
    """Record what an attempt has become, while this `holder` has it; None where nobody has.

    Raises:
        AttemptLostError: it is held by another, or not there.
    """
    if not _changed(connection, attempt, holder, "free" if holder is None else "held"):
        raise AttemptLostError(f"attempt {attempt.id} is not held by this host any more")


def change_seen(connection: sa.Connection, attempt: Attempt, holder: str) -> None:
    """Record what was seen of an attempt's call, by `holder`, who has it from now on.

    One that was closed meanwhile stays closed, and its history tells what was seen; so it does where the
    lease of `holder` has ended and it does not know yet.
    """
    if attempt.state in WAITING:  # over, and any host's to take up where this one's lease has ended
        living = connection.execute(_living_query(), {"by": holder}).first()
        changed = _changed(connection, attempt, holder if living else None, "open")
    else:
        only = "open" if attempt.state not in OPEN else "open, lease living"
        changed = _changed(connection, attempt, holder, only)
    if not changed:
        note(connection, evolve(attempt, reason=f"{attempt.reason}; seen by a host that had lost it"))


@cache
def _living_query() -> sa.Select[Any]:
    return sa.select(holders.c.id).where(holders.c.id == sa.bindparam("by"), holders.c.ended.is_(False))


@cache
def _update(only: str) -> sa.Update:
    """An attempt's update, on this condition."""
    is_open, by = attempts.c.open_agent.is_not(None), sa.bindparam("by", type_=sa.Text)
    condition = {
        "free": attempts.c.holder.is_(None),
        "held": attempts.c.holder == by,
        "open": is_open,
        "open, lease living": is_open & sa.exists().where(holders.c.id == by, holders.c.ended.is_(False)),
        "offered": (attempts.c.holder == by) & (attempts.c.state == AttemptState.OFFERED.value),
    }[only]
    return attempts.update().where(attempts.c.id == sa.bindparam("own"), condition)


def _updated(connection: sa.Connection, only: str, row: dict[str, Any], by: str | None) -> bool:
    """Whether the condition held; then the row is written."""
    facts = {"own": row["id"]} if only in {"free", "open"} else {"own": row["id"], "by": by}
    return connection.execute(_update(only), {**row, **facts}).rowcount > 0


def _changed(connection: sa.Connection, attempt: Attempt, holder: str | None, only: str) -> bool:
    row = _row(attempt, holder)
    if attempt.contact and row["open_key"] and _other_with_key(connection, attempt) is not None:
        row["open_key"] = None  # shown, reviewed and refused, but not ours to dial
    if attempt.state is AttemptState.REFUSED:  # also when no dialer took it: nothing rang
        row["dialed_at"] = None
    if not _updated(connection, only, row, holder):
        return False
    if attempt.state is AttemptState.REFUSED:
        connection.execute(dials.delete().where(dials.c.attempt_id == attempt.id))
    if attempt.state not in OPEN - WAITING:
        _end_dial(connection, attempt)
    note(connection, attempt)
    return True


def dial_attempt(
    connection: sa.Connection, attempt: Attempt, holder: str, number_hash: str, *, by_person: bool = False
) -> None:
    """Record that a call is about to be placed: by compare-and-set on (state, holder), once for each key.

    Only a person may have a key dialed again, after its call is over.

    Raises:
        DialingStoppedError: nothing may be placed now.
        KeyTakenError: the key is open elsewhere, or was dialed before.
        AttemptLostError: the attempt is not offered any more, or not this host's.
    """
    if stop := stop_for(connection, attempt):
        raise DialingStoppedError(stop)
    other = _other_with_key(connection, attempt)
    if other is not None and not (by_person and other.open_key is None):
        raise KeyTakenError(other.id, other.state, attempt_of(other.body).agent.id)
    dialed = {**_row(attempt, holder), "dialed_at": attempt.changed_at}
    if not _updated(connection, "offered", dialed, holder):
        raise AttemptLostError(f"attempt {attempt.id} is not offered by this host any more")
    connection.execute(
        dials.insert(),
        {
            "attempt_id": attempt.id,
            "number_hash": number_hash,
            "contact_digest": contact_digest(attempt.contact),
            "dialed_at": attempt.changed_at,
        },
    )
    note(connection, attempt)


def redial_attempt(connection: sa.Connection, before: Attempt, again: Attempt, holder: str) -> None:
    """Close an ended attempt and offer its contact once more, as another attempt: a person wants it called.

    Raises:
        DialingStoppedError: nothing may be placed now; it waits for its disposition as before.
        AttemptLostError: it is not ended any more.
    """
    if stop := stop_for(connection, again):
        raise DialingStoppedError(stop)
    set_from(connection, evolve(before, state="closed", changed_at=again.opened_at), AttemptState.ENDED)
    connection.execute(attempts.insert(), _row(again, holder))
    note(connection, again)


def set_from(connection: sa.Connection, attempt: Attempt, *states: AttemptState) -> None:
    """Record what an attempt has become, whoever holds it, if it still is in one of these states.

    Raises:
        AttemptLostError: it is not.
    """
    row = _row(attempt, None)
    query = attempts.update().where(
        attempts.c.id == attempt.id, attempts.c.state.in_([state.value for state in states])
    )
    if connection.execute(query, row).rowcount == 0:
        raise AttemptLostError(f"attempt {attempt.id} is not {' or '.join(states)} any more")
    _end_dial(connection, attempt)
    note(connection, attempt)


def skipped_contacts(
    connection: sa.Connection, agent_id: str, before: datetime, now: datetime
) -> list[Attempt]:
    """The agent's attempts skipped before then whose contact is still reserved, oldest first."""
    later = attempts.alias()
    come_again = sa.exists().where(
        later.c.key_digest == attempts.c.key_digest, later.c.opened_at > attempts.c.opened_at
    )
    query = attempts.select().where(
        attempts.c.agent_digest == digest(agent_id),
        attempts.c.state == AttemptState.SKIPPED.value,
        attempts.c.changed_at <= before,
        attempts.c.expires_at > now,
        ~come_again,
    )
    return [attempt_of(row.body) for row in connection.execute(query.order_by(attempts.c.changed_at))]


def undo_intent(connection: sa.Connection, attempt: Attempt, holder: str) -> None:
    """Take back an intent whose writing failed in an unknown way; nothing was done on its account."""
    row = _row(attempt, holder)
    wrong = _UNDONE.get(attempt.state, AttemptState.DISPOSED)
    if wrong is AttemptState.DIALING:
        row["dialed_at"] = None
    query = attempts.update().where(attempts.c.id == attempt.id, attempts.c.state == wrong.value)
    if connection.execute(query, row).rowcount == 0:
        return
    if wrong is AttemptState.DIALING:
        connection.execute(dials.delete().where(dials.c.attempt_id == attempt.id))
    connection.execute(outbox.delete().where(outbox.c.attempt_id == attempt.id, outbox.c.tries == 0))
    note(connection, attempt)


_UNDONE: Final = {AttemptState.OFFERED: AttemptState.DIALING, AttemptState.EMPTY: AttemptState.REQUESTED}
"""The intent that is taken back to this state; any other is what was before `disposed`."""


def release_attempt(connection: sa.Connection, attempt_id: str, holder: str) -> None:
    """Let go of an offered attempt, so that any host its agent comes to can take it up."""
    query = attempts.update().where(attempts.c.id == attempt_id, attempts.c.holder == holder)
    connection.execute(query, {"holder": None})


def note(connection: sa.Connection, attempt: Attempt) -> None:
    """Add a line to the history."""
    line = {
        "attempt_id": attempt.id,
        "at": attempt.changed_at or attempt.opened_at,
        "state": attempt.state.value,
        "host": attempt.host,
        "reason": attempt.reason,
    }
    connection.execute(_history_insert(), line)


@cache
def _history_insert() -> sa.Insert:
    return history.insert()


def note_doubt(connection: sa.Connection, agent_id: str, doubt: Doubtful) -> None:
    """Remember that the LCM may have reserved a contact for this agent."""
    end_doubt(connection, agent_id)
    row = {
        "agent_digest": digest(agent_id),
        "agent_id": agent_id,
        "campaign_group": doubt.campaign_group,
        "reason": doubt.reason,
        "since": doubt.since,
    }
    connection.execute(doubts.insert(), row)


def end_doubt(connection: sa.Connection, agent_id: str) -> None:
    """The doubt is settled."""
    connection.execute(doubts.delete().where(doubts.c.agent_digest == digest(agent_id)))


# -- reading ------------------------------------------------------------------------------------------------


def doubt_of(connection: sa.Connection, agent_id: str) -> Doubtful | None:
    """The agent's doubt, if there is one."""
    row = connection.execute(_doubt_query(), {"agent": digest(agent_id)}).first()
    if row is None:
        return None
    return Doubtful(campaign_group=row.campaign_group, reason=row.reason, since=row.since)


@cache
def _doubt_query() -> sa.Select[Any]:
    return doubts.select().where(doubts.c.agent_digest == sa.bindparam("agent"))


def all_doubts(connection: sa.Connection) -> dict[str, Doubtful]:
    """Doubts by agent id."""
    return {
        row.agent_id: Doubtful(campaign_group=row.campaign_group, reason=row.reason, since=row.since)
        for row in connection.execute(doubts.select())
    }


def owners(connection: sa.Connection, keys: Sequence[str]) -> dict[str, str]:
    """Of these LCM keys the known ones, and the agent each was handed to last."""
    digests = {digest(key): key for key in keys}
    query = attempts.select().where(attempts.c.key_digest.in_(digests)).order_by(attempts.c.opened_at)
    return {digests[row.key_digest]: attempt_of(row.body).agent.id for row in connection.execute(query)}


def get_attempt(connection: sa.Connection, attempt_id: str) -> Attempt | None:
    """One attempt."""
    body = connection.execute(sa.select(attempts.c.body).where(attempts.c.id == attempt_id)).scalar()
    return None if body is None else attempt_of(body)


def is_held(connection: sa.Connection, attempt: Attempt, holder: str) -> bool:
    """Whether this holder has the attempt, in this state."""
    query = sa.select(attempts.c.id).where(
        attempts.c.id == attempt.id, attempts.c.holder == holder, attempts.c.state == attempt.state.value
    )
    return connection.execute(query).first() is not None


def other_with_key(connection: sa.Connection, attempt: Attempt) -> Attempt | None:
    """Another attempt that has this one's key open, or dialed it."""
    row = _other_with_key(connection, attempt)
    return None if row is None else attempt_of(row.body)


def list_attempts(  # noqa: PLR0913  (each narrows the list)
    connection: sa.Connection,
    *,
    agent_id: str | None = None,
    states: Iterable[AttemptState] = (),
    key: str | None = None,
    before: Attempt | None = None,
    limit: int = 1000,
) -> list[Attempt]:
    """Attempts, newest first; with `before`, those that come after it in this order."""
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
    if wanted := [state.value for state in states]:
        query = query.where(attempts.c.state.in_(wanted))
    return [attempt_of(row.body) for row in connection.execute(query)]


def history_of(connection: sa.Connection, attempt_id: str) -> list[Line]:
    """An attempt's history, oldest line first."""
    query = history.select().where(history.c.attempt_id == attempt_id).order_by(history.c.id)
    return [
        Line(at=row.at, state=AttemptState(row.state), host=row.host, reason=row.reason)
        for row in connection.execute(query)
    ]


def past_calls(
    connection: sa.Connection, contact: Contact, number_hash: str, since: datetime
) -> list[PastCall]:
    """The calls to this number, or to this contact, dialed since then."""
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


# -- rows ---------------------------------------------------------------------------------------------------


def contact_digest(contact: Contact | None) -> str:
    """What stands for a person of a campaign, under whatever key and number they come."""
    return digest(f"{contact.campaign}\n{contact.contact_id or contact.key}") if contact else ""


def number_hash(contact: Contact, hash_key: str) -> str:
    """What stands for a phone number: a hash nobody can undo without the ledger's key."""
    number = contact.e164 or contact.phone_number
    return hmac.new(bytes.fromhex(hash_key), number.encode("utf-8", "surrogatepass"), "sha256").hexdigest()


def _row(attempt: Attempt, holder: str | None) -> dict[str, Any]:
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


def _other_with_key(connection: sa.Connection, attempt: Attempt) -> Any:
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


def _end_dial(connection: sa.Connection, attempt: Attempt) -> None:
    ended = dials.update().where(dials.c.attempt_id == attempt.id, dials.c.ended_at.is_(None))
    outcome = attempt.outcome.value if attempt.outcome else None
    connection.execute(ended, {"ended_at": attempt.changed_at, "outcome": outcome})
