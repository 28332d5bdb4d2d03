"""Every message of the catalogue, to the sandbox on a real socket and back."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cti_hooks import Agent, Consent, Mode, TimeZone
from lcm_plugin.config import ConsentFilter
from lcm_plugin.errors import Fault, LcmBadReply, LcmError, LcmRejected, LcmUnavailable
from lcm_plugin.lcm import meanings
from lcm_plugin.lcm.catalogue import CATALOGUE, DOWNLOAD, DOWNLOAD_ALL, MessageType, RequestKind, Shape
from lcm_plugin.lcm.catalogue.agent_states import AGENT_STATE
from lcm_plugin.lcm.catalogue.callbacks import OVERLAP
from lcm_plugin.lcm.catalogue.details import CALLBACK_MODES, CONTACT_MODES, MODE_INFORMATION, SCREEN_POP
from lcm_plugin.lcm.catalogue.dispositions import CALL_RESULT, DO_NOT_CALL
from lcm_plugin.lcm.catalogue.downloads import MANUAL_DIAL_CALL
from lcm_plugin.lcm.catalogue.non_pewc import CALL_COUNT, CONTACT_OD, RESERVED_CONTACT_OD
from lcm_plugin.lcm.catalogue.outcome_lists import BUSINESS_OUTCOMES, CALL_OUTCOMES, CHILD_OUTCOMES
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.lcm.decode import Reply
from lcm_plugin.lcm.spelling import pick
from lcm_plugin.sandbox import MALFORMED, Sandbox, SandboxContact, SandboxMode, generate_contacts
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.people import ALICE, GROUP

OpenLcm = Callable[..., Awaitable[tuple[Sandbox, LcmClient]]]

SAMPLES: dict[str, dict[str, Any]] = {
    sample["message"]: sample
    for sample in json.loads(Path(__file__).with_name("samples.json").read_text(encoding="utf-8"))
}
KEY = "0|0|000|0|0|00|1234"
FETCH: dict[str, Any] = {
    "campaign_group": GROUP, "count": 1, "consent": ConsentFilter.BOTH, "reserved": False,
}  # fmt: skip
VALUES: dict[str, Any] = {
    **FETCH,
    "key": KEY,
    "call_id": "12345",
    "phone_number": "+12125550101",
    "outcome_id": "4",
    "business_outcome_id": "101",
    "parent_id": "100",
    "mode_id": "3",
    "starts_at": datetime(2024, 1, 30, 16, 0, tzinfo=UTC),
    "ends_at": datetime(2024, 1, 30, 17, 0, tzinfo=UTC),
    "time_zone": UTC,
    "state": "NOT_READY",
    "value": "+12125550109",
    "campaign": "testcamp",
    "campaigns": ["testcamp"],
    "business_fields": "<Fields/>",
    "modes": "<Mode>+12125550108</Mode>",
    "contacts": [{"request_id": "1", "key": KEY, "id": "1", "phone_number": "+12125550101"}],
}
"""A value for every field there is."""


def sample_of(message: MessageType) -> tuple[str, Agent, dict[str, Any]]:
    """The key, the agent and the values of a message's sample, or made-up ones."""
    sample = SAMPLES.get(message.subtopic)
    if sample is None:
        return KEY, ALICE, {**VALUES, "reserved": message.subtopic == "GetReservedManualDialContact"}
    values = dict(sample.get("values", {}))
    for name, read in (("starts_at", datetime.fromisoformat), ("ends_at", datetime.fromisoformat),
                       ("time_zone", ZoneInfo), ("consent", ConsentFilter)):  # fmt: skip
        if name in values:
            values[name] = read(values[name])
    if values.get("outcome_id") == "1":
        values["outcome_id"] = "2"  # the sample's 1, Abandoned, is on one page's list and not on the other's
    return values.get("key", KEY), Agent(id="a", lcm_id=sample["agent"]), values


