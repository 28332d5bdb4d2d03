"""What is in the database, of all hosts."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from attrs import define, field

from cti_hooks import Agent, Attempt, AttemptState, Contact, PastCall
from lcm_plugin.ledger import barring, letters, lists, reading, rows, stops
from lcm_plugin.ledger.barring import Bar, Subjects
from lcm_plugin.ledger.database import Database, Step
from lcm_plugin.ledger.letters import Letter, LetterState
from lcm_plugin.ledger.lists import DoubtfulAgent, Lease, Message, Past
from lcm_plugin.ledger.reading import Doubtful, Line
from lcm_plugin.ledger.stops import Stop, StopKind
from lcm_plugin.ledger.writer import Reversal, Writer

T = TypeVar("T")


def _unread(_: str) -> None:
    """It is taken as it is written."""


@define(kw_only=True, eq=False)
class Records:
    """Reads go through the writer, behind what was noted before: a host sees what it did itself.

    Each raises LedgerUnavailable if the database cannot be asked now.

    Attributes:
        e164_of: reads a number that comes without E.164, so that it is the same one however it is written.
    """

    database: Database
    e164_of: Callable[[str], str | None] = _unread
    _writer: Writer = field(init=False)
    _hash_key: str = field(default="", init=False)

    def __attrs_post_init__(self) -> None:
        self._writer = Writer(self.database)

    async def run(self, step: Step[T], undo: Reversal[T] | None = None) -> T:
        """Run a step of one of this room's modules, behind what was noted before; `undo` as of `Writer.do`.

        Raises:
            LedgerUnavailable: it was not committed, or perhaps was.
        """
        return await self._writer.do(step, undo=undo)

    def note(self, step: Step[object], on_written: Callable[[Any], None] | None = None) -> None:
        """Run a step as soon as can be; `on_written` is given what it returned."""
        self._writer.note(step, on_written=on_written)

    async def attempts(  # noqa: PLR0913  (each narrows the list)
        self,
        *,
        agent_id: str | None = None,
        states: Iterable[AttemptState] = (),
        key: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: Attempt | None = None,
        limit: int = 1000,
    ) -> list[Attempt]:
        """Attempts of all hosts, newest first; with `before`, those that come after it in this order.

        Opened from `since` on, and before `until`.
        """
        which = {"agent_id": agent_id, "states": tuple(states), "key": key, "since": since, "until": until}
        return await self._read(reading.list_attempts, **which, before=before, limit=limit)

    async def erased(self, ids: Collection[str]) -> set[str]:
        """Of these attempts those that know nobody any more: forgotten, or dropped with their audit."""
        return set(ids) - await self._read(reading.not_erased, ids=ids)

    async def history(self, attempt_id: str) -> list[Line]:
        """A line for each transition, oldest first."""
        return await self._read(reading.history_of, attempt_id=attempt_id)

    async def letters_of(self, attempt_id: str) -> list[Letter]:
        """What the LCM has been or will be told of an attempt, oldest first."""
        return await self._read(letters.list_letters, attempt_id=attempt_id)

    async def unsettled_letters(self) -> dict[LetterState, int]:
        """How many messages to the LCM, of all hosts, are not settled, by state."""
        return await self._read(letters.unsettled)

    async def messages(
        self, *, states: Iterable[LetterState] = (), before: int = 0, limit: int
    ) -> list[Message]:
        """Messages to the LCM, of all hosts, newest first; `before` is the id of the last one had before."""
        return await self._read(lists.messages, states=tuple(states), before=before, limit=limit)

    async def doubtful_agents(self, *, before: str = "", limit: int) -> list[DoubtfulAgent]:
        """Agents for whom the LCM may have reserved a contact, by id, after the id `before`."""
        return await self._read(lists.doubtful_agents, before=before, limit=limit)

    async def leases(self, *, before: str = "", limit: int) -> list[Lease]:
        """The hosts on this ledger, newest first; `before` is the id of the last one had before."""
        return await self._read(lists.leases, before=before, limit=limit)

    async def skipped(self, agent: Agent, before: datetime, now: datetime) -> list[Attempt]:
        """The agent's attempts skipped before then whose contact is still reserved, oldest first."""
        facts = {"agent_id": agent.id, "before": before, "now": now}
        return await self._read(reading.skipped_contacts, **facts)

    async def personal_callbacks(self, agent: Agent, since: datetime) -> list[datetime]:
        """When the next callbacks that this agent booked for themselves, at any host, start after then."""
        return await self._read(reading.personal_callbacks, agent_id=agent.id, since=since)

    async def booked(self, agent: Agent, since: datetime, until: datetime) -> list[Attempt]:
        """The attempts by which this agent booked a callback for themselves that starts in this time."""
        return await self._read(reading.booked, agent_id=agent.id, since=since, until=until)

    async def left_behind(self) -> set[str]:
        """The digests of the agents whose open attempt waits for them at no host that lives."""
        return await self._read(reading.left_behind)

    async def called_back(self, since: datetime, until: datetime) -> set[tuple[str, datetime]]:
        """The callbacks that start then, booked by agents for themselves at any host: whose digest, when."""
        return await self._read(reading.called_back, since=since, until=until)

    async def doubts(self) -> dict[str, Doubtful]:
        """All doubts, by agent id."""
        return await self._read(reading.all_doubts)

    async def past_calls(self, contact: Contact, since: datetime) -> list[PastCall]:
        """The calls to this number or contact dialed since then, by any host."""
        number = self.number_hash(contact)
        return await self._read(reading.past_calls, contact=contact, number_hash=number, since=since)

    async def past(self, contact: Contact, limit: int) -> list[Past]:
        """The calls placed to this number or contact, at any host, newest first; what was said of each."""
        number = self.number_hash(contact)
        return await self._read(lists.past, contact=contact, number_hash=number, limit=limit)

    def number_hash(self, contact: Contact) -> str:
        """What stands for the contact's number in the evidence that outlives personal data."""
        number = contact.e164 or self.e164_of(contact.phone_number) or contact.phone_number
        return rows.number_hash(number, self._hash_key)

    def subjects(self, contact: Contact | None) -> Subjects:
        """What stands for a contact in bars; without a contact, what bars nobody."""
        if contact is None:
            return Subjects(number="", contact="", campaign="")
        person = rows.contact_hash(contact, self._hash_key)
        return Subjects(number=self.number_hash(contact), contact=person, campaign=contact.campaign)

    async def bar_on(self, contact: Contact, moment: datetime) -> Bar | None:
        """What bars this contact from being called at this moment, said at any host."""
        return await self._read(barring.bar_for, asked=self.subjects(contact).at(moment))

    async def stop_dialing(self, order: Stop) -> None:
        """No host records a dial there from now on; what was stopped before stays as it was."""
        await self._read(stops.stop, order=order)

    async def resume_dialing(self, kind: StopKind, name: str = "") -> bool:
        """Dial there again; whether it had been stopped."""
        return await self._read(stops.resume, kind=kind, name=name)

    async def dialing_stops(self) -> list[Stop]:
        """Where dialing is stopped, oldest first."""
        return await self._read(stops.list_stops)

    async def stops_on(self, agent: Agent, contact: Contact) -> list[Stop]:
        """What stops this agent's dialing of this contact, oldest first."""
        scopes = {"campaign": contact.campaign, "campaign_group": contact.campaign_group}
        return await self._read(stops.stops_on, agent_id=agent.id, **scopes)

    async def stop_for(self, attempt: Attempt) -> str:
        """Why this attempt may not be dialed now, or empty."""
        return await self._read(stops.stop_for, attempt=attempt)

    async def _read(self, step: Callable[..., T], **facts: Any) -> T:
        return await self.run(partial(step, **facts))
