"""Ask one implementation: within its time limit, with its result checked and its failure reported by name."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
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


@attrs.frozen
class Begun:
    """An implementation that was called, and what it handed back to be awaited for so many seconds."""

    one: pluggy.HookImpl
    awaitable: Awaitable[Any]
    seconds: float


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
        """Its value or its failure, the failure logged; `limit` in seconds overrides the declared one."""
        begun = self.begin(question, one, limit)
        return begun if isinstance(begun, Answer) else (await self.end(question, [begun]))[0]

    def begin(self, question: Question, one: pluggy.HookImpl, limit: float | None = None) -> Answer | Begun:
        """Call it: its answer, if it is a plain function, else what there is to await for that."""
        try:
            seconds = self._seconds(question, one, limit)
            result = self._called(question, one)
            if result is None:
                return question.line.none[one]
            if inspect.isawaitable(result):
                return Begun(one, result, seconds)
            return Answer(plugin=one.plugin_name, value=checked(question, question.who(one), result))
        except Exception as error:  # noqa: BLE001  (one failure never stops the others)
            return self._failed(question, one, error)

    async def end(self, question: Question, begun: Sequence[Begun]) -> list[Answer]:
        """Await all of them at once, for no longer than the hook allows."""
        tasks = [asyncio.create_task(self._ends(question, one)) for one in begun]
        try:
            await asyncio.wait(tasks, timeout=begun[0].seconds)
        except asyncio.CancelledError:
            await self._stop(question, begun, tasks)
            raise
        late = [not task.done() for task in tasks]
        if any(late):
            await self._stop(question, begun, tasks)
        return [self._answer(question, *each) for each in zip(begun, tasks, late, strict=True)]

    def _ends(self, question: Question, begun: Begun) -> Coroutine[Any, Any, Any]:
        return result_of(begun.awaitable, partial(self.timed, question, begun.one))

    def _answer(self, question: Question, begun: Begun, task: "asyncio.Task[Any]", late: bool) -> Answer:  # noqa: FBT001  (one of three that are zipped)
        who = question.who(begun.one)
        try:
            value = _ended(task, who, begun.seconds if late else None)
            return Answer(plugin=begun.one.plugin_name, value=checked(question, who, value))
        except Exception as error:  # noqa: BLE001  (as above)
            return self._failed(question, begun.one, error)

    def _failed(self, question: Question, one: pluggy.HookImpl, error: Exception) -> Answer:
        self.report(question, one, error)
        return Answer(plugin=one.plugin_name, error=error)

    def _seconds(self, question: Question, one: pluggy.HookImpl, limit: float | None) -> float:
        declared = question.line.declaration.limit if limit is None else limit
        seconds = declared(question.arguments, self.clock.now()) if callable(declared) else declared
        if seconds <= 0:
            raise HookOverrunError(f"{question.who(one)} was not asked: it is too late")
        return seconds

    def _called(self, question: Question, one: pluggy.HookImpl) -> Any:
        """What it returns, in a context of its own: what it sets there does not reach the caller."""
        try:
            return self.timed(question, one, partial(copy_context().run, question.call, one))
        except asyncio.CancelledError as stray:
            raise _stray(question.who(one)) from stray

    async def _stop(
        self, question: Question, begun: Sequence[Begun], tasks: "Sequence[asyncio.Task[Any]]"
    ) -> None:
        """Cancel those that are not done, and wait a little. One that will not end is left, and named."""
        going = [(one, task) for one, task in zip(begun, tasks, strict=True) if not task.done()]
        for _, task in going:
            self._left.add(task)
            task.add_done_callback(self._left.discard)
            task.add_done_callback(_forget)
            task.cancel()
        if going:
            await asyncio.wait([task for _, task in going], timeout=GRACE)
        for one, task in going:
            if not task.done():
                log.error("%s goes on although it was cancelled", question.who(one.one))
            elif not task.cancelled() and task.exception() is None:
                log.error("%s swallowed its cancellation", question.who(one.one))
            elif inspect.iscoroutine(one.awaitable):
                one.awaitable.close()  # it may have been cancelled before it began

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


def _ended(task: "asyncio.Task[Any]", who: str, overrun: float | None) -> Any:
    """What a task came to that is done, or was stopped after so many seconds."""
    if overrun is not None:
        raise HookOverrunError(f"{who} did not answer within {overrun:g} s")
    if task.cancelled():
        raise _stray(who)
    return task.result()


def _stray(who: str) -> HookCancelledError:
    return HookCancelledError(f"{who} raised CancelledError, and nobody had cancelled it")


def _forget(task: asyncio.Task[Any]) -> None:
    """Take the result nobody waits for any more, so that asyncio does not complain of it."""
    if not task.cancelled():
        task.exception()
