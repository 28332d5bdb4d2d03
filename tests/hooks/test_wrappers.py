"""Wrappers: pluggy's plain generators, around awaited results."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any

import attrs
import pytest

from cti_hooks import (
    Answer,
    Contact,
    HookCancelledError,
    HookError,
    HookResultError,
    Hooks,
    PluginError,
    Refusal,
    hookimpl,
)

Plug = Callable[..., Hooks]
Facts = Callable[[str], dict[str, Any]]

ONE = Contact(key="k", phone_number="+12125550123")
wrapper = hookimpl(wrapper=True)


async def answers() -> Contact:
    await asyncio.sleep(1)
    return ONE


async def test_a_wrapper_of_first_sees_and_replaces_the_awaited_result(plug: Plug, facts: Facts) -> None:
    """What comes out of the yield is the result, not a coroutine; what is returned is the caller's."""
    seen: list[Any] = []

    @wrapper
    def wraps(campaign_group: str) -> Generator[None, Any, Any]:
        result = yield
        seen.append(result)
        return attrs.evolve(result, campaign=campaign_group)

    hooks = plug({"request_next_contact": wraps}, {"request_next_contact": answers})
    found = await hooks.first("request_next_contact", **facts("request_next_contact"))
    assert seen == [ONE]
    assert found.campaign == "G"


async def test_wrappers_nest_in_call_order(plug: Plug, facts: Facts) -> None:
    """The first in call order is the outermost."""
    steps: list[str] = []

    def wraps(name: str) -> dict[str, Any]:
        @wrapper
        def around() -> Generator[None, Any, Any]:
            steps.append(f"{name} in")
            result = yield
            steps.append(f"{name} out")
            return result

        return {"request_next_contact": around}

    await plug(wraps("a"), wraps("b"), {"request_next_contact": answers}).first(
        "request_next_contact", **facts("request_next_contact")
    )
    assert steps == ["a in", "b in", "b out", "a out"]


async def test_a_wrapper_of_all_sees_the_answers(plug: Plug, facts: Facts) -> None:
    """Around `all` the result is the list of answers."""

    @wrapper
    def wraps() -> Generator[None, Any, Any]:
        found = yield
        return [*found, Answer(plugin="extra")]

    hooks = plug({"on_agent_ready": wraps}, {"on_agent_ready": lambda: None})
    found = await hooks.all("on_agent_ready", **facts("on_agent_ready"))
    assert [answer.plugin for answer in found] == ["p2", "extra"]


async def test_a_wrapper_of_chain_sees_the_end(plug: Plug, facts: Facts) -> None:
    """Around `chain` the result is what the argument has become."""

    @wrapper
    def wraps() -> Generator[None, Any, Any]:
        contact = yield
        return attrs.evolve(contact, mode=contact.campaign.upper())

    hooks = plug(
        {"enrich_contact": lambda contact: attrs.evolve(contact, campaign="c")}, {"enrich_contact": wraps}
    )
    assert (await hooks.chain("enrich_contact", **facts("enrich_contact"))).mode == "C"


async def test_a_wrapper_may_turn_a_failure_into_a_result(plug: Plug, facts: Facts) -> None:
    """As in pluggy, a failure is thrown into the wrapper, which may answer in its stead."""

    async def fails() -> None:
        raise OSError("down")

    @wrapper
    def saves() -> Generator[None, Any, Any]:
        try:
            return (yield)
        except OSError:
            return ONE

    hooks = plug({"request_next_contact": saves}, {"request_next_contact": fails})
    assert await hooks.first("request_next_contact", **facts("request_next_contact")) == ONE


def raises_before() -> Generator[None, Any, Any]:
    raise OSError("before")
    yield


def stray_before() -> Generator[None, Any, Any]:
    raise asyncio.CancelledError
    yield


def no_yield() -> Generator[None, Any, Any]:
    if False:
        yield
    return ONE


@pytest.mark.parametrize("function", [raises_before, stray_before, no_yield])
async def test_a_wrapper_that_fails_before_its_yield_is_left_out(
    plug: Plug, facts: Facts, caplog: pytest.LogCaptureFixture, function: Any
) -> None:
    """It is logged by name, and the call goes on without it."""
    hooks = plug({"request_next_contact": wrapper(function)}, {"request_next_contact": answers})
    assert await hooks.first("request_next_contact", **facts("request_next_contact")) == ONE
    assert "request_next_contact: plugin 'p1'" in caplog.text


