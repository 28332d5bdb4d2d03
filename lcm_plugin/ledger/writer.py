"""One writer for each host: what waits to be written shares a transaction, so many agents cost one flush.

Two kinds of writing (docs/architecture.md#the-ledger). An intent is awaited: its side effect happens only
once it is committed, and when it cannot be, it fails at once. A fact has happened already: it is kept, in
order, until it is written.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from attrs import define, field

from cti_hooks import described
from cti_hooks.masking import masked_traceback
from lcm_plugin.ledger.audit import drop_noted, write_noted
from lcm_plugin.ledger.database import Database, Step
from lcm_plugin.ledger.errors import LedgerError, LedgerUnavailable

log = logging.getLogger("lcm_plugin.ledger")

T = TypeVar("T")
Reversal = Callable[[T | None], Step[object] | None]
"""Given what a step returned, or None if that is not known: what takes it back, if anything does."""
_OF_THE_STEP: Final = (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError)
"""Failures of one step, which say nothing of the database: another host was quicker, or a fault of ours."""
_COLLISIONS: Final = {"40P01", "40001"}
"""PostgreSQL's deadlock_detected and serialization_failure (its manual, appendix A)."""
TOGETHER: Final = 200
"""Steps of one transaction at the most."""
LINGER: Final = 0.005
"""Seconds a fact waits for company: it shares the next intent's transaction, if one comes meanwhile."""
LINGER_LONG: Final = 0.25
"""As of `LINGER`, for a fact that nobody waits for."""
PATIENCE: Final = 5.0
"""Seconds an intent waits for its commit."""
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 5.0


@define(eq=False)
class _Entry:
    step: Step[Any]
    done: "asyncio.Future[Any] | None" = None
    """Of an intent; a fact has none."""
    on_error: Callable[[LedgerError], None] | None = None
    """Of a fact: who is told that the step raised."""
    on_written: Callable[[Any], None] | None = None
    """Of a fact: who is told that it is committed, and what the step returned."""
    undo: Reversal[Any] | None = None
    """Of an intent: see `Writer.do`."""
    begun: bool = False
    """Whether it is being written, or was: an intent given up before is dropped."""

    @property
    def given_up(self) -> bool:
        return self.done is not None and self.done.done()


