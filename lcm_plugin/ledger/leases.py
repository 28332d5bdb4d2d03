"""Which host holds what, and how another takes it over (docs/architecture.md#several-hosts).

A host's lease is a number that it counts up. Whoever watches measures by its own running clock for how long
it stood still: no wall clock is compared with another one, so a clock set back or forward ends no lease and
lengthens none. A lease ends once, by compare-and-set on that number; with it go the host's attempts, in one
transaction. A process proven dead on this machine is succeeded at once.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from attrs import define, field, frozen

from cti_hooks import Attempt, AttemptState
from lcm_plugin.attempt.states import IN_DOUBT, WAITING
from lcm_plugin.attempt.transition import Must
from lcm_plugin.attempt.transitions import DOUBTED, NOTHING
from lcm_plugin.ledger.codec import attempt_of
from lcm_plugin.ledger.place import is_dead
from lcm_plugin.ledger.reading import Doubtful, doubt_of
from lcm_plugin.ledger.schema import attempts, holders
from lcm_plugin.ledger.writer import PATIENCE
from lcm_plugin.ledger.writing import Change, change_attempt, note_doubt, release_attempt, write

_UNHEARD: Final = timedelta(seconds=2 * PATIENCE)
"""For so long a host may not have heard of what it has written."""


AT_ONCE: Final = 500
"""Attempts that are looked at in one round at the most."""


def register(connection: sa.Connection, holder: str, host: str, place: str, now: datetime) -> None:
    """Begin a lease."""
    row = {"id": holder, "host": host, "place": place, "beat": 0, "beat_at": now, "ended": False}
    connection.execute(holders.insert(), row)


def beat(connection: sa.Connection, holder: str, now: datetime) -> bool:
    """Renew a lease; False when it was ended by another host."""
    query = holders.update().where(holders.c.id == holder, holders.c.ended.is_(False))
    return connection.execute(query.values(beat=holders.c.beat + 1, beat_at=now)).rowcount > 0


def beats(connection: sa.Connection) -> dict[str, tuple[int, str]]:
    """The leases that have not ended: how far each has counted, and its process's place."""
    query = holders.select().where(holders.c.ended.is_(False))
    return {row.id: (row.beat, row.place) for row in connection.execute(query)}


def end(connection: sa.Connection, holder: str, seen: int | None = None) -> bool:
    """End a lease, if it still stands at `seen`; False when it has gone on counting."""
    query = holders.update().where(holders.c.id == holder, holders.c.ended.is_(False))
    if seen is not None:
        query = query.where(holders.c.beat == seen)
    return connection.execute(query, {"ended": True}).rowcount > 0


@define
class Watch:
    """Sees which leases have stood still for `seconds`, by the running loop's time.

    Time in which nothing could be read does not count: nobody could renew then, or was seen to.
    """

    seconds: float
    _seen: dict[str, tuple[int, float]] = field(factory=dict, init=False)
    _read_at: float = field(default=0.0, init=False)

    def ended(self, now: float, leases: dict[str, tuple[int, str]], own: str) -> dict[str, int]:
        """The holders that may be succeeded now, and where each lease stands, as it was read just now."""
        if now - self._read_at > self.seconds / 2:
            self._seen = {}
        self._read_at = now
        self._seen = {
            holder: self._seen[holder] if self._seen.get(holder, (None,))[0] == count else (count, now)
            for holder, (count, _) in leases.items()
        }
        return {
            holder: count
            for holder, (count, place) in leases.items()
            if holder != own and (is_dead(place) or now - self._seen[holder][1] >= self.seconds)
        }


