"""A call that is about to be placed: recorded first, and only if nothing speaks against it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from attrs import evolve, frozen

from cti_hooks import Attempt, AttemptState
from lcm_plugin.attempt.keys import Again
from lcm_plugin.attempt.transition import Must
from lcm_plugin.attempt.transitions import DIAL, NOT_REACHED, REDIALED
from lcm_plugin.ledger.audit import note, note_dial
from lcm_plugin.ledger.barring import Subjects, bar_for, wait_for_bars
from lcm_plugin.ledger.codec import attempt_of
from lcm_plugin.ledger.errors import (
    AttemptLostError,
    BarredError,
    CalledMeanwhileError,
    DialingStoppedError,
    KeyTakenError,
)
from lcm_plugin.ledger.opening import INSERT_ATTEMPT
from lcm_plugin.ledger.reading import Counted, is_counted
from lcm_plugin.ledger.rows import row_of, row_with_key
from lcm_plugin.ledger.stops import scopes_of, stop_for
from lcm_plugin.ledger.writing import Change, settle_attempt, write

_CHECKED: Final = (Must.KEY_FREE, Must.NOT_BARRED, Must.NOT_STOPPED)
"""What is looked at one by one if a dial was not written at once."""


@frozen(kw_only=True)
class Relied:
    """What a call about to be placed relies on."""

    subjects: Subjects
    """What stands for whom it calls."""
    asked_at: datetime
    by_person: bool = False
    counted: Counted | None = None
    """The past calls its review has seen, if it asked."""


def dial_attempt(connection: sa.Connection, attempt: Attempt, holder: str, relied: Relied) -> None:
    """Record that a call is about to be placed: by compare-and-set on (state, holder), once for each key.

    Only a person may have a key dialed again, after its call is over.

    Raises:
        CalledMeanwhileError: there are calls that its review has not seen.
        BarredError: nobody may call its number, or its contact.
        DialingStoppedError: nothing may be placed now.
        KeyTakenError: the key is open elsewhere, or was dialed before.
        AttemptLostError: the attempt is not offered any more, or another host has it.
    """
    counted, contact = relied.counted, attempt.contact
    if counted and contact and not is_counted(connection, contact, relied.subjects.number, counted):
        raise CalledMeanwhileError(f"the number of attempt {attempt.id} was called since it was reviewed")
    wait_for_bars(connection)
    asked = relied.subjects.at(relied.asked_at)
    change = Change(
        transition=DIAL,
        attempt=attempt,
        by=holder,
        holder=holder,
        columns={"dialed_at": attempt.changed_at},
        facts=scopes_of(attempt) | asked,
    )
    if not write(connection, change):
        _check_dialable(connection, attempt, asked, by_person=relied.by_person)
        if not write(connection, evolve(change, waived=_CHECKED)):
            raise AttemptLostError(f"attempt {attempt.id} is not offered by this host any more")
    note_dial(connection, attempt, relied.subjects.number)


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
    settle_attempt(connection, REDIALED, before)
    INSERT_ATTEMPT.run(connection, row_of(again, holder))
    note(connection, again)


def offer_again(connection: sa.Connection, before: Attempt, again: Attempt, holder: str) -> None:
    """Close an attempt that called nobody, and offer its contact once more: the phone was not reached.

    Raises:
        AttemptLostError: it was closed meanwhile; its history tells what was seen.
    """
    if not write(connection, Change(transition=NOT_REACHED, attempt=before, by=holder)):
        note(connection, evolve(before, reason=f"{before.reason}; seen by a host that had lost it"))
        raise AttemptLostError(f"attempt {before.id} is not open any more")
    INSERT_ATTEMPT.run(connection, row_of(again, holder))
    note(connection, again)
