"""`lcm-plugin attempts`: what the ledger holds, and why. It needs no LCM and no running host."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from attrs import define, frozen

from cti_hooks import Attempt, AttemptState, Clock, Host
from lcm_plugin.config import LcmSettings
from lcm_plugin.ledger import (
    KEPT,
    OPEN,
    Database,
    DoubtfulAgent,
    Lease,
    Letter,
    LetterState,
    Line,
    Message,
    database_for,
    housekeeping,
    letters,
    lists,
    reading,
    upgrade,
)
from lcm_plugin.ledger.database import Sqlite
from lcm_plugin.ledger.errors import refused
from lcm_plugin.plugin import lcm_of
from lcm_plugin.presentation import as_json

T = TypeVar("T")


class NoAttemptError(LookupError):
    """The ledger has no such attempt."""


@frozen(kw_only=True)
class Story:
    """One attempt, with a line for each transition, and what the LCM has been told of it."""

    attempt: Attempt
    lines: list[Line]
    letters: list[Letter]

    @property
    def waits_for_a_person(self) -> bool:
        """Whether a message of it does, which the LCM rejected or may not have had."""
        return any(one.state in KEPT for one in self.letters)

    def as_json(self) -> dict[str, Any]:
        """The story as a JSON object."""
        history = [as_json(line) for line in self.lines]
        return {**as_json(self.attempt), "history": history, "messages": _told(self.letters)}


@frozen(kw_only=True)
class Listed:
    """An attempt of a list, and the messages of it that the LCM has not confirmed."""

    attempt: Attempt
    letters: list[Letter]

    def as_json(self) -> dict[str, Any]:
        """The attempt as a JSON object, these messages with it."""
        return {**as_json(self.attempt), "messages": _told(self.letters)}


@frozen(kw_only=True)
class Wanted:
    """Which part of a list: messages in these states, open attempts only; after which row, how many."""

    states: Collection[LetterState] = KEPT
    only_open: bool = False
    before: str = ""
    limit: int = 1000


@frozen(kw_only=True)
class Page(Generic[T]):
    """Rows of a list, and whether there are more."""

    rows: Sequence[T]
    more: bool


Letters = Callable[[str, Collection[LetterState]], Awaitable[int]]
"""What is done with an attempt's messages in these states; gives how many there were."""
_NOT_CLOSED: Final = (*OPEN, AttemptState.DISPOSED)


