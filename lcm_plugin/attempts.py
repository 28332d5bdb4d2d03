"""`lcm-plugin attempts`: what the ledger holds, and why. It needs no LCM and no running host."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from attrs import define, frozen

from cti_hooks import Attempt, Clock, Host, masked
from lcm_plugin.ledger import (
    OPEN,
    Database,
    Letter,
    LetterState,
    Line,
    database_for,
    housekeeping,
    letters,
    reading,
    upgrade,
)
from lcm_plugin.ledger.database import Sqlite
from lcm_plugin.ledger.errors import refused
from lcm_plugin.plugin import lcm_of
from lcm_plugin.presentation import as_json

T = TypeVar("T")
_SHOWN: Final = 1000


class NoAttemptError(LookupError):
    """The ledger has no such attempt."""


@frozen(kw_only=True)
class Story:
    """One attempt, with a line for each transition, and what the LCM has been told of it."""

    attempt: Attempt
    lines: list[Line]
    letters: list[Letter]

    def as_json(self) -> dict[str, Any]:
        """The story as a JSON object."""
        told = [{"message": one.message, "state": one.state, "error": one.error} for one in self.letters]
        history = [as_json(line) for line in self.lines]
        return {**as_json(self.attempt), "history": history, "messages": told}


@define
class Shelf:
    """A ledger that is looked at."""

    database: Database
    clock: Clock

    async def attempts(self, *, only_open: bool) -> list[Attempt]:
        """Its attempts, newest first."""
        states = tuple(OPEN) if only_open else ()
        return await self._run(reading.list_attempts, states=states, limit=_SHOWN)

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

    async def forget(self, key: str) -> tuple[int, list[Letter]]:
        """Take the person of an LCM key out; of how many attempts, and the messages they stay in for now.

        Raises:
            LedgerError: an attempt with it is open.
        """
        count = await self._run(housekeeping.forget, key=key, now=self.clock.now())
        return count, await self._run(letters.list_letters, key=key)

    async def resend(self, attempt_id: str) -> int:
        """Send again what may not have reached the LCM; how many messages."""
        return await self._run(letters.resend, attempt_id=attempt_id, now=self.clock.now())

    async def withdraw(self, attempt_id: str) -> int:
        """Give up what may not have reached the LCM, or what it rejected; how many messages."""
        return await self._run(housekeeping.withdraw, attempt_id=attempt_id, now=self.clock.now())

    async def _run(self, step: Callable[..., T], **facts: Any) -> T:
        return await self.database.run(partial(step, **facts))


@asynccontextmanager
async def shelf(config: Path) -> AsyncIterator[Shelf]:
    """The ledger of a config file.

    Raises:
        ConfigError: the settings cannot be used, or there is no ledger where they say.
        LedgerUnavailable: it cannot be reached.
    """
    host = Host.from_config(config)
    database = database_for(lcm_of(host).settings.ledger, host.directory)
    try:
        _refuse_missing(database)
        await upgrade.opened(database)
        yield Shelf(database, host.clock)
    finally:
        await database.close()


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


def table(attempts: list[Attempt], now: datetime) -> list[tuple[str, ...]]:
    """Rows for people: id, agent, state, age, host, key, number (masked), reason."""
    return [
        (
            one.id,
            one.agent.id,
            one.state.value,
            age(now - (one.changed_at or one.opened_at)),
            one.host,
            printable(one.contact.key) if one.contact else "",
            masked(one.contact.phone_number) if one.contact else "",
            one.reason,
        )
        for one in attempts
    ]


def printable(text: str) -> str:
    """A text of the LCM's on one line: what no terminal can show is escaped."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def age(passed: timedelta) -> str:
    """A time as people say it: 12 s, 5 min, 3 h, 2 d."""
    seconds = max(0, int(passed.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def told(story: Story) -> list[str]:
    """One attempt for people, a line for each fact."""
    attempt = story.attempt
    contact = attempt.contact
    lines = [
        f"attempt   {attempt.id}",
        f"agent     {attempt.agent.id}",
        f"contact   {printable(contact.key)}  {masked(contact.phone_number)}" if contact else "contact   -",
        f"group     {attempt.campaign_group}",
        f"state     {attempt.state}  {attempt.outcome or ''}".rstrip(),
        f"host      {attempt.host}",
    ]
    lines += [f"{_at(one.at)}  {one.state:10} {one.host:12} {one.reason}".rstrip() for one in story.lines]
    lines += [f"{_at(one.changed_at)}  {_said(one)}" for one in story.letters]
    return lines


def forgotten(count: int, left: list[Letter]) -> list[str]:
    """What came of forgetting a person, for people: in how many attempts, and where that person is left."""
    kept = [one for one in left if one.state in {LetterState.UNCONFIRMED, LetterState.REJECTED}]
    lines = [f"{count} attempts know nobody any more"]
    if unsent := len(left) - len(kept):
        lines.append(f"{unsent} messages are still to be sent to the LCM; they are erased once it has them")
    return lines + [
        f"{one.message} is {one.state}, and kept until the LCM has confirmed it:"
        f" `lcm-plugin attempts resend {one.attempt_id}` sends it again, `withdraw` gives it up"
        for one in kept
    ]


def _said(letter: Letter) -> str:
    error = f": {letter.error}" if letter.error and letter.state is not LetterState.CONFIRMED else ""
    return f"{letter.message} {letter.state}, tried {letter.tries} times{error}"


def _at(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"
