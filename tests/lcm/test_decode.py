"""Every inconsistency of the documentation that touches the download family, and any bytes at all."""

import copy
import json
import logging
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_hooks import CallType, Consent, Contact
from cti_hooks import settings as plugin_settings
from lcm_plugin.config import LcmSettings
from lcm_plugin.errors import LcmBadReply, LcmRejected
from lcm_plugin.lcm.catalogue import CAMPAIGN_GROUPS, CATALOGUE, DOWNLOAD, DOWNLOAD_ALL, RESERVED_CONTACTS
from lcm_plugin.lcm.decode import LARGEST, decode
from lcm_plugin.lcm.normalize import Normalizer, campaign_group_names, unreadable_expiry
from lcm_plugin.sandbox import VARIANTS

RECORD: dict[str, Any] = {
    "PhoneNumber": "(212) 555-0123",
    "AccountNumber": "137|1|3|0|0|84|",
    "CampaignId": "testcamp",
    "Mode": "Mobile",
    "ContactId": 3,
    "ExpiryTime": "01/30/2024 23:59:00",
    "CallbackTime": "",
    "CallType": 0,
    "Consent": "Yes",
}
REPLY: dict[str, Any] = {
    "channel": "LCM",
    "topic": "WebService",
    "subtopic": "DownloadContactsForDialing",
    "message": {"response": RECORD},
}


def normalizer(**table: Any) -> Normalizer:
    base = {"url": "http://127.0.0.1", "source": "s", "timezone": "America/New_York"}
    return Normalizer(plugin_settings.read(LcmSettings, {**base, **table}))


def contacts(reply: object, **table: Any) -> list[Contact]:
    raw = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
    reader = normalizer(**table)
    return [reader.contact(one, campaign_group="G", reserved=False) for one in decode(DOWNLOAD, raw).records]


def with_record(**fields: Any) -> dict[str, Any]:
    return {**REPLY, "message": {"response": {**RECORD, **fields}}}


SAME = [
    "topic_webservice", "capital_keys", "subtopic_case", "subtopic_blanks", "outer_packet", "okmessage",
    "under_data", "array", "contacts", "contacts_and_reason", "no_response", "text_response", "blank_keys",
    "lower_keys", "lcmkey", "phone_no", "ids", "text_numbers", "consent_y", "consent_true",
    "consent_text_true",
]  # fmt: skip


@pytest.mark.parametrize("variant", SAME)
def test_each_documented_spelling_is_the_same_contact(variant: str) -> None:
    """However the documentation spells or shapes a reply, it is the same contact."""
    (found,) = contacts(VARIANTS[variant](copy.deepcopy(REPLY)))
    (plain,) = contacts(REPLY)
    raw = {"consent_raw": found.consent_raw, "call_type_raw": found.call_type_raw}
    assert found == Contact(**{**_fields(plain), **raw})


def _fields(contact: Contact) -> dict[str, Any]:
    return {attribute.name: getattr(contact, attribute.name) for attribute in attrs.fields(Contact)}


@pytest.mark.parametrize("variant", ["null", "empty_object", "empty_array"])
def test_no_contact_is_said_in_many_ways(variant: str) -> None:
    """null, an empty object, an empty array: no contact, and no error."""
    assert contacts(VARIANTS[variant](copy.deepcopy(REPLY))) == []


@pytest.mark.parametrize(
    "message",
    [{}, None, "", {"response": ""}, {"response": {"Contacts": []}}, {"response": {"Contacts": None}}, []],
    ids=repr,
)
def test_an_empty_reply_is_no_contact(message: object) -> None:
    """Nothing in it, and no reason either, is no contact."""
    assert contacts({**REPLY, "message": message}) == []


@pytest.mark.parametrize("variant", ["reason", "success_false", "ws_error"])
def test_a_failure_is_rejected(variant: str) -> None:
    """A failure reason without contacts, success false, and the error family are a no."""
    with pytest.raises(LcmRejected):
        contacts(VARIANTS[variant](copy.deepcopy(REPLY)))


