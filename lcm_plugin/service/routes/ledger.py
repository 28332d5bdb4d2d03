"""The routes of what else the ledger holds: messages to the LCM, doubts, and the hosts that share it."""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from aiohttp import web
from attrs import define, field, frozen, validators

from lcm_plugin.identity import Caller
from lcm_plugin.ledger import KEPT, Ledger, LetterState, housekeeping, letters
from lcm_plugin.service.paging import PageQuery, limit, page
from lcm_plugin.service.routes.attempts import AttemptsRoutes
from lcm_plugin.texts import named

log = logging.getLogger("lcm_plugin.service")

_some: Final[Any] = validators.and_(validators.min_len(1), validators.max_len(1000))


@frozen(kw_only=True)
class MessagesQuery:
    """Which messages: in these states, before the one of that number; so many."""

    state: tuple[LetterState, ...] = ()
    limit: int = limit()
    before: int = field(default=0, validator=validators.ge(0), metadata={"schema": {"minimum": 0}})


def _kept(_: object, __: object, value: tuple[LetterState, ...]) -> None:
    if wrong := [one for one in value if one not in KEPT]:
        raise ValueError(f"{wrong[0].value} is not for a person to decide on; only {' and '.join(KEPT)} are")


@frozen(kw_only=True)
class MessagesTold:
    """Messages that wait for a person: those of these attempts, or of all; in these states."""

    attempts: tuple[str, ...] | None = field(default=None, validator=validators.optional(_some))
    state: tuple[LetterState, ...] = field(default=KEPT, validator=_kept)
    actor: str | None = field(default=None, validator=named)


@frozen(kw_only=True)
class SeenTo:
    """How many messages that was."""

    messages: int


@define(kw_only=True, eq=False)
class LedgerRoutes:
    """The handlers."""

    attempts: AttemptsRoutes

    async def messages(self, query: MessagesQuery, request: web.Request) -> web.Response:
        """Messages to the LCM of all hosts, newest first; unconfirmed and rejected ones wait for a person."""
        rows = await self._ledger.messages(states=query.state, before=query.before, limit=query.limit)
        return page(request, rows, query.limit, lambda row: row.id)

    async def resend(self, body: MessagesTold, caller: Caller) -> SeenTo:
        """Send again what the LCM rejected, or may not have had: it may be told of it twice then."""
        count = await self._seen_to(letters.resend, body, caller, "sent again")
        self.attempts.lcm.desks.disposing.outbox.wake()
        return SeenTo(messages=count)

    async def withdraw(self, body: MessagesTold, caller: Caller) -> SeenTo:
        """Give up what the LCM rejected, or may not have had: later messages of the contact go on."""
        return SeenTo(messages=await self._seen_to(housekeeping.withdraw, body, caller, "given up"))

    async def _seen_to(self, act: Callable[..., int], body: MessagesTold, caller: Caller, done: str) -> int:
        asked = partial(_each, act=act, ids=body.attempts, states=body.state, now=self._ledger.now())
        count = await self._ledger.run(asked)
        actor = caller.actor(body.actor, "somebody")
        log.info("%s has %d message(s) to the LCM %s", actor, count, done)
        return count

    async def doubts(self, query: PageQuery, request: web.Request) -> web.Response:
        """Agents for whom the LCM may have reserved a contact that never arrived, by id: since when, why."""
        rows = await self._ledger.doubtful_agents(before=query.before, limit=query.limit)
        return page(request, rows, query.limit, lambda row: row.agent)

    async def hosts(self, query: PageQuery, request: web.Request) -> web.Response:
        """The hosts on this ledger, newest first: when each renewed its lease, how many attempts it holds."""
        rows = await self._ledger.leases(before=query.before, limit=query.limit)
        return page(request, rows, query.limit, lambda row: row.id)

    @property
    def _ledger(self) -> Ledger:
        return self.attempts.lcm.desks.ledger


def _each(
    connection: sa.Connection,
    act: Callable[..., int],
    ids: Sequence[str] | None,
    states: Collection[LetterState],
    now: datetime,
) -> int:
    found = letters.attempts_with(connection, states) if ids is None else ids
    return sum(act(connection, one, now, states) for one in found)
