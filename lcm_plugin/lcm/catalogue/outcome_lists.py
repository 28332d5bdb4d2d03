"""The outcomes to choose from. Their ids are texts here, numbers in the setters."""

from typing import Final

from attrs import evolve

from lcm_plugin.lcm.catalogue.fields import CALL_ID, CALL_ID_OR_EMPTY, KEY, number
from lcm_plugin.lcm.catalogue.message import Field, MessageType, RequestKind

_TELEPHONY: Final = ("OutComeID", "Description")
_BUSINESS: Final = ("OutComeID", "Description", "CampaignID", "LeadScore", "ParentID")
_ANY_OF: Final = (
    "Which of the ids are telephony and which business outcomes: the site's configuration decides"
)

CALL_OUTCOMES: Final = MessageType(
    subtopic="GetCallOutCome",
    reply="CallOutCome",
    kind=RequestKind.READ,
    fields=(CALL_ID,),
    gives=_TELEPHONY,
    page="get-available-outcomes",
    silent=f"{_ANY_OF}. The table writes CallOutcome and OutcomeID.",
)
CALL_OUTCOMES_OFFLINE: Final = MessageType(
    subtopic="SetCallOutComeOffline",
    reply="SetCallOutComeOfflineResponse",
    kind=RequestKind.READ,
    fields=(KEY,),
    gives=_TELEPHONY,
    page="set-call-outcome-offline",
    silent=f"{_ANY_OF}. It reads, whatever its name says; an object under data in the table, an array under "
    "message in the sample.",
)
BUSINESS_OUTCOMES: Final = MessageType(
    subtopic="GetBusinessOutcome",
    reply="BusinessOutCome",
    kind=RequestKind.READ,
    fields=(CALL_ID, KEY),
    gives=_BUSINESS,
    page="get-business-outcomes",
    silent="Which of GetBusinessOutcome (table) and GetBusinessOutCome (sample) is right: case aside, both.",
)
CHILD_OUTCOMES: Final = MessageType(
    subtopic="GetBusinessOutcomeParent",
    reply="BusinessOutcomeParent",
    kind=RequestKind.READ,
    fields=(
        CALL_ID,
        KEY,
        Field(name="parent_id", wire="ParentBusinessOutcomeId", write=number, table="not stated"),
    ),
    gives=_BUSINESS,
    page="get-business-outcome-by-parent",
    silent="The sample; the type of ParentBusinessOutcomeId (inferred: as in the setters). The table writes "
    "`Campaign ID` and `Lead Score` with blanks.",
)
GROUP_OUTCOMES: Final = MessageType(
    subtopic="GetOutcomeByOutcomegroup",
    reply="BusinessOutCome",
    kind=RequestKind.READ,
    fields=(
        evolve(CALL_ID_OR_EMPTY, echoed=False),
        Field(name="outcome_group", wire="type", default="MANUAL", sample="String"),
    ),
    gives=_BUSINESS,
    page="get-business-outcome-by-outcome-group",
    silent="The types there are besides MANUAL; an object in the table, an array in the sample.",
)
