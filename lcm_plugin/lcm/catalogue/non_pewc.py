"""The older Non-PEWC family, up to Campaign Manager 2308."""

from typing import Final

from attrs import evolve

from lcm_plugin.lcm.catalogue.downloads import RECORD
from lcm_plugin.lcm.catalogue.fields import AGENT, KEY, PHONE_NUMBER, USER
from lcm_plugin.lcm.catalogue.message import Field, MessageType, RequestKind, Shape

_RECORD: Final = (*RECORD[:-1], "Prefix", "Suffix", "Queue")

CONTACT_OD: Final = MessageType(
    subtopic="GetContactOD",
    reply="ContactOD",
    kind=RequestKind.DOWNLOAD,
    fields=(
        USER,
        Field(name="reserved_by", wire="isReservedBy", needed=False, why="the page does not describe it"),
    ),
    gives=_RECORD,
    page="get-non-pewc-contact",
    silent="Whether it reserves (inferred: yes, it has a Reserved sibling and replies carry ExpiryTime); "
    "isReservedBy; an array in the table, an object in the sample, which is no JSON.",
)
RESERVED_CONTACT_OD: Final = MessageType(
    subtopic="GetReservedContactOD",
    reply="ContactOD",
    kind=RequestKind.READ,
    fields=(USER,),
    gives=_RECORD,
    page="get-reserved-non-pewc-contact",
    silent="The reply's sample; the request's is no JSON.",
)
SKIP_OD: Final = MessageType(
    subtopic="SkipNonPEWCContact",
    reply="SkipNonPEWCContactResult",
    kind=RequestKind.SETTER,
    fields=(evolve(USER, wire="userID", why="sample; the table writes UserId"),),
    shape=Shape.ACKNOWLEDGEMENT,
    gives=("success", "msg"),
    page="skip-non-pewc-contact",
    silent="Whether the contact is closed or comes back; the sample of a failure. It names no contact: it "
    "acts on the one reserved.",
)
CALL_COUNT: Final = MessageType(
    subtopic="GetAgentCallCount",
    reply="AgentCallCount",
    kind=RequestKind.READ,
    fields=(USER,),
    gives=("PCBCount", "RegularCount", "IsAgentReserved"),
    page="get-agent-call-count",
    silent="Where the count of normal callbacks is that the overview promises. IsAgentReserved is upside "
    "down, and the page says so: 0 is reserved, 1 is not.",
)
DIALER_DETAIL: Final = MessageType(
    subtopic="SetNonPEWCContactOutcome",
    reply="SetNonPEWCContactOutcomeResult",
    kind=RequestKind.SETTER,
    fields=(evolve(KEY, why="sample; the table writes LCMKey"), AGENT, PHONE_NUMBER),
    shape=Shape.ACKNOWLEDGEMENT,
    gives=("success", "callid"),
    page="set-non-pewc-contact-outcome",
    silent="Whether manual dial needs it as well; whether it goes before or after the outcome (inferred: "
    "before, since it makes the row the outcome is written to). The reply's callid is in no sample.",
)
