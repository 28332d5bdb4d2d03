"""An agent's own callbacks: what the LCM lists and the ledger booked, as one; and a look before booking."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from attrs import evolve, field, frozen

from cti_hooks import Agent, Attempt, Callback, Contact, described, masked
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.outcome_lists import in_time
from lcm_plugin.errors import LcmError
from lcm_plugin.lcm import meanings
from lcm_plugin.lcm.catalogue import TIME_ZONE
from lcm_plugin.lcm.catalogue.callbacks import OVERLAP, PERSONAL_CALLBACKS
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.lcm.meanings import PersonalCallback
from lcm_plugin.ledger import Ledger

log = logging.getLogger("lcm_plugin.desk")

_MINUTE: Final = timedelta(minutes=1)
"""The LCM tells callbacks to the minute."""


@frozen(kw_only=True)
class BookedCallback:
    """A callback of an agent's own: display only, as nobody can dial what was not downloaded."""

    starts_at: datetime | None
    """None if the LCM told it in a way that cannot be read."""
    ends_at: datetime | None
    contact_id: str
    phone_number: str = field(default="", repr=masked)
    mode: str = ""
    """Which of the contact's numbers it is, in the LCM's words."""
    listed: bool = False
    """Whether the LCM lists it."""
    attempt_id: str | None = None
    """The attempt by which it was booked here."""
    comments: str = field(default="", repr=False)
    """What its agent noted then."""


@frozen(kw_only=True)
class CallbackList:
    """An agent's callbacks, the next one first."""

    callbacks: tuple[BookedCallback, ...]
    not_listed: str
    """Why the LCM's list is missing, so that only those booked here are told; empty if it is not."""


@frozen(kw_only=True)
class Callbacks:
    """Of all agents."""

    settings: LcmSettings
    client: LcmClient
    ledger: Ledger

    async def of(self, agent: Agent, since: datetime, until: datetime) -> CallbackList:
        """Those that start in this time, the LCM's joined with the ledger's by contact and minute.

        Raises:
            LedgerUnavailable: the ledger cannot be read now.
        """
        booked = await self.ledger.booked(agent, since, until)
        listed, why_not = await self._listed(agent, since, until)
        joined = tuple(_joined(listed, booked))
        return CallbackList(callbacks=tuple(sorted(joined, key=_moment)), not_listed=why_not)

    async def overlaps(
        self, attempt: Attempt, contact: Contact, callback: Callback, until: float | None = None
    ) -> bool | None:
        """Whether the LCM says that it overlaps another one of the agent's; None if it cannot be asked.

        It has until then to answer, by the running loop's time.
        """
        if contact.source or self._zone is None:  # the LCM does not know it; or its times could be any
            return None
        call_id = self.settings.callid or attempt.id  # an empty one is refused by the LCM
        values = {
            "call_id": call_id,
            "key": contact.key,
            **self._window(callback.starts_at, callback.ends_at),
        }
        try:
            async with in_time(until):
                reply = await self.client.ask(OVERLAP, attempt.agent, attempt.id, **values)
        except LcmError as error:
            log.warning("whether a callback overlaps could not be asked: %s", described(error))
            return None
        return meanings.overlaps(reply)

    async def _listed(
        self, agent: Agent, since: datetime, until: datetime
    ) -> tuple[Sequence[PersonalCallback], str]:
        if self._zone is None:
            return (), "the LCM's times carry no zone; the setting callback_time_zone says which they are in"
        try:
            reply = await self.client.ask(PERSONAL_CALLBACKS, agent, **self._window(since, until))
        except LcmError as error:
            return (), described(error)
        return meanings.personal_callbacks(reply, self._zone), ""

    def _window(self, starts_at: datetime, ends_at: datetime) -> dict[str, Any]:
        return {"starts_at": starts_at, "ends_at": ends_at, TIME_ZONE: self._zone}

    @property
    def _zone(self) -> ZoneInfo | None:
        name = self.settings.callback_time_zone
        return ZoneInfo(name) if name else None


def _joined(listed: Sequence[PersonalCallback], booked: Sequence[Attempt]) -> Iterator[BookedCallback]:
    here = [one for attempt in booked for one in _booked(attempt)]
    for theirs in listed:
        found = BookedCallback(
            starts_at=theirs.starts_at,
            ends_at=theirs.ends_at,
            contact_id=theirs.contact_id,
            phone_number=theirs.phone_number,
            mode=theirs.mode,
            listed=True,
        )
        same = next((one for one in here if _is_same(one, found)), None)
        if same:
            here.remove(same)
            found = evolve(found, attempt_id=same.attempt_id, comments=same.comments)
        yield found
    yield from here


def _booked(attempt: Attempt) -> Iterator[BookedCallback]:
    said, contact = attempt.disposition, attempt.contact
    if said and said.callback and contact:
        yield BookedCallback(
            starts_at=said.callback.starts_at,
            ends_at=said.callback.ends_at,
            contact_id=contact.contact_id,
            phone_number=contact.phone_number,
            attempt_id=attempt.id,
            comments=said.comments,
        )


def _is_same(ours: BookedCallback, theirs: BookedCallback) -> bool:
    if ours.starts_at is None or theirs.starts_at is None or ours.contact_id != theirs.contact_id:
        return False
    return abs(ours.starts_at - theirs.starts_at) < _MINUTE


def _moment(one: BookedCallback) -> float:
    return one.starts_at.timestamp() if one.starts_at else 0.0
