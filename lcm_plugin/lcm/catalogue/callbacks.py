"""Callbacks, looked up. No message cancels one or moves it."""

from typing import Final

from lcm_plugin.lcm.catalogue.fields import CALL_ID, DAY, KEY, TIME, USER
from lcm_plugin.lcm.catalogue.message import TOPIC, Field, MessageType, RequestKind, Shape

PERSONAL_CALLBACKS: Final = MessageType(
    subtopic="GetPersonalCallbackList",
    reply="PersonalCallbackList",
    kind=RequestKind.READ,
    fields=(
        USER,
        Field(name="starts_at", wire="FromDate", form=DAY, why="inferred: as the setters' dates"),
        Field(name="ends_at", wire="ToDate", form=DAY, why="inferred: as the setters' dates"),
        Field(name="first", wire="StartingNoOfRecord", write=str, default="1", why="inferred: from 1"),
        Field(name="count", wire="NoofRecords", write=str, default="100"),
    ),
    gives=(
        "RowNumber", "CampaignID", "ContactID", "ModeID", "ModeDescription", "CValue", "CallStartDate",
        "CallEndDate", "CallStartTime", "CallEndTime",
    ),
    page="get-personal-callback-list",
    silent="The sample; the format of dates; whether records count from 0 or 1. An item has no key: it is "
    "for display, and dialed only once it was downloaded.",
)  # fmt: skip
OVERLAP: Final = MessageType(
    subtopic="ScheduledCallBackOverlap",
    reply="ScheduledCallBackOverlapResult",
    also=("ScheduledCallBackOverlap",),
    kind=RequestKind.READ,
    fields=(
        CALL_ID,
        KEY,
        Field(name="starts_at", wire="StartFromDate", form=DAY, sample="DD/MM/YYYY"),
        Field(name="ends_at", wire="StartToDate", form=DAY, sample="DD/MM/YYYY"),
        Field(name="starts_at", wire="StartFromTime", form=TIME, sample="HH:mm"),
        Field(name="ends_at", wire="StartToTime", form=TIME, sample="HH:mm"),
        USER,
    ),
    shape=Shape.FLAGS,
    flags=("RequestResult", "IsOverlap"),
    gives=("RequestResult", "IsOverlap"),
    reply_topics=(TOPIC, "Outbound"),
    page="check-scheduled-callback-overlap",
    silent="The zone of dates and times. The table's reply is ScheduledCallBackOverlap of topic Outbound, "
    "the request's own name; its flags are in message itself.",
)
