"""What one host knows of its own attempts without asking the database."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Final

from attrs import define, field

from cti_hooks import Attempt, Contact
from lcm_plugin.attempt.states import OPEN
from lcm_plugin.ledger.leases import AT_ONCE
from lcm_plugin.ledger.reading import Counted, Doubtful, Objection
from lcm_plugin.ledger.rows import key_of

HANDED: Final = 10_000
"""LCM keys that this host remembers, and contacts whose past calls it was told."""


@define(eq=False)
class Memory:
    """What is open here, and what goes with it.

    Attributes:
        open: this host's open attempts, by id, as they are now.
        released: open ones that were let go of here, and that nobody has taken up yet, as far as is known.
        doubts: agents' doubts, as they were told last; None if there is none.
    """

    open: dict[str, Attempt] = field(factory=dict, init=False)
    released: OrderedDict[str, Attempt] = field(factory=OrderedDict, init=False)
    doubts: dict[str, Doubtful | None] = field(factory=dict, init=False)
    _by_call: dict[str, str] = field(factory=dict, init=False)
    _objections: dict[str, "asyncio.Future[Objection]"] = field(factory=dict, init=False)
    _handed: OrderedDict[str, str] = field(factory=OrderedDict, init=False)
    _counted: OrderedDict[str, Counted] = field(factory=OrderedDict, init=False)
    """What reviews were told of past calls, by key and source, until the call is placed."""

    def keep(self, attempt: Attempt) -> None:
        """The attempt as it is now; one that is not open any more is forgotten."""
        self.released.pop(attempt.id, None)
        if attempt.contact and not attempt.contact.source:
            self._handed[attempt.contact.key] = attempt.agent.id
            _shorten(self._handed, HANDED)
        if attempt.state not in OPEN:
            self.forget(attempt)
            return
        self.open[attempt.id] = attempt
        self._by_call |= {call.id: attempt.id for call in attempt.calls}

    def forget(self, attempt: Attempt) -> None:
        """It is not this host's any more, or over."""
        known = self.open.pop(attempt.id, attempt)
        self.object_to(attempt.id, Objection())
        self._objections.pop(attempt.id, None)
        for call in (*known.calls, *attempt.calls):
            self._by_call.pop(call.id, None)

    def release(self, attempt: Attempt) -> None:
        """It waits for a person at whichever host takes it up."""
        self.open.pop(attempt.id, None)
        self.released[attempt.id] = attempt
        _shorten(self.released, AT_ONCE)

    def get(self, attempt_id: str | None, call_id: str = "") -> Attempt | None:
        """The open attempt of this id, or with this call."""
        return self.open.get(attempt_id or self._by_call.get(call_id, ""))

    def handed(self, keys: Iterable[str]) -> dict[str, str]:
        """Of these LCM keys those that came to this host, and the agent each came for; the last thousands."""
        return {key: self._handed[key] for key in keys if key in self._handed}

    def owners(self, keys: Iterable[str]) -> dict[str, str]:
        """Of these LCM keys those of open attempts, and each one's agent."""
        held = (one for one in self.open.values() if one.contact and not one.contact.source)
        mine = {one.contact.key: one.agent.id for one in held if one.contact}
        return {key: mine[key] for key in keys if key in mine}

    # -- what there is against dialing an offer, once that is recorded --------------------------------------

    def await_objection(self, attempt_id: str) -> None:
        """The offer is being recorded: what there is against dialing it is told then."""
        self._objections[attempt_id] = asyncio.get_running_loop().create_future()

    def object_to(self, attempt_id: str, found: Objection) -> None:
        """What there is against dialing it, or nothing; told once."""
        told = self._objections.get(attempt_id)
        if told and not told.done():
            told.set_result(found)

    def objection(self, attempt_id: str) -> "asyncio.Future[Objection] | None":
        """What is told once it is recorded; None if nobody waits for that."""
        return self._objections.get(attempt_id)

    # -- what reviews were told of past calls ---------------------------------------------------------------

    def count(self, contact: Contact, counted: Counted) -> None:
        """A review was told of these past calls: the call that is placed then has to find no others."""
        key = key_of(contact)
        before = self._counted.get(key)
        self._counted[key] = before.and_(counted) if before else counted
        _shorten(self._counted, HANDED)

    def counted(self, contact: Contact | None) -> Counted | None:
        """What reviews were told of this contact; it is told once, and not any more then."""
        return self._counted.pop(key_of(contact), None) if contact else None


def _shorten(remembered: "OrderedDict[str, Any]", longest: int) -> None:
    while len(remembered) > longest:
        remembered.popitem(last=False)