async def deliver(client: LcmClient, message: MessageType, agent: Agent) -> None:
    """Have the contact delivered the way this message wants it."""
    if message.kind is RequestKind.DOWNLOAD or message.subtopic == "GetCampaignGroups":
        return
    how = {"SkipManualDialContact": DOWNLOAD_ALL, "SkipNonPEWCContact": CONTACT_OD}
    await client.ask(how.get(message.subtopic, DOWNLOAD), agent, **FETCH)


def keys_of(value: Any) -> Any:
    """The shape of a body: its keys, and those of a list's first item."""
    if isinstance(value, dict):
        return {key: keys_of(inner) for key, inner in value.items()}
    return [keys_of(item) for item in value[:1]] if isinstance(value, list) else None


@pytest.mark.parametrize("message", CATALOGUE.values(), ids=lambda message: message.subtopic)
async def test_every_message_goes_there_and_back(open_lcm: OpenLcm, wire: str, message: MessageType) -> None:
    """Each message reaches the LCM as its sample has it, and its reply comes back in its documented shape."""
    key, agent, values = sample_of(message)
    due = SandboxContact(key="d", phone_number="+12125550102", due_in=3600, personal_agent="alice")
    lcm, client = await open_lcm([SandboxContact(key=key, phone_number="+12125550101"), due], wire=wire)
    await deliver(client, message, agent)
    reply = await client.ask(message, agent, **values)
    await asyncio.sleep(0.1)  # nobody waits for what has no reply
    received = lcm.requests[-1]
    assert received.subtopic == message.subtopic
    if message.subtopic in SAMPLES and message.subtopic != "SetCallOutcomeWithComments":
        assert received.data == SAMPLES[message.subtopic]["data"]
    said = {
        Shape.RECORDS: reply.records,
        Shape.FREE: reply.records,
        Shape.STRINGS: reply.strings,
        Shape.ACKNOWLEDGEMENT: reply.acknowledged,
        Shape.ECHO: reply.acknowledged,
        Shape.FLAGS: reply.flags,
        Shape.NONE: reply == Reply(),
    }[message.shape]
    assert said
    if reply.records and message.gives:
        assert pick(reply.records[0], *message.gives) is not None


@pytest.mark.parametrize("name", [name for name, sample in SAMPLES.items() if "reply" in sample])
async def test_the_sandbox_answers_in_the_samples_shape(open_lcm: OpenLcm, name: str) -> None:
    """The sandbox's reply has the names and the nesting of the documented one."""
    message, sample = CATALOGUE[name], SAMPLES[name]["reply"]
    key, agent, values = sample_of(message)
    lcm, client = await open_lcm([SandboxContact(key=key, phone_number="+12125550101", campaign="c")])
    await deliver(client, message, agent)
    heard: list[Any] = []

    async def listen(envelope: Any) -> Any:
        heard.append(envelope)
        return envelope

    client.gate.adjust_reply = listen
    await client.ask(message, agent, **values)
    (reply,) = heard
    assert (reply["channel"], reply["topic"]) == (
        sample.get("channel", "LCM"),
        sample.get("topic", "WebService"),
    )
    assert reply["subtopic"] == sample["subtopic"]
    ours, theirs = keys_of(reply["message"]), keys_of(sample["message"])
    if "completed" in SAMPLES[name]:  # the page's copy stops in the middle of it
        assert list(ours) == list(theirs)
    else:
        assert ours == theirs
    assert lcm.requests[-1].subtopic == name


@pytest.mark.parametrize("how", MALFORMED)
@pytest.mark.parametrize(
    "name",
    [
        "GetContactOD",
        "GetReservedContactOD",
        "GetAgentCallCount",
        "AddCompliance",
        "GetReservedManualDialContact",
    ],
)
async def test_the_malformed_samples_are_bad_replies(open_lcm: OpenLcm, name: str, how: str) -> None:
    """If the page's sample is no JSON, a reply like it is a bad reply, over the wire too."""
    lcm, client = await open_lcm(1)
    lcm.order(f"spelling,variant={how},message={name}")
    _, agent, values = sample_of(CATALOGUE[name])
    with pytest.raises(LcmBadReply):
        await client.ask(CATALOGUE[name], agent, **{**FETCH, **values})


