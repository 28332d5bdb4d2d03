"""An LCM's lists: who is free, reserved for whom, until when, and who comes next."""

from collections import Counter
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from attrs import define, field

from cti_hooks import Clock
from lcm_plugin.sandbox.people import SandboxContact


class Callbacks(StrEnum):
    """Which download gives an agent's personal callback, once it is due."""

    RESERVED = "reserved"
    """The one of reserved contacts; a fresh one gives nobody's personal callback."""
    FRESH = "fresh"
    BOTH = "both"
    """Whichever comes first."""


@define(kw_only=True)
class Reservation:
    """A contact that is reserved for an agent until `expires_at`; `delivery` counts from 0.

    `given_by` is the message that reserved it, as `SkipManualDialContact` wants to know.
    """

    person: SandboxContact
    agent_id: str
    expires_at: datetime
    delivery: int
    given_by: str = ""

    @property
    def key(self) -> str:
        """LCM's key: one for each delivery."""
        return f"{self.person.key}{self.delivery}" if self.delivery else self.person.key


class _Rank(IntEnum):
    """What goes before what."""

    PERSONAL = 0
    REGULAR = 1
    FRESH = 2


@define(kw_only=True)
class Lists:
    """Contacts free and reserved. A reservation that expires frees its contact, under a new key next time."""

    clock: Clock
    reserve_seconds: float
    started: datetime
    personal: Callbacks = Callbacks.RESERVED
    _free: list[SandboxContact] = field(factory=list, init=False)
    _reserved: dict[str, Reservation] = field(factory=dict, init=False)
    _delivered: dict[str, Reservation] = field(factory=dict, init=False)
    """All there ever were, by their keys."""
    _deliveries: Counter[str] = field(factory=Counter, init=False)
    _blocked: set[str] = field(factory=set, init=False)

    def add(self, contact: SandboxContact) -> None:
        """Put a contact on the lists."""
        self._free.append(contact)

    @property
    def groups(self) -> dict[str, list[str]]:
        """The campaign groups there are contacts of, each with their campaigns."""
        found: dict[str, dict[str, None]] = {}
        for person in (*self._free, *(one.person for one in self._reserved.values())):
            found.setdefault(person.campaign_group, {})[person.campaign] = None
        return {group: list(campaigns) for group, campaigns in found.items()}

    def due_at(self, contact: SandboxContact) -> datetime | None:
        """When a callback is due."""
        return None if contact.due_in is None else self.started + timedelta(seconds=contact.due_in)

    def due_until(self, contact: SandboxContact) -> datetime | None:
        """When a callback's window ends: when it is due, if it has none."""
        if contact.due_until is None:
            return self.due_at(contact)
        return self.started + timedelta(seconds=contact.due_until)

    def callbacks(self) -> list[SandboxContact]:
        """The callbacks that wait, due or not, the next one first."""
        self._expire()
        waiting = [contact for contact in self._free if contact.due_in is not None]
        return sorted(waiting, key=lambda contact: contact.due_in or 0)

    def reservations(self) -> dict[str, str]:
        """Keys reserved now, and for whom."""
        self._expire()
        return {key: one.agent_id for key, one in self._reserved.items()}

    def delivered(self, key: str) -> Reservation | None:
        """The delivery of this key, reserved still or not."""
        return self._delivered.get(key)

    def reserved_for(
        self, agent_id: str, campaign_group: str | None = None, consent: str = ""
    ) -> list[Reservation]:
        """What is reserved for this agent, in the order it came to be."""
        self._expire()
        return [
            one
            for one in self._reserved.values()
            if one.agent_id == agent_id and _wanted(one.person, campaign_group, consent)
        ]

    def reserve(
        self, agent_id: str, campaign_group: str | None, consent: str = "", given_by: str = ""
    ) -> Reservation | None:
        """Reserve the next contact for this agent: callbacks that are due first, personal before regular."""
        self._expire()
        found = self._candidates(agent_id, campaign_group, consent)
        if self.personal is Callbacks.RESERVED:
            del found[_Rank.PERSONAL]
        first = next((people[0] for people in found.values() if people), None)
        return self._take(first, agent_id, given_by) if first else None

    def reserve_personal(
        self, agent_id: str, campaign_group: str | None = None, consent: str = "", given_by: str = ""
    ) -> None:
        """Reserve the agent's own callbacks that are due, if they come with the reserved contacts."""
        self._expire()
        if self.personal is not Callbacks.FRESH:
            for person in self._candidates(agent_id, campaign_group, consent)[_Rank.PERSONAL]:
                self._take(person, agent_id, given_by)

    def _take(self, person: SandboxContact, agent_id: str, given_by: str) -> Reservation:
        self._free.remove(person)
        reservation = Reservation(
            person=person,
            agent_id=agent_id,
            expires_at=self.clock.now() + timedelta(seconds=self.reserve_seconds),
            delivery=self._deliveries[person.key],
            given_by=given_by,
        )
        self._deliveries[person.key] += 1
        self._reserved[reservation.key] = self._delivered[reservation.key] = reservation
        return reservation

    def release(self, key: str) -> None:
        """End a reservation; its contact is free again, at the end."""
        self._free.append(self._reserved.pop(key).person)

    def close(self, key: str, again: SandboxContact | None = None) -> None:
        """End a delivery: nobody gets its contact any more, unless it is to come `again`.

        A contact that has been given to somebody else meanwhile, under another key, stays theirs.
        """
        self._expire()
        self._reserved.pop(key, None)
        person = self._delivered[key].person
        self._free = [contact for contact in self._free if contact.key != person.key]
        if again and all(one.person.key != person.key for one in self._reserved.values()):
            self._free.append(again)

    def block(self, phone_number: str) -> None:
        """Hand out nobody of this number any more."""
        self._blocked.add(phone_number)

    def is_blocked(self, phone_number: str) -> bool:
        """Whether nobody of this number is handed out."""
        return phone_number in self._blocked

    def _candidates(
        self, agent_id: str, campaign_group: str | None, consent: str
    ) -> dict[_Rank, list[SandboxContact]]:
        """Whom this agent may have now, by rank, the first rank first."""
        now = self.clock.now()
        found: dict[_Rank, list[SandboxContact]] = {rank: [] for rank in _Rank}
        for contact in self._free:
            due = self.due_at(contact)
            mine = contact.personal_agent in (None, agent_id) and contact.phone_number not in self._blocked
            if mine and _wanted(contact, campaign_group, consent) and (due is None or due <= now):
                found[_rank(contact)].append(contact)
        return found

    def _expire(self) -> None:
        now = self.clock.now()
        for key, one in list(self._reserved.items()):
            if one.expires_at <= now:
                self.release(key)


def _rank(contact: SandboxContact) -> _Rank:
    if contact.personal_agent:
        return _Rank.PERSONAL
    return _Rank.FRESH if contact.due_in is None else _Rank.REGULAR


def _wanted(contact: SandboxContact, campaign_group: str | None, consent: str) -> bool:
    return campaign_group in {None, contact.campaign_group} and _fits(contact, consent)


def _fits(contact: SandboxContact, consent: str) -> bool:
    """LCM's filter: true, false, or anything else for both."""
    given = contact.consent.strip().casefold() in {"yes", "y", "true", "1"}
    return {"true": given, "false": not given}.get(consent.strip().casefold(), True)
