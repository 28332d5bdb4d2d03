"""Attempts as a report: narrowed by time, campaign and outcome, and as a table that a spreadsheet opens."""

import csv
import io
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from cti_hooks import Attempt, AttemptState, Outcome, masked, masked_text
from lcm_plugin.ledger import Ledger

AT_ONCE: Final = 500
"""Attempts read in one step: between two steps others have the ledger."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""


@frozen(kw_only=True)
class Wanted:
    """Which attempts a report is of; what is None, or empty, narrows nothing."""

    agent: str | None = None
    states: tuple[AttemptState, ...] = ()
    since: datetime | None = None
    """When they began, at the earliest."""
    until: datetime | None = None
    """Before when they began."""
    campaign: str | None = None
    outcome: tuple[Outcome, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether all attempts of this time, agent and state are wanted."""
        return self.campaign is None and not self.outcome

    def matches(self, attempt: Attempt) -> bool:
        """Whether an attempt of this time, agent and state is wanted."""
        campaign = attempt.contact.campaign if attempt.contact else ""
        is_of_outcome = not self.outcome or attempt.outcome in self.outcome
        return is_of_outcome and self.campaign in {None, campaign}


async def reported(
    ledger: Ledger, wanted: Wanted, before: Attempt | None = None, at_once: int = AT_ONCE
) -> AsyncIterator[Attempt]:
    """The attempts, newest first, of all hosts; read so many in one step.

    Raises:
        LedgerUnavailable: the ledger cannot be read now.
    """
    at_once = min(at_once, AT_ONCE) if wanted.is_exact else AT_ONCE
    while True:
        found = await ledger.attempts(
            agent_id=wanted.agent,
            states=wanted.states,
            since=wanted.since,
            until=wanted.until,
            before=before,
            limit=at_once,
        )
        for attempt in filter(wanted.matches, found):
            yield attempt
        if len(found) < at_once:
            return
        before = found[-1]


async def first_of(attempts: AsyncIterator[Attempt], most: int) -> list[Attempt]:
    """As many of them at the most."""
    found: list[Attempt] = []
    async for attempt in attempts:
        found.append(attempt)
        if len(found) == most:
            break
    return found


def _callback_at(attempt: Attempt) -> str | None:
    callback = attempt.disposition.callback if attempt.disposition else None
    return callback.starts_at.isoformat() if callback else None


Column = Callable[[Attempt], Any]
COLUMNS: Final[dict[str, Column]] = {
    "attempt": lambda one: one.id,
    "opened_at": lambda one: one.opened_at.isoformat(),
    "changed_at": lambda one: one.changed_at.isoformat() if one.changed_at else None,
    "host": lambda one: one.host,
    "agent": lambda one: one.agent.id,
    "campaign_group": lambda one: one.campaign_group,
    "campaign": lambda one: one.contact.campaign if one.contact else None,
    "contact": lambda one: one.contact.contact_id if one.contact else None,
    "key": lambda one: one.contact.key if one.contact else None,
    "number": lambda one: (one.contact.e164 or one.contact.phone_number) if one.contact else None,
    "state": lambda one: one.state.value,
    "answer": lambda one: one.answer.value if one.answer else None,
    "answered_at": lambda one: one.answered_at.isoformat() if one.answered_at else None,
    "actor": lambda one: one.actor,
    "dialers": lambda one: " ".join(one.backends),
    "calls": lambda one: len(one.calls),
    "outcome": lambda one: one.outcome.value if one.outcome else None,
    "outcome_id": lambda one: one.disposition.outcome_id if one.disposition else None,
    "business_outcome_id": lambda one: one.disposition.business_outcome_id if one.disposition else None,
    "callback_at": _callback_at,
    "do_not_call": lambda one: one.disposition.do_not_call if one.disposition else None,
    "refused_by": lambda one: " ".join(refusal.rule for refusal in one.refusals),
    "reason": lambda one: one.reason,
}
"""A report's columns, in their order. Names and comments of people are in none."""


def heading() -> str:
    """The first line."""
    return _line(COLUMNS)


def row(attempt: Attempt, *, whole: bool) -> str:
    """An attempt's line; if not `whole`, without a number."""
    cells = {name: column(attempt) for name, column in COLUMNS.items()}
    if not whole:
        cells |= {"number": masked(cells["number"]), "reason": masked_text(cells["reason"])}
    return _line(cells.values())


def _line(cells: Any) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(map(_cell, cells))
    return written.getvalue()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
