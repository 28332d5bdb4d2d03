"""The agent's state, told to the LCM."""

from typing import Final

from attrs import evolve

from lcm_plugin.lcm.catalogue.fields import AGENT
from lcm_plugin.lcm.catalogue.message import Field, MessageType, RequestKind, Shape

AGENT_STATE: Final = MessageType(
    subtopic="SendAgentState",
    reply="",
    kind=RequestKind.SETTER,
    fields=(
        evolve(AGENT, wire="agentID", also=("UserID",)),
        Field(name="state", wire="agentState", sample="String", why="NOT_READY in the sample"),
    ),
    shape=Shape.NONE,
    page="send-agent-state",
    silent="The states there are; whether one was understood: there is no reply at all.",
)
