"""What is written, each a function of a connection; transactions are the writer's business.

Functions raise before they write. Each compare-and-set is one statement; if it matches no row, a second query
finds out why. Statements of every call are built once.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa
from attrs import evolve
from sqlalchemy.sql.visitors import iterate

from cti_hooks import Attempt, AttemptState
from lcm_plugin.attempt.states import OPEN, WAITING
from lcm_plugin.attempt.transitions import Transition
from lcm_plugin.ledger.audit import erase_dial, note, note_end
from lcm_plugin.ledger.barring import BARS_FOR, lift
from lcm_plugin.ledger.errors import (
    AttemptLostError,
)
from lcm_plugin.ledger.reading import Doubtful, Objection, objection
from lcm_plugin.ledger.redialing import fall_back
from lcm_plugin.ledger.rows import WITH_KEY, changes_of, held_by, row_with_key
from lcm_plugin.ledger.schema import attempts, digest, doubts, holders, outbox
from lcm_plugin.ledger.statement import Statement
from lcm_plugin.ledger.stops import STOPS_FOR


def change_attempt(connection: sa.Connection, attempt: Attempt, holder: str | None) -> Attempt | None:
    """Record what an attempt has become, while this `holder` has it; None if nobody has.

    The call before it, if this was a redial that came to no call: that one still needs its disposition.

    Raises:
        AttemptLostError: it is held by another, or not there.
    """
    if not _changed(connection, attempt, holder, "free" if holder is None else "held"):
        raise AttemptLostError(f"attempt {attempt.id} is not held by this host any more")
    return fall_back(connection, attempt, holder)


def offer_attempt(
    connection: sa.Connection, attempt: Attempt, holder: str, asked: Mapping[str, Any]
) -> Objection:
    """Record what an attempt holds; what there is against dialing it, bars as `Subjects.at` asks.

    While the key is open elsewhere this one is shown, reviewed and refused, and not ours to dial.

    Raises:
        AttemptLostError: it is held by another, is being dialed, or not there.
    """
    if _changed(connection, attempt, holder, "not dialed, key free, not barred", **asked):
        return Objection()
    other = row_with_key(connection, attempt)
    is_taken = other is not None and other.open_key is not None
    found = objection(connection, attempt, asked)
    if not _changed(connection, attempt, holder, "not dialed", key_is_taken=is_taken):
        raise AttemptLostError(f"attempt {attempt.id} is not held by this host any more")
    return found


def change_seen(connection: sa.Connection, attempt: Attempt, holder: str) -> None:
    """Record what was seen of an attempt's call, by `holder`, who has it from now on.

    One that was closed meanwhile stays closed, and its history tells what was seen; so it does if the
    lease of `holder` has ended and it does not know yet.
    """
    changed = _changed(connection, attempt, holder, "open, lease living" if attempt.state in OPEN else "open")
    if not changed and attempt.state in WAITING:  # over, and any host may take it up
        changed = _changed(connection, attempt, None, "open")
    if not changed:
        note(connection, evolve(attempt, reason=f"{attempt.reason}; seen by a host that had lost it"))


@cache
def _update(only: str) -> tuple[Statement, frozenset[str]]:
    """An attempt's update on this condition, and the condition's parameters."""
    is_open, by = attempts.c.open_agent.is_not(None), sa.bindparam("by", type_=sa.Text)
    is_held = attempts.c.holder == by
    not_dialed = is_held & attempts.c.dialed_at.is_(None)
    is_offered = not_dialed & (attempts.c.state == AttemptState.OFFERED.value)
    condition = {
        "free": attempts.c.holder.is_(None),
        "held": is_held,
        "not dialed": not_dialed,
        "not dialed, key free, not barred": not_dialed & ~WITH_KEY.exists() & ~BARS_FOR.exists(),
        "open": is_open,
        "open, lease living": is_open & sa.exists().where(holders.c.id == by, holders.c.ended.is_(False)),
        "offered": is_offered,
        "offered, free to dial": is_offered & ~WITH_KEY.exists() & ~STOPS_FOR.exists() & ~BARS_FOR.exists(),
    }[only]
    query = attempts.update().where(attempts.c.id == sa.bindparam("own"), condition)
    told = {
        one.key for one in iterate(query.whereclause) if isinstance(one, sa.BindParameter) and one.required
    }
    return Statement(query), frozenset(told)


def updated(
    connection: sa.Connection, attempt: Attempt, only: str, row: dict[str, Any], **facts: Any
) -> bool:
    """Whether the condition held; then the row is written."""
    statement, told = _update(only)
    facts |= {"own": attempt.id, "key": row["key_digest"]}
    return statement.run(connection, row | {name: facts[name] for name in told}) > 0


def _changed(
    connection: sa.Connection,
    attempt: Attempt,
    holder: str | None,
    only: str,
    *,
    key_is_taken: bool = False,
    **facts: Any,
) -> bool:
    row = changes_of(attempt, holder)
    if key_is_taken:
        row["open_key"] = None
    if attempt.state is AttemptState.REFUSED:  # also when no dialer took it: nothing rang
        row["dialed_at"] = None
    if not updated(connection, attempt, only, row, by=holder, **facts):
        return False
    if attempt.state is AttemptState.REFUSED:
        erase_dial(connection, attempt)
    if attempt.state is AttemptState.ENDED or attempt.state not in OPEN:
        note_end(connection, attempt)
    note(connection, attempt)
    return True


def set_from(connection: sa.Connection, attempt: Attempt, transition: Transition) -> None:
    """Record what an attempt has become, whoever holds it, if the transition still leads there.

    Raises:
        AttemptLostError: it is not.
    """
    row = changes_of(attempt, None)
    query = attempts.update().where(
        attempts.c.id == attempt.id, attempts.c.state.in_([state.value for state in transition.sources])
    )
    if connection.execute(query, row).rowcount == 0:
        raise AttemptLostError(f"attempt {attempt.id} is not {' or '.join(transition.sources)} any more")
    note_end(connection, attempt)
    note(connection, attempt)


def undo_intent(connection: sa.Connection, intended: Attempt, undone: Attempt, holder: str | None) -> None:
    """Take back an intent that may have been written, though whoever had it was told that it was not.

    Nothing was done on its account. What others have written since stays, and so does a disposition that is
    on its way to the LCM.
    """
    row = changes_of(undone, holder)
    if intended.state is AttemptState.DIALING:
        row["dialed_at"] = None
    sent = sa.exists().where(outbox.c.attempt_id == intended.id, outbox.c.tries > 0)
    as_intended = (
        attempts.c.id == intended.id,
        attempts.c.state == intended.state.value,
        attempts.c.changed_at == intended.changed_at,
        held_by(holder if intended.state in OPEN else None),
    )
    if connection.execute(attempts.update().where(*as_intended, ~sent), row).rowcount == 0:
        return
    if intended.state is AttemptState.DIALING:
        erase_dial(connection, undone)
    if intended.state is AttemptState.DISPOSED:
        lift(connection, intended.id)
    connection.execute(outbox.delete().where(outbox.c.attempt_id == intended.id))
    note(connection, undone)


def release_attempt(connection: sa.Connection, attempt_id: str, holder: str) -> None:
    """Let go of what waits for a person, so that any host its agent comes to can take it up."""
    waits = attempts.c.state.in_([state.value for state in WAITING])
    query = attempts.update().where(attempts.c.id == attempt_id, attempts.c.holder == holder, waits)
    connection.execute(query, {"holder": None})


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
