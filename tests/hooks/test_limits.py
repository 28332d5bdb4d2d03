"""Time limits, cancellation, and coroutines that misbehave."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import attrs
import pytest

from cti_hooks import Contact, HookCancelledError, HookOverrunError, Hooks

Plug = Callable[..., Hooks]
Facts = Callable[[str], dict[str, Any]]

ONE = Contact(key="one", phone_number="+12125550101")


async def hangs() -> None:
    await asyncio.sleep(3600)


async def stubborn() -> Contact:
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        await asyncio.sleep(0.5)
    return ONE


async def endless() -> None:
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        await asyncio.sleep(3600)  # the end of the test ends it


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize(("hook", "seconds"), [("select_campaign_groups", 5), ("request_next_contact", 20)])
async def test_each_hook_has_its_limit(plug: Plug, facts: Facts, hook: str, seconds: float) -> None:
    """An implementation that does not answer in time is a failure; the next is asked, then that is raised."""
    began = now()
    with pytest.raises(HookOverrunError, match=f"plugin 'p1' did not answer within {seconds} s"):
        await plug({hook: hangs}).first(hook, **facts(hook))
    assert now() - began == pytest.approx(seconds, abs=0.1)


async def test_an_overrun_does_not_keep_the_next_from_answering(
    plug: Plug, facts: Facts, caplog: pytest.LogCaptureFixture
) -> None:
    """After an overrun the next source is asked, and the log names who hung."""
    hooks = plug({"request_next_contact": hangs}, {"request_next_contact": lambda: ONE})
    assert await hooks.first("request_next_contact", **facts("request_next_contact")) == ONE
    assert "plugin 'p1'" in caplog.text


async def test_an_overrun_of_a_once_question_ends_it(plug: Plug, facts: Facts) -> None:
    """A dialer that hangs is not followed by another: something may have rung."""
    asked: list[str] = []
    hooks = plug({"make_call": hangs}, {"make_call": lambda: asked.append("second")})
    began = now()
    with pytest.raises(HookOverrunError):
        await hooks.first("make_call", **facts("make_call"))
    assert now() - began == pytest.approx(20, abs=0.1)
    assert asked == []


async def test_make_call_is_not_asked_after_not_after(plug: Plug, facts: Facts, clock: Any) -> None:
    """When the deadline of the dial has passed, no dialer is asked any more."""
    asked: list[str] = []
    given = facts("make_call")
    late = attrs.evolve(given["dial"], not_after=clock.now() - timedelta(seconds=1))
    hooks = plug({"make_call": lambda: asked.append("asked")})
    with pytest.raises(HookOverrunError, match="too late"):
        await hooks.first("make_call", **{**given, "dial": late})
    assert asked == []


@pytest.mark.parametrize(
    ("function", "said"),
    [(stubborn, "swallowed its cancellation"), (endless, "goes on although it was cancelled")],
)
async def test_who_swallows_a_cancellation_is_named(
    plug: Plug, facts: Facts, caplog: pytest.LogCaptureFixture, function: Any, said: str
) -> None:
    """A coroutine that ignores its cancellation is reported by name and left behind; the caller goes on."""
    hooks = plug({"request_next_contact": function})
    with pytest.raises(HookOverrunError):
        await hooks.first("request_next_contact", **facts("request_next_contact"))
    assert f"request_next_contact: plugin 'p1' {said}" in caplog.text
    assert now() < 22


@pytest.mark.parametrize("function", [hangs, stubborn, endless])
@pytest.mark.parametrize(
    ("way", "hook"),
    [("first", "request_next_contact"), ("all", "on_agent_ready"), ("chain", "enrich_contact")],
)
async def test_the_callers_cancellation_goes_through(
    plug: Plug, facts: Facts, way: str, hook: str, function: Any
) -> None:
    """Whatever plugins do, who cancels a hook call gets it cancelled, soon."""
    asking = asyncio.create_task(getattr(plug({hook: function}), way)(hook, **facts(hook)))
    await asyncio.sleep(1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert now() < 2.5


@pytest.mark.parametrize("asynchronous", [True, False], ids=["async", "plain"])
async def test_a_stray_cancelled_error_is_a_failure(plug: Plug, facts: Facts, *, asynchronous: bool) -> None:
    """A plugin that raises CancelledError by itself has failed; nobody is cancelled by it."""

    async def stray() -> None:
        raise asyncio.CancelledError

    def plain() -> None:
        raise asyncio.CancelledError

    hooks = plug({"on_agent_ready": stray if asynchronous else plain})
    (answer,) = await hooks.all("on_agent_ready", **facts("on_agent_ready"))
    assert isinstance(answer.error, HookCancelledError)


async def test_no_task_is_left(plug: Plug, facts: Facts) -> None:
    """Answered, failed, overrun or cancelled: no task of a hook call goes on."""
    hooks = plug({"on_agent_ready": hangs}, {"on_agent_ready": stubborn}, {"on_agent_ready": lambda: None})
    await hooks.all("on_agent_ready", **facts("on_agent_ready"))
    asking = asyncio.create_task(hooks.all("on_agent_ready", **facts("on_agent_ready")))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await asyncio.sleep(5)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_awaitable_of_a_plain_function_is_awaited(plug: Plug, facts: Facts) -> None:
    """A plain def may hand back anything that can be awaited."""
    future: asyncio.Future[Contact] = asyncio.get_running_loop().create_future()
    future.set_result(ONE)
    hooks = plug({"request_next_contact": lambda: future})
    assert await hooks.first("request_next_contact", **facts("request_next_contact")) == ONE


@pytest.mark.parametrize("asynchronous", [True, False], ids=["async", "plain"])
async def test_what_an_implementation_sets_in_its_context_stays_there(
    plug: Plug, facts: Facts, *, asynchronous: bool
) -> None:
    """Context variables that an implementation sets are not the caller's."""
    told = ContextVar("told", default="nobody")

    async def sets() -> None:
        told.set("async")

    def plain() -> None:
        told.set("plain")

    hooks = plug({"on_agent_ready": sets if asynchronous else plain})
    await hooks.all("on_agent_ready", **facts("on_agent_ready"))
    assert told.get() == "nobody"
