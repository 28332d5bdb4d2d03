"""docs/style.md: what of it a machine can look at."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [path for room in ("hooks", "lcm_plugin") for path in sorted((ROOT / room).rglob("*.py"))]
CONDITION = re.compile(r"\b(?:None|[Ee]mpty|[Nn]othing|none|[Aa]ll),? where\b|\bwhere (?:None|unset|none)\b")


def _docstrings(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_a_condition_is_told_by_if(path: Path) -> None:
    """Where is for places: a docstring says "None if", never "None where"."""
    for text in _docstrings(path.read_text(encoding="utf-8")):
        assert not CONDITION.search(text), text
