"""Contacts for manual dialing: fetched, asked for again, dialed, skipped."""

from typing import Final

from attrs import evolve

from lcm_plugin.config import ConsentFilter
from lcm_plugin.lcm.catalogue.fields import AGENT, KEY, OUTCOME, PHONE_NUMBER, USER, text_bool
from lcm_plugin.lcm.catalogue.message import CHANNEL, TOPIC, Field, MessageType, RequestKind, Shape


def _consent(wanted: ConsentFilter) -> str:
    return {ConsentFilter.BOTH: "Both", ConsentFilter.WITH: "true", ConsentFilter.WITHOUT: "false"}[wanted]


GROUP: Final = Field(name="campaign_group", wire="CampaignGroup", sample="String")
COUNT: Final = Field(
    name="count",
    wire="NumberofContactsRequired",
    sample="Number",
    why="sample; tables write NumberOf, and String",
)
CONSENT: Final = Field(
    name="consent",
    wire="Consent",
    write=_consent,
    sample="String",
    why="sample writes Both, tables true/false",
)
RESERVED: Final = Field(
    name="reserved", wire="ReservedContacts", write=text_bool, sample="String", why="sample: a String"
)
RECORD: Final = (
    "PhoneNumber", "AccountNumber", "CampaignId", "Mode", "ContactId", "ExpiryTime", "CallbackTime",
    "CallType", "Consent",
)  # fmt: skip

CAMPAIGN_GROUPS: Final = MessageType(
    subtopic="GetCampaignGroups",
    reply="SetCampaignGroup",
    kind=RequestKind.READ,
    fields=(evolve(USER, wire="userID", also=(), needed=False, why="sample; the table writes UserID"),),
    records=("CampaignGroups",),
    gives=("Name", "Type", "Status", "Campaigns", "Agents"),
    page="get-campaign-groups",
    silent="Whether a group's Name is the CampaignGroup of the downloads (inferred: yes).",
)
DOWNLOAD: Final = MessageType(
    subtopic="GetDownloadContactsForDialing",
    reply="DownloadContactsForDialing",
    kind=RequestKind.DOWNLOAD,
    fields=(GROUP, COUNT, CONSENT, AGENT, RESERVED),
    records=("Contacts",),
    gives=RECORD,
    page="get-download-contacts-for-dialing",
    silent="Whether a fresh download reserves (inferred: yes, replies carry ExpiryTime); which values "
    "Consent and CallType take in replies; ExpiryTime's zone; how no contact is said (read: null, {}, []).",
)
DOWNLOAD_ALL: Final = MessageType(
    subtopic="GetDownloadAllContactsForDialing",
    reply="DownloadAllContactsForDialing",
    kind=RequestKind.DOWNLOAD,
    fields=(GROUP, COUNT, CONSENT, AGENT, RESERVED),
    records=("Contacts",),
    gives=("CampaignGroup", "CampaignGroupID", "CampaignID", "CampaignKey", "ContactStrategyName"),
    page="get-download-all-contacts",
    silent="The sample; a contact's fields past CampaignGroup, CampaignGroupID, CampaignID, CampaignKey and "
    "ContactStrategyName (inferred: those of GetDownloadContactsForDialing).",
)
RESERVED_CONTACTS: Final = MessageType(
    subtopic="GetReservedManualDialContact",
    reply="DownloadContactsForDialing",
    kind=RequestKind.READ,
    fields=(
        AGENT,
        COUNT,
        evolve(CONSENT, table="Boolean", sample=""),
        evolve(RESERVED, table="Boolean", sample="", why="as in the downloads"),
    ),
    records=("Contacts",),
    gives=RECORD,
    page="get-reserved-manual-dial-contact",
    silent="The sample (inferred: spelled as GetDownloadContactsForDialing's, although its table types "
    "Consent and ReservedContacts Boolean); the largest NumberOfContactsRequired.",
)
SKIP: Final = MessageType(
    subtopic="SkipManualDialContact",
    reply="SkipManualDialContactResult",
    kind=RequestKind.SETTER,
    fields=(evolve(OUTCOME, why="a telephony or a business outcome"), USER, KEY, PHONE_NUMBER),
    shape=Shape.ACKNOWLEDGEMENT,
    gives=("success",),
    page="skip-manual-dial-contact",
    silent="How a failure is said (inferred: success false). It closes the contact, and takes only an open "
    "one that GetDownloadAllContactsForDialing gave; there is no message that gives a contact back.",
)
MANUAL_DIAL_CALL: Final = MessageType(
    subtopic="ManualDialCall",
    reply="ManualDialCall",
    kind=RequestKind.SETTER,
    fields=(evolve(PHONE_NUMBER, echoed=True),),
    shape=Shape.ECHO,
    gives=("subtopic", "topic", "channel", "data"),
    channel="Amazon",
    topic="InboundCall",
    reply_channels=("UI", "Amazon", CHANNEL),
    reply_topics=("InboundCall", TOPIC),
    page="manual-dial-call",
    silent="Which contact is dialed: there is no key; what came of it: the reply is the request, wrapped. "
    "Channel and topic are the sample's; the table writes LCM and Webservice.",
)
