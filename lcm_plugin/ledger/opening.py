"""An agent's attempt: a new one, before a contact is asked for, or the one that waits for them, taken up."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from attrs import evolve, frozen

from cti_hooks import Attempt, AttemptPlace, AttemptState
from lcm_plugin.attempt.expiry import has_expired
from lcm_plugin.attempt.states import WAITING
from lcm_plugin.attempt.transitions import EXPIRED, TAKEN_UP
from lcm_plugin.ledger.audit import note
from lcm_plugin.ledger.codec import attempt_of
from lcm_plugin.ledger.errors import (
    OpenElsewhereError,
)
from lcm_plugin.ledger.reading import Doubtful, doubt_of
from lcm_plugin.ledger.rows import changes_of, place_digest, row_of
from lcm_plugin.ledger.schema import attempts, doubts, holders
from lcm_plugin.ledger.statement import Statement
from lcm_plugin.ledger.writing import change_attempt

INSERT_ATTEMPT: Final = Statement(attempts.insert())


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
    resumed = doubt = None
    if attempt.place is AttemptPlace.NEXT and not _has_ended(connection, attempt):
        attempt = evolve(attempt, place=AttemptPlace.NOW)
    if _insert_for_free_agent().run(connection, row_of(attempt, by.holder)) == 0:
        doubt = doubt_of(connection, attempt.agent.id)
        resumed = take_up_attempt(connection, attempt, by)
        if resumed is None:
            INSERT_ATTEMPT.run(connection, row_of(attempt, by.holder))
    if resumed is None:
        note(connection, attempt)
    return Opened(attempt=resumed or attempt, doubt=doubt)


def _has_ended(connection: sa.Connection, following: Attempt) -> bool:
    """Whether the attempt before this one waits for its disposition still: else this one is next no more."""
    query = sa.select(attempts.c.state).where(attempts.c.open_agent == place_digest(following.agent.id))
    return connection.execute(query.with_for_update()).scalar() == AttemptState.ENDED


@cache
def _insert_for_free_agent() -> Statement:
    """An attempt's insert, if its agent has neither an open attempt in its place nor a doubt."""
    row = {column.name: sa.bindparam(column.name, type_=column.type) for column in attempts.c}
    has_open = sa.exists().where(attempts.c.open_agent == row["open_agent"])
    has_doubt = sa.exists().where(doubts.c.agent_digest == row["agent_digest"])
    free = sa.select(*row.values()).where(~has_open, ~has_doubt)
    return Statement(attempts.insert().from_select(list(row), free))


def take_up_attempt(connection: sa.Connection, asked: Attempt, by: Taker) -> Attempt | None:
    """The attempt of `asked`'s agent that waits for a person, held from now on; None if there is none.

    One that has expired by then is closed. The agent's next one is what they have to do with if there is
    nothing before it.

    Raises:
        OpenElsewhereError: the agent has one that is not to be taken up.
    """
    places = {"place": place_digest(asked.agent.id, asked.place), "next": _next_of(asked)}
    row = connection.execute(_open_query(), places).first()
    return None if row is None else _taken_up(connection, row, asked, by)


@cache
def _open_query() -> sa.Select[Any]:
    joined = attempts.outerjoin(holders, holders.c.id == attempts.c.holder)
    return (
        sa.select(attempts, holders.c.host, holders.c.ended)
        .select_from(joined)
        .where(attempts.c.open_agent.in_([sa.bindparam("place"), sa.bindparam("next")]))
        .order_by(attempts.c.open_agent)  # the next one comes after the one before it
        .limit(1)
        .with_for_update(of=attempts)
    )


def _next_of(asked: Attempt) -> str:
    return place_digest(asked.agent.id, AttemptPlace.NEXT)


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
        before_it = change_attempt(connection, EXPIRED, expired, row.holder)
        return None if before_it is None else take_up_attempt(connection, asked, by)
    reason = "taken up by this host" if free else f"taken up from host {row.host}: its agent is ready here"
    changed = {"agent": asked.agent, "host": asked.host, "place": asked.place}
    resumed = TAKEN_UP.of(before, moment, reason=reason, **changed)
    taken = changes_of(resumed, by.holder)
    if row.open_key is None:  # another attempt has its key: it is shown and refused, not dialed
        taken["open_key"] = None
    connection.execute(attempts.update().where(attempts.c.id == row.id), taken)
    note(connection, resumed)
    return resumed