@pytest.mark.parametrize("name", ["ScheduledCallBackOverlap", "GetCallOutCome", "GetBusinessOutcome",
                                  "GetCallBackModes"])  # fmt: skip
async def test_the_tables_names_are_replies_too(open_lcm: OpenLcm, wire: str, name: str) -> None:
    """A reply named as its table has it is heard, also if that is the request's own name."""
    message = CATALOGUE[name]
    key, agent, values = sample_of(message)
    lcm, client = await open_lcm([SandboxContact(key=key, phone_number="+12125550101")], wire=wire)
    await deliver(client, message, agent)
    lcm.order("spelling,variant=table_name")
    reply = await client.ask(message, agent, **values)
    assert reply.records or reply.flags


async def test_a_reply_to_another_call_is_a_bad_reply(open_lcm: OpenLcm, wire: str) -> None:
    """A reply that repeats another callid is asked for again, since reading costs nothing, then refused."""
    lcm, client = await open_lcm(1, wire=wire, max_requests=3)
    lcm.order("spelling,variant=callid_other,times=1")
    assert (await client.ask(CALL_OUTCOMES, ALICE, call_id="12345")).records
    lcm.order("spelling,variant=callid_other")
    with pytest.raises(LcmBadReply, match="of another callid"):
        await client.ask(CALL_OUTCOMES, ALICE, call_id="12345")


# -- setters ------------------------------------------------------------------------------------------------


async def fetched(client: LcmClient) -> str:
    contact = await client.next_contact(ALICE, GROUP)
    assert contact is not None
    return contact.key


@pytest.mark.parametrize("fault", ["busy", "busy,status=429"])
async def test_a_setter_that_was_not_delivered_is_sent_again(open_lcm: OpenLcm, fault: str) -> None:
    """If the LCM said that it did nothing, the disposition goes out again, and is there once."""
    lcm, client = await open_lcm(1)
    key = await fetched(client)
    lcm.order(f"{fault},message=SetCallResult,times=1")
    assert (await client.ask(CALL_RESULT, ALICE, key=key, outcome_id="3")).acknowledged
    assert [request.subtopic for request in lcm.requests].count("SetCallResult") == 2
    assert [entry.outcome_id for entry in lcm.account.dispositions] == ["3"]


@pytest.mark.parametrize(
    "fault", ["drop", "error", "truncated", "huge", "not_json", "wrong_subtopic", "late,seconds=9"]
)
async def test_a_setter_that_may_have_been_done_is_not_sent_again(
    open_lcm: OpenLcm, wire: str, fault: str
) -> None:
    """However the answer was lost, the setter went out once, and its sender is told that it may be done."""
    lcm, client = await open_lcm(1, wire=wire, try_seconds=2)
    key = await fetched(client)
    lcm.order(f"{fault},message=SetCallResult")
    with pytest.raises(LcmError) as raised:
        await client.ask(CALL_RESULT, ALICE, "attempt-7", key=key, outcome_id="3")
    assert raised.value.fault is Fault.NO_ANSWER
    assert (raised.value.agent_id, raised.value.attempt_id) == ("alice", "attempt-7")
    assert [request.subtopic for request in lcm.requests].count("SetCallResult") == 1
    assert len(lcm.account.dispositions) == 1
    assert lcm.account.dispositions[0].delivered is fault.startswith("late")


@pytest.mark.parametrize("message", CATALOGUE.values(), ids=lambda message: message.subtopic)
async def test_only_a_read_is_asked_again(open_lcm: OpenLcm, message: MessageType) -> None:
    """Whatever the message, with its connection cut once: a read is asked again, all else went out once."""
    key, agent, values = sample_of(message)
    lcm, client = await open_lcm([SandboxContact(key=key, phone_number="+12125550101")])
    await deliver(client, message, agent)
    lcm.order(f"drop,message={message.subtopic},times=1")
    try:
        await client.ask(message, agent, **values)
        lost = None
    except LcmUnavailable as error:
        lost = error.fault
    assert lost is (None if message.kind is RequestKind.READ else Fault.NO_ANSWER)
    times = [request.subtopic for request in lcm.requests].count(message.subtopic)
    assert times == (2 if message.kind is RequestKind.READ else 1)