@pytest.mark.parametrize(
    ("function", "error"),
    [(raises_before, OSError), (stray_before, HookCancelledError), (no_yield, HookError)],
)
async def test_on_a_once_hook_it_raises(
    plug: Plug, facts: Facts, function: Any, error: type[Exception]
) -> None:
    """Around what must not happen twice a wrapper that fails first is raised, and nothing is placed."""
    asked: list[str] = []
    closed: list[str] = []

    @wrapper
    def outer() -> Generator[None, Any, Any]:
        try:
            return (yield)
        finally:
            closed.append("outer")

    hooks = plug(
        {"make_call": outer}, {"make_call": wrapper(function)}, {"make_call": lambda: asked.append("x")}
    )
    with pytest.raises(error):
        await hooks.first("make_call", **facts("make_call"))
    assert asked == []
    assert closed == ["outer"]


def raises_after() -> Generator[None, Any, Any]:
    yield
    raise OSError("after")


def stray_after() -> Generator[None, Any, Any]:
    yield
    raise asyncio.CancelledError


def two_yields() -> Generator[None, Any, Any]:
    yield
    yield


def nonsense() -> Generator[None, Any, Any]:
    yield
    return {"phone": "+12125550123"}


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (raises_after, OSError),
        (stray_after, HookCancelledError),
        (two_yields, HookError),
        (nonsense, HookResultError),
    ],
)
async def test_a_failure_after_the_yield_is_raised(
    plug: Plug, facts: Facts, function: Any, error: type[Exception]
) -> None:
    """As in pluggy, it takes the place of the result."""
    hooks = plug({"request_next_contact": wrapper(function)}, {"request_next_contact": answers})
    with pytest.raises(error):
        await hooks.first("request_next_contact", **facts("request_next_contact"))


@pytest.mark.parametrize("function", [raises_after, stray_after, two_yields, nonsense])
async def test_around_all_the_answers_stay(
    plug: Plug, facts: Facts, caplog: pytest.LogCaptureFixture, function: Any
) -> None:
    """Around `all` a wrapper that fails is logged, and the answers are what they were."""
    hooks = plug({"on_agent_ready": wrapper(function)}, {"on_agent_ready": lambda: None})
    assert await hooks.all("on_agent_ready", **facts("on_agent_ready")) == [Answer(plugin="p2")]
    assert "plugin 'p1'" in caplog.text


@pytest.mark.parametrize("function", [raises_before, no_yield, raises_after, two_yields, nonsense])
async def test_a_failed_wrapper_of_review_contact_is_no_yes(plug: Plug, facts: Facts, function: Any) -> None:
    """A policy that is a wrapper and fails is among the answers, so that it fails closed."""
    refusal = Refusal(rule="r", reason="x")
    hooks = plug({"review_contact": wrapper(function)}, {"review_contact": lambda: refusal})
    found = await hooks.all("review_contact", **facts("review_contact"))
    assert found[0].value == refusal
    assert found[1].plugin == "p1"
    assert found[1].error is not None


async def test_cancellation_goes_through_wrappers(plug: Plug, facts: Facts) -> None:
    """A wrapper sees the caller's cancellation, and cannot keep it."""
    seen: list[str] = []

    @wrapper
    def keeps() -> Generator[None, Any, Any]:
        try:
            return (yield)
        except asyncio.CancelledError:
            seen.append("cancelled")
            return ONE

    hooks = plug({"request_next_contact": keeps}, {"request_next_contact": answers})
    asking = asyncio.create_task(hooks.first("request_next_contact", **facts("request_next_contact")))
    await asyncio.sleep(0.5)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert seen == ["cancelled"]


def test_wrappers_that_cannot_be_are_refused_when_registered(plug: Plug) -> None:
    """Async wrappers, ones without a yield, the old style, wrappers of start and stop: named at load."""

    async def asynchronous() -> Any:
        yield

    def plain() -> None: ...

    def old() -> Any:
        yield

    def generator() -> Any:
        yield

    for name, function, said in [
        ("request_next_contact", wrapper(asynchronous), "plain generator"),
        ("request_next_contact", wrapper(plain), "plain generator"),
        ("request_next_contact", hookimpl(hookwrapper=True)(old), "use wrapper=True"),
        ("on_startup", wrapper(generator), "takes no wrapper"),
    ]:
        with pytest.raises(PluginError, match=f"plugin 'p1': {name}.*{said}"):
            plug({name: function})
