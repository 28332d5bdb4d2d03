"""Ask one implementation: within its time limit, with its result checked and its failure reported by name."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import partial
from typing import Any, Final

import attrs
import pluggy

from cti_hooks.clock import Clock
from cti_hooks.concealing import conceal
from cti_hooks.errors import DeclinedError, HookCancelledError, HookOverrunError, HookResultError
from cti_hooks.markers import Way
from cti_hooks.masking import described, masked_traceback
from cti_hooks.origin import origin_of
from cti_hooks.question import Question
from cti_hooks.results import is_allowed, promised
from cti_hooks.steps import result_of
from cti_hooks.values import Answer

log = logging.getLogger("cti_hooks")

GRACE: Final = 1.0
"""Seconds a cancelled implementation gets to end before it is reported and left behind."""
BLOCKED: Final = 0.05
"""Seconds an implementation may hold up the event loop at a stretch before it is named in the log."""


@attrs.define
class Asker:
    """Asks implementations: plain ones at once, in the caller's task, which nothing could interrupt anyway.

    What has to be awaited gets a task of its own, so that one that will not end can be left behind.
    """

    pm: pluggy.PluginManager
    clock: Clock
    stopwatch: Callable[[], float]
    _left: set[asyncio.Task[Any]] = attrs.field(factory=set, init=False)
    _others: float = attrs.field(default=0, init=False)
    """Seconds that steps within the step under way took: what a plugin's hook calls do is not its own."""

    async def answer(self, question: Question, one: pluggy.HookImpl, limit: float | None = None) -> Answer:
        """Its value or its failure, the failure logged."""
        try:
            value = await self.ask(question, one, limit)
        except Exception as error:  # noqa: BLE001  (one failure never stops the others)
            self.report(question, one, error)
            return Answer(plugin=one.plugin_name, error=error)
        return Answer(plugin=one.plugin_name, value=value)

    async def ask(self, question: Question, one: pluggy.HookImpl, limit: float | None = None) -> Any:
        """Its value; `limit` in seconds overrides the declared one.

        Raises:
            HookOverrunError: the limit passed, or had passed before it could be asked.
            HookCancelledError: it raised CancelledError of its own accord.
            HookResultError: its value is not of the hook's type, or breaks the hook's law.
            Exception: whatever it raised.
        """
        declared = question.declaration.limit if limit is None else limit
        seconds = declared(question.arguments, self.clock.now()) if callable(declared) else declared
        who = question.who(one)
        if seconds <= 0:
            raise HookOverrunError(f"{who} was not asked: it is too late")
        result = self._called(question, one)
        if inspect.isawaitable(result):
            ends = result_of(result, partial(self.timed, question, one))
            result = await self._awaited(ends, who, seconds)
        return checked(question, who, result)

    def _called(self, question: Question, one: pluggy.HookImpl) -> Any:
        """What it returns, in a context of its own: what it sets there does not reach the caller."""
        try:
            return self.timed(question, one, partial(copy_context().run, question.call, one))
        except asyncio.CancelledError as stray:
            raise _stray(question.who(one)) from stray

    async def _awaited(self, ends: Coroutine[Any, Any, Any], who: str, seconds: float) -> Any:
        task = asyncio.create_task(ends, name=who)
        try:
            await asyncio.wait({task}, timeout=seconds)
        except asyncio.CancelledError:
            await self._stop(task)
            raise
        if not task.done():
            await self._stop(task)
            raise HookOverrunError(f"{who} did not answer within {seconds:g} s")
        if task.cancelled():
            raise _stray(who)
        return task.result()

    async def _stop(self, task: asyncio.Task[Any]) -> None:
        """Cancel, and wait a little. One that will not end is left, and named."""
        self._left.add(task)
        task.add_done_callback(self._left.discard)
        task.add_done_callback(_forget)
        task.cancel()
        await asyncio.wait({task}, timeout=GRACE)
        if not task.done():
            log.error("%s goes on although it was cancelled", task.get_name())
        elif not task.cancelled() and task.exception() is None:
            log.error("%s swallowed its cancellation", task.get_name())

    def timed(self, question: Question, one: pluggy.HookImpl, step: Callable[[], Any]) -> Any:
        """Run a step of a plugin; name the plugin in the log if it blocks the event loop."""
        began, others = self.stopwatch(), self._others
        try:
            return step()
        finally:
            seconds = self.stopwatch() - began
            own = seconds - (self._others - others)
            self._others = others + seconds
            if (
                own > BLOCKED and question.declaration.way is not Way.EACH
            ):  # at start and stop nobody is served
                self._report_blocking(question, one, own)

    def _report_blocking(self, question: Question, one: pluggy.HookImpl, seconds: float) -> None:
        log.warning(
            "%s (%s) blocked the event loop for %.0f ms; let it await asyncio.to_thread(...)",
            question.who(one),
            origin_of(self.pm, one.plugin),
            seconds * 1e3,
        )

    def report(self, question: Question, one: pluggy.HookImpl, error: BaseException) -> None:
        """Log a failure with plugin and distribution, leaving nobody's number in it; declining is none."""
        conceal(error)
        origin = origin_of(self.pm, one.plugin)
        if isinstance(error, DeclinedError):
            log.info("%s (%s) declined: %s", question.who(one), origin, described(error))
            return
        log.error("%s (%s) failed: %s", question.who(one), origin, described(error))
        log.debug("%s", masked_traceback(error))


def checked(question: Question, who: str, result: Any) -> Any:
    """`result`, if the hook allows it; else HookResultError."""
    if result is None:
        return None
    if not is_allowed(result, question.function):
        raise HookResultError(f"{who} returned {type(result).__name__}, not {promised(question.function)}")
    declaration = question.declaration
    if declaration.law and (broken := declaration.law(question.arguments[declaration.on], result)):
        raise HookResultError(f"{who}: {broken}")
    return result


def _stray(who: str) -> HookCancelledError:
    return HookCancelledError(f"{who} raised CancelledError, and nobody had cancelled it")


def _forget(task: asyncio.Task[Any]) -> None:
    """Take the result nobody waits for any more, so that asyncio does not complain of it."""
    if not task.cancelled():
        task.exception()
