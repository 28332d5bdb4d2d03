"""What is written, each a function of a connection; transactions are the writer's business.

An attempt changes by a row of the table of transitions, in one place: `write`. Functions raise before they
write.
"""

from typing import Any, Final

import sqlalchemy as sa
from attrs import evolve, field, frozen

from cti_hooks import Attempt, AttemptPlace, AttemptState
from lcm_plugin.attempt.states import OPEN, WAITING
from lcm_plugin.attempt.transition import Must, Transition
from lcm_plugin.attempt.transitions import FELL_BACK, NOTHING, PROMOTION_UNDONE, RELEASED
from lcm_plugin.ledger.audit import amend_end, erase_dial, forget_lines, note, note_end
from lcm_plugin.ledger.barring import lift
from lcm_plugin.ledger.codec import attempt_of
from lcm_plugin.ledger.conditions import update_for
from lcm_plugin.ledger.errors import AttemptLostError
from lcm_plugin.ledger.reading import Doubtful, Objection, objection
from lcm_plugin.ledger.rows import changes_of, place_digest, row_with_key
from lcm_plugin.ledger.schema import attempts, digest, doubts, outbox
from lcm_plugin.ledger.statement import Statement

_WITHOUT_CALL: Final = frozenset({AttemptState.SKIPPED, AttemptState.REFUSED, AttemptState.EXPIRED})
_OBJECTIONABLE: Final = (Must.KEY_FREE, Must.NOT_BARRED)
"""What an offer may lack: it is shown then, reviewed and refused."""
_DROP: Final = Statement(
    attempts.delete().where(
        attempts.c.id == sa.bindparam("own"),
        attempts.c.holder == sa.bindparam("by"),
        sa.or_(*(attempts.c.state == state.value for state in NOTHING.sources)),
    )
)


@frozen(kw_only=True)
class Change:
    """An attempt's change, as it is to be written.

    Attributes:
        attempt: as it is from then on.
        by: who must have it, if the transition asks for that; None: nobody.
        holder: who has it from then on, for as long as it is open.
        waived: what the transition asks for, and was seen to otherwise.
        columns: what else of its row changes.
        facts: the parameters of what it asks for.
    """

    transition: Transition
    attempt: Attempt
    by: str | None = None
    holder: str | None = None
    waived: tuple[Must, ...] = ()
    columns: dict[str, Any] = field(factory=dict)
    facts: dict[str, Any] = field(factory=dict)


def write(connection: sa.Connection, change: Change) -> bool:
    """Whether what its transition asks for holds; then the change is written, and a line for the audit."""
    transition, attempt = change.transition, _placed(connection, change)
    update = update_for(transition.name, change.waived, nobodys=change.by is None)
    row = changes_of(attempt, change.holder) | change.columns
    if transition.erases_dial:
        row["dialed_at"] = None
    own = {"own": attempt.id, "by": change.by, "key": row["key_digest"]}
    facts = change.facts | own | {"hand": place_digest(attempt.agent.id)}
    if not update.run(connection, row, facts):
        return False
    if transition.erases_dial:
        erase_dial(connection, attempt)
    if attempt.state is AttemptState.ENDED or attempt.state not in OPEN:
        note_end(connection, attempt)
    note(connection, attempt)
    return True


def _placed(connection: sa.Connection, change: Change) -> Attempt:
    """The attempt in the place it has by now: its host may not know yet that it was promoted."""
    attempt = change.attempt
    if attempt.place is AttemptPlace.NOW or change.transition is PROMOTION_UNDONE:
        return attempt
    query = sa.select(attempts.c.open_agent).where(attempts.c.id == attempt.id)
    is_now = connection.execute(query).scalar() == place_digest(attempt.agent.id)
    return evolve(attempt, place=AttemptPlace.NOW) if is_now else attempt


def change_attempt(
    connection: sa.Connection, transition: Transition, attempt: Attempt, holder: str | None
) -> Attempt | None:
    """Record what an attempt has become, while this `holder` has it; for None, while nobody has.

    The call before it, if this was a redial that came to no call: that one still needs its disposition.

    Raises:
        AttemptLostError: another has it, or it is not there.
    """
    if not write(connection, Change(transition=transition, attempt=attempt, by=holder, holder=holder)):
        raise AttemptLostError(f"attempt {attempt.id} is not held by this host any more")
    return fall_back(connection, attempt, holder)