def test_contacts_with_a_reason_are_kept() -> None:
    """Contacts that come with a failure reason may be reserved: they are kept, the reason is shown."""
    body = {"response": {"Contacts": [RECORD], "RequestFailureReason": "few"}}
    reply = decode(DOWNLOAD_ALL, {**REPLY, "subtopic": "DownloadAllContactsForDialing", "message": body})
    assert len(reply.records) == 1
    assert reply.reason == "few"


@pytest.mark.parametrize("variant", ["no_key", "no_number"])
def test_a_contact_needs_key_and_number(variant: str) -> None:
    """Without a key or a number there is nobody to call."""
    with pytest.raises(LcmBadReply):
        contacts(VARIANTS[variant](copy.deepcopy(REPLY)))


MALFORMED = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"Request: {}", id="stray Request:"),
    pytest.param('{"channel": "LCM”, "subtopic": “DownloadContactsForDialing"}'.encode(), id="curly quotes"),
    pytest.param(b'{"channel":"LCM" "subtopic":"x"}', id="missing comma"),
    pytest.param(b"[1, 2]", id="an array"),
    pytest.param(b"null", id="null"),
    pytest.param(b"\xff\xfe\x00", id="not UTF-8"),
    pytest.param(b"[" * 100_000, id="nested without end"),
    pytest.param(b'{"a":' * 50_000, id="objects without end"),
    pytest.param(b"9" * 10_000, id="a huge number"),
    pytest.param(json.dumps({**REPLY, "subtopic": "ContactOD"}).encode(), id="another subtopic"),
    pytest.param(json.dumps({**REPLY, "channel": "Cisco"}).encode(), id="another channel"),
    pytest.param(json.dumps({**REPLY, "topic": "Agent"}).encode(), id="another topic"),
    pytest.param(json.dumps({**REPLY, "message": 7}).encode(), id="a number for a body"),
    pytest.param(json.dumps({**REPLY, "message": {"response": True}}).encode(), id="a bare truth value"),
    pytest.param(json.dumps({**REPLY, "message": {"response": [1]}}).encode(), id="an array of numbers"),
    pytest.param(b"x" * (LARGEST + 1), id="larger than 1 MiB"),
]


@pytest.mark.parametrize("raw", MALFORMED)
def test_what_is_not_lcms_shape_is_a_bad_reply(raw: bytes) -> None:
    """Anything else is a bad reply, and no other error."""
    with pytest.raises(LcmBadReply):
        decode(DOWNLOAD, raw)


def test_an_echo_of_the_request_is_no_reply() -> None:
    """On a bus we hear ourselves: a packet with data under the request's name is no reply."""
    with pytest.raises(LcmBadReply):
        decode(DOWNLOAD, {**REPLY, "subtopic": "GetDownloadContactsForDialing", "data": {}})