@pytest.mark.parametrize("how", MALFORMED)
async def test_a_malformed_acknowledgement_leaves_it_unconfirmed(open_lcm: OpenLcm, how: str) -> None:
    """An acknowledgement that is no JSON says nothing: the setter went out once and may be done."""
    lcm, client = await open_lcm(1)
    key = await fetched(client)
    lcm.order(f"spelling,variant={how},message=SetCallResult")
    with pytest.raises(LcmBadReply) as raised:
        await client.ask(CALL_RESULT, ALICE, key=key, outcome_id="3")
    assert raised.value.fault is Fault.NO_ANSWER
    assert [entry.delivered for entry in lcm.account.dispositions] == [False]


async def test_a_setter_may_be_done_later(open_lcm: OpenLcm) -> None:
    """A disposition whose connection was cut may be written down a while later: it is sent once."""
    lcm, client = await open_lcm(1)
    key = await fetched(client)
    lcm.order("late_commit,seconds=3,message=SetCallResult")
    with pytest.raises(LcmUnavailable):
        await client.ask(CALL_RESULT, ALICE, key=key, outcome_id="3")
    assert lcm.account.dispositions == []
    await asyncio.sleep(4)
    assert [entry.key for entry in lcm.account.dispositions] == [key]


async def test_a_contact_that_may_be_reserved_is_not_asked_for_again(open_lcm: OpenLcm) -> None:
    """GetContactOD reserves: with its answer lost, one contact is reserved, and the sibling shows it."""
    lcm, client = await open_lcm(3)
    lcm.order("drop,message=GetContactOD")
    with pytest.raises(LcmUnavailable) as raised:
        await client.ask(CONTACT_OD, ALICE)
    assert raised.value.fault is Fault.NO_ANSWER
    (record,) = (await client.ask(RESERVED_CONTACT_OD, ALICE)).records
    assert lcm.account.reservations == {record["AccountNumber"]: "alice"}


async def test_a_setter_delivered_twice_is_seen(open_lcm: OpenLcm) -> None:
    """The books list a disposition as often as it came."""
    lcm, client = await open_lcm(1)
    key = await fetched(client)
    for _ in range(2):
        await client.ask(CALL_RESULT, ALICE, key=key, outcome_id="3")
    assert [entry.key for entry in lcm.account.dispositions] == [key, key]


async def test_what_is_misspelt_is_not_sent(open_lcm: OpenLcm) -> None:
    """A value no message has, or one that lacks, is told before anything leaves."""
    lcm, client = await open_lcm(1)
    with pytest.raises(ValueError, match="outcome_id"):
        await client.ask(CALL_RESULT, ALICE, key="k", outcom_id="3")
    with pytest.raises(ValueError, match="needs outcome_id"):
        await client.ask(CALL_RESULT, ALICE, key="k")
    assert lcm.requests == []


# -- a message without a reply ------------------------------------------------------------------------------


async def test_an_agent_state_waits_for_nothing(open_lcm: OpenLcm, wire: str, clock: LoopClock) -> None:
    """SendAgentState has no reply: nobody waits for one, and others asked on the bus meanwhile get theirs."""
    lcm, client = await open_lcm(1, wire=wire)
    began = clock.now()
    for state in ("READY", "NOT_READY"):
        assert await client.ask(AGENT_STATE, Agent(id="a", lcm_id="834108959"), state=state) == Reply()
    assert await client.campaign_groups(ALICE) == (GROUP,)
    assert (clock.now() - began).total_seconds() < 1
    told = [(entry.agent_id, entry.state) for entry in lcm.account.agent_states]
    assert told == [("834108959", "READY"), ("834108959", "NOT_READY")]


