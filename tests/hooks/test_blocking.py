"""Implementations that hold up the event loop are named, and nobody else for them."""

import asyncio
import logging
from collections.abc import Callable, Generator
from typing import Any

import pytest

from cti_hooks import Contact, Hooks, hookimpl

Plug = Callable[..., Hooks]
Facts = Callable[[str], dict[str, Any]]

ONE = Contact(key="one", phone_number="+12125550101")


class Stopwatch:
    """Real time that passes only while a plugin works."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def works(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def named(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Who was named, and for how long: `p1 for 51 ms`."""
    caplog.set_level(logging.WARNING)

    def told() -> list[str]:
        lines = [line for line in caplog.messages if "blocked the event loop" in line]
        assert all("asyncio.to_thread" in line for line in lines)
        return [f"{line.split(chr(39))[1]} {line.partition('loop ')[2].partition(';')[0]}" for line in lines]

    return told


@pytest.mark.parametrize("asynchronous", [True, False], ids=["async", "plain"])
@pytest.mark.parametrize(("seconds", "told"), [(0.049, []), (0.051, ["p1 for 51 ms"])])
async def test_who_blocks_the_event_loop_is_named(
    plug: Plug,
    facts: Facts,
    watch: Stopwatch,
    named: Callable[[], list[str]],
    seconds: float,
    told: list[str],
    *,
    asynchronous: bool,
) -> None:
    """What holds up the event loop for more than 50 ms is named in the log, with the way out."""

    async def awaits() -> None:
        watch.works(seconds)

    hooks = plug(
        {"on_agent_ready": awaits if asynchronous else lambda: watch.works(seconds)}, stopwatch=watch
    )
    await hooks.all("on_agent_ready", **facts("on_agent_ready"))
    assert named() == told


async def test_each_step_between_two_waits_counts_for_itself(
    plug: Plug, facts: Facts, watch: Stopwatch, named: Callable[[], list[str]]
) -> None:
    """Waiting is not blocking, and neither are many short steps; a long one is named wherever it comes."""

    async def works() -> None:
        for _ in range(10):
            watch.works(0.04)
            await asyncio.sleep(1)
        watch.works(0.2)
        await asyncio.sleep(0)
        watch.works(0.04)

    hooks = plug({"request_next_contact": works}, stopwatch=watch)
    await hooks.first("request_next_contact", **facts("request_next_contact"))
    assert named() == ["p1 for 200 ms"]


async def test_who_blocks_and_then_fails_is_named(
    plug: Plug, facts: Facts, watch: Stopwatch, named: Callable[[], list[str]]
) -> None:
    """A step that ends in an exception, thrown in or its own, is measured as any other."""

    async def fails() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            watch.works(0.1)

    hooks = plug({"on_agent_ready": fails}, stopwatch=watch)
    (answer,) = await hooks.all("on_agent_ready", **facts("on_agent_ready"))
    assert isinstance(answer.error, TimeoutError)
    assert named() == ["p1 for 100 ms"]


async def test_who_only_asks_one_that_blocks_is_not_named(
    plug: Plug, facts: Facts, watch: Stopwatch, named: Callable[[], list[str]]
) -> None:
    """If a plugin's own hook call meets a plugin that blocks, that plugin alone is named."""
    reviewed = facts("review_contact")

    async def asks() -> None:
        watch.works(0.02)
        await hooks.all("review_contact", **reviewed)
        watch.works(0.02)

    hooks = plug({"on_agent_ready": asks}, {"review_contact": lambda: watch.works(0.3)}, stopwatch=watch)
    await hooks.all("on_agent_ready", **facts("on_agent_ready"))
    assert named() == ["p2 for 300 ms"]


async def test_who_blocks_at_the_start_is_not_named(
    plug: Plug, facts: Facts, watch: Stopwatch, named: Callable[[], list[str]]
) -> None:
    """While a host starts or stops nobody is served yet, or any more."""

    async def reads_a_file() -> None:
        watch.works(0.3)

    hooks = plug({"on_startup": reads_a_file}, stopwatch=watch)
    assert [answer.error async for answer in hooks.each("on_startup", **facts("on_startup"))] == [None]
    assert named() == []


async def test_a_wrapper_that_blocks_is_named(
    plug: Plug, facts: Facts, watch: Stopwatch, named: Callable[[], list[str]]
) -> None:
    """Both halves of a wrapper are measured."""

    @hookimpl(wrapper=True)
    def wraps() -> Generator[None, Any, Any]:
        watch.works(0.06)
        result = yield
        watch.works(0.07)
        return result

    hooks = plug({"request_next_contact": wraps}, {"request_next_contact": lambda: ONE}, stopwatch=watch)
    assert await hooks.first("request_next_contact", **facts("request_next_contact")) == ONE
    assert named() == ["p1 for 60 ms", "p1 for 70 ms"]
