"""What a well-behaved LCM answers, message by message; replies are named and shaped by the catalogue."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from attrs import define

from lcm_plugin.lcm.catalogue import CATALOGUE, MessageType
from lcm_plugin.lcm.spelling import MISSING, folded, pick
from lcm_plugin.sandbox.account import Handed
from lcm_plugin.sandbox.lists import Lists, Reservation

TIME_FORMAT: Final = "%m/%d/%Y %H:%M:%S"
_BY_NAME: Final = {folded(name): message for name, message in CATALOGUE.items()}


class UnknownMessageError(ValueError):
    """The sandbox knows no such message."""


@define(kw_only=True)
class Answers:
    """Answers requests from the lists. `at_once` is how many contacts a fresh download reserves."""

    lists: Lists
    zone: ZoneInfo
    at_once: int = 1

    def message(self, envelope: Mapping[str, Any]) -> MessageType:
        """The request's entry in the catalogue, whatever its spelling.

        Raises:
            UnknownMessageError: there is none.
        """
        subtopic = pick(envelope, "subtopic")
        if folded(subtopic) not in _BY_NAME:
            raise UnknownMessageError("unknown subtopic")
        return _BY_NAME[folded(subtopic)]

    def answer(
        self, message: MessageType, envelope: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[Handed]]:
        """The reply's envelope, and what was handed out with it."""
        data = pick(envelope, "data")
        asked = _Asked(data if isinstance(data, Mapping) else {})
        response, handed = self._by_subtopic(message)(asked)
        reply = {
            "channel": "LCM",
            "topic": "WebService",
            "subtopic": message.reply,
            "message": {"response": response},
        }
        return reply, handed

    def _by_subtopic(self, message: MessageType) -> "Callable[[_Asked], tuple[Any, list[Handed]]]":
        return {
            "GetCampaignGroups": self._groups,
            "GetDownloadContactsForDialing": self._download,
            "GetDownloadAllContactsForDialing": self._download_all,
            "GetReservedManualDialContact": self._reserved,
        }[message.subtopic]

    def _groups(self, asked: "_Asked") -> tuple[Any, list[Handed]]:  # noqa: ARG002  (everybody's)
        groups = [
            {"Name": name, "Type": "VOICE", "Status": "EXECUTING", "Campaigns": []}
            for name in self.lists.groups
        ]
        return {"CampaignGroups": groups}, []

    def _download(self, asked: "_Asked") -> tuple[Any, list[Handed]]:
        found, handed = self._found(asked)
        records = [self._record(one) for one in found]
        return (records if len(records) > 1 else records[0] if records else None), handed

    def _download_all(self, asked: "_Asked") -> tuple[Any, list[Handed]]:
        found, handed = self._found(asked)
        records = [{"CampaignGroup": one.person.campaign_group, **self._record(one)} for one in found]
        return {"Contacts": records}, handed

    def _reserved(self, asked: "_Asked") -> tuple[Any, list[Handed]]:
        found, handed = self._found(asked)
        return [self._record(one) for one in found], handed

    def _found(self, asked: "_Asked") -> tuple[list[Reservation], list[Handed]]:
        if asked.reserved:
            found = self.lists.reserved_for(asked.agent_id, asked.consent)[: asked.count]
        else:
            fresh = [
                self.lists.reserve(asked.agent_id, asked.campaign_group, asked.consent)
                for _ in range(self.at_once)
            ]
            found = [one for one in fresh if one]
        now = asyncio.get_running_loop().time()
        handed = [
            Handed(key=one.key, agent_id=asked.agent_id, at=now, reserved=asked.reserved) for one in found
        ]
        return found, handed

    def _record(self, one: Reservation) -> dict[str, Any]:
        person, due = one.person, self.lists.due_at(one.person)
        return {
            "PhoneNumber": person.phone_number,
            "AccountNumber": one.key,
            "CampaignId": person.campaign,
            "Mode": person.mode,
            "ContactId": person.contact_id,
            "ExpiryTime": one.expires_at.astimezone(self.zone).strftime(TIME_FORMAT),
            "CallbackTime": due.astimezone(self.zone).strftime(TIME_FORMAT) if due else "",
            "CallType": int(person.call_type) if person.call_type.isdecimal() else person.call_type,
            "Consent": person.consent,
        }


class _Asked:
    """A download's `data`, whatever its spelling."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.agent_id = _text(data, "AgentID", "UserID")
        self.campaign_group = _text(data, "CampaignGroup")
        self.consent = _text(data, "Consent")
        self.reserved = _text(data, "ReservedContacts").casefold() == "true"
        count = _text(data, "NumberOfContactsRequired")
        self.count = int(count) if count.isdecimal() else 1


def _text(data: Mapping[str, Any], *names: str) -> str:
    value = pick(data, *names)
    return "" if value in (MISSING, None) else str(value).strip()
