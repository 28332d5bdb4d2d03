"""tests/README.md: whoever opens the tests for the first time."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS / "README.md").read_text(encoding="utf-8")
MAKEFILE = (TESTS.parent / "Makefile").read_text(encoding="utf-8")
RACES = re.findall(r"^\| .* \| \[(\S+\.py)\]\(\S+\): (.*) \|$", PAGE, re.MULTILINE)
FOLDERS = {file.parent.name for file in TESTS.glob("*/test_*.py")}


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_every_folder_is_told(folder: str) -> None:
    """Each folder of tests has a line that says what is in it."""
    assert f"\n| `{folder}` | " in PAGE


@pytest.mark.parametrize("target", ["quick", "test", "coverage", "floors", "telephony"])
def test_every_target_is_told_and_there(target: str) -> None:
    """Each way to run the tests is told, and is a target of the Makefile."""
    assert f"`make {target}`" in PAGE
    assert f"\n{target}:" in MAKEFILE


@pytest.mark.parametrize(("file", "names"), RACES, ids=[file for file, _ in RACES])
def test_every_race_has_its_test(file: str, names: str) -> None:
    """Each test that the table of races names is there."""
    text = (TESTS / file).read_text(encoding="utf-8")
    assert [name for name in re.findall("`(.+?)`", names) if f"def test_{name}(" not in text] == []
