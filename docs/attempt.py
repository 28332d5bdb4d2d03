"""Writes docs/attempt.md from the table of transitions: `python docs/attempt.py`. A test keeps it current."""

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from cti_hooks import AttemptState
from lcm_plugin.attempt.transition import Kind, Transition
from lcm_plugin.attempt.transitions import TABLE

HEAD = """# An attempt's life

An attempt is one try to get one contact to one agent. Nothing changes its state but a row of this table, which is `lcm_plugin.attempt.transitions`. This page is made from it by `python docs/attempt.py`; a test keeps it current.

| state | what it means |
| --- | --- |
{states}

The kinds of change:

| kind | recorded | holds |
| --- | --- | --- |
| intent | before what it stands for is done; if it cannot be recorded, nothing is done | once it is committed |
| fact | as soon as can be, after it happened | while this host has the attempt |
| seen | as soon as can be, after it was seen of the call | whoever has the attempt by now |
| undo | after an intent of which nothing came, or whose answer came too late | if the row is as it was intended |
"""


def page() -> str:
    """The page."""
    head = HEAD.format(states="\n".join(_states()))
    return "\n".join([head, *_diagram(), "", *_table(), ""])


def _states() -> Iterator[str]:
    """What the enumeration says of each of its members."""
    body = ast.parse(inspect.getsource(AttemptState)).body[0].body  # type: ignore[attr-defined]
    for member, told in pairwise(body):
        if isinstance(member, ast.Assign):
            meaning = told.value.value.rstrip(".")
            yield f"| {AttemptState[member.targets[0].id]} | {meaning[0].lower()}{meaning[1:]} |"


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    for row in TABLE:
        if row.kind is not Kind.UNDO:
            yield from _edges(row)
    yield "```"
    yield ""
    yield "Undoing is left out of the picture; rows that keep the state are drawn as loops."


def _edges(row: Transition) -> Iterator[str]:
    for source in row.sources or ("[*]",):
        yield f"    {source} --> {row.target or source}: {row.name}"


def _table() -> Iterator[str]:
    yield "| transition | from | to | kind | condition |"
    yield "| --- | --- | --- | --- | --- |"
    for row in TABLE:
        came_from = ", ".join(_ordered(row)) or "-"
        yield f"| {row.name} | {came_from} | {row.target or 'the same'} | {row.kind} | {row.condition} |"


def _ordered(row: Transition) -> list[str]:
    return [state.value for state in AttemptState if state in row.sources]


if __name__ == "__main__":
    (Path(__file__).parent / "attempt.md").write_text(page(), encoding="utf-8")
