"""What came of a call, told to the LCM. All are setters, all are acknowledged alike."""

from typing import Final

from attrs import evolve

from lcm_plugin.lcm.catalogue.fields import (
    BUSINESS_OUTCOME,
    CALL_ID,
    COMMENTS,
    DAY_AND_TIME,
    KEY,
    LEAD_SCORE,
    MODE,
    OUTCOME,
    TARGET_AMOUNT,
    USER,
    WINDOW,
)
from lcm_plugin.lcm.catalogue.message import Field, MessageType, RequestKind, Shape

_AGENTS: Final = (LEAD_SCORE, USER, COMMENTS, TARGET_AMOUNT)
_SCHEDULE: Final = (*WINDOW, *_AGENTS)
_MODE_ID: Final = evolve(MODE, wire="CallbackModeId", why="the personal callback's page writes ModeID")


def _setter(subtopic: str, page: str, *fields: Field, silent: str, also: tuple[str, ...] = ()) -> MessageType:
    return MessageType(
        subtopic=subtopic,
        reply=f"{subtopic}Result",
        also=also,
        kind=RequestKind.SETTER,
        fields=fields,
        shape=Shape.ACKNOWLEDGEMENT,
        gives=("callid", "success"),
        page=page,
        silent=f"{silent} How a failure is said (inferred: success false, or a WS_Error).",
    )


def _optional(*fields: Field) -> tuple[Field, ...]:
    return tuple(evolve(one, needed=False, default=None, sample="") for one in fields)


CALL_OUTCOME: Final = _setter(
    "SetCallOutcomeWithComments",
    "set-telephony-outcome",
    CALL_ID,
    KEY,
    evolve(OUTCOME, table="String", why="sample: a Number named OutcomeId"),
    *_AGENTS,
    silent="Which of OutcomeID and OutcomeId is right: case aside, both.",
)
SET_BUSINESS_OUTCOME: Final = _setter(
    "SetBusinessOutcomeWithComments",
    "set-business-outcomes",
    CALL_ID,
    KEY,
    evolve(OUTCOME, name="business_outcome_id", why="described as the callback outcome; the sample's is 101"),
    *_AGENTS,
    silent="The reply's sample.",
)
BOTH_OUTCOMES: Final = _setter(
    "SetBusinessOutcomeWithCallOutcome",
    "set-telephony-outcome-with-business-outcome",
    CALL_ID,
    KEY,
    BUSINESS_OUTCOME,
    Field(name="outcome_id", wire="CallOutcome", write=str, why="a String here alone"),
    *_AGENTS,
    silent="The sample. The page means it for DNC and Reject.",
)
CALLBACK: Final = _setter(
    "SetCallbackWithComments",
    "set-callback",
    CALL_ID,
    KEY,
    _MODE_ID,
    *_SCHEDULE,
    silent="The sample; the zone of dates and times.",
)
PERSONAL_CALLBACK: Final = _setter(
    "SetPersonalCallbackWithComments",
    "set-personal-callback",
    CALL_ID,
    KEY,
    MODE,
    *_SCHEDULE,
    silent="The sample; the zone of dates and times.",
)
_CALLBACK_OUTCOME: Final = evolve(
    OUTCOME, sample="", why="the callback outcome, for reports; the schedule decides"
)
OUTCOME_AND_CALLBACK: Final = _setter(
    "SetBusinessOutcomeWithCallback",
    "set-business-outcome-with-callback",
    CALL_ID,
    KEY,
    _CALLBACK_OUTCOME,
    BUSINESS_OUTCOME,
    _MODE_ID,
    *_SCHEDULE,
    silent="The sample; the zone of dates and times.",
)
OUTCOME_AND_PERSONAL_CALLBACK: Final = _setter(
    "SetBusinessOutcomeWithPersonalCallback",
    "set-business-outcome-with-personal-callback",
    CALL_ID,
    KEY,
    _CALLBACK_OUTCOME,
    BUSINESS_OUTCOME,
    MODE,
    *_SCHEDULE,
    silent="The sample; the zone of dates and times. The overview names another API.",
)
DO_NOT_CALL: Final = _setter(
    "SetDNC",
    "set-dnc",
    KEY,
    evolve(OUTCOME, wire="OutcomeID", sample="", also=("OutcomeId",)),
    BUSINESS_OUTCOME,
    evolve(LEAD_SCORE, sample=""),
    *_optional(
        Field(name="campaign_only", wire="CampaignSpecificDNC", table="not stated"),
        Field(name="block_number", wire="isPhoneNoDNC", table="Boolean"),
        Field(name="block_field", wire="BussfldDNCValue"),
        Field(name="block_field_1", wire="BussfldDNCValue1"),
        Field(name="blocked_by", wire="BlockedBy"),
        Field(name="block_starts_at", wire="DNCBlockStartDate", form=DAY_AND_TIME, table="DD/MM/YYYY HH:mm"),
        Field(name="block_ends_at", wire="DNCBlockEndDate", form=DAY_AND_TIME, table="DD/MM/YYYY HH:mm"),
        COMMENTS,
        TARGET_AMOUNT,
        Field(name="block_categories", wire="DNCCampaignCategoryID", why="several, joined by commas"),
    ),
    silent="The sample; the reply's fields. No callid, no agent, no number: only the key says who.",
)
CALL_RESULT: Final = _setter(
    "SetCallResult",
    "set-call-result",
    KEY,
    evolve(OUTCOME, sample="", why="a telephony or a business outcome"),
    *(
        evolve(one, default="", why="mandatory without a callback too; written empty then (inferred)")
        for one in WINDOW
    ),
    *_optional(
        evolve(USER, name="user", why="left out for a regular callback, which is any agent's"),
        COMMENTS,
        TARGET_AMOUNT,
        LEAD_SCORE,
        MODE,
        evolve(BUSINESS_OUTCOME, why="inferred: the readable copy of the page stops before it"),
    ),
    also=("SetCallResultResponse", "SetCallResult"),
    silent="The sample; the reply's name (inferred: as the others', any of three read) and fields; what a "
    "date is where there is no callback; the last request fields; how a personal callback is told from a "
    "regular one (inferred: by its UserID).",
)