def test_the_beginning_of_a_bad_reply_is_logged_masked(caplog: pytest.LogCaptureFixture) -> None:
    """The debug log has the first 200 characters, without the number; the error's text has nothing of it."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(LcmBadReply) as raised:
        decode(DOWNLOAD, b'{"PhoneNumber": "2125550123", ' + b"x" * 1000)
    (line,) = caplog.messages
    assert "2125550123" not in line
    assert "PhoneNumber" in line
    assert len(line) < 300
    assert "PhoneNumber" not in str(raised.value)


def nested(depth: int) -> object:
    value: object = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", [20, 32, 400, 800, 950, 100_000])
@pytest.mark.parametrize("as_text", [False, True])
def test_a_record_is_nested_only_so_deep(depth: int, *, as_text: bool) -> None:
    """Beyond 32 levels in all it is a bad reply, as bytes, as an object, or in a text."""
    if as_text:
        raw = json.dumps({**REPLY, "message": json.dumps({"response": {"Contacts": []}, "x": 1})})
        raw = raw.replace(r"\"x\": 1", rf"\"x\": {'[' * depth}{']' * depth}")
    else:
        raw = json.dumps(with_record(Deep=1)).replace('"Deep": 1', f'"Deep": {"[" * depth}{"]" * depth}')
    if depth == 20:
        assert decode(DOWNLOAD, raw) is not None
        return
    with pytest.raises(LcmBadReply):
        decode(DOWNLOAD, raw)
    if depth < 800 and not as_text:
        with pytest.raises(LcmBadReply, match="nested without end"):
            decode(DOWNLOAD, json.loads(raw))


@pytest.mark.parametrize(("count", "good"), [(1, True), (101, True), (102, False)])
def test_a_hundred_more_than_asked_for_are_taken(count: int, *, good: bool) -> None:
    """Some LCMs hand out all that are reserved; a flood is refused."""
    reply = {**REPLY, "message": {"response": {"Contacts": [RECORD] * count}}}
    sent = {"NumberofContactsRequired": 1}
    if good:
        assert len(decode(DOWNLOAD, reply, sent).records) == count
        return
    with pytest.raises(LcmBadReply, match="102 records, where 101 may come"):
        decode(DOWNLOAD, reply, sent)


def test_a_list_has_2000_records_at_the_most() -> None:
    """What is asked for without a count has a bound, too."""
    reply = {**REPLY, "message": {"response": {"Contacts": [RECORD] * 2001}}}
    with pytest.raises(LcmBadReply, match="2001 records, where 2000 may come"):
        decode(DOWNLOAD, reply)


def test_a_record_has_1000_fields_at_the_most() -> None:
    """A record of more is refused before it is read."""
    with pytest.raises(LcmBadReply, match="a record of 10"):
        decode(DOWNLOAD, with_record(**{f"f{n}": 1 for n in range(1000)}))


def test_of_the_lcms_words_200_characters_are_kept() -> None:
    """What it says of a failure is cut, masked and on one line in the error that carries it."""
    said = {"RequestFailureReason": "no\nline 212 - 555 - 0199 \x1b[2J" + "x" * 500_000}
    with pytest.raises(LcmRejected) as raised:
        decode(DOWNLOAD, {**REPLY, "message": {"response": said}})
    text = str(raised.value)
    assert text.startswith("the LCM says: no\\nline ***99 \\x1b[2Jx")
    assert len(text) < 220
    assert text.isprintable()


def test_of_a_bad_reply_only_names_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What its fields hold is somebody's, and is logged at no level."""
    caplog.set_level(logging.DEBUG)
    for raw in (
        json.dumps({"subtopic": "GetScreenPopData", "message": {"FirstName": "Jane", "a\u001b[2J": "Doe"}}),
        b'{"FirstName": "Jane", "LastName": "Doe", ',
    ):
        with pytest.raises(LcmBadReply):
            decode(DOWNLOAD, raw)
    assert "FirstName" in caplog.messages[1]
    assert "Jane" not in caplog.text
    assert "Doe" not in caplog.text
    assert "\x1b" not in caplog.text


# -- fields -------------------------------------------------------------------------------------------------


def test_the_key_is_kept_byte_for_byte() -> None:
    """Blanks, quotes, pipes and an empty last segment of a key go back as they came."""
    for key in ("137|1|3|0|0|84|", " 1|2 ", "a'b\"c", "😀|1", "0" * 4096):
        assert contacts(with_record(AccountNumber=key))[0].key == key


@pytest.mark.parametrize(
    ("number", "e164"),
    [
        ("(212) 555-0123", "+12125550123"),
        ("+442079460123", "+442079460123"),
        ("1234567890", None),
        ("anonymous", None),
    ],
)
def test_numbers_are_kept_and_read(number: str, e164: str | None) -> None:
    """The number stays as it came; E.164 is only there for a valid one."""
    (found,) = contacts(with_record(PhoneNumber=f" {number} "))
    assert (found.phone_number, found.e164) == (number, e164)


