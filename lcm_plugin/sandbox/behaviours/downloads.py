"""Contacts, handed out: fresh ones reserve, reserved ones come again."""

from typing import Any, Final

from lcm_plugin.sandbox.account import Handed
from lcm_plugin.sandbox.asked import Asked, RefusedError
from lcm_plugin.sandbox.lists import Reservation
from lcm_plugin.sandbox.state import State

TIME_FORMAT: Final = "%m/%d/%Y %H:%M:%S"


def campaign_groups(state: State, _: Asked) -> Any:
    """A campaign group for everybody."""
    groups = [
        {"Name": name, "Type": "VOICE", "Status": "EXECUTING", "Campaigns": _campaigns(campaigns)}
        for name, campaigns in state.lists.groups.items()
    ]
    return {"CampaignGroups": groups}


def _campaigns(names: list[str]) -> list[dict[str, str]]:
    return [{"ID": name, "Pct": str(100 // len(names)), "Status": "EXECUTING"} for name in names]


def download(state: State, asked: Asked) -> Any:
    """One contact as an object, none as null; more only if the sandbox is told so."""
    records = [record(state, one) for one in _found(state, asked)]
    return records if len(records) > 1 else records[0] if records else None


def download_all(state: State, asked: Asked) -> Any:
    """Contacts under a key of their own."""
    found = _found(state, asked)
    records = [{"CampaignGroup": one.person.campaign_group, **record(state, one)} for one in found]
    return {"Contacts": records}


def reserved(state: State, asked: Asked) -> Any:
    """An array."""
    return [record(state, one) for one in _found(state, asked)]


def skip(state: State, asked: Asked) -> None:
    """Closes a contact that came by GetDownloadAllContactsForDialing, and no other."""
    one = state.delivery(asked)
    if one.given_by != "GetDownloadAllContactsForDialing":
        raise RefusedError("the contact was not downloaded with GetDownloadAllContactsForDialing")
    if one.key not in state.lists.reservations():
        raise RefusedError("the contact is not open")
    state.check_outcomes(asked)
    state.dispose(asked, one)
    state.lists.close(one.key)


def manual_dial_call(_: State, asked: Asked) -> Any:
    """Says what it was asked, wrapped."""
    message = asked.message
    return {
        "subtopic": message.subtopic,
        "topic": message.topic,
        "channel": message.channel,
        "data": dict(asked.data),
    }


def _found(state: State, asked: Asked) -> list[Reservation]:
    if asked["reserved"].casefold() == "true":
        group = asked["campaign_group"] or None  # GetReservedManualDialContact names none
        state.lists.reserve_personal(asked.agent_id, group, asked["consent"], asked.message.subtopic)
        found = state.lists.reserved_for(asked.agent_id, group, asked["consent"])
        return handed(state, asked, found[: asked.count], reserved=True)
    fresh = (
        state.lists.reserve(asked.agent_id, asked["campaign_group"], asked["consent"], asked.message.subtopic)
        for _ in range(state.at_once)
    )
    return handed(state, asked, [one for one in fresh if one], reserved=False)


def handed(state: State, asked: Asked, found: list[Reservation], *, reserved: bool) -> list[Reservation]:
    """Write down what is handed out."""
    state.account.handed += [
        Handed(
            key=one.key,
            agent_id=asked.agent_id,
            at=asked.at,
            reserved=reserved,
            delivered=asked.delivered,
        )
        for one in found
    ]
    return found


def record(state: State, one: Reservation) -> dict[str, Any]:
    """A contact as the downloads write it."""
    person, due = one.person, state.lists.due_at(one.person)
    return {
        "PhoneNumber": person.phone_number,
        "AccountNumber": one.key,
        "CampaignId": person.campaign,
        "Mode": person.mode,
        "ContactId": person.contact_id,
        "ExpiryTime": one.expires_at.astimezone(state.zone).strftime(TIME_FORMAT),
        "CallbackTime": due.astimezone(state.zone).strftime(TIME_FORMAT) if due else "",
        "CallType": int(person.call_type) if person.call_type.isdecimal() else person.call_type,
        "Consent": person.consent,
    }


BEHAVIOURS: Final = {
    "GetCampaignGroups": campaign_groups,
    "GetDownloadContactsForDialing": download,
    "GetDownloadAllContactsForDialing": download_all,
    "GetReservedManualDialContact": reserved,
    "SkipManualDialContact": skip,
    "ManualDialCall": manual_dial_call,
}
