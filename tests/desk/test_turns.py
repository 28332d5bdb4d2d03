"""Turns: one thing after another at one desk, whoever waits for it or has gone."""

import asyncio
from functools import partial

import pytest
from attrs import define, field

from lcm_plugin.desk.turns import Turns


@define(eq=False)
class Acts:
    """Acts that take a second, and what was heard of them."""

    heard: list[str] = field(factory=list)

    async def act(self, name: str) -> str:
        self.heard.append(f"{name} begins")
        await asyncio.sleep(1)
        self.heard.append(f"{name} ends")
        return name

    async def fail(self) -> None:
        raise ValueError("it cannot be done")


async def test_one_after_another() -> None:
    """Each begins once the one before has ended, in the order they were asked for."""
    turns, acts = Turns("desk", lambda: None), Acts()
    turns.tell(partial(acts.act, "first"))
    assert await asyncio.gather(*(turns.take(partial(acts.act, name)) for name in "ab")) == ["a", "b"]
    wanted = [f"{name} {what}" for name in ("first", "a", "b") for what in ("begins", "ends")]
    assert acts.heard == wanted
    await asyncio.sleep(0)
    assert list(turns) == []


async def test_what_has_begun_ends_and_what_has_not_is_left_out() -> None:
    """Whoever waits may be cut off: a half-done act would be worse than none."""
    turns, acts = Turns("desk", lambda: None), Acts()
    waits = [asyncio.create_task(turns.take(partial(acts.act, name))) for name in "ab"]
    await asyncio.sleep(0.5)
    for one in waits:
        one.cancel()
    assert await turns.take(partial(acts.act, "c")) == "c"
    assert acts.heard == ["a begins", "a ends", "c begins", "c ends"]


async def test_a_failure_is_for_whoever_waits(caplog: pytest.LogCaptureFixture) -> None:
    """It reaches whoever waits, else the log; the next has its turn all the same."""
    turns, acts = Turns("desk", lambda: None), Acts()
    with pytest.raises(ValueError, match="cannot be done"):
        await turns.take(acts.fail)
    assert caplog.messages == []
    turns.tell(acts.fail)
    assert await turns.take(partial(acts.act, "next")) == "next"
    assert caplog.messages == ["ValueError: it cannot be done"]


async def test_nobody_waits_for_ever() -> None:
    """With its task cancelled, as at the end of a host, nobody is left waiting."""
    turns, acts = Turns("desk", lambda: None), Acts()
    waits = [asyncio.create_task(turns.take(partial(acts.act, name))) for name in "ab"]
    await asyncio.sleep(0.5)
    (task,) = turns
    task.cancel()
    await asyncio.wait(waits, timeout=1)
    assert [one.cancelled() for one in waits] == [True, True]


async def test_what_fails_after_a_turn_takes_nobodys_turn() -> None:
    """Whoever stands in line has their turn, whatever becomes of what is told between turns."""

    def fails() -> None:
        raise OSError("nobody listens")

    turns, acts = Turns("desk", fails), Acts()
    await asyncio.gather(*(turns.take(partial(acts.act, name)) for name in "ab"))
    assert not list(turns)
