"""Every message of the catalogue: as documented on its way out, in any documented shape on its way back."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_hooks import Agent
from cti_hooks import settings as plugin_settings
from lcm_plugin.config import ConsentFilter, LcmSettings
from lcm_plugin.errors import Fault, LcmBadReply, LcmError, LcmRejected
from lcm_plugin.lcm import meanings
from lcm_plugin.lcm.catalogue import CATALOGUE, FAMILIES, MessageType, RequestKind, Shape
from lcm_plugin.lcm.catalogue.agent_states import AGENT_STATE
from lcm_plugin.lcm.catalogue.callbacks import OVERLAP, PERSONAL_CALLBACKS
from lcm_plugin.lcm.catalogue.compliance import CHECK_CONTACTS, COMPLIANCE_CHECK, DNC_FIELDS
from lcm_plugin.lcm.catalogue.details import SCREEN_POP
from lcm_plugin.lcm.catalogue.dispositions import (
    BOTH_OUTCOMES,
    CALL_OUTCOME,
    CALL_RESULT,
    CALLBACK,
    DO_NOT_CALL,
)
from lcm_plugin.lcm.catalogue.downloads import MANUAL_DIAL_CALL, SKIP
from lcm_plugin.lcm.catalogue.non_pewc import CALL_COUNT, CONTACT_OD, SKIP_OD
from lcm_plugin.lcm.catalogue.outcome_lists import CALL_OUTCOMES, CALL_OUTCOMES_OFFLINE, GROUP_OUTCOMES
from lcm_plugin.lcm.decode import Reply, decode
from lcm_plugin.lcm.envelope import request
from lcm_plugin.lcm.normalize import Normalizer
from lcm_plugin.sandbox import MALFORMED, VARIANTS

SAMPLES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("samples.json").read_text())
REPLIES = [sample for sample in SAMPLES if "reply" in sample]
ANSWERED = [message for message in CATALOGUE.values() if message.reply]
AGENT = Agent(id="alice")
WINDOW = {
    "starts_at": datetime(2024, 3, 10, 6, 30, tzinfo=UTC),
    "ends_at": datetime(2024, 3, 10, 7, 30, tzinfo=UTC),
    "time_zone": ZoneInfo("America/New_York"),
}
NORMALIZER = Normalizer(
    plugin_settings.read(LcmSettings, {"url": "http://127.0.0.1", "source": "s", "timezone": "UTC"})
)


def by_name(sample: dict[str, Any]) -> str:
    return str(sample["message"])


def values_of(sample: dict[str, Any]) -> dict[str, Any]:
    """A sample's values, JSON's texts as what they stand for."""
    values = dict(sample.get("values", {}))
    for name, read in (
        ("starts_at", datetime.fromisoformat),
        ("ends_at", datetime.fromisoformat),
        ("time_zone", ZoneInfo),
        ("consent", ConsentFilter),
    ):
        if name in values:
            values[name] = read(values[name])
    return values


def reply_of(message: MessageType, body: object) -> dict[str, Any]:
    return {
        "channel": message.reply_channels[0],
        "topic": message.reply_topics[0],
        "subtopic": message.reply,
        "message": body,
    }


def data_of(message: MessageType, **values: Any) -> Any:
    return request(message, source="s", agent=AGENT, **values).envelope["data"]


# -- out ----------------------------------------------------------------------------------------------------


def test_the_whole_family_is_declared() -> None:
    """Each message of the documentation that a shift needs has its entry, in one family."""
    assert set(CATALOGUE) == {
        "GetCampaignGroups", "GetDownloadContactsForDialing", "GetDownloadAllContactsForDialing",
        "GetReservedManualDialContact", "SkipManualDialContact", "ManualDialCall", "GetCallOutCome",
        "SetCallOutComeOffline", "GetBusinessOutcome", "GetBusinessOutcomeParent", "GetOutcomeByOutcomegroup",
        "SetCallOutcomeWithComments", "SetBusinessOutcomeWithComments", "SetBusinessOutcomeWithCallOutcome",
        "SetCallbackWithComments", "SetPersonalCallbackWithComments", "SetBusinessOutcomeWithCallback",
        "SetBusinessOutcomeWithPersonalCallback", "SetDNC", "SetCallResult", "SetNonPEWCContactOutcome",
        "GetPersonalCallbackList", "ScheduledCallBackOverlap", "GetScreenPopData", "GetModeInformation",
        "GetContactModes", "GetCallBackModes", "GetCampaignModes", "GetAgentCallCount", "SkipNonPEWCContact",
        "GetContactOD", "GetReservedContactOD", "AddCompliance", "ComplianceCheck", "GetCheckContacts",
        "GetDNCBussField", "CreateContact", "SendAgentState",
    }  # fmt: skip
    assert sum(map(len, FAMILIES.values())) == len(CATALOGUE)


def test_a_name_does_not_tell_the_kind() -> None:
    """SetCallOutComeOffline reads, GetContactOD reserves, ManualDialCall and SendAgentState are done once."""
    assert CALL_OUTCOMES_OFFLINE.kind is RequestKind.READ
    assert CONTACT_OD.kind is RequestKind.DOWNLOAD
    assert {MANUAL_DIAL_CALL.kind, AGENT_STATE.kind, SKIP.kind, SKIP_OD.kind} == {RequestKind.SETTER}
    acknowledged = {one for one in CATALOGUE.values() if one.shape is Shape.ACKNOWLEDGEMENT}
    assert {one.kind for one in acknowledged} == {RequestKind.SETTER}


@pytest.mark.parametrize("sample", SAMPLES, ids=by_name)
def test_the_documented_request_goes_out_value_for_value(sample: dict[str, Any]) -> None:
    """What is sent is the sample's JSON, plus the source its table wants."""
    message = CATALOGUE[sample["message"]]
    agent = Agent(id="1001", lcm_id=sample["agent"])
    assert request(message, source="cti-host", agent=agent, **values_of(sample)).envelope == {
        "channel": sample.get("channel", "LCM"),
        "topic": sample.get("topic", "WebService"),
        "subtopic": sample["message"],
        "data": sample["data"],
        "source": "cti-host",
    }


