"""Fields that several messages have, and how their values are written.

Formats of dates and times are those the pages state for what is sent: day first, 24 hours.
"""

from typing import Final

from attrs import evolve

from cti_hooks import Agent
from lcm_plugin.lcm.catalogue.message import Field

DAY: Final = "%d/%m/%Y"
TIME: Final = "%H:%M"
DAY_AND_TIME: Final = f"{DAY} {TIME}"


def agent_id(agent: Agent) -> str:
    """The agent as the LCM knows them."""
    return agent.lcm_id or agent.id


def number(value: object) -> object:
    """An id as a number, as the setters want it; the lists give it as a text. Other texts stay."""
    text = str(value).strip()
    return int(text) if text.isdecimal() and text.isascii() else value


def text_bool(value: bool) -> str:  # noqa: FBT001  (a wire value)
    """A truth value as a text."""
    return "true" if value else "false"


AGENT: Final = Field(
    name="agent",
    wire="AgentID",
    write=agent_id,
    sample="String",
    why="the host's id where no lcm_id is set; which identifier is meant is not stated",
)
USER: Final = evolve(AGENT, wire="UserID", also=("AgentID",), why="the download pages call it AgentID")
KEY: Final = Field(
    name="key", wire="AccountNumber", sample="String", also=("LCMKey",), why="byte for byte as it came"
)
CALL_ID: Final = Field(
    name="call_id",
    wire="callid",
    sample="String",
    echoed=True,
    why="the workspace's call; what to send for any other is not stated",
)
CALL_ID_OR_EMPTY: Final = evolve(CALL_ID, default="", why="the sample sends it empty")
PHONE_NUMBER: Final = Field(name="phone_number", wire="PhoneNumber", sample="String")
OUTCOME: Final = Field(
    name="outcome_id",
    wire="OutcomeId",
    write=number,
    table="Number",
    sample="Number",
    also=("OutcomeID",),
    why="the lists give it as a String",
)
BUSINESS_OUTCOME: Final = Field(
    name="business_outcome_id", wire="BusinessOutcome", write=number, table="Number"
)
LEAD_SCORE: Final = Field(name="lead_score", wire="LeadScore", default=0, table="Number", sample="Number")
COMMENTS: Final = Field(name="comments", wire="AgentComments", default="", sample="String")
TARGET_AMOUNT: Final = Field(
    name="target_amount", wire="TargetAmount", default=0, table="Number", sample="Number"
)
WINDOW: Final = (
    Field(name="starts_at", wire="StartDate", form=DAY, table="DD/MM/YYYY"),
    Field(name="ends_at", wire="EndDate", form=DAY, table="DD/MM/YYYY"),
    Field(name="starts_at", wire="StartTime", form=TIME, table="HH:mm", why="its zone is not stated"),
    Field(name="ends_at", wire="EndTime", form=TIME, table="HH:mm"),
)
MODE: Final = Field(
    name="mode_id",
    wire="CallbackModeID",
    table="not stated",
    why="the number to call, as GetCallBackModes gives it",
)