@define
class LedgerTool:
    """A ledger without a running host: what people look up in it, and say to it."""

    database: Database
    clock: Clock

    @property
    def name(self) -> str:
        """What people call it."""
        return self.database.name

    async def attempts(self, wanted: Wanted) -> Page[Listed]:
        """Attempts, newest first; before all others, those that wait for a person, as many as there are.

        Those have a message to the LCM that is unconfirmed or rejected.

        Raises:
            NoAttemptError: there is none of the id after which the page begins.
        """
        last = await self.story(wanted.before) if wanted.before else None
        before, room = last.attempt if last else None, wanted.limit + 1
        found: list[Attempt] = []
        if last is None or last.waits_for_a_person:
            found, before = await self._attempts(kept=True, before=before, limit=room), None
        if room := room - len(found):
            states = _NOT_CLOSED if wanted.only_open else ()
            found += await self._attempts(kept=False, states=states, before=before, limit=room)
        page = _page(found, wanted.limit)
        return Page(rows=await self._listed(page.rows), more=page.more)

    async def messages(self, wanted: Wanted) -> Page[Message]:
        """Messages to the LCM in the states wanted, newest first.

        Raises:
            NoAttemptError: no message has the number after which the page begins.
        """
        if not re.fullmatch(r"[0-9]{0,18}", wanted.before):  # more than any ledger numbers, and 64 bits hold
            raise NoAttemptError(
                f"{wanted.before!r} is no message's number; --messages lists them, each first"
            )
        facts = {"states": wanted.states, "before": int(wanted.before or 0), "limit": wanted.limit + 1}
        return _page(await self._run(lists.messages, **facts), wanted.limit)

    async def doubts(self, wanted: Wanted) -> Page[DoubtfulAgent]:
        """Agents for whom the LCM may have reserved a contact, by their ids."""
        facts = {"before": wanted.before, "limit": wanted.limit + 1}
        return _page(await self._run(lists.doubtful_agents, **facts), wanted.limit)

    async def hosts(self, wanted: Wanted) -> Page[Lease]:
        """The hosts that live, newest first."""
        facts = {"before": wanted.before, "limit": wanted.limit + 1}
        return _page(await self._run(lists.leases, **facts), wanted.limit)

    async def count_kept(self) -> int:
        """How many messages to the LCM wait for a person."""
        unsettled: dict[LetterState, int] = await self._run(letters.unsettled)
        return sum(unsettled.get(state, 0) for state in KEPT)

    async def with_messages(self, states: Collection[LetterState]) -> list[str]:
        """The ids of the attempts that have messages in these states."""
        return await self._run(letters.attempts_with, states=states)

    async def story(self, attempt_id: str) -> Story:
        """One attempt, whole.

        Raises:
            NoAttemptError: there is none of this id.
        """
        attempt = await self._run(reading.get_attempt, attempt_id=attempt_id)
        if attempt is None:
            raise NoAttemptError(
                f"{self.database.name} has no attempt {attempt_id}; `lcm-plugin attempts` lists them"
            )
        lines = await self._run(reading.history_of, attempt_id=attempt_id)
        told = await self._run(letters.list_letters, attempt_id=attempt_id)
        return Story(attempt=attempt, lines=lines, letters=told)

    async def forget(self, key: str, source: str = "") -> tuple[int, list[Letter]]:
        """Take the person of an LCM key out: from how many attempts, and which messages still name them.

        With a `source`, the person whom that plugin gave under this key; no message to the LCM tells of them.

        Raises:
            LedgerError: an attempt with it is open.
            LedgerUnavailable: they are taken out, but for the journal, which somebody reads.
        """
        count = await self._run(housekeeping.forget, key=key, source=source, now=self.clock.now())
        await housekeeping.wipe(self.database)
        return count, [] if source else await self._run(letters.list_letters, key=key)

    async def resend(self, attempt_id: str, states: Collection[LetterState] = KEPT) -> int:
        """Send again what may not have reached the LCM, or what it rejected; how many messages."""
        facts = {"attempt_id": attempt_id, "now": self.clock.now(), "states": states}
        return await self._run(letters.resend, **facts)

    async def withdraw(self, attempt_id: str, states: Collection[LetterState] = KEPT) -> int:
        """Give up what may not have reached the LCM, or what it rejected; how many messages."""
        facts = {"attempt_id": attempt_id, "now": self.clock.now(), "states": states}
        return await self._run(housekeeping.withdraw, **facts)

    async def _attempts(self, **facts: Any) -> list[Attempt]:
        return await self._run(reading.list_attempts, **facts)

    async def _listed(self, found: Sequence[Attempt]) -> list[Listed]:
        by_attempt: dict[str, list[Letter]] = {one.id: [] for one in found}
        for letter in await self._run(letters.of_attempts, attempt_ids=list(by_attempt)):
            by_attempt[letter.attempt_id].append(letter)
        return [Listed(attempt=one, letters=by_attempt[one.id]) for one in found]

    async def _run(self, step: Callable[..., T], **facts: Any) -> T:
        return await self.database.run(partial(step, **facts))


@frozen(kw_only=True)
class OpenedLedger:
    """The ledger of a config file, with its own key for hashes."""

    settings: LcmSettings
    database: Database
    clock: Clock
    key: str


@asynccontextmanager
async def opened_ledger(config: Path) -> AsyncIterator[OpenedLedger]:
    """Open the ledger of a config file, whether its host runs or not.

    Raises:
        ConfigError: the settings cannot be used, or there is no ledger where they say.
        LedgerUnavailable: it cannot be reached.
    """
    host = Host.from_config(config)
    settings = lcm_of(host).settings
    database = database_for(settings.ledger, host.directory)
    try:
        _refuse_missing(database)
        key, _ = await upgrade.opened(database)
        yield OpenedLedger(settings=settings, database=database, clock=host.clock, key=key)
    finally:
        await database.close()


@asynccontextmanager
async def ledger_tool(config: Path) -> AsyncIterator[LedgerTool]:
    """The ledger of a config file; raises as `opened_ledger`."""
    async with opened_ledger(config) as found:
        yield LedgerTool(found.database, found.clock)


async def adopt(config: Path) -> str:
    """Take a copy of a ledger for the original; which file that is.

    Raises:
        ConfigError: the settings cannot be used, or it is no file.
    """
    host = Host.from_config(config)
    database = database_for(lcm_of(host).settings.ledger, host.directory)
    try:
        _refuse_missing(database)
        if not isinstance(database, Sqlite) or database.file is None:
            raise refused(database.name, "is no file", "only a copied file has to be adopted")
        upgrade.refuse_file(database.file, may_be_a_copy=True)
        await database.run(partial(upgrade.adopt_copy, file=database.file))
        return database.name
    finally:
        await database.close()


def _refuse_missing(database: Database) -> None:
    if isinstance(database, Sqlite) and (database.file is None or not database.file.exists()):
        raise refused(database.name, "is not there yet", "the host makes it when it starts")


def _page(found: Sequence[T], limit: int) -> Page[T]:
    """A page of what was asked for with one more than it holds."""
    return Page(rows=found[:limit], more=len(found) > limit)


def _told(told: list[Letter]) -> list[dict[str, Any]]:
    return [{"message": one.message, "state": one.state, "error": one.error} for one in told]