@pytest.mark.parametrize(
    ("word", "consent"),
    [
        ("Yes", Consent.GIVEN), (" yES ", Consent.GIVEN), (True, Consent.GIVEN), ("1", Consent.GIVEN),
        (1, Consent.GIVEN),
        ("No", Consent.NOT_GIVEN), (False, Consent.NOT_GIVEN), ("0", Consent.NOT_GIVEN),
        ("Both", Consent.UNKNOWN), ("", Consent.UNKNOWN), (None, Consent.UNKNOWN), ("PEWC", Consent.UNKNOWN),
        ({"given": True}, Consent.UNKNOWN), ([True], Consent.UNKNOWN),
    ],
)  # fmt: skip
def test_only_a_yes_is_consent(word: object, consent: Consent) -> None:
    """Only what the settings map to given is consent; the raw word survives."""
    (found,) = contacts(with_record(Consent=word))
    assert found.consent is consent
    if isinstance(word, str):
        assert found.consent_raw == word.strip()


def test_a_site_maps_its_own_consent_words() -> None:
    """consent_words replaces the default words."""
    words = {"PEWC": "given"}
    assert contacts(with_record(Consent="pewc"), consent_words=words)[0].consent is Consent.GIVEN
    assert contacts(with_record(Consent="Yes"), consent_words=words)[0].consent is Consent.UNKNOWN


@pytest.mark.parametrize(
    ("raw", "call_type"),
    [
        (0, CallType.REGULAR), ("0", CallType.REGULAR), (0.0, CallType.REGULAR),
        (1, CallType.UNKNOWN), ("2", CallType.UNKNOWN), (None, CallType.UNKNOWN), (7, CallType.UNKNOWN),
        ("Regular", CallType.REGULAR), ("regular callback", CallType.REGULAR_CALLBACK),
        ("Normal Callback", CallType.REGULAR_CALLBACK), ("personal_callback", CallType.PERSONAL_CALLBACK),
        ("INBOUND", CallType.UNKNOWN),
    ],
)  # fmt: skip
def test_call_types(raw: object, call_type: CallType) -> None:
    """0 is regular; 1 and 2 are nowhere documented and stay unknown, with what came kept."""
    (found,) = contacts(with_record(CallType=raw))
    assert found.call_type is call_type
    if isinstance(raw, str):
        assert found.call_type_raw == raw


def test_a_site_maps_the_call_types() -> None:
    """call_types tells what a site's numbers mean."""
    (found,) = contacts(with_record(CallType=2), call_types={"2": "personal_callback"})
    assert found.call_type is CallType.PERSONAL_CALLBACK


@pytest.mark.parametrize(
    "raw", ["soon", "30/01/2024 23:59:00", "2024-01-30", 1706659140, "13/13/2024 00:00:00"]
)
def test_an_unreadable_expiry_is_shown(raw: object) -> None:
    """An expiry in no configured format is unknown, and what came is kept to be shown."""
    (found,) = contacts(with_record(ExpiryTime=raw))
    assert found.expires_at is None
    assert unreadable_expiry(found) == str(raw)


@pytest.mark.parametrize("raw", [None, "", "  "])
def test_no_expiry_stated_is_not_an_unreadable_one(raw: object) -> None:
    """An expiry that is not there is simply not there."""
    (found,) = contacts(with_record(ExpiryTime=raw))
    assert found.expires_at is None
    assert unreadable_expiry(found) is None