async def test_an_agent_state_refused_over_http_is_told(open_lcm: OpenLcm) -> None:
    """Any 2xx will do; a status that says no is a no, and a cut connection leaves it unconfirmed."""
    lcm, client = await open_lcm(1)
    lcm.order("reject,times=1")
    with pytest.raises(LcmRejected):
        await client.ask(AGENT_STATE, ALICE, state="READY")
    lcm.order("drop,times=1")
    with pytest.raises(LcmUnavailable) as raised:
        await client.ask(AGENT_STATE, ALICE, state="READY")
    assert raised.value.fault is Fault.NO_ANSWER
    lcm.order("wrong_subtopic,times=1")
    assert await client.ask(AGENT_STATE, ALICE, state="READY") == Reply()


async def test_a_call_dialed_by_hand_is_passed_on(open_lcm: OpenLcm, wire: str) -> None:
    """ManualDialCall's reply has its own name, and is told from the request by what it carries."""
    lcm, client = await open_lcm(1, wire=wire)
    assert (await client.ask(MANUAL_DIAL_CALL, ALICE, phone_number="+12345678900")).acknowledged
    assert lcm.requests[-1].envelope["topic"] == "InboundCall"


# -- what the replies become --------------------------------------------------------------------------------


async def test_outcomes_are_choices(open_lcm: OpenLcm) -> None:
    """Lists become choices with ids as texts, business outcomes with their parents."""
    _, client = await open_lcm(1)
    key = await fetched(client)
    telephony = meanings.outcomes(await client.ask(CALL_OUTCOMES, ALICE, call_id="1"))
    assert [(one.id, one.description) for one in telephony][:3] == [
        ("0", "Success"),
        ("2", "Invalid"),
        ("3", "Busy"),
    ]
    business = meanings.outcomes(await client.ask(BUSINESS_OUTCOMES, ALICE, call_id="1", key=key))
    assert {one.id: one.parent_id for one in business}["101"] == "100"
    assert business[0].parent_id is None
    children = await client.ask(CHILD_OUTCOMES, ALICE, call_id="1", key=key, parent_id="100")
    assert [one.id for one in meanings.outcomes(children)] == ["101", "102"]


async def test_numbers_are_modes(open_lcm: OpenLcm) -> None:
    """A contact's numbers become modes with their own consent, window and zones; other words are unknown."""
    home = SandboxMode(
        id="1",
        phone_number="(212) 555-0123",
        consent="No",
        window_start="9:00",
        window_end="17:30:00",
        time_zones=("America/Denver",),
    )
    office = SandboxMode(id="2", phone_number="0", consent="Perhaps")
    _, client = await open_lcm([SandboxContact(key="k", phone_number="+12125550101", modes=(home, office))])
    await fetched(client)
    found = meanings.modes(await client.ask(CONTACT_MODES, ALICE, key="k"), client.normalizer)
    zones = (
        TimeZone(name="America/Denver", evidence="lcm"),
        TimeZone(name="America/New_York", evidence="number"),
    )
    assert found[0] == Mode(
        id="1",
        description="Home",
        phone_number="(212) 555-0123",
        e164="+12125550123",
        consent=Consent.NOT_GIVEN,
        window_start="09:00",
        window_end="17:30",
        time_zones=zones,
    )
    assert (found[1].e164, found[1].consent, found[1].window_start) == (None, Consent.UNKNOWN, None)
    callback = meanings.modes(
        await client.ask(CALLBACK_MODES, ALICE, call_id="1", key="k"), client.normalizer
    )
    assert [(one.id, one.consent) for one in callback] == [("1", Consent.NOT_GIVEN), ("2", Consent.NOT_GIVEN)]


async def test_made_up_people_have_several_numbers(open_lcm: OpenLcm) -> None:
    """generate_contacts gives people up to three numbers, each valid and its own."""
    people = generate_contacts(2, random=Random(1), numbers=3)
    assert len({mode.phone_number for person in people for mode in person.modes}) == 6
    _, client = await open_lcm(people)
    key = await fetched(client)
    found = meanings.modes(await client.ask(CONTACT_MODES, ALICE, key=key), client.normalizer)
    assert [(one.id, one.description, one.e164 is not None) for one in found] == [
        ("3", "Mobile", True),
        ("1", "Home", True),
        ("2", "Office", True),
    ]