def offer_attempt(
    connection: sa.Connection,
    transition: Transition,
    attempt: Attempt,
    holder: str,
    asked: dict[str, Any],
) -> Objection:
    """Record what an attempt holds; what there is against dialing it, bars as `Subjects.at` asks.

    While the key is open elsewhere this one is shown, reviewed and refused, and not ours to dial.

    Raises:
        AttemptLostError: it is held by another, is being dialed, or not there.
    """
    change = Change(transition=transition, attempt=attempt, by=holder, holder=holder, facts=asked)
    if write(connection, change):
        return Objection()
    other = row_with_key(connection, attempt)
    is_taken = other is not None and other.open_key is not None
    against = objection(connection, attempt, asked)
    columns = {"open_key": None} if is_taken else {}
    if not write(connection, evolve(change, waived=_OBJECTIONABLE, columns=columns)):
        raise AttemptLostError(f"attempt {attempt.id} is not held by this host any more")
    return against


def see_attempt(connection: sa.Connection, transition: Transition, attempt: Attempt, holder: str) -> None:
    """Record what was seen of an attempt's call, by `holder`, who has it from now on.

    One that was closed meanwhile stays closed, and its history tells what was seen; so it does if the
    lease of `holder` has ended and it does not know yet.
    """
    change = Change(transition=transition, attempt=attempt, by=holder, holder=holder)
    written = write(connection, change)
    if not written and attempt.state in WAITING:  # over, and any host may take it up
        written = write(connection, evolve(change, holder=None, waived=(Must.LEASE_LIVES,)))
    if not written:
        note(connection, evolve(attempt, reason=f"{attempt.reason}; seen by a host that had lost it"))


def settle_attempt(connection: sa.Connection, transition: Transition, attempt: Attempt) -> None:
    """Record what an attempt has become that nobody has from then on.

    Raises:
        AttemptLostError: the transition does not lead there any more.
    """
    if not write(connection, Change(transition=transition, attempt=attempt)):
        states = " or ".join(transition.sources)
        raise AttemptLostError(f"attempt {attempt.id} is not {states} any more")


def fall_back(connection: sa.Connection, over: Attempt, holder: str | None) -> Attempt | None:
    """The call before an offer to call once more that is `over` without one: `ended` again, and `holder`'s.

    None if there is none (an attempt that was not reached called nobody), or somebody has told the LCM what
    came of it.
    """
    if over.redial_of is None or over.state not in _WITHOUT_CALL:
        return None
    closed = sa.and_(attempts.c.id == over.redial_of, attempts.c.state == AttemptState.CLOSED.value)
    called = sa.and_(closed, attempts.c.dialed_at.is_not(None))
    body = connection.execute(sa.select(attempts.c.body).where(called).with_for_update()).scalar()
    before = None if body is None else attempt_of(body)
    if before is None or before.disposition:
        return None
    reason = f"to be disposed of: attempt {over.id}, to call once more, was {over.state}"
    ended = FELL_BACK.of(before, over.changed_at or over.opened_at, host=over.host, reason=reason)
    write(connection, Change(transition=FELL_BACK, attempt=ended, holder=holder))
    return ended


@frozen(kw_only=True)
class Undo:
    """How an intent is taken back that may have been written, though its asker was told that it was not.

    Attributes:
        intended: the attempt as the intent wrote it.
        undone: as it is once it was taken back.
        holder: who has it then, for as long as it is open.
    """

    transition: Transition
    intended: Attempt
    undone: Attempt
    holder: str | None

    def __call__(self, connection: sa.Connection) -> bool:
        """Take it back, with its letters and bars, unless others have gone on from there; whether it was."""
        change = Change(
            transition=self.transition,
            attempt=self.undone,
            by=self.holder if self.intended.state in OPEN else None,
            holder=self.holder,
            facts={"intended_at": self.intended.changed_at},
        )
        if not write(connection, change):
            return False
        if self.intended.outcome is not self.undone.outcome:
            amend_end(connection, self.undone)
        lift(connection, self.intended.id)
        connection.execute(outbox.delete().where(outbox.c.attempt_id == self.intended.id))
        fall_back(connection, self.undone, self.holder)
        return True


def drop_attempt(connection: sa.Connection, attempt: Attempt, holder: str) -> None:
    """Keep nothing of a question that brought nothing.

    Raises:
        AttemptLostError: it is not held by this host any more.
    """
    if not _DROP.run(connection, {"own": attempt.id, "by": holder}):
        raise AttemptLostError(f"attempt {attempt.id} is not held by this host any more")
    forget_lines(connection, attempt)


def release_attempt(connection: sa.Connection, attempt_id: str, holder: str) -> None:
    """Let go of what waits for a person, so that any host its agent comes to can take it up."""
    facts = {"own": attempt_id, "by": holder}
    update_for(RELEASED.name).run(connection, {"holder": None}, facts)


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
