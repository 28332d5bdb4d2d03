"""What is known of a contact."""

import re
from datetime import UTC
from typing import Any, Final
from zoneinfo import ZoneInfo

from lcm_plugin.sandbox.asked import Asked, RefusedError
from lcm_plugin.sandbox.people import MODES, SandboxContact, SandboxMode
from lcm_plugin.sandbox.state import State

_NUMBER: Final = re.compile(r"\+?\d{7,15}")


def screen_pop(state: State, asked: Asked) -> Any:
    """The contact's own fields, or those of the sample."""
    person = state.delivery(asked).person
    return dict(person.fields) or {
        "FName": "David1",
        "LName": "Berry",
        "Address": "Virginia",
        "Home": person.phone_number,
        "Office": "",
    }


def mode_information(state: State, asked: Asked) -> Any:
    """The number of this delivery."""
    person = state.delivery(asked).person
    zone = ZoneInfo(person.time_zone) if person.time_zone else UTC
    offset = state.lists.clock.now().astimezone(zone).utcoffset()
    return {
        "CampaignId": person.campaign,
        "ModeName": person.mode,
        "ContactID": person.contact_id,
        "Timezone": person.time_zone,
        "ContactNumber": person.phone_number,
        "CampaignCategoryName": "",
        "GMTDeviation": int(offset.total_seconds() // 60) if offset and person.time_zone else 0,
        "DispositionRequired": True,
        "DNCPeriodType": "Permanent",
    }


def contact_modes(state: State, asked: Asked) -> Any:
    """All numbers of the contact."""
    person = state.delivery(asked).person
    return {"Contactmodes": [_contact_mode(person, one) for one in person.numbers]}


def callback_modes(state: State, asked: Asked) -> Any:
    """The numbers a callback may be for."""
    return [
        _mode(one.id, one.name, value=one.phone_number, consent=one.consent.casefold() in {"yes", "true"})
        for one in state.delivery(asked).person.numbers
    ]


def campaign_modes(state: State, asked: Asked) -> Any:
    """The slots a campaign has, without numbers."""
    state.delivery(asked)
    return [_mode(key, name, value=None, consent=False) for key, name in MODES.items()]


def create_contact(state: State, asked: Asked) -> None:
    """A fresh contact, if a number is found in its modes, whose XML no readable sample shows."""
    number = _NUMBER.search(asked["modes"])
    if not number:
        raise RefusedError("Modes has no number")
    made = int(asked.at * 1e6)
    state.lists.add(
        SandboxContact(
            key=f"0|0|0|0|0|created|{made}",
            phone_number=number[0],
            campaign=asked["campaign"],
            contact_id=str(made),
            due_in=(asked.moment("starts_at", state.zone) - state.lists.started).total_seconds(),
        )
    )


def _contact_mode(person: SandboxContact, one: SandboxMode) -> dict[str, Any]:
    zones = (*one.time_zones, "", "", "", "")
    return {
        "ModeID": one.id,
        "ModeDesc": one.name,
        "CampaignID": person.campaign,
        "CValue": one.phone_number,
        "ModeDialingStartTime": one.window_start,
        "ModeDialingEndTime": one.window_end,
        "TimeZone": zones[0],
        "TimeZone1": zones[1],
        "TimeZone2": zones[2],
        "TimeZone3": zones[3],
        "PEWC": one.consent,
        "AreaCode": "",
        "ZipCode": one.zip_code,
    }


def _mode(key: str, name: str, *, value: str | None, consent: bool) -> dict[str, Any]:
    campaign = value is None
    return {
        "ModeID": key,
        "Description": name,
        "ChannelType": "2" if campaign else None,
        "MinLength": "8" if campaign else None,
        "MaxLength": "12" if campaign else None,
        "Cvalue": value,
        "PEWC": consent,
        "CampaignPEWC": False,
    }


BEHAVIOURS: Final = {
    "GetScreenPopData": screen_pop,
    "GetModeInformation": mode_information,
    "GetContactModes": contact_modes,
    "GetCallBackModes": callback_modes,
    "GetCampaignModes": campaign_modes,
    "CreateContact": create_contact,
}
