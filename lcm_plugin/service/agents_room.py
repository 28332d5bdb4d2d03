"""The routes of agents: their states, told by the site, and what they have before them."""

from http import HTTPStatus

from attrs import define, frozen

from cti_hooks import Agent, AgentState
from lcm_plugin.service.agents import Agents, AgentShown, changed
from lcm_plugin.service.problems import ProblemError


@frozen(kw_only=True)
class AgentUpdate:
    """An agent's state; what else is left out stays as it was."""

    state: AgentState
    reason: str | None = None
    endpoint: str | None = None
    campaign_groups: tuple[str, ...] | None = None
    name: str | None = None
    lcm_id: str | None = None
    login_id: str | None = None

    def of(self, agent: Agent) -> Agent:
        """The agent as this body tells."""
        told = {
            name: value
            for name in ("endpoint", "campaign_groups", "name", "lcm_id", "login_id")
            if (value := getattr(self, name)) is not None
        }
        return changed(agent, told)


@define(kw_only=True, eq=False)
class AgentsRoom:
    """The handlers."""

    agents: Agents

    async def put(self, agent_id: str, body: AgentUpdate) -> AgentShown:
        """Tell an agent's state."""
        agent = body.of(self.agents.known(agent_id))
        return (await self.agents.put(agent, body.state, body.reason)).shown()

    async def list(self) -> list[AgentShown]:
        """All agents told of so far."""
        return [seat.shown() for seat in self.agents.seats.values()]

    async def get(self, agent_id: str) -> AgentShown:
        """One agent, with the open attempt under `attempt`."""
        seat = self.agents.seats.get(agent_id)
        if seat is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "no such agent; PUT it first")
        return seat.shown()
