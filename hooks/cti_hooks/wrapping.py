"""Wrappers: pluggy's plain generators (`wrapper=True`) around a result that has been awaited.

A wrapper that fails before its yield is left out and logged; on a `once` hook it raises. After its yield it
may replace the result or raise, as in pluggy; around an `all` hook a failure leaves the answers as they were.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any

import attrs
import pluggy

from cti_hooks.asking import Asker, checked
from cti_hooks.concealing import conceal
from cti_hooks.errors import HookCancelledError, HookError, HookResultError
from cti_hooks.markers import Way
from cti_hooks.question import Question
from cti_hooks.values import Answer


@attrs.define
class Wrapping:
    """The wrappers of one hook call."""

    asker: Asker
    question: Question
    _opened: list[tuple[pluggy.HookImpl, Generator[None, Any, Any]]] = attrs.field(factory=list, init=False)
    _failed: list[Answer] = attrs.field(factory=list, init=False)

    async def around(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """The result of `ask`, as the wrappers leave it. The caller's cancellation always goes through."""
        cancelled: asyncio.CancelledError | None = None
        result: Any = None
        error: BaseException | None = None
        try:
            self._open()
            result = self._with_failures(await ask(), self._failed)
        except asyncio.CancelledError as cancellation:
            cancelled = error = cancellation
        except BaseException as failure:  # noqa: BLE001  (as in pluggy, a wrapper may see any of them)
            error = failure
        while self._opened:
            result, error = self._close(*self._opened.pop(), result, error)
        if cancelled or error:
            raise cancelled or error  # type: ignore[misc]  # one of the two is an exception
        return result

    def _open(self) -> None:
        for wrapper in self.question.wrappers:
            generator = self.question.call(wrapper)
            try:
                self.asker.timed(self.question, wrapper, partial(_start, generator))
            except Exception as error:
                self.asker.report(self.question, wrapper, error)
                if self.question.declaration.once:
                    raise
                self._failed.append(Answer(plugin=wrapper.plugin_name, error=error))
            else:
                self._opened.append((wrapper, generator))

    def _close(
        self,
        wrapper: pluggy.HookImpl,
        generator: Generator[None, Any, Any],
        result: Any,
        error: BaseException | None,
    ) -> tuple[Any, BaseException | None]:
        try:
            after = self.asker.timed(self.question, wrapper, lambda: _finish(generator, result, error))
            return self._checked(wrapper, after), None
        except Exception as failure:  # noqa: BLE001  (as in pluggy, it goes on to the next wrapper)
            conceal(failure)
            if error is not None or self.question.declaration.way is not Way.ALL:
                return None, failure
            self.asker.report(self.question, wrapper, failure)
            return self._with_failures(result, [Answer(plugin=wrapper.plugin_name, error=failure)]), None
        except BaseException as failure:  # noqa: BLE001  (as above)
            return None, failure

    def _with_failures(self, result: Any, failures: list[Answer]) -> Any:
        return [*result, *failures] if self.question.declaration.fail_closed else result

    def _checked(self, wrapper: pluggy.HookImpl, result: Any) -> Any:
        who = f"{self.question.who(wrapper)}, wrapping,"
        if self.question.declaration.way is not Way.ALL:
            return checked(self.question, who, result)
        if not isinstance(result, list) or not all(isinstance(answer, Answer) for answer in result):
            raise HookResultError(f"{who} returned {type(result).__name__}, not list[Answer]")
        return result


def _start(generator: Generator[None, Any, Any]) -> None:
    try:
        next(generator)
    except StopIteration:
        raise HookError("the wrapper ended without a yield") from None
    except asyncio.CancelledError as stray:
        raise HookCancelledError("the wrapper raised CancelledError") from stray


def _finish(generator: Generator[None, Any, Any], result: Any, error: BaseException | None) -> Any:
    try:
        if error is None:
            generator.send(result)
        else:
            generator.throw(error)
    except StopIteration as stop:
        return stop.value
    except asyncio.CancelledError as stray:
        if stray is error:
            raise
        raise HookCancelledError("the wrapper raised CancelledError") from stray
    generator.close()
    raise HookError("the wrapper has a second yield")
