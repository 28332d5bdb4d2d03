"""The routes of what else the ledger holds: messages to the LCM, doubts, and the hosts that share it."""

from aiohttp import web
from attrs import define, field, frozen, validators

from lcm_plugin.ledger import Ledger, LetterState
from lcm_plugin.service.paging import PageQuery, limit, page
from lcm_plugin.service.routes.attempts import AttemptsRoutes


@frozen(kw_only=True)
class MessagesQuery:
    """Which messages: in these states, before the one of that number; so many."""

    state: tuple[LetterState, ...] = ()
    limit: int = limit()
    before: int = field(default=0, validator=validators.ge(0), metadata={"schema": {"minimum": 0}})


@define(kw_only=True, eq=False)
class LedgerRoutes:
    """The handlers."""

    attempts: AttemptsRoutes

    async def messages(self, query: MessagesQuery, request: web.Request) -> web.Response:
        """Messages to the LCM of all hosts, newest first; unconfirmed and rejected ones wait for a person."""
        rows = await self._ledger.messages(states=query.state, before=query.before, limit=query.limit)
        return page(request, rows, query.limit, lambda row: row.id)

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
