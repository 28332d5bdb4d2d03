"""Do-not-call, at once: whom nobody may dial any more, on any host of the ledger.

A bar is written with the disposition that says it, under keyed hashes of the number and of the contact. What
forgets people, or drops the audit, leaves it: that person stays uncalled. A bar that has ended
is dropped some time later.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
from attrs import frozen

from cti_hooks import Attempt, DoNotCallScope
from lcm_plugin.ledger.schema import Instant, Json, barred

BarKind = Literal["number", "contact"]
_KINDS: Final[Mapping[DoNotCallScope | None, tuple[BarKind, ...]]] = {
    None: ("number", "contact"),
    DoNotCallScope.NUMBER: ("number",),
    DoNotCallScope.CONTACT: ("contact",),
    DoNotCallScope.CAMPAIGN: ("number", "contact"),
}
_AT_ONCE: Final = 500
_LOCK: Final = 0x4C434D32
"""PostgreSQL's advisory lock: dials share it, and a bar waits for those that did not see it."""
BARS_FOR: Final = barred.select().where(
    barred.c.subject.in_([sa.bindparam(f"barred_{kind}", type_=sa.Text) for kind in ("number", "contact")]),
    barred.c.campaign.is_(None) | (barred.c.campaign == sa.bindparam("barred_campaign", type_=Json)),
    barred.c.until.is_(None) | (barred.c.until > sa.bindparam("barred_at", type_=Instant)),
)
"""What bars the contact of some `Subjects` at a moment."""


@frozen(kw_only=True)
class Subjects:
    """What stands for a contact in bars: keyed hashes of its number and of itself; and its campaign."""

    number: str
    contact: str
    campaign: str

    def at(self, moment: datetime) -> dict[str, Any]:
        """The parameters of `BARS_FOR` for this moment."""
        hashes = {"barred_number": self.number, "barred_contact": self.contact}
        return {**hashes, "barred_campaign": self.campaign, "barred_at": moment}


@frozen(kw_only=True)
class Bar:
    """Nobody dials this number, or this contact, since `actor` said so; `until` an instant, if one is set."""

    kind: BarKind
    subject: str
    campaign: str | None = None
    """The campaign it holds in; all of them if None."""
    actor: str
    since: datetime
    until: datetime | None = None
    attempt_id: str | None = None
    """The attempt that was disposed of so."""

    def holds(self, moment: datetime) -> bool:
        """Whether it has not ended by then."""
        return self.until is None or self.until > moment

    @property
    def said(self) -> str:
        """What was said, by whom, and when, for people."""
        where = "" if self.campaign is None else f" in campaign {self.campaign}"
        end = f", until {_at(self.until)}" if self.until else ""
        return f"{self.actor} barred this {self.kind}{where} at {_at(self.since)}{end}"


def _at(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def bars_of(attempt: Attempt, subjects: Subjects) -> list[Bar]:
    """Whom this disposed attempt bars, if it says do-not-call: number and contact, or one of both."""
    said = attempt.disposition
    if said is None or not said.do_not_call:
        return []
    facts: dict[str, Any] = {
        "campaign": subjects.campaign if said.do_not_call_scope is DoNotCallScope.CAMPAIGN else None,
        "actor": attempt.actor or attempt.agent.id,
        "since": attempt.changed_at or attempt.opened_at,
        "until": said.do_not_call_until,
        "attempt_id": attempt.id,
    }
    hashes: dict[BarKind, str] = {"number": subjects.number, "contact": subjects.contact}
    return [Bar(kind=kind, subject=hashes[kind], **facts) for kind in _KINDS[said.do_not_call_scope]]


def write(connection: sa.Connection, bars: Sequence[Bar]) -> None:
    """Bar them: a dial that comes later, at any host, sees it."""
    if bars and connection.dialect.name == "postgresql":  # SQLite has one writer
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    for bar in bars:
        row = {column.name: getattr(bar, column.name) for column in barred.c if column.name != "id"}
        connection.execute(barred.insert(), row)


def wait_for_bars(connection: sa.Connection) -> None:
    """What is read of bars from here on is so until this transaction's end."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_LOCK)))


def lift(connection: sa.Connection, attempt_id: str) -> None:
    """Take back what this attempt's disposition barred: nobody has said it after all."""
    connection.execute(barred.delete().where(barred.c.attempt_id == attempt_id))


def drop_ended(connection: sa.Connection, before: datetime, at_most: int) -> int:
    """Drop bars that ended before this instant; how many. One without an end stays for ever."""
    ended = sa.select(barred.c.id).where(barred.c.until < before).limit(at_most)
    return connection.execute(barred.delete().where(barred.c.id.in_(ended))).rowcount


def listed(connection: sa.Connection, after: int, limit: int) -> list[tuple[int, Bar]]:
    """Bars behind the one of this number, oldest first, each with its number."""
    query = barred.select().where(barred.c.id > after).order_by(barred.c.id).limit(limit)
    return [(row.id, _bar(row)) for row in connection.execute(query)]


def add(connection: sa.Connection, bars: Sequence[Bar]) -> int:
    """Bar those who are not barred so already; how many."""
    subjects = [bar.subject for bar in bars]
    known: set[tuple[str, str, str | None, datetime | None]] = set()
    for start in range(0, len(subjects), _AT_ONCE):
        query = barred.select().where(barred.c.subject.in_(subjects[start : start + _AT_ONCE]))
        known |= {_same(_bar(row)) for row in connection.execute(query)}
    fresh = {_same(bar): bar for bar in bars if _same(bar) not in known}
    write(connection, list(fresh.values()))
    return len(fresh)


def remove(connection: sa.Connection, subjects: Sequence[str], campaign: str | None) -> int:
    """Take away the bars of these numbers, or those of one campaign; how many."""
    count = 0
    for start in range(0, len(subjects), _AT_ONCE):
        of_them = barred.c.subject.in_(subjects[start : start + _AT_ONCE])
        where = [of_them] if campaign is None else [of_them, barred.c.campaign == campaign]
        count += connection.execute(barred.delete().where(*where)).rowcount
    return count


def _same(bar: Bar) -> tuple[str, str, str | None, datetime | None]:
    """What makes two bars the same, whoever said them."""
    return bar.kind, bar.subject, bar.campaign, bar.until


def bar_for(connection: sa.Connection, asked: Mapping[str, Any]) -> Bar | None:
    """What bars a contact, as `Subjects.at` asks; the oldest if there are several."""
    row = connection.execute(BARS_FOR.order_by(barred.c.id), asked).first()
    return None if row is None else _bar(row)


def _bar(row: Any) -> Bar:
    return Bar(
        kind=row.kind,
        subject=row.subject,
        campaign=row.campaign,
        actor=row.actor,
        since=row.since,
        until=row.until,
        attempt_id=row.attempt_id,
    )
