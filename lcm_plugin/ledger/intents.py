"""What is recorded before it is done, each beside what takes it back.

An intent whose asker was told that it was not recorded may have been, or may be recorded yet: nothing is done
on its account, so it is undone before anything else of this host is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from attrs import frozen

from cti_hooks import Attempt, AttemptState
from lcm_plugin.attempt.outcomes import BY_WORD
from lcm_plugin.attempt.transitions import (
    DIAL_UNDONE,
    DISPOSE,
    END_RESTORED,
    OFFER_RESTORED,
    ONCE_MORE_UNDONE,
    REQUEST_UNDONE,
)
from lcm_plugin.ledger import audit, barring, letters, opening, placing, succession, writing
from lcm_plugin.ledger.barring import Bar
from lcm_plugin.ledger.database import Step
from lcm_plugin.ledger.letters import Draft
from lcm_plugin.ledger.opening import Opened, Taker
from lcm_plugin.ledger.placing import Relied
from lcm_plugin.ledger.writer import Reversal
from lcm_plugin.ledger.writing import Undo

T = TypeVar("T")


@frozen(kw_only=True)
class Intent(Generic[T]):
    """A step that is recorded before its side effect.

    Attributes:
        attempt: as the step writes it.
        undo: what takes the step back.
        holder: under whose lease it has to be held still once it is recorded, if that matters.
    """

    attempt: Attempt
    step: Step[T]
    undo: Reversal[T]
    holder: str | None = None


def to_open(attempt: Attempt, by: Taker) -> Intent[Opened]:
    """Ask for a contact, or take up what waits for the agent."""
    reason = "the ledger did not answer; nothing was asked for"
    undone = REQUEST_UNDONE.of(attempt, attempt.opened_at, reason=reason)
    closing = Undo(transition=REQUEST_UNDONE, intended=attempt, undone=undone, holder=by.holder)

    def undo(opened: Opened | None) -> Step[object]:
        taken_up = opened is not None and opened.attempt.id != attempt.id
        return _letting_go(opened.attempt, by.holder) if opened and taken_up else closing

    step = partial(opening.open_attempt, attempt=attempt, by=by)
    return Intent(attempt=attempt, step=step, undo=undo, holder=by.holder)


def to_take_up(asked: Attempt, by: Taker) -> Intent[Attempt | None]:
    """Take up what waits for the agent of `asked`, and nothing else."""

    def undo(taken: Attempt | None) -> Step[object] | None:
        return _letting_go(taken, by.holder) if taken else None

    step = partial(opening.take_up_attempt, asked=asked, by=by)
    return Intent(attempt=asked, step=step, undo=undo)


def to_dial(dialing: Attempt, before: Attempt, holder: str, relied: Relied) -> Intent[None]:
    """Place a call."""
    undone = DIAL_UNDONE.back(dialing, before)
    undo = Undo(transition=DIAL_UNDONE, intended=dialing, undone=undone, holder=holder)
    step = partial(placing.dial_attempt, attempt=dialing, holder=holder, relied=relied)
    return Intent(attempt=dialing, step=step, undo=lambda _: undo, holder=holder)


def to_redial(closed: Attempt, again: Attempt, holder: str, asked: Mapping[str, Any]) -> Intent[None]:
    """Close an ended attempt, and offer its contact once more."""
    reason = "the ledger did not answer in time: it is not called once more"
    refused = ONCE_MORE_UNDONE.of(again, again.opened_at, reason=reason)
    undo = Undo(transition=ONCE_MORE_UNDONE, intended=again, undone=refused, holder=holder)
    step = partial(placing.redial_attempt, before=closed, again=again, holder=holder, asked=asked)
    return Intent(attempt=again, step=step, undo=lambda _: undo)


def to_dispose(
    disposed: Attempt, before: Attempt, holder: str | None, drafts: Iterable[Draft], bars: Sequence[Bar]
) -> Intent[str | None]:
    """Tell the LCM what came of an attempt, and go on to its agent's next one, whose id is the result.

    Taken back, it is `holder`'s again.
    """
    restored = OFFER_RESTORED if before.state is AttemptState.OFFERED else END_RESTORED
    undone = restored.back(disposed, before)
    undo = Undo(transition=restored, intended=disposed, undone=undone, holder=holder)
    step = partial(_dispose, attempt=disposed, drafts=tuple(drafts), bars=bars)
    return Intent(attempt=disposed, step=step, undo=lambda _: partial(succession.take_back, undo=undo))


def _dispose(
    connection: sa.Connection, attempt: Attempt, drafts: Sequence[Draft], bars: Sequence[Bar]
) -> str | None:
    writing.settle_attempt(connection, DISPOSE, attempt)
    if attempt.outcome in BY_WORD:
        audit.amend_end(connection, attempt)
    barring.write(connection, bars)
    letters.write(connection, attempt, drafts, attempt.changed_at or attempt.opened_at)
    return succession.promote(connection, attempt)


def _letting_go(attempt: Attempt, holder: str) -> Step[object]:
    return partial(writing.release_attempt, attempt_id=attempt.id, holder=holder)
