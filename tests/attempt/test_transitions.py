"""The table of an attempt's life, by row and by whatever order of rows."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_hooks import Agent, Attempt, AttemptState
from lcm_plugin.attempt import IN_DOUBT, OPEN
from lcm_plugin.attempt.transition import Kind, NoTransitionError, Transition
from lcm_plugin.attempt.transitions import (
    DIAL,
    DIAL_UNDONE,
    END_RESTORED,
    FETCHED,
    ONCE_MORE,
    REFUSED,
    REQUEST,
    TABLE,
)

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
ROWS = {row.name: row for row in TABLE}
LATER = [row for row in TABLE if row.sources]


def opened(row: Transition = REQUEST) -> Attempt:
    return row.opens("a", NOW, agent=Agent(id="1001"), contact=None, campaign_group="")


def at(state: AttemptState) -> Attempt:
    return Attempt(
        id="a", agent=Agent(id="1001"), contact=None, state=state, campaign_group="", opened_at=NOW
    )


@pytest.mark.parametrize("state", AttemptState)
@pytest.mark.parametrize("row", LATER, ids=[row.name for row in LATER])
def test_a_row_leads_from_its_sources_only(row: Transition, state: AttemptState) -> None:
    """From a source it leads to its target, or leaves the state as it is; from any other it is an error."""
    if state in row.sources:
        assert row.of(at(state), NOW).state is (row.target or state)
        return
    with pytest.raises(NoTransitionError, match=f"attempt a is {state}: {row.name} does not lead to"):
        row.of(at(state), NOW)


def test_an_error_names_both_states() -> None:
    """Whoever asks for what the table lacks is told the attempt, the state it is in and the one wanted."""
    with pytest.raises(
        NoTransitionError, match="attempt a is closed: dial does not lead to dialing"
    ) as raised:
        DIAL.of(at(AttemptState.CLOSED), NOW)
    assert isinstance(raised.value, ValueError)


def test_rows_have_names_of_their_own() -> None:
    """No two rows are called the same, and each says its condition."""
    assert len(ROWS) == len(TABLE)
    assert all(row.condition for row in TABLE)


def test_every_state_is_reached() -> None:
    """Each state is some row's target."""
    reached = {row.target for row in TABLE if row.target}
    assert reached == set(AttemptState)


def test_a_row_that_opens_opens_only() -> None:
    """A new attempt begins by a row without sources, and by no other."""
    assert opened(REQUEST).state is AttemptState.REQUESTED
    assert opened(ONCE_MORE).state is AttemptState.OFFERED
    with pytest.raises(ValueError, match="AttemptState"):
        opened(DIAL)


def test_an_undo_leads_back_to_what_was() -> None:
    """What an intent is taken back to is the attempt as it was, and nothing else."""
    offer = FETCHED.of(opened(), NOW)
    dialing = DIAL.of(offer, NOW)
    assert DIAL_UNDONE.back(dialing, offer) is offer
    with pytest.raises(NoTransitionError):
        END_RESTORED.back(dialing, offer)
    with pytest.raises(NoTransitionError):
        DIAL_UNDONE.back(dialing, dialing)


lives = st.lists(st.sampled_from(LATER), max_size=40)


def lived(rows: list[Transition], first: Transition = REQUEST) -> list[tuple[Transition, Attempt]]:
    """The rows that led somewhere, each with the attempt after it."""
    attempt, life = opened(first), []
    for row in rows:
        if attempt.state in row.sources:
            attempt = row.of(attempt, NOW)
            life.append((row, attempt))
    return life


@given(lives)
def test_any_order_of_rows_leaves_a_state_of_the_table(rows: list[Transition]) -> None:
    """Whatever happens in whatever order, an attempt is in a state that a row led to."""
    for row, attempt in lived(rows):
        assert attempt.state is row.target or attempt.state in row.sources


@given(lives)
def test_software_never_dials_twice(rows: list[Transition]) -> None:
    """Between two dials of one attempt lies a record that nothing rang: an undo of the dial."""
    names = [row.name for row, _ in lived(rows) if row in {DIAL, DIAL_UNDONE}]
    assert all(name != after for name, after in pairwise(names))


@given(lives)
def test_what_is_over_comes_back_by_an_undo_or_a_redial_that_failed(rows: list[Transition]) -> None:
    """Once an attempt is not open any more, only taking something back opens it again."""
    before = AttemptState.REQUESTED
    for row, attempt in lived(rows):
        if before not in OPEN and attempt.state in OPEN:
            assert row.kind is Kind.UNDO or row.name == "fell_back"
        before = attempt.state


def test_what_may_have_rung_is_refused_only_while_it_is_recorded() -> None:
    """A call that is up, or may be, is never called refused: that would let software dial its key again."""
    assert IN_DOUBT & set(REFUSED.sources) == {AttemptState.DIALING}
