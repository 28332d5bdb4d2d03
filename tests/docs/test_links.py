"""What docstrings and pages refer to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("lcm_plugin", "hooks", "tests", "benchmarks", "docs", "examples", ".ci")
TEXTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in sorted([*ROOT.glob("*.md"), *(path for room in ROOMS for path in (ROOT / room).rglob("*"))])
    if path.suffix in {".py", ".toml", ".md"} and path != Path(__file__)
}
FROM_DOCSTRINGS = {
    (source, f"docs/{page}", anchor)
    for source, text in TEXTS.items()
    for page, anchor in re.findall(r"docs/([\w-]+\.md)(?:#([\w-]+))?", text)
}
FROM_PAGES = {
    (source, target, anchor)
    for source, text in TEXTS.items()
    if source.endswith(".md")
    for target, anchor in re.findall(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)", text)
}
STRAYS = re.compile(r"\bDESIGN\b|\b(?:message|telephony|peers) facts\b")


def _has(page: Path, anchor: str) -> bool:
    """Whether one of the page's headings has this anchor, as GitHub makes them."""
    headings = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
    return anchor in {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize(("source", "page", "anchor"), sorted(FROM_DOCSTRINGS))
def test_every_link_of_a_docstring_leads_somewhere(source: str, page: str, anchor: str) -> None:
    """A page that a docstring names is there, and so is the section."""
    assert (ROOT / page).is_file(), source
    assert not anchor or _has(ROOT / page, anchor), source


@pytest.mark.parametrize(("source", "target", "anchor"), sorted(FROM_PAGES))
def test_every_link_of_a_page_leads_somewhere(source: str, target: str, anchor: str) -> None:
    """The file is there, and so is the section."""
    page = (ROOT / source).parent / target if target else ROOT / source
    assert page.exists()
    assert not anchor or _has(page, anchor)


def test_no_document_is_named_that_is_not_here() -> None:
    """What a docstring refers to can be read by whoever reads the docstring."""
    assert not [name for name, text in TEXTS.items() if STRAYS.search(text)]
