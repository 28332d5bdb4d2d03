"""What is known of the contacts handed to each agent: keys given, doubt, contacts still to be given.

Kept in memory until there is a ledger: a restart forgets it, and then only the LCM knows what it reserved.
"""

import asyncio
from collections import deque
from typing import Final

from attrs import define, field, frozen

from cti_hooks import Contact
from lcm_plugin.errors import LcmError

KEYS_KEPT: Final = 1000
"""Keys remembered for each agent; a working day's contacts are fewer."""


@define(kw_only=True)
class Doubt:
    """A download was sent and no usable answer came: the LCM may have reserved a contact for this agent."""

    campaign_group: str
    error: LcmError
    """Why there is doubt; raised again while it lasts."""
    empty_at: float | None = None
    """When the LCM first answered that nothing is reserved; instant of the running loop."""


@define
class AgentMemory:
    """What is known of one agent. `lock` keeps their fetches one after another."""

    lock: asyncio.Lock = field(factory=asyncio.Lock)
    doubt: Doubt | None = None
    waiting: deque[Contact] = field(factory=deque)
    """Contacts that came along with another in one reply, and are the agent's already."""
    keys: dict[str, None] = field(factory=dict)
    """LCM keys given to this agent, oldest first."""


@frozen
class Memory:
    """What is known of all agents, and whose each key is."""

    _agents: dict[str, AgentMemory] = field(factory=dict, init=False)
    _owners: dict[str, str] = field(factory=dict, init=False)

    def of(self, agent_id: str) -> AgentMemory:
        """What is known of this agent."""
        return self._agents.setdefault(agent_id, AgentMemory())

    def owner(self, key: str) -> str | None:
        """The agent this key was given to, or None."""
        return self._owners.get(key)

    def give(self, agent_id: str, contact: Contact) -> None:
        """Remember that the LCM handed this contact to this agent."""
        agent = self.of(agent_id)
        agent.keys[contact.key] = None
        self._owners[contact.key] = agent_id
        if len(agent.keys) > KEYS_KEPT:
            oldest = next(iter(agent.keys))
            del agent.keys[oldest], self._owners[oldest]

    @property
    def doubts(self) -> dict[str, Doubt]:
        """Doubt by agent."""
        return {agent_id: agent.doubt for agent_id, agent in self._agents.items() if agent.doubt}
