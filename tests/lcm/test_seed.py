"""The one message whose sample request and reply are documented in full."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cti_hooks import Agent, CallType, Consent, Contact
from cti_hooks import settings as plugin_settings
from lcm_plugin.config import ConsentFilter, LcmSettings
from lcm_plugin.lcm.catalogue import CATALOGUE, DOWNLOAD, Shape
from lcm_plugin.lcm.decode import decode
from lcm_plugin.lcm.envelope import request
from lcm_plugin.lcm.normalize import Normalizer

SAMPLE_REQUEST: dict[str, Any] = {
    "channel": "LCM",
    "topic": "WebService",
    "subtopic": "GetDownloadContactsForDialing",
    "data": {
        "CampaignGroup": "AD Dev Manual Group",
        "NumberofContactsRequired": 1,
        "Consent": "Both",
        "AgentID": "agent@example.com",
        "ReservedContacts": "false",
    },
}
SAMPLE_REPLY: dict[str, Any] = {
    "channel": "LCM",
    "topic": "WebService",
    "subtopic": "DownloadContactsForDialing",
    "message": {
        "response": {
            "PhoneNumber": "1234567890",
            "AccountNumber": "0|0|000|0|0|00|1234",
            "CampaignId": "AD Manual Dial Campaign",
            "Mode": "Mobile",
            "ContactId": 3,
            "ExpiryTime": "01/30/2024 23:59:00",
            "CallbackTime": "01/30/2024 11:46:09",
            "CallType": 0,
            "Consent": "Yes",
        }
    },
}
NEW_YORK = ZoneInfo("America/New_York")


def settings(**table: Any) -> LcmSettings:
    return plugin_settings.read(
        LcmSettings,
        {"url": "http://127.0.0.1", "source": "cti-host", "timezone": "America/New_York", **table},
    )


def contact(reply: dict[str, Any], **table: Any) -> Contact:
    (record,) = decode(DOWNLOAD, reply).records
    return Normalizer(settings(**table)).contact(record, campaign_group="AD Dev Manual Group", reserved=False)


def test_the_sample_request_goes_out_value_for_value() -> None:
    """The request is the sample's JSON, plus the source its table wants."""
    asked = request(
        DOWNLOAD,
        source="cti-host",
        agent=Agent(id="1001", lcm_id="agent@example.com"),
        campaign_group="AD Dev Manual Group",
        count=1,
        consent=ConsentFilter.BOTH,
        reserved=False,
    )
    assert asked.envelope == {**SAMPLE_REQUEST, "source": "cti-host"}


def test_the_sample_reply_becomes_a_contact() -> None:
    """Each field of the sample is where it belongs; its number is no valid one, so there is no E.164."""
    assert contact(SAMPLE_REPLY) == Contact(
        key="0|0|000|0|0|00|1234",
        phone_number="1234567890",
        e164=None,
        campaign="AD Manual Dial Campaign",
        campaign_group="AD Dev Manual Group",
        contact_id="3",
        mode="Mobile",
        call_type=CallType.REGULAR,
        call_type_raw="0",
        consent=Consent.GIVEN,
        consent_raw="Yes",
        expires_at=datetime(2024, 1, 30, 23, 59, tzinfo=NEW_YORK),
        callback_at=datetime(2024, 1, 30, 11, 46, 9, tzinfo=NEW_YORK),
    )


@pytest.mark.parametrize(
    ("wanted", "written"),
    [("both", "Both"), ("with", "true"), ("without", "false")],
)
def test_the_consent_filter_is_written_as_documented(wanted: str, written: str) -> None:
    """The filter is the sample's Both, or the tables' true and false."""
    asked = request(
        DOWNLOAD, source="s", agent=Agent(id="a"), campaign_group="G", count=1,
        consent=ConsentFilter(wanted), reserved=True,
    )  # fmt: skip
    assert asked.envelope["data"]["Consent"] == written
    assert asked.envelope["data"]["ReservedContacts"] == "true"


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_catalogue_says_where_it_comes_from(name: str) -> None:
    """Each message names its page, its reply and what the documentation leaves open; names are unique."""
    message = CATALOGUE[name]
    assert message.subtopic == name
    assert message.page
    assert bool(message.reply) is (message.shape is not Shape.NONE)
    assert message.silent
    assert len({field.wire for field in message.fields}) == len(message.fields)
