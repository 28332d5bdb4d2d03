"""What is known of a contact: business fields, campaign, numbers."""

from typing import Final

from attrs import evolve

from lcm_plugin.lcm.catalogue.fields import CALL_ID, CALL_ID_OR_EMPTY, DAY_AND_TIME, KEY
from lcm_plugin.lcm.catalogue.message import Field, MessageType, RequestKind, Shape

_MODES: Final = (
    "ModeID", "Description", "ChannelType", "MinLength", "MaxLength", "Cvalue", "PEWC", "CampaignPEWC",
)  # fmt: skip

SCREEN_POP: Final = MessageType(
    subtopic="GetScreenPopData",
    reply="ScreenPopData",
    kind=RequestKind.READ,
    fields=(CALL_ID, KEY),
    shape=Shape.FREE,
    page="get-optional-business-fields",
    silent="The fields: they are the site's. An array in the table, an object in the sample.",
)
MODE_INFORMATION: Final = MessageType(
    subtopic="GetModeInformation",
    reply="GetModeInformationResult",
    kind=RequestKind.READ,
    fields=(
        evolve(CALL_ID, needed=False, sample="", why="inferred from the reply's CallId"),
        evolve(KEY, sample=""),
    ),
    gives=(
        "CampaignId", "ModeName", "ContactID", "Timezone", "ContactNumber", "CampaignCategoryName", "CallId",
        "GMTDeviation", "DispositionRequired", "DNCPeriodType", "DNCDays", "DNCEOD", "CustomerDNCTZEnabled",
    ),
    page="get-mode-information",
    silent="The sample; the request's spelling; the last fields; GMTDeviation's unit; Timezone's names.",
)  # fmt: skip
CONTACT_MODES: Final = MessageType(
    subtopic="GetContactModes",
    reply="SetContactModes",
    kind=RequestKind.READ,
    fields=(evolve(CALL_ID_OR_EMPTY, needed=False), KEY),
    records=("Contactmodes",),
    gives=(
        "ModeID", "ModeDesc", "CampaignID", "CValue", "ModeDialingStartTime", "ModeDialingEndTime",
        "TimeZone", "TimeZone1", "TimeZone2", "TimeZone3", "PEWC", "AreaCode", "ZipCode",
    ),
    page="get-contact-modes",
    silent="The reply's sample; the words of PEWC, a String here; in which of its zones the window is.",
)  # fmt: skip
CALLBACK_MODES: Final = MessageType(
    subtopic="GetCallBackModes",
    reply="CallBackModes",
    kind=RequestKind.READ,
    fields=(CALL_ID, KEY),
    gives=_MODES,
    page="get-callback-modes",
    silent="What PEWC and CampaignPEWC differ in. The table writes CallbackModes.",
)
CAMPAIGN_MODES: Final = MessageType(
    subtopic="GetCampaignModes",
    reply="CampaignModes",
    kind=RequestKind.READ,
    fields=(CALL_ID, KEY),
    gives=_MODES,
    page="get-campaign-modes",
    silent="What ChannelType's numbers mean. A campaign's modes have no number.",
)
CREATE_CONTACT: Final = MessageType(
    subtopic="CreateContact",
    reply="CreateContactResponse",
    also=("CreateContactResult",),
    kind=RequestKind.SETTER,
    fields=(
        Field(name="campaign", wire="CampaignID"),
        Field(
            name="call_type",
            wire="Calltype",
            default="0",
            sample="0 - Fresh Contacts",
            why="0: a fresh contact",
        ),
        Field(name="starts_at", wire="callStartDateTime", form=DAY_AND_TIME, table="dd/mm/yyyy HH:MM"),
        Field(name="ends_at", wire="callEndDateTime", form=DAY_AND_TIME, table="dd/mm/yyyy HH:MM"),
        Field(
            name="business_fields",
            wire="BussinessFields",
            table="XML in a String",
            why="as given: both samples are malformed",
        ),
        Field(name="modes", wire="Modes", table="XML in a String", why="as given, as above"),
    ),
    shape=Shape.ACKNOWLEDGEMENT,
    gives=("success",),
    page="create-contact",
    silent="The reply's name and fields (inferred: as AddCompliance's); both XML formats; the last fields.",
)