def taken(
    connection: sa.Connection, holder: str, held: Collection[str], released: Collection[str] = ()
) -> list[Attempt]:
    """Of the attempts that this holder has had, those that it has no more, as they are now.

    Those that it has `released` are among them once they wait for nobody any more.
    """
    mine = sa.select(attempts.c.id).where(attempts.c.open_agent.is_not(None), attempts.c.holder == holder)
    gone = set(held) - set(connection.execute(mine).scalars())
    lost = attempts.c.id.in_(sorted(gone)[:AT_ONCE])
    waits = attempts.c.open_agent.is_not(None) & attempts.c.holder.is_(None)
    over = attempts.c.id.in_(sorted(released)[:AT_ONCE]) & ~waits
    query = sa.select(attempts.c.body).where(lost | over)
    return [attempt_of(body) for body in connection.execute(query).scalars()] if gone or released else []


@frozen(kw_only=True)
class Successor:
    """The host that takes over, as whom, and the ids of what it holds already."""

    host: str
    holder: str
    held: frozenset[str]


def take_over(
    connection: sa.Connection, ended: dict[str, int], successor: Successor, now: datetime
) -> list[Attempt]:
    """End these leases and see to what their hosts left; the attempts that this host has to settle now.

    This includes attempts this host took over without learning of it, because an answer came too late.
    """
    for other, seen in ended.items():
        end(connection, other, seen)
    return [
        adopted
        for row in _left_behind(connection, successor, now)
        if (adopted := _succeed(connection, row, successor, now)) is not None
    ]


def _left_behind(connection: sa.Connection, successor: Successor, now: datetime) -> list[Any]:
    """Open attempts whose host's lease has ended. What waits for a person waits for its agent, at any host.

    What this host has and does not know of is left too; it may be about to hear of what it has just written.
    """
    joined = attempts.outerjoin(holders, holders.c.id == attempts.c.holder)
    settled = attempts.c.state.in_([state.value for state in IN_DOUBT | WAITING])
    heard = attempts.c.changed_at < now - _UNHEARD
    forgotten = sa.and_(
        attempts.c.holder == successor.holder, settled, heard, attempts.c.id.not_in(successor.held)
    )
    left = sa.or_(holders.c.ended.is_(True), holders.c.id.is_(None), forgotten)
    waiting = sa.and_(attempts.c.state.in_([state.value for state in WAITING]), attempts.c.holder.is_(None))
    query = sa.select(attempts).select_from(joined).where(attempts.c.open_agent.is_not(None), left, ~waiting)
    return list(connection.execute(query.with_for_update(of=attempts)))


def _succeed(connection: sa.Connection, row: Any, successor: Successor, now: datetime) -> Attempt | None:
    """Take one attempt, by compare-and-set on (state, holder), and leave it to whom it waits for."""
    mine = attempts.update().where(
        attempts.c.id == row.id,
        attempts.c.state == row.state,
        attempts.c.holder.is_not_distinct_from(row.holder),
    )
    if connection.execute(mine, {"holder": successor.holder}).rowcount == 0:
        return None
    before = attempt_of(row.body)
    if before.state is AttemptState.OFFERED:
        release_attempt(connection, before.id, successor.holder)
        return None
    if before.state is AttemptState.ENDED:
        return before
    if before.state is AttemptState.REQUESTED:
        _doubt(connection, before, now)
        reason = f"host {before.host} ended while it asked"
        after = NOTHING.of(before, now, host=successor.host, reason=reason)
        change_attempt(connection, NOTHING, after, successor.holder)
        return None
    why = "this host had lost sight of it" if row.holder == successor.holder else f"host {before.host} ended"
    adopted = DOUBTED.of(before, now, host=successor.host, reason=f"{why} while it was {before.state}")
    write(
        connection,
        Change(transition=DOUBTED, attempt=adopted, holder=successor.holder, waived=(Must.LEASE_LIVES,)),
    )
    return adopted


def _doubt(connection: sa.Connection, attempt: Attempt, now: datetime) -> None:
    """Doubt there was before comes first: while it lasted, the attempt asked for nothing fresh."""
    if doubt_of(connection, attempt.agent.id) is not None:
        return
    reason = f"host {attempt.host} ended while it asked for attempt {attempt.id}"
    doubt = Doubtful(campaign_group=attempt.campaign_group, reason=reason, since=now)
    note_doubt(connection, attempt.agent.id, doubt)
