"""Doubt: a download was sent and no usable answer came, so the LCM may have reserved a contact.

How it is settled: docs/architecture.md#doubt.
"""

from attrs import define, field

from cti_hooks import Agent
from lcm_plugin.errors import Fault, LcmBadReply, LcmError
from lcm_plugin.ledger import Ledger


@define(kw_only=True)
class Doubt:
    """One agent's doubt."""

    campaign_group: str
    """Whose download left it."""
    error: LcmError
    """Why there is doubt; raised again while it lasts."""
    empty_at: float | None = None
    """When the LCM first answered that nothing is reserved; instant of the running loop."""
    asked_for_more: int = 0
    """How often the reserved contacts that came were all known, and as many as were asked for."""
    found: bool = False
    """What was lost is found, and not yet recorded."""


@define
class Doubts:
    """The doubts of all agents: those in the ledger, with what this process knows besides."""

    ledger: Ledger
    _doubts: dict[str, Doubt] = field(factory=dict, init=False)

    def of(self, agent: Agent) -> Doubt | None:
        """The agent's doubt, as learnt last."""
        return self._doubts.get(agent.id)

    async def learn(self, agent: Agent) -> None:
        """Look the agent up: another host may have left doubt, or settled it."""
        recorded = await self.ledger.doubt(agent)
        if recorded is None:
            self._doubts.pop(agent.id, None)
        elif agent.id not in self._doubts:
            error = LcmBadReply(recorded.reason, fault=Fault.NO_ANSWER)
            self._doubts[agent.id] = Doubt(campaign_group=recorded.campaign_group, error=error)
        else:
            self._doubts[agent.id].found = False

    def note(self, agent: Agent, doubt: Doubt) -> None:
        """From now on there is doubt."""
        self._doubts[agent.id] = doubt
        self.ledger.note_doubt(agent, doubt.campaign_group, str(doubt.error.args[0]))

    def found(self, agent: Agent) -> None:
        """What was lost is found; the doubt lasts until that is recorded, lest a crash lose it again."""
        self._doubts[agent.id].found = True

    def recorded(self, agent: Agent) -> None:
        """The contact found is recorded."""
        if (doubt := self.of(agent)) and doubt.found:
            self.end(agent)

    def end(self, agent: Agent) -> None:
        """It is settled."""
        self._doubts.pop(agent.id, None)
        self.ledger.end_doubt(agent)
