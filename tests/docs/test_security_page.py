"""SECURITY.md: each limit it promises is held to by a test."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.split("## Limits")[1].splitlines()
    if line.startswith("| ")
][2:]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_limit_names_its_place_and_a_test_that_exists(row: list[str]) -> None:
    """What, limit, where, what happens beyond it, and a test: the file is there, and the test is in it."""
    assert len(row) == 5
    _, limit, where, beyond, test = row
    assert limit
    assert beyond
    assert (ROOT / "lcm_plugin" / where.strip("`")).is_file() or (ROOT / where.strip("`")).is_file()
    found = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", test)
    assert found
    source = (ROOT / found[1]).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {found[2]}\(", source, re.MULTILINE)


def test_limits_are_sorted_by_room() -> None:
    """A row is found, and added, where its room is; each once."""
    names = [row[0] for row in ROWS]
    assert names == sorted(set(names))
