"""Agents' states."""

from typing import Final

from lcm_plugin.sandbox.account import AgentStateTold
from lcm_plugin.sandbox.asked import Asked
from lcm_plugin.sandbox.state import State


def agent_state(state: State, asked: Asked) -> None:
    """Writes it down."""
    told = AgentStateTold(agent_id=asked.agent_id, state=asked["state"], at=asked.at)
    state.account.agent_states.append(told)


BEHAVIOURS: Final = {"SendAgentState": agent_state}
