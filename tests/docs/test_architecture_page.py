"""docs/architecture.md: a reader finds what it names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMES = set(re.findall(r"`([\w.]+(?:/[\w.]*)*)`", PAGE))
ROOMS = [path.name for path in (ROOT / "lcm_plugin").iterdir() if (path / "__init__.py").is_file()]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_file_that_is_named_exists(name: str) -> None:
    """Whoever looks for a file of the page finds it."""
    if "/" in name or name.endswith((".py", ".cfg", ".toml", ".md")):
        assert (ROOT / name).exists()


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_every_room_is_told(room: str) -> None:
    """Each package is in the table of rooms."""
    assert f"`lcm_plugin/{room}/`" in PAGE
