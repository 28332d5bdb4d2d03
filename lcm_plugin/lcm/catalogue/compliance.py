"""Whom not to call, looked up and told."""

from datetime import UTC, datetime
from typing import Final

from attrs import evolve

from lcm_plugin.lcm.catalogue.fields import CALL_ID, DAY_AND_TIME, KEY
from lcm_plugin.lcm.catalogue.message import Field, MessageType, RequestKind, Shape


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _listed(words: object) -> object:
    return words if isinstance(words, str) else list(words)  # type: ignore[call-overload]


DNC_FIELDS: Final = MessageType(
    subtopic="GetDNCBussField",
    reply="DNCBussField",
    kind=RequestKind.READ,
    fields=(CALL_ID, KEY),
    shape=Shape.STRINGS,
    page="get-dnc-business-fields",
    silent="The page's slug (inferred from its title); what SetDNC's BussfldDNCValue has of these names.",
)
ADD_COMPLIANCE: Final = MessageType(
    subtopic="AddCompliance",
    reply="AddComplianceResponse",
    kind=RequestKind.SETTER,
    fields=(
        Field(name="value", wire="Cvalue", sample="String", why="sample; the table writes CValue"),
        Field(name="campaign", wire="Campaign", needed=False, sample="String"),
        Field(name="campaign_category", wire="CampaignCategory", needed=False, sample="String"),
        Field(name="mode_id", wire="CallbackModeID", needed=False),
        Field(
            name="starts_at",
            wire="Startdate",
            form=DAY_AND_TIME,
            needed=False,
            sample="DD/MM/YYYY HH:mm",
            why="sample; the table writes StartDate",
        ),
        Field(name="ends_at", wire="EndDate", form=DAY_AND_TIME, needed=False, sample="DD/MM/YYYY HH:mm"),
        Field(name="channel_type", wire="ChannelType", default="VOICE", sample="String"),
        Field(name="upload_type", wire="UploadType", default="DNC", sample="String"),
        Field(name="operation", wire="Operation", default="Append", sample="String"),
        Field(
            name="business_field",
            wire="IsBusinessFieldDNC",
            needed=False,
            table="not stated",
            sample="Boolean",
        ),
    ),
    shape=Shape.ACKNOWLEDGEMENT,
    gives=("success",),
    page="add-compliance",
    silent="The reply's sample; the zone of dates. The sample's subtopic has blanks around it, and two curly "
    "quotes: it is no JSON.",
)
COMPLIANCE_CHECK: Final = MessageType(
    subtopic="ComplianceCheck",
    reply="ComplianceCheckResponse",
    also=("ComplianceCheckResult", "ComplianceCheck"),
    kind=RequestKind.READ,
    fields=(
        Field(name="campaign", wire="campaignname", table="not stated"),
        Field(
            name="green_zone",
            wire="greenzonecheck",
            needed=False,
            table="not stated",
            why="the contact's local time inside the window",
        ),
        Field(name="state_law", wire="statelawcheck", needed=False, table="not stated"),
        Field(
            name="voicemail",
            wire="voicemailcheck",
            needed=False,
            table="not stated",
            why="needs statelawcheck",
        ),
        Field(
            name="contacts",
            wire="contacts",
            table="Array",
            items=(
                Field(name="request_id", wire="requestid", why="the client's own; comes back"),
                evolve(KEY, wire="lcmkey", sample="", also=("AccountNumber",)),
                Field(name="unique_id", wire="uniqueid1", needed=False),
            ),
        ),
    ),
    records=("contacts",),
    gives=("requestid",),
    page="compliance-check",
    silent="The reply's name (inferred: as AddCompliance's) and all of it but requestid; the types.",
)
CHECK_CONTACTS: Final = MessageType(
    subtopic="GetCheckContacts",
    reply="CheckContacts",
    kind=RequestKind.READ,
    fields=(
        Field(name="campaigns", wire="campaignname", write=_listed, table="Array"),
        Field(name="campaign_category", wire="categoryname", needed=False),
        Field(
            name="block_starts_at",
            wire="dncStartDate",
            write=_utc,
            needed=False,
            table="datetime, UTC",
            why="format not stated; ISO 8601 written; now, where left out",
        ),
        Field(
            name="block_ends_at",
            wire="dncEndDate",
            write=_utc,
            needed=False,
            table="datetime, UTC",
            why="as above",
        ),
        Field(name="include_global", wire="includeGlobal", needed=False, table="Boolean"),
        Field(
            name="compliance_types",
            wire="checkForComplianceTypes",
            write=_listed,
            needed=False,
            table="DNC, NDNC, Litigator",
            why="said to be mandatory and to have a default",
        ),
        Field(
            name="contacts",
            wire="contacts",
            table="Array",
            items=(
                Field(name="id", wire="id", why="the client's own"),
                Field(name="channel", wire="channel", default="VOICE"),
                Field(name="phone_number", wire="modeValue"),
            ),
        ),
    ),
    under="data",
    records=("contacts",),
    gives=("id",),
    page="check-contacts",
    silent="The sample; the reply's fields but that it is under data; the values of channel.",
)
