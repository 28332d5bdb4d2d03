"""The routes of agents: their states, told by the site, and what they have before them."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from attrs import define, field, frozen
from attrs.validators import deep_iterable, max_len, optional

from cti_hooks import Agent, AgentState
from lcm_plugin.desk import CallbackList
from lcm_plugin.identity import Caller, Role
from lcm_plugin.service.agents import AGENTS, Agents, AgentShown, changed
from lcm_plugin.service.callers import caller_of
from lcm_plugin.service.moments import moment, moment_of
from lcm_plugin.service.paging import PageQuery, page
from lcm_plugin.service.phones import wrong_endpoint
from lcm_plugin.service.problems import ProblemError, invalid
from lcm_plugin.service.rights import refused
from lcm_plugin.service.routes.attempts import AttemptsRoutes
from lcm_plugin.texts import named

_DAYS: Final = timedelta(days=7)

_groups: Any = optional(deep_iterable(named, max_len(100)))


@frozen(kw_only=True)
class AgentUpdate:
    """An agent's state; what else is left out stays as it was."""

    state: AgentState
    reason: str | None = field(default=None, validator=named)
    endpoint: str | None = field(default=None, validator=named)
    campaign_groups: tuple[str, ...] | None = field(default=None, validator=_groups)
    name: str | None = field(default=None, validator=named)
    lcm_id: str | None = field(default=None, validator=named)
    login_id: str | None = field(default=None, validator=named)

    @property
    def facts(self) -> dict[str, Any]:
        """What is told of the agent beside the state."""
        return {
            name: value
            for name in ("endpoint", "campaign_groups", "name", "lcm_id", "login_id")
            if (value := getattr(self, name)) is not None
        }

    def of(self, agent: Agent) -> Agent:
        """The agent as this body tells."""
        return changed(agent, self.facts)


@frozen(kw_only=True)
class CallbacksQuery:
    """Those that start from `since` to `until`: from now on, for a week."""

    since: str | None = moment()
    until: str | None = moment()


@define(kw_only=True, eq=False)
class AgentsRoutes:
    """The handlers."""

    agents: Agents
    attempts: AttemptsRoutes

    async def put(self, agent_id: str, body: AgentUpdate, caller: Caller | None) -> AgentShown:
        """Tell an agent's state. An agent's own token tells no more: where they sit is the site's to say."""
        if caller and caller.role is Role.AGENT and body.facts:
            raise refused(f"an agent may tell state and reason only; the site tells {', '.join(body.facts)}")
        if agent_id not in self.agents.seats:
            self._refuse_new(agent_id)
        agent = body.of(self.agents.known(agent_id))
        is_told = body.endpoint or body.state is AgentState.READY
        if is_told and (wrong := wrong_endpoint(self.agents.host.hooks, agent)):
            raise invalid({"endpoint": wrong})
        (shown,) = await self.agents.shown([await self.agents.put(agent, body.state, body.reason)])
        return shown

    async def list(self, query: PageQuery, request: web.Request) -> web.Response:
        """Agents told of and not logged off for an hour, by id; the header Link leads to the next page.

        An agent is shown themself only.
        """
        caller = caller_of(request)
        seen = [one for one in self.agents.seats if caller is None or caller.may_see(one)]
        ids = sorted(one for one in seen if one > query.before)[: query.limit]
        shown = await self.agents.shown([self.agents.seats[one] for one in ids])
        return page(request, shown, query.limit, lambda row: row.id)

    async def get(self, agent_id: str) -> AgentShown:
        """One agent, with the open attempt under `attempt`."""
        seat = self.agents.seats.get(agent_id)
        if seat is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "no such agent; PUT it first")
        (shown,) = await self.agents.shown([seat])
        return shown

    async def callbacks(self, agent_id: str, query: CallbacksQuery) -> CallbackList:
        """The agent's own callbacks of some days, as the LCM lists them and the ledger booked them."""
        since = moment_of("since", query.since) or self.agents.host.clock.now()
        until = moment_of("until", query.until) or since + _DAYS
        desks = self.attempts.lcm.desks
        return await desks.disposing.callbacks.of(self.agents.known(agent_id), since, until)

    def _refuse_new(self, agent_id: str) -> None:
        try:
            named(None, None, agent_id)
        except ValueError as error:
            raise invalid({"agent_id": f"{error}"}) from None
        if len(self.agents.seats) >= AGENTS:
            raise ProblemError(
                HTTPStatus.CONFLICT, f"this host has {AGENTS} agents; an hour after a log-off there is room"
            )
