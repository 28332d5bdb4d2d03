"""What is written, each a function of a connection; transactions are the writer's business.

Functions raise before they write. Each compare-and-set is one statement; if it matches no row, a second query
finds out why. Statements of every call are built once.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from attrs import evolve, frozen
from sqlalchemy.sql.visitors import iterate

from cti_hooks import Attempt, AttemptState
from lcm_plugin.attempt.expiry import has_expired
from lcm_plugin.attempt.keys import Again
from lcm_plugin.attempt.states import OPEN, WAITING
from lcm_plugin.attempt.transitions import EXPIRED, REDIALED, TAKEN_UP, Transition
from lcm_plugin.ledger.audit import erase_dial, note, note_dial, note_end
from lcm_plugin.ledger.barring import BARS_FOR, Subjects, bar_for, lift, wait_for_bars
from lcm_plugin.ledger.codec import attempt_of
from lcm_plugin.ledger.errors import (
    AttemptLostError,
    BarredError,
    CalledMeanwhileError,
    DialingStoppedError,
    KeyTakenError,
    OpenElsewhereError,
)
from lcm_plugin.ledger.reading import Counted, Doubtful, Objection, doubt_of, is_counted, objection
from lcm_plugin.ledger.redialing import fall_back
from lcm_plugin.ledger.rows import WITH_KEY, changes_of, held_by, row_of, row_with_key
from lcm_plugin.ledger.schema import attempts, digest, doubts, holders, outbox
from lcm_plugin.ledger.statement import Statement
from lcm_plugin.ledger.stops import STOPS_FOR, scopes_of, stop_for

_INSERT_ATTEMPT: Final = Statement(attempts.insert())


@frozen(kw_only=True)
class Opened:
    """An agent's attempt, new or taken up, and the agent's doubt, if there is one."""

    attempt: Attempt
    doubt: Doubtful | None


_BY_ITSELF: Final = timedelta(seconds=2)
"""For so long a host that lives may be about to dial, or dispose of, by itself what waits there.

By two hosts' clocks: what one recorded that is ahead is not waited for.
"""


@frozen(kw_only=True)
class Taker:
    """Who takes an attempt up: as which holder, at what time by the clock.

    Attributes:
        arrived: the agent was told ready here, so what waits for them at a host that lives comes along.
    """

    holder: str
    now: datetime
    arrived: bool = False


def open_attempt(connection: sa.Connection, attempt: Attempt, by: Taker) -> Opened:
    """Record that a contact is about to be asked for; or take up the agent's attempt that nobody holds.

    Raises:
        OpenElsewhereError: the agent has one that is not to be taken up.
    """
    row = row_of(attempt, by.holder)
    resumed = doubt = None
    if _insert_for_free_agent().run(connection, row) == 0:
        doubt = doubt_of(connection, attempt.agent.id)
        resumed = take_up_attempt(connection, attempt, by)
        if resumed is None:
            _INSERT_ATTEMPT.run(connection, row)
    if resumed is None:
        note(connection, attempt)
    return Opened(attempt=resumed or attempt, doubt=doubt)


@cache
def _insert_for_free_agent() -> Statement:
    """An attempt's insert, if its agent has neither an open attempt nor a doubt."""
    row = {column.name: sa.bindparam(column.name, type_=column.type) for column in attempts.c}
    has_open = sa.exists().where(attempts.c.open_agent == row["open_agent"])
    has_doubt = sa.exists().where(doubts.c.agent_digest == row["agent_digest"])
    free = sa.select(*row.values()).where(~has_open, ~has_doubt)
    return Statement(attempts.insert().from_select(list(row), free))


def take_up_attempt(connection: sa.Connection, asked: Attempt, by: Taker) -> Attempt | None:
    """The attempt of `asked`'s agent that waits for a person, held from now on; None if there is none.

    One that has expired by then is closed.

    Raises:
        OpenElsewhereError: the agent has one that is not to be taken up.
    """
    row = connection.execute(_open_query(), {"agent": digest(asked.agent.id)}).first()
    return None if row is None else _taken_up(connection, row, asked, by)


@cache
def _open_query() -> sa.Select[Any]:
    joined = attempts.outerjoin(holders, holders.c.id == attempts.c.holder)
    return (
        sa.select(attempts, holders.c.host, holders.c.ended)
        .select_from(joined)
        .where(attempts.c.open_agent == sa.bindparam("agent"))
        .with_for_update(of=attempts)
    )