def test_moments_are_written_in_the_callers_zone() -> None:
    """A window over the hour that daylight saving leaves out is written as the clocks on the wall show it."""
    data = data_of(CALLBACK, call_id="1", key="k", mode_id="3", **WINDOW)
    assert {name: data[name] for name in ("StartDate", "StartTime", "EndDate", "EndTime")} == {
        "StartDate": "10/03/2024",
        "StartTime": "01:30",
        "EndDate": "10/03/2024",
        "EndTime": "03:30",
    }


def test_a_result_without_a_callback_has_its_dates_empty() -> None:
    """SetCallResult wants four dates without a callback too; what is optional and not given is left out."""
    assert data_of(CALL_RESULT, key="k", outcome_id="3") == {
        "AccountNumber": "k",
        "OutcomeId": 3,
        "StartDate": "",
        "EndDate": "",
        "StartTime": "",
        "EndTime": "",
    }
    full = data_of(CALL_RESULT, key="k", outcome_id="4", user=AGENT, comments="later", **WINDOW)
    assert (full["UserID"], full["AgentComments"], full["EndTime"]) == ("alice", "later", "03:30")


def test_outcome_ids_are_numbers_but_where_a_text_is_wanted() -> None:
    """Ids come as texts and go back as numbers, CallOutcome alone as a text; what is no number stays."""
    data = data_of(BOTH_OUTCOMES, call_id="1", key="k", outcome_id="5", business_outcome_id="101")
    assert (data["BusinessOutcome"], data["CallOutcome"]) == (101, "5")
    assert data_of(CALL_RESULT, key="k", outcome_id="X5")["OutcomeId"] == "X5"


def test_the_key_goes_back_byte_for_byte() -> None:
    """A key with blanks and an empty last segment is written as it came."""
    assert data_of(SCREEN_POP, call_id="1", key=" 137|1|3|0|0|84| ")["AccountNumber"] == " 137|1|3|0|0|84| "


def test_arrays_have_fields_of_their_own() -> None:
    """Compliance questions carry an array of contacts, spelled by the catalogue too."""
    data = data_of(COMPLIANCE_CHECK, campaign="c", contacts=[{"request_id": "1", "key": "k"}], state_law=True)
    assert data == {
        "campaignname": "c",
        "statelawcheck": True,
        "contacts": [{"requestid": "1", "lcmkey": "k"}],
    }
    asked = data_of(
        CHECK_CONTACTS,
        campaigns=("c",),
        block_starts_at=datetime(2024, 1, 30, 10, tzinfo=ZoneInfo("America/New_York")),
        contacts=[{"id": "1", "phone_number": "+12125550101"}],
    )
    assert asked["dncStartDate"] == "2024-01-30T15:00:00Z"
    assert asked["contacts"] == [{"id": "1", "channel": "VOICE", "modeValue": "+12125550101"}]


