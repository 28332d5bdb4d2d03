"""docs/architecture.md: docstrings may rely on it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "architecture.md").read_text(encoding="utf-8")
ROOMS = ("lcm_plugin", "hooks", "tests", "benchmarks", "docs", "examples", ".ci")
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*"))
    if path.suffix in {".py", ".toml", ".md"} and path != Path(__file__)
}
STRAYS = re.compile(r"\bDESIGN\b|\b(?:message|telephony|peers) facts\b")


def _anchors(page: str) -> set[str]:
    """The anchors a page's headings have, as GitHub makes them."""
    headings = re.findall(r"(?m)^#+ (.+)$", page)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _links() -> Iterator[tuple[str, str, str]]:
    for source, text in SOURCES.items():
        for page, anchor in re.findall(r"docs/([\w-]+\.md)(?:#([\w-]+))?", text):
            yield source, page, anchor


@pytest.mark.parametrize(("source", "page", "anchor"), sorted(set(_links())))
def test_every_link_to_a_page_leads_somewhere(source: str, page: str, anchor: str) -> None:
    """A page that a docstring names is there, and so is the section."""
    assert (DOCS / page).is_file(), source
    assert not anchor or anchor in _anchors((DOCS / page).read_text(encoding="utf-8")), source


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w.]+(?:/[\w.]*)*)`", PAGE))))
def test_every_file_that_is_named_exists(name: str) -> None:
    """Whoever looks for a file of the page finds it."""
    if "/" in name or name.endswith((".py", ".cfg", ".toml", ".md")):
        assert (ROOT / name).exists() or (ROOT / "lcm_plugin" / name).exists()


def test_no_document_is_named_that_is_not_here() -> None:
    """What a docstring refers to can be read by whoever reads the docstring."""
    named = [name for name, text in SOURCES.items() if STRAYS.search(text)]
    assert not named