def _taken_up(connection: sa.Connection, row: Any, asked: Attempt, by: Taker) -> Attempt | None:
    """The agent's open attempt, whose row is locked, as ours; None if it has expired."""
    free = row.holder is None or row.holder == by.holder or row.ended is not False
    comes_along = by.arrived and abs(by.now - row.changed_at) >= _BY_ITSELF
    if row.state not in WAITING or not (free or comes_along):
        where = f"is held by host {row.host}" if not free else "is being settled"
        raise OpenElsewhereError(
            f"agent {asked.agent.id} has an open attempt: {row.id} is {row.state} and {where}"
        )
    moment = asked.opened_at
    before = attempt_of(row.body)
    if row.state == AttemptState.OFFERED and has_expired(row.expires_at, by.now):
        expired = EXPIRED.of(before, moment, reason="it expired while nobody held it")
        before_it = change_attempt(connection, expired, row.holder)
        return None if before_it is None else take_up_attempt(connection, asked, by)
    reason = "taken up by this host" if free else f"taken up from host {row.host}: its agent is ready here"
    resumed = TAKEN_UP.of(before, moment, agent=asked.agent, host=asked.host, reason=reason)
    taken = changes_of(resumed, by.holder)
    if row.open_key is None:  # another attempt has its key: it is shown and refused, not dialed
        taken["open_key"] = None
    connection.execute(attempts.update().where(attempts.c.id == row.id), taken)
    note(connection, resumed)
    return resumed


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


def _updated(
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
    if not _updated(connection, attempt, only, row, by=holder, **facts):
        return False
    if attempt.state is AttemptState.REFUSED:
        erase_dial(connection, attempt)
    if attempt.state is AttemptState.ENDED or attempt.state not in OPEN:
        note_end(connection, attempt)
    note(connection, attempt)
    return True


@frozen(kw_only=True)
class Intent:
    """What a call about to be placed relies on."""

    subjects: Subjects
    """What stands for whom it calls."""
    asked_at: datetime
    by_person: bool = False
    counted: Counted | None = None
    """The past calls its review has seen, if it asked."""


def dial_attempt(connection: sa.Connection, attempt: Attempt, holder: str, intent: Intent) -> None:
    """Record that a call is about to be placed: by compare-and-set on (state, holder), once for each key.

    Only a person may have a key dialed again, after its call is over.

    Raises:
        CalledMeanwhileError: there are calls that its review has not seen.
        BarredError: nobody may call its number, or its contact.
        DialingStoppedError: nothing may be placed now.
        KeyTakenError: the key is open elsewhere, or was dialed before.
        AttemptLostError: the attempt is not offered any more, or another host has it.
    """
    counted, contact = intent.counted, attempt.contact
    if counted and contact and not is_counted(connection, contact, intent.subjects.number, counted):
        raise CalledMeanwhileError(f"the number of attempt {attempt.id} was called since it was reviewed")
    wait_for_bars(connection)
    dialed = {**changes_of(attempt, holder), "dialed_at": attempt.changed_at}
    asked = intent.subjects.at(intent.asked_at)
    told = scopes_of(attempt) | asked
    if not _updated(connection, attempt, "offered, free to dial", dialed, by=holder, **told):
        _check_dialable(connection, attempt, asked, by_person=intent.by_person)
        if not _updated(connection, attempt, "offered", dialed, by=holder):
            raise AttemptLostError(f"attempt {attempt.id} is not offered by this host any more")
    note_dial(connection, attempt, intent.subjects.number)
    note(connection, attempt)


def _check_dialable(
    connection: sa.Connection, attempt: Attempt, asked: Mapping[str, Any], *, by_person: bool
) -> None:
    _check_allowed(connection, attempt, asked)
    other = row_with_key(connection, attempt)
    if other is None:
        return
    taken = KeyTakenError(other.id, AttemptState(other.state), attempt_of(other.body).agent.id)
    if not by_person or taken.again is not Again.BY_A_PERSON:
        raise taken


def _check_allowed(connection: sa.Connection, attempt: Attempt, asked: Mapping[str, Any]) -> None:
    """That nobody said no: neither to calling this person at all, nor to any call now."""
    if bar := bar_for(connection, asked):
        raise BarredError(bar)
    if stop := stop_for(connection, attempt):
        raise DialingStoppedError(stop)


def redial_attempt(
    connection: sa.Connection, before: Attempt, again: Attempt, holder: str, asked: Mapping[str, Any]
) -> None:
    """Close an ended attempt and offer its contact once more, as another attempt: a person wants it called.

    Raises:
        BarredError: nobody may call its number, or its contact; it waits for its disposition as before.
        DialingStoppedError: nothing may be placed now; it waits for its disposition as before.
        AttemptLostError: it is not ended any more.
    """
    _check_allowed(connection, again, asked)
    set_from(connection, before, REDIALED)
    _INSERT_ATTEMPT.run(connection, row_of(again, holder))
    note(connection, again)


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