@pytest.mark.parametrize(
    ("message", "values", "said"),
    [
        (CALL_OUTCOME, {"key": "k"}, "SetCallOutcomeWithComments needs call_id, outcome_id"),
        (CALLBACK, {"call_id": "1", "key": "k", "mode_id": "3", "starts_at": WINDOW["starts_at"],
                    "ends_at": WINDOW["ends_at"]}, "SetCallbackWithComments needs time_zone"),
        (CALL_RESULT, {"key": "k", "outcome_id": "4", **WINDOW, "ends_at": datetime(2024, 3, 10)},  # noqa: DTZ001
         "ends_at needs a time zone"),
        (COMPLIANCE_CHECK, {"campaign": "c", "key": "k", "contacts": [{"request_id": "1"}]},
         "ComplianceCheck needs contacts[0].key"),
        (CALL_RESULT, {"key": "k", "outcom_id": "4"}, 'has a value "outcom_id"; did you mean "outcome_id"?'),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_told(message: MessageType, values: dict[str, Any], said: str) -> None:
    """A lacking or misspelt value and a moment without a zone are told by name, before anything is sent."""
    with pytest.raises(ValueError, match=re.escape(said)):
        data_of(message, **values)


# -- back ---------------------------------------------------------------------------------------------------


def said_by(message: MessageType, body: dict[str, Any]) -> Reply:
    """What a documented body says, told the long way."""
    response = body.get("response", body)
    if message.shape in {Shape.ACKNOWLEDGEMENT, Shape.ECHO}:
        return Reply(acknowledged=True)
    if message.shape is Shape.FLAGS:
        return Reply(flags=response)
    if message.shape is Shape.STRINGS:
        return Reply(strings=tuple(response))
    listed = next((response[name] for name in message.records if name in response), response)
    return Reply(records=tuple(listed) if isinstance(listed, list) else (listed,))


@pytest.mark.parametrize("sample", REPLIES, ids=by_name)
@pytest.mark.parametrize("under", ["message", "data"])
def test_the_documented_reply_is_read(sample: dict[str, Any], under: str) -> None:
    """Each sample reply is read, under message or data, if its name is not that of its request too."""
    message, reply = CATALOGUE[sample["message"]], dict(sample["reply"])
    if message is MANUAL_DIAL_CALL:
        under = "message"  # under data that would be the request
    expected = said_by(message, reply["message"])
    reply[under] = reply.pop("message")
    envelope = {"channel": "LCM", "topic": "WebService", **reply}
    assert decode(message, json.dumps(envelope), sample["data"]) == expected


@pytest.mark.parametrize("sample", REPLIES, ids=by_name)
@pytest.mark.parametrize("how", MALFORMED)
def test_the_malformed_samples_are_bad_replies(sample: dict[str, Any], how: str) -> None:
    """Curly quotes, a stray `Request:`, a missing comma: the page's sample is no JSON, and no reply."""
    envelope = {"channel": "LCM", "topic": "WebService", **sample["reply"]}
    with pytest.raises(LcmBadReply):
        decode(CATALOGUE[sample["message"]], MALFORMED[how](envelope))


SAME = [
    "topic_webservice", "capital_keys", "subtopic_case", "subtopic_blanks", "outer_packet", "okmessage",
    "text_response", "bare_boolean", "array", "table_name",
]  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("sample", REPLIES, ids=by_name)
def test_every_variant_of_every_reply(sample: dict[str, Any], variant: str) -> None:
    """However a documented reply is spelled it says the same, and whatever is done to it, it is no crash."""
    message = CATALOGUE[sample["message"]]
    plain = {"channel": "LCM", "topic": "WebService", **sample["reply"]}
    changed = VARIANTS[variant](json.loads(json.dumps(plain)))
    if variant in SAME:
        assert decode(message, changed, sample["data"]) == decode(message, plain)
        return
    try:
        read_all(decode(message, changed, sample["data"]))
    except LcmError as error:
        assert isinstance(error, LcmBadReply | LcmRejected)  # noqa: PT017  (no other)


@pytest.mark.parametrize("message", ANSWERED, ids=lambda message: message.subtopic)
def test_ones_own_request_is_never_the_reply(message: MessageType) -> None:
    """A request heard again is no reply, also if both go by one name."""
    echo = {"channel": message.channel, "topic": message.topic, "subtopic": message.subtopic}
    for data in (
        {"PhoneNumber": "1"},
        {"response": {"success": True}},
        {"RequestResult": True, "IsOverlap": False},
    ):
        with pytest.raises(LcmBadReply):
            decode(message, {**echo, "data": data})


@pytest.mark.parametrize("message", ANSWERED, ids=lambda message: message.subtopic)
def test_every_name_of_a_reply_is_known(message: MessageType) -> None:
    """Each documented spelling of a reply's name, channel and topic reaches the reply; another does not."""
    body: dict[str, Any] = {"response": True if message.shape is Shape.ACKNOWLEDGEMENT else None}
    if message.shape is Shape.FLAGS:
        body = {"RequestResult": "true", "IsOverlap": "0"}
    names = [message.reply, *message.also]
    for reply in [{**reply_of(message, body), "subtopic": f" {name.upper()} "} for name in names]:
        if message.shape is not Shape.ECHO:
            decode(message, reply)
        for wrong in ({"subtopic": "Lost"}, {"topic": "Agent"}, {"channel": "Cisco"}):
            with pytest.raises(LcmBadReply):
                decode(message, {**reply, **wrong})


@pytest.mark.parametrize(
    ("response", "done"),
    [
        ({"success": True}, True), ({"success": "True"}, True), ({"Success ": 1}, True), (True, True),
        ("true", True), ([{"success": True}], True), ('{"success": true}', True),
        (False, False), ({"success": "false"}, False), ({"success": 0, "msg": "no contact"}, False),
        ([{"success": False}], False), ("no", False),
        (None, None), ({}, None), ([], None), ({"success": "maybe"}, None), ({"success": None}, None),
        (7, None), ("done", None), ([True, True], None), ({"status": "ok"}, None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("message", [SKIP, CALL_RESULT, SKIP_OD])
def test_only_a_plain_yes_acknowledges(message: MessageType, response: object, done: bool | None) -> None:  # noqa: FBT001
    """A yes is done, a no rejected; anything else leaves a setter unconfirmed."""
    reply = reply_of(message, {"callid": "", "response": response})
    if done:
        assert decode(message, reply).acknowledged
        return
    with pytest.raises(LcmBadReply if done is None else LcmRejected) as raised:
        decode(message, reply)
    assert raised.value.fault is (Fault.NO_ANSWER if done is None else Fault.REJECTED)


def test_a_no_comes_with_the_lcms_own_word() -> None:
    """The text of a failure is shown, numbers masked."""
    with pytest.raises(LcmRejected, match=r"nobody at \*\*\*23 is reserved"):
        decode(
            SKIP_OD,
            reply_of(SKIP_OD, {"response": {"success": False, "msg": "nobody at 2125550123 is reserved"}}),
        )


@pytest.mark.parametrize("echoed", ["99999", 7, {"a": 1}])
@pytest.mark.parametrize("message", [CALL_OUTCOMES, SCREEN_POP, CALL_OUTCOME, DNC_FIELDS, OVERLAP])
def test_the_callid_has_to_match(message: MessageType, echoed: object) -> None:
    """A reply that repeats another callid is to another request; one that repeats none is taken."""
    body: dict[str, Any] = (
        {"RequestResult": True, "IsOverlap": False} if message is OVERLAP else {"response": None}
    )
    if message is CALL_OUTCOME:
        body = {"response": True}
    sent = {"callid": "12345"}
    with pytest.raises(LcmBadReply, match="of another callid"):
        decode(message, reply_of(message, {**body, "callid": echoed}), sent)
    for same in ({"callid": "12345"}, {"CallId": 12345}, {"callid": None}, {"callid": ""}, {}):
        decode(message, reply_of(message, {**body, **same}), sent)


def test_a_dialed_number_has_to_match() -> None:
    """ManualDialCall's reply is its request, wrapped: another number is another's."""
    wrapped = {"subtopic": "ManualDialCall", "data": {"PhoneNumber": "+12125550101"}}
    assert decode(
        MANUAL_DIAL_CALL, reply_of(MANUAL_DIAL_CALL, wrapped), {"PhoneNumber": "+12125550101"}
    ).acknowledged
    with pytest.raises(LcmBadReply):
        decode(MANUAL_DIAL_CALL, reply_of(MANUAL_DIAL_CALL, wrapped), {"PhoneNumber": "+12125550102"})


def test_a_failed_overlap_check_is_no_answer_about_overlaps() -> None:
    """RequestResult false is a no; without both flags it is a bad reply."""
    with pytest.raises(LcmRejected):
        decode(OVERLAP, reply_of(OVERLAP, {"RequestResult": False, "IsOverlap": False}))
    bodies: tuple[Any, ...] = ({"RequestResult": True}, {"IsOverlap": False}, None, [], True)
    for body in bodies:
        with pytest.raises(LcmBadReply):
            decode(OVERLAP, reply_of(OVERLAP, body))


def test_free_fields_say_nothing_to_us() -> None:
    """A business field that happens to be named error or success is a business field."""
    fields = {"error": "none", "success": "false", "FName": "David1"}
    assert meanings.screen_pop(decode(SCREEN_POP, reply_of(SCREEN_POP, {"response": fields}))) == fields


def test_a_reply_shows_nobody() -> None:
    """What is logged of a reply has no number and no name in it."""
    reply = decode(SCREEN_POP, reply_of(SCREEN_POP, {"response": {"FName": "David1", "Home": "6491462346"}}))
    assert "David1" not in repr(reply)
    assert "6491462346" not in repr(reply)


# -- anything at all ----------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
names = sorted({name for message in CATALOGUE.values() for name in (*message.gives, *message.records)})
bodies = st.dictionaries(
    st.sampled_from([*names, "response", "success", "msg", "callid", "errorType"]) | st.text(max_size=5),
    json_values,
    max_size=8,
)


def read_all(reply: Reply) -> None:
    meanings.outcomes(reply)
    meanings.modes(reply, NORMALIZER)
    meanings.personal_callbacks(reply, UTC)
    meanings.call_count(reply)
    meanings.mode_information(reply)
    meanings.screen_pop(reply)


@given(st.sampled_from(ANSWERED), bodies | json_values, st.sampled_from(["message", "data", "response"]))
def test_any_json_under_a_right_name(message: MessageType, body: object, under: str) -> None:
    """Any JSON under any message's name gives what can be read, or an LCM error."""
    place = {"message": {"response": body}} if under == "response" else {under: body}
    envelope = {"channel": "LCM", "subtopic": message.reply, **place}
    try:
        read_all(decode(message, json.dumps(envelope), {"callid": "1", "PhoneNumber": "2"}))
    except (LcmBadReply, LcmRejected) as error:
        assert error.fault  # noqa: PT017  (whichever it is)


@given(st.sampled_from(REPLIES), st.binary(max_size=30), st.integers(min_value=0, max_value=300))
def test_the_samples_with_any_bytes_in_them(sample: dict[str, Any], noise: bytes, place: int) -> None:
    """The samples with anything written over a part of them give what can be read, or an LCM error."""
    raw = json.dumps({"channel": "LCM", **sample["reply"]}).encode()
    try:
        read_all(decode(CATALOGUE[sample["message"]], raw[:place] + noise + raw[place + len(noise) :]))
    except LcmError as error:
        assert isinstance(error, LcmBadReply | LcmRejected)  # noqa: PT017  (no other)


def test_a_reply_without_end_is_a_bad_reply() -> None:
    """A response in a response in a response, and no end, is a bad reply or nothing."""
    raw = (
        '{"channel":"LCM","subtopic":"PersonalCallbackList","message":'
        + '{"response":' * 400
        + "1"
        + "}" * 401
    )
    with pytest.raises(LcmBadReply):
        decode(PERSONAL_CALLBACKS, raw)


def test_a_value_without_end_is_a_bad_reply() -> None:
    """A transport may hand over what no parser would: a value too deep to be told is a bad reply."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(LcmBadReply, match="nested without end"):
        decode(CALL_OUTCOMES, reply_of(CALL_OUTCOMES, {"callid": deep}), {"callid": "1"})


def test_the_messages_with_odd_replies_are_declared_so() -> None:
    """No reply at all, a reply under data, a shared name, names of a request's own."""
    assert (AGENT_STATE.reply, AGENT_STATE.shape) == ("", Shape.NONE)
    assert CHECK_CONTACTS.under == "data"
    assert GROUP_OUTCOMES.reply == "BusinessOutCome" == CATALOGUE["GetBusinessOutcome"].reply
    assert CONTACT_OD.reply == CATALOGUE["GetReservedContactOD"].reply
    assert "ScheduledCallBackOverlap" in OVERLAP.also
    assert {field.wire for field in DO_NOT_CALL.fields}.isdisjoint({"callid", "UserID", "PhoneNumber"})
    assert CALL_COUNT.gives == ("PCBCount", "RegularCount", "IsAgentReserved")
