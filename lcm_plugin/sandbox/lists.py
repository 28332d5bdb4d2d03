"""An LCM's lists: who is free, reserved for whom, until when, and who comes next."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from attrs import define, field

from cti_hooks import Clock
from lcm_plugin.sandbox.people import SandboxContact


@define(kw_only=True)
class Reservation:
    """A contact that is an agent's until `expires_at`; `delivery` counts from 0."""

    person: SandboxContact
    agent_id: str
    expires_at: datetime
    delivery: int

    @property
    def key(self) -> str:
        """LCM's key: one for each delivery."""
        return f"{self.person.key}{self.delivery}" if self.delivery else self.person.key


@define(kw_only=True)
class Lists:
    """Contacts free and reserved. A reservation that expires frees its contact, under a new key next time."""

    clock: Clock
    reserve_seconds: float
    started: datetime
    _free: list[tuple[SandboxContact, int]] = field(factory=list, init=False)
    _reserved: dict[str, Reservation] = field(factory=dict, init=False)

    def add(self, contact: SandboxContact) -> None:
        """Put a contact on the lists."""
        self._free.append((contact, 0))

    @property
    def groups(self) -> list[str]:
        """The campaign groups there are contacts of."""
        everybody = [contact for contact, _ in self._free] + [one.person for one in self._reserved.values()]
        return list(dict.fromkeys(contact.campaign_group for contact in everybody))

    def due_at(self, contact: SandboxContact) -> datetime | None:
        """When a callback is due."""
        return None if contact.due_in is None else self.started + timedelta(seconds=contact.due_in)

    def reservations(self) -> dict[str, str]:
        """Keys reserved now, and for whom."""
        self._expire()
        return {key: one.agent_id for key, one in self._reserved.items()}

    def reserved_for(self, agent_id: str, consent: str) -> list[Reservation]:
        """What is reserved for this agent, in the order it was handed out."""
        self._expire()
        return [
            one for one in self._reserved.values() if one.agent_id == agent_id and _fits(one.person, consent)
        ]

    def reserve(self, agent_id: str, campaign_group: str, consent: str) -> Reservation | None:
        """Reserve the next contact for this agent: callbacks that are due first, personal before regular."""
        self._expire()
        found = sorted(self._candidates(agent_id, campaign_group, consent), key=lambda entry: entry[0])
        if not found:
            return None
        person, delivery = self._free.pop(found[0][1])
        expires_at = self.clock.now() + timedelta(seconds=self.reserve_seconds)
        reservation = Reservation(person=person, agent_id=agent_id, expires_at=expires_at, delivery=delivery)
        self._reserved[reservation.key] = reservation
        return reservation

    def _candidates(
        self, agent_id: str, campaign_group: str, consent: str
    ) -> Iterator[tuple[tuple[int, int], int]]:
        now = self.clock.now()
        for place, (contact, _) in enumerate(self._free):
            due = self.due_at(contact)
            mine = contact.personal_agent in (None, agent_id)
            wanted = contact.campaign_group == campaign_group and _fits(contact, consent)
            if mine and wanted and (due is None or due <= now):
                rank = 0 if contact.personal_agent else 1 if due else 2
                yield (rank, place), place

    def _expire(self) -> None:
        now = self.clock.now()
        for key, one in list(self._reserved.items()):
            if one.expires_at <= now:
                del self._reserved[key]
                self._free.append((one.person, one.delivery + 1))


def _fits(contact: SandboxContact, consent: str) -> bool:
    """LCM's filter: true, false, or anything else for both."""
    given = contact.consent.strip().casefold() in {"yes", "y", "true", "1"}
    return {"true": given, "false": not given}.get(consent.strip().casefold(), True)