async def test_what_is_known_of_a_contact(open_lcm: OpenLcm) -> None:
    """Screen-pop fields are the site's; mode information has the zone and whether a disposition is wanted."""
    person = SandboxContact(
        key="k",
        phone_number="+12125550101",
        contact_id="7",
        time_zone="America/Denver",
        fields={"LName": "Berry"},
    )
    _, client = await open_lcm([person])
    await fetched(client)
    assert meanings.screen_pop(await client.ask(SCREEN_POP, ALICE, call_id="1", key="k")) == {
        "LName": "Berry"
    }
    assert meanings.mode_information(
        await client.ask(MODE_INFORMATION, ALICE, key="k")
    ) == meanings.ModeInformation(
        campaign="AD Manual Dial Campaign",
        mode="Mobile",
        contact_id="7",
        phone_number="+12125550101",
        time_zone="America/Denver",
        gmt_deviation="-420",
        disposition_required=True,
    )


@pytest.mark.parametrize(
    ("word", "reserved"), [("0", True), ("1", False), (" 0 ", True), ("", None), ("true", None), ("2", None)]
)
def test_zero_means_reserved(word: str, reserved: bool | None) -> None:  # noqa: FBT001
    """IsAgentReserved is upside down; a word it does not have says nothing."""
    assert meanings.agent_is_reserved(word) is reserved


async def test_calls_are_counted(open_lcm: OpenLcm) -> None:
    """The count says who waits, and whether the agent has a contact: 0 on the wire is yes."""
    lcm, client = await open_lcm(
        [
            SandboxContact(key="a", phone_number="+12125550101"),
            SandboxContact(key="b", phone_number="+12125550102", due_in=600, personal_agent="alice"),
            SandboxContact(key="c", phone_number="+12125550103", due_in=600),
        ]
    )
    free = meanings.call_count(await client.ask(CALL_COUNT, ALICE))
    assert free == meanings.AgentCallCount(personal_callbacks=1, regular_callbacks=1, reserved=False)
    await fetched(client)
    assert meanings.call_count(await client.ask(CALL_COUNT, ALICE)).reserved is True
    lcm.order("spelling,variant=null")
    unsaid = meanings.call_count(await client.ask(CALL_COUNT, ALICE))
    assert unsaid == meanings.AgentCallCount(personal_callbacks=None, regular_callbacks=None, reserved=None)


async def test_overlaps_are_a_yes_or_no(open_lcm: OpenLcm) -> None:
    """A callback that would meet another one of the agent's is told."""
    mine = SandboxContact(
        key="b", phone_number="+12125550102", due_in=3600, due_until=7200, personal_agent="alice"
    )
    _, client = await open_lcm([SandboxContact(key="a", phone_number="+12125550101"), mine])
    await fetched(client)
    asked: dict[str, Any] = {
        "call_id": "1",
        "key": "a",
        "time_zone": ZoneInfo("America/New_York"),
        "starts_at": datetime(2024, 1, 30, 16, 30, tzinfo=UTC),
        "ends_at": datetime(2024, 1, 30, 16, 40, tzinfo=UTC),
    }
    assert meanings.overlaps(await client.ask(OVERLAP, ALICE, **asked))
    assert not meanings.overlaps(await client.ask(OVERLAP, Agent(id="bob"), **asked))


async def test_a_blocked_contact_stays_away(open_lcm: OpenLcm) -> None:
    """After SetDNC nobody of the number is handed out."""
    lcm, client = await open_lcm([SandboxContact(key=key, phone_number="+12125550101") for key in ("a", "b")])
    key = await fetched(client)
    await client.ask(DO_NOT_CALL, ALICE, key=key, outcome_id="5", business_outcome_id="106")
    assert [(entry.key, entry.phone_number) for entry in lcm.account.do_not_call] == [("a", "+12125550101")]
    assert "5550101" not in repr(lcm.account)
    assert await client.next_contact(ALICE, GROUP) is None
