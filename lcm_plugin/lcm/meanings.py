"""What replies mean, as values: outcomes, numbers, callbacks, counts.

A field the LCM does not state, or states in an unknown way, is empty or None, and never a guess.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

from attrs import field, frozen

from cti_hooks import Mode, TimeZone, masked
from lcm_plugin.lcm.normalize import Normalizer, scalar
from lcm_plugin.lcm.reply import Reply
from lcm_plugin.lcm.spelling import folded, pick, truth

_NUMBER: Final = ("CValue", "ContactNumber", "PhoneNumber")
_ZONES: Final = ("TimeZone", "TimeZone1", "TimeZone2", "TimeZone3")
_DIGITS: Final = 10
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d\d)(?::\d\d)?")


@frozen(kw_only=True)
class OutcomeChoice:
    """An outcome that can be set. `parent_id` is that of the business outcome it belongs under."""

    id: str
    description: str = ""
    parent_id: str | None = None
    campaign_id: str = ""
    lead_score: str = ""


@frozen(kw_only=True)
class AgentCallCount:
    """What waits for an agent; None if the LCM does not say."""

    personal_callbacks: int | None
    regular_callbacks: int | None
    reserved: bool | None
    """Whether a contact is reserved for the agent."""


@frozen(kw_only=True)
class PersonalCallback:
    """A callback on an agent's list: for display, since it has no key. Times that cannot be read are None."""

    campaign_id: str = ""
    contact_id: str = ""
    mode_id: str = ""
    mode: str = ""
    phone_number: str = field(default="", repr=masked)
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@frozen(kw_only=True)
class ModeInformation:
    """The number a key is for. `gmt_deviation` is evidence of a zone, not a zone; its unit is not stated."""

    campaign: str = ""
    mode: str = ""
    contact_id: str = ""
    phone_number: str = field(default="", repr=masked)
    time_zone: str = ""
    gmt_deviation: str = ""
    disposition_required: bool | None = None


def outcomes(reply: Reply) -> tuple[OutcomeChoice, ...]:
    """The outcomes of any of the outcome lists; one without an id cannot be set, and is left out."""
    return tuple(
        OutcomeChoice(
            id=key,
            description=_text(record, "Description"),
            parent_id=_text(record, "ParentID") or None,
            campaign_id=_text(record, "CampaignID", "Campaign ID"),
            lead_score=_text(record, "LeadScore", "Lead Score"),
        )
        for record in reply.records
        if (key := _text(record, "OutComeID"))
    )


def modes(reply: Reply, normalizer: Normalizer) -> tuple[Mode, ...]:
    """The numbers of any of the mode lists; a campaign's modes have none, what has no id is left out."""
    return tuple(_mode(record, normalizer) for record in reply.records if _text(record, "ModeID"))


def zip_code(reply: Reply) -> str:
    """The ZIP code of a contact's numbers, if they state one, and the same."""
    stated = {told for record in reply.records if (told := _text(record, "ZipCode"))}
    return stated.pop() if len(stated) == 1 else ""


def _mode(record: Mapping[str, Any], normalizer: Normalizer) -> Mode:
    number = _text(record, *_NUMBER)
    e164, number_zones = normalizer.number(number) if number else (None, ())
    stated = dict.fromkeys(zone for name in _ZONES if (zone := _text(record, name)))
    return Mode(
        id=_text(record, "ModeID"),
        description=_text(record, "Description", "ModeDesc"),
        phone_number=number,
        e164=e164,
        consent=normalizer.consent(_text(record, "PEWC")),
        window_start=_clock(_text(record, "ModeDialingStartTime")),
        window_end=_clock(_text(record, "ModeDialingEndTime")),
        time_zones=(*(TimeZone(name=name, evidence="lcm") for name in stated), *number_zones),
    )


def personal_callbacks(reply: Reply, zone: tzinfo) -> tuple[PersonalCallback, ...]:
    """An agent's callbacks; `zone` is the one the LCM's dates and times are in, which carry none."""
    return tuple(
        PersonalCallback(
            campaign_id=_text(record, "CampaignID"),
            contact_id=_text(record, "ContactID"),
            mode_id=_text(record, "ModeID"),
            mode=_text(record, "ModeDescription"),
            phone_number=_text(record, *_NUMBER),
            starts_at=_moment(_text(record, "CallStartDate"), _text(record, "CallStartTime"), zone),
            ends_at=_moment(_text(record, "CallEndDate"), _text(record, "CallEndTime"), zone),
        )
        for record in reply.records
    )


def call_count(reply: Reply) -> AgentCallCount:
    """What waits for the agent."""
    record = _only(reply)
    return AgentCallCount(
        personal_callbacks=_count(_text(record, "PCBCount")),
        regular_callbacks=_count(_text(record, "RegularCount")),
        reserved=agent_is_reserved(_text(record, "IsAgentReserved")),
    )


def agent_is_reserved(word: str) -> bool | None:
    """`IsAgentReserved` is upside down: 0 is reserved, 1 is not, as its page spells out."""
    return {"0": True, "1": False}.get(word.strip())


def mode_information(reply: Reply) -> ModeInformation:
    """Which number of which campaign a key is for, and whether it wants a disposition."""
    record = _only(reply)
    return ModeInformation(
        campaign=_text(record, "CampaignId"),
        mode=_text(record, "ModeName"),
        contact_id=_text(record, "ContactID"),
        phone_number=_text(record, *_NUMBER),
        time_zone=_text(record, "Timezone"),
        gmt_deviation=_text(record, "GMTDeviation"),
        disposition_required=truth(_text(record, "DispositionRequired")),
    )


def screen_pop(reply: Reply) -> dict[str, str]:
    """The site's own business fields, by their names there."""
    return {str(name).strip(): text for name, text in _fields(reply)}


def overlaps(reply: Reply) -> bool:
    """Whether a callback would overlap another callback of the agent."""
    return reply.flags["IsOverlap"]


def _fields(reply: Reply) -> Iterator[tuple[str, str]]:
    for record in reply.records:
        for name, value in record.items():
            yield name, value.strip() if isinstance(value, str) else scalar(value)


def _only(reply: Reply) -> Mapping[str, Any]:
    return reply.records[0] if reply.records else {}


def _text(record: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that has a text."""
    found = (pick(record, name) for name in names)
    texts = (value.strip() if isinstance(value, str) else scalar(value) for value in found)
    return next((text for text in texts if text and folded(text) != "null"), "")


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _DIGITS else None


def _clock(text: str) -> str | None:
    found = _CLOCK.fullmatch(text)
    return f"{found[1]:0>2}:{found[2]}" if found else None


def _moment(day: str, time: str, zone: tzinfo) -> datetime | None:
    """In the formats callbacks are sent in; of two moments of one wall time, the earlier."""
    try:
        return datetime.strptime(f"{day} {_clock(time)}", "%d/%m/%Y %H:%M").replace(tzinfo=zone)
    except ValueError:
        return None
