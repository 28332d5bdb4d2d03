"""The page of an attempt's life: current and complete."""

import runpy
from pathlib import Path

import pytest

from cti_hooks import AttemptState
from lcm_plugin.attempt.transitions import TABLE

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "attempt.md").read_text(encoding="utf-8")


def test_the_page_is_current() -> None:
    """docs/attempt.md is what `python docs/attempt.py` writes now."""
    assert runpy.run_path(str(DOCS / "attempt.py"))["page"]() == PAGE


@pytest.mark.parametrize("state", AttemptState)
def test_every_state_is_explained_and_drawn(state: AttemptState) -> None:
    """Each state has its line of meaning, and its place in the diagram."""
    assert f"| {state} | " in PAGE
    diagram = PAGE.partition("```mermaid")[2].partition("```")[0]
    assert f"--> {state}:" in diagram


@pytest.mark.parametrize("name", [row.name for row in TABLE])
def test_every_row_is_told(name: str) -> None:
    """Each row of the table stands on the page."""
    assert f"\n| {name} | " in PAGE
