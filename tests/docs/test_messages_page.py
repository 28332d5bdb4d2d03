"""The page of messages: current and complete."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from lcm_plugin.lcm.catalogue import CATALOGUE, Field

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "lcm-messages.md").read_text(encoding="utf-8")


def _load() -> ModuleType:
    found = importlib.util.spec_from_file_location("messages", DOCS / "messages.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _all(fields: tuple[Field, ...]) -> list[Field]:
    return [inner for field in fields for inner in (field, *_all(field.items))]


def test_the_page_is_current() -> None:
    """docs/lcm-messages.md is what `python docs/messages.py` writes now."""
    assert _load().page() == PAGE


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_message_is_told_in_full(name: str) -> None:
    """Each message has its reply, its kind, its page, each field and what is not documented of it."""
    message = CATALOGUE[name]
    (section,) = (part for part in PAGE.split("\n### ") if part.startswith(f"{name}\n"))
    assert section.splitlines()[2].startswith(f"{message.kind} · ")
    assert (f"`{message.reply}`" if message.reply else "no reply") in section
    assert f"`{message.page}`" in section
    assert message.silent in section
    for field in _all(message.fields):
        assert f"{field.wire}` | `{field.name}` | {field.table}" in section
        assert field.why in section
