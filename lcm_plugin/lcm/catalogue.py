"""Every LCM message the plugin sends, declared: fields, reply, kind, and where the documentation is silent.

A new message is a new entry here, not a new code path. The spelling written is the documentation's sample's
where one is known, since samples look captured and tables typed by hand; what is read is looser
(`lcm_plugin.lcm.spelling`). Pages are slugs of the vendor's documentation site.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from attrs import frozen

from cti_hooks import Agent
from lcm_plugin.config import ConsentFilter

CHANNEL: Final = "LCM"
TOPIC: Final = "WebService"
"""As in every sample; tables write Webservice."""


class Kind(StrEnum):
    """What a request may cost, and so whether it may be sent again (DESIGN 6)."""

    DOWNLOAD = "download"
    """It may reserve a contact."""
    READ = "read"
    SETTER = "setter"


def _agent_id(agent: Agent) -> str:
    return agent.lcm_id or agent.id


def _consent(wanted: ConsentFilter) -> str:
    return {ConsentFilter.BOTH: "Both", ConsentFilter.WITH: "true", ConsentFilter.WITHOUT: "false"}[wanted]


def _text_bool(value: bool) -> str:  # noqa: FBT001  (a wire value)
    return "true" if value else "false"


@frozen(kw_only=True)
class Field:
    """A request field: our name for it, its spelling on the wire, how its value is written, and why so."""

    name: str
    wire: str
    write: Callable[[Any], object] = lambda value: value
    why: str = ""


@frozen(kw_only=True)
class MessageType:
    """A message of the LCM's.

    Attributes:
        subtopic: its name as sent.
        reply: the reply's name; several messages may share one.
        kind: what sending it may cost.
        fields: the fields of `data`.
        records: the keys under which the reply's records may be, besides `response` itself.
        page: the documentation page.
        silent: what the documentation does not say, and what is inferred instead.
    """

    subtopic: str
    reply: str
    kind: Kind
    fields: tuple[Field, ...]
    records: tuple[str, ...] = ()
    page: str
    silent: str = ""

    def data(self, values: Mapping[str, object]) -> dict[str, object]:
        """The request's `data`; `values` has one for each field's name."""
        return {one.wire: one.write(values[one.name]) for one in self.fields}


AGENT: Final = Field(
    name="agent", wire="AgentID", write=_agent_id, why="the host's id where no lcm_id is set"
)
GROUP: Final = Field(name="campaign_group", wire="CampaignGroup")
COUNT: Final = Field(
    name="count", wire="NumberofContactsRequired", why="sample; tables write NumberOf, and String"
)
CONSENT: Final = Field(
    name="consent", wire="Consent", write=_consent, why="sample writes Both, tables true/false"
)
RESERVED: Final = Field(name="reserved", wire="ReservedContacts", write=_text_bool, why="sample: a String")

DOWNLOAD: Final = MessageType(
    subtopic="GetDownloadContactsForDialing",
    reply="DownloadContactsForDialing",
    kind=Kind.DOWNLOAD,
    fields=(GROUP, COUNT, CONSENT, AGENT, RESERVED),
    records=("Contacts",),
    page="get-download-contacts-for-dialing",
    silent="Whether a fresh download reserves (inferred: yes, replies carry ExpiryTime); which values "
    "Consent and CallType take in replies; ExpiryTime's zone; how no contact is said (read: null, {}, []).",
)
DOWNLOAD_ALL: Final = MessageType(
    subtopic="GetDownloadAllContactsForDialing",
    reply="DownloadAllContactsForDialing",
    kind=Kind.DOWNLOAD,
    fields=(GROUP, COUNT, CONSENT, AGENT, RESERVED),
    records=("Contacts",),
    page="get-download-all-contacts",
    silent="The sample; a contact's fields past CampaignGroup, CampaignGroupID, CampaignID, CampaignKey and "
    "ContactStrategyName (inferred: those of GetDownloadContactsForDialing).",
)
RESERVED_CONTACTS: Final = MessageType(
    subtopic="GetReservedManualDialContact",
    reply="DownloadContactsForDialing",
    kind=Kind.READ,
    fields=(AGENT, COUNT, CONSENT, RESERVED),
    records=("Contacts",),
    page="get-reserved-manual-dial-contact",
    silent="The sample (inferred: spelled as GetDownloadContactsForDialing's, although its table types "
    "Consent and ReservedContacts Boolean); the largest NumberOfContactsRequired.",
)
CAMPAIGN_GROUPS: Final = MessageType(
    subtopic="GetCampaignGroups",
    reply="SetCampaignGroup",
    kind=Kind.READ,
    fields=(Field(name="agent", wire="userID", write=_agent_id, why="sample; the table writes UserID"),),
    records=("CampaignGroups",),
    page="get-campaign-groups",
    silent="Whether a group's Name is the CampaignGroup of the downloads (inferred: yes).",
)

CATALOGUE: Final[Mapping[str, MessageType]] = {
    one.subtopic: one for one in (DOWNLOAD, DOWNLOAD_ALL, RESERVED_CONTACTS, CAMPAIGN_GROUPS)
}