def test_of_two_instants_with_one_wall_time_the_earlier_counts() -> None:
    """When clocks go back, an expiry at the repeated hour is its first."""
    (found,) = contacts(with_record(ExpiryTime="11/03/2024 01:30:00"))
    assert found.expires_at is not None
    assert found.expires_at.astimezone(UTC) == datetime(2024, 11, 3, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_an_expiry_at_the_end_of_time_raises_nothing(year: str) -> None:
    """A year no zone can tell is read or kept, never an error."""
    (found,) = contacts(with_record(ExpiryTime=f"01/01/{year} 00:00:00"))
    assert found.expires_at or unreadable_expiry(found)


def test_a_numbers_zones_are_a_set_with_their_evidence() -> None:
    """The LCM's own zone comes first, the number's behind it, each with what says so."""
    (found,) = contacts(with_record(TimeZone="America/Denver"))
    assert [(zone.name, zone.evidence) for zone in found.time_zones] == [
        ("America/Denver", "lcm"),
        ("America/New_York", "number"),
    ]


def test_unknown_fields_stay_in_extra() -> None:
    """What has no field of its own is kept as it came."""
    (found,) = contacts(with_record(Prefix="9", Nested={"a": [1]}, Mode={"id": 3}))
    assert dict(found.extra) == {"Prefix": "9", "Nested": {"a": [1]}, "Mode": {"id": 3}}


def test_the_records_own_group_counts() -> None:
    """A contact that names its campaign group belongs to that one."""
    assert contacts(with_record(CampaignGroup="Other"))[0].campaign_group == "Other"


def test_campaign_groups_of_the_sample() -> None:
    """Groups that run are listed, in message.response or directly in message."""
    groups = [
        {"Name": "AESprint_AmzQueue1", "Type": "VOICE", "Status": "EXECUTING"},
        {"Name": "Stopped", "Status": "STOPPED"},
        {"name ": "Unsaid"},
    ]
    for message in ({"response": {"CampaignGroups": groups}}, {"CampaignGroups": groups}):
        reply = decode(CAMPAIGN_GROUPS, {**REPLY, "subtopic": "SetCampaignGroup", "message": message})
        assert campaign_group_names(reply) == ("AESprint_AmzQueue1", "Unsaid")


def test_two_messages_share_a_reply_name() -> None:
    """GetReservedManualDialContact answers under the name of the single download, as an array."""
    reply = {**REPLY, "message": {"response": [RECORD, {**RECORD, "AccountNumber": "2"}]}}
    assert len(decode(RESERVED_CONTACTS, reply).records) == 2


# -- anything at all ----------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
keys = st.sampled_from(
    [*RECORD, "response", "Contacts", "RequestFailureReason", "success", "errorType", "TimeZone"]
)
bodies = st.dictionaries(keys | st.text(), json_values, max_size=8)


def survives(raw: bytes) -> None:
    for message in CATALOGUE.values():
        try:
            for record in decode(message, raw).records:
                normalizer().contact(record, campaign_group="G", reserved=True)
        except (LcmBadReply, LcmRejected) as error:
            assert error.fault  # noqa: PT017  (whichever it is)


@given(st.binary(max_size=2000))
def test_any_bytes(raw: bytes) -> None:
    """Any bytes give a contact, none, or an LCM error."""
    survives(raw)


@given(st.sampled_from([message.reply for message in CATALOGUE.values()]), bodies | json_values)
def test_any_json_under_a_right_name(subtopic: str, body: object) -> None:
    """Any JSON in a right envelope gives contacts, none, or an LCM error."""
    survives(json.dumps({**REPLY, "subtopic": subtopic, "message": body}).encode())
    survives(json.dumps({**REPLY, "subtopic": subtopic, "message": {"response": body}}).encode())


@given(st.data())
def test_the_sample_with_any_field_changed(data: st.DataObject) -> None:
    """The sample with any fields replaced by anything gives contacts, none, or an LCM error."""
    changes = data.draw(st.dictionaries(st.sampled_from(list(RECORD)), json_values))
    survives(json.dumps(with_record(**changes)).encode())


@given(st.binary(max_size=40), st.integers(min_value=0, max_value=300))
def test_the_sample_with_any_bytes_in_it(noise: bytes, place: int) -> None:
    """The sample with anything written over a part of it gives contacts, none, or an LCM error."""
    raw = json.dumps(REPLY).encode()
    survives(raw[:place] + noise + raw[place + len(noise) :])