@define(eq=False)
class Writer:
    """Writes steps in the order they came.

    Attributes:
        trouble: why nothing can be written now, or empty.
        refused: why facts were put aside that the database takes in no way, or empty.
    """

    database: Database
    trouble: str = field(default="", init=False)
    refused: str = field(default="", init=False)
    _waiting: deque[_Entry] = field(factory=deque, init=False)
    _wake: asyncio.Event = field(factory=asyncio.Event, init=False)
    _probed: asyncio.Event = field(factory=asyncio.Event, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _pause: float = field(default=0.0, init=False)
    _closing: bool = field(default=False, init=False)
    _lingering: asyncio.TimerHandle | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._work(), name="ledger writer")

    async def close(self) -> None:
        """Write what is left, if it can be written."""
        self._closing = True
        self._wake.set()
        if self._task:
            await asyncio.wait({self._task}, timeout=PATIENCE)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._waiting:
            log.error("%d changes of attempts could not be written: %s", len(self._waiting), self.trouble)

    def note(
        self,
        step: Step[object],
        on_error: Callable[[LedgerError], None] | None = None,
        on_written: Callable[[Any], None] | None = None,
        *,
        linger: float = LINGER,
    ) -> None:
        """Write a fact, as soon as it can be written, or within `linger` seconds with what else is.

        `on_error` is told what the step raised, if it did; `on_written` what it returned,
        once it is committed.
        """
        self._waiting.append(_Entry(step, on_error=on_error, on_written=on_written))
        loop = asyncio.get_running_loop()
        if self._lingering and self._lingering.when() > loop.time() + linger:
            self._lingering.cancel()
            self._lingering = None
        if self._lingering is None:
            self._lingering = loop.call_later(linger, self._wake.set)

    async def do(self, step: Step[T], *, probe: bool = False, undo: Reversal[T] | None = None) -> T:
        """Write an intent; what it returns. A `probe` is tried in times of trouble, too, and at once.

        `undo` says what takes the step back, if it may have been committed although its caller was told that
        it failed, or was cancelled. It is asked at once with None, so that the step is undone before anything
        else is written, and then with what the step returned, once that is known.

        Raises:
            LedgerUnavailable: it was not written, or perhaps was.
            LedgerError: what `step` raised; nothing was written.
        """
        if self.trouble and not probe:
            raise LedgerUnavailable(f"the ledger cannot be written: {self.trouble}")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        entry = _Entry(step, done, undo=undo)
        self._waiting.append(entry)
        self._wake.set()
        if probe:
            self._probed.set()
        try:
            async with asyncio.timeout(PATIENCE):
                return await done
        except TimeoutError:
            raise LedgerUnavailable(f"the ledger did not answer within {PATIENCE:g} s") from None
        finally:
            if done.cancelled() and entry.begun:
                self._take_back(entry)

    def _take_back(self, entry: _Entry, result: Any = None) -> None:
        if entry.undo and (step := entry.undo(result)):
            self.note(step)

    async def _work(self) -> None:
        while self._waiting or not self._closing:
            await self._woken()
            while self._waiting:
                await self._write()
                if self.trouble and self._closing:
                    return
                if self.trouble:
                    await self._rest()

    async def _rest(self) -> None:
        self._probed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause):
                await self._probed.wait()

    async def _woken(self) -> None:
        await self._wake.wait()
        if not self._closing:
            self._wake.clear()
        if self._lingering:
            self._lingering.cancel()
            self._lingering = None

    async def _write(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
        batch = [entry for entry in batch if not entry.given_up]
        for entry in batch:
            entry.begun = True
        try:
            await self._commit(batch)
        except asyncio.CancelledError:
            self._put_back(batch)
            raise
        except Exception as error:  # noqa: BLE001  (whatever a driver raises when its server is gone)
            if _is_of_some(error):
                await self._alone(batch)
            else:
                self._failed(batch, error)

    async def _alone(self, batch: list[_Entry]) -> None:
        """One of them cannot be written as it is. If another host was quicker, it sees that then."""
        for number, entry in enumerate(batch):
            try:
                await self._commit_twice(entry)
            except Exception as error:  # noqa: BLE001  (as above)
                if not _is_of_a_step(error):
                    self._failed(batch[number:], error)
                    return
                self._put_aside(entry, error)

    async def _commit_twice(self, entry: _Entry) -> None:
        try:
            await self._commit([entry])
        except sa.exc.DBAPIError as error:
            if not _is_of_some(error):
                raise
            await self._commit([entry])

    def _put_aside(self, entry: _Entry, error: Exception) -> None:
        """It must not keep the others waiting for ever; it is shown for as long as this host runs."""
        _refuse(entry, error)
        if entry.done is None:
            self.refused = f"a change of an attempt cannot be written: {_reason(error)}"
            log.error("%s", self.refused)
            log.debug("%s", masked_traceback(error))

    async def _commit(self, batch: list[_Entry]) -> None:
        results = await self.database.run(partial(_all, [entry.step for entry in batch]))
        if self.trouble:
            log.warning("the ledger can be written again: %s", self.database.name)
        self.trouble, self._pause = "", 0.0
        for entry, result in zip(batch, results, strict=True):
            if entry.given_up and not isinstance(result, LedgerError):
                self._take_back(entry, result)
            _resolve(entry, result)

    def _failed(self, batch: list[_Entry], error: Exception) -> None:
        reason = _reason(error)
        if not self.trouble:
            log.error("the ledger cannot be written: %s: %s", self.database.name, reason)
        self.trouble = reason
        self._pause = min(_LONGEST_PAUSE, self._pause * 2 or _FIRST_PAUSE)
        for entry in batch:
            _refuse(entry, error)
            self._take_back(entry)
        self._put_back([entry for entry in batch if entry.done is None])

    def _put_back(self, batch: list[_Entry]) -> None:
        self._waiting.extendleft(reversed(batch))


def _all(steps: list[Step[Any]], connection: sa.Connection) -> list[Any]:
    drop_noted(connection)
    results = [_outcome(partial(step, connection)) for step in steps]
    write_noted(connection)
    return results


def _outcome(step: Callable[[], Any]) -> Any:
    try:
        return step()
    except LedgerError as error:  # raised before anything was written
        return error


def _resolve(entry: _Entry, result: Any) -> None:
    if isinstance(result, LedgerError):
        if entry.on_error:
            entry.on_error(result)
        if entry.done and not entry.done.done():
            entry.done.set_exception(result)
        return
    if entry.on_written:
        entry.on_written(result)
    if entry.done and not entry.done.done():
        entry.done.set_result(result)


def _refuse(entry: _Entry, error: Exception) -> None:
    if entry.done and not entry.done.done():
        entry.done.set_exception(LedgerUnavailable(f"the ledger cannot be written: {_reason(error)}"))


def _reason(error: Exception) -> str:
    """The text without the statement, whose values are people's data."""
    return described(getattr(error, "orig", None) or error)


def _is_of_some(error: Exception) -> bool:
    """Whether it came of some of a transaction's steps: one by one, and once more, they may be written."""
    return _is_of_a_step(error) or _has_collided(error)


def _is_of_a_step(error: Exception) -> bool:
    if isinstance(error, sa.exc.DBAPIError):
        return isinstance(error, _OF_THE_STEP) and not error.connection_invalidated
    return not isinstance(error, sa.exc.SQLAlchemyError | OSError | TimeoutError)


def _has_collided(error: Exception) -> bool:
    """Two hosts' transactions waited for each other, and PostgreSQL ended this one: nothing was written."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) in _COLLISIONS
