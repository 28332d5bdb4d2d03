"""Why an attempt's contact may not be called now: its key's past, and what the site's policies say."""

from attrs import define, field

from cti_hooks import Attempt, Contact, Refusal
from lcm_plugin.attempt.keys import Again
from lcm_plugin.desk.barred import bar_refusal
from lcm_plugin.desk.dialing import key_taken
from lcm_plugin.desk.site import Site
from lcm_plugin.ledger import KeyTakenError, Ledger, key_of


@define(kw_only=True, eq=False)
class Reviewing:
    """Reviews one agent's contacts.

    Attributes:
        rejected: keys the agent does not want to see again in this login.
        for_a_person: ids of attempts whose key was dialed before: no timer and no ready agent dials those.
    """

    site: Site
    ledger: Ledger
    rejected: dict[str, None]
    for_a_person: dict[str, None] = field(factory=dict, init=False)

    async def refusals(
        self,
        attempt: Attempt,
        contact: Contact | None = None,
        *,
        by_person: bool = False,
        keys: bool = True,
    ) -> tuple[Refusal, ...]:
        """Every reason not to call this contact now; none is permission.

        Without `keys` the key's past is left to the ledger, which looks at it whenever a call is placed.
        """
        contact = contact or attempt.contact
        if contact is None:
            return ()
        self.ledger.count_anew(contact)
        found = await self.site.refusals(attempt.agent, contact, self.ledger.now())
        objection = self._rejection(contact)
        if keys and objection is None:
            objection = await self._objection(attempt, by_person=by_person)
        return (*((objection,) if objection else ()), *found)

    def taken(self, attempt: Attempt, by: KeyTakenError) -> Refusal | None:
        """Why nobody may call it, as its key is taken; None if a person may, and then only a person."""
        if by.again is not Again.BY_A_PERSON:
            return key_taken(by)
        self.for_a_person[attempt.id] = None
        return None

    def _rejection(self, contact: Contact) -> Refusal | None:
        if key_of(contact) not in self.rejected:
            return None
        return Refusal(rule="rejected", reason="the agent rejected it in this login")

    async def _objection(self, attempt: Attempt, *, by_person: bool) -> Refusal | None:
        """A bar, or a key that comes again. If its call is over, it may be called for a person who asks."""
        self.for_a_person.pop(attempt.id, None)
        found = await self.ledger.objection(attempt)
        if (
            found.bar and found.bar.holds(self.ledger.now()) and not by_person
        ):  # a person's dial looks itself, at the number they chose
            return bar_refusal(found.bar)
        other = found.other
        if other is None or (by_person and other.id == attempt.redial_of):
            return None
        return self.taken(attempt, KeyTakenError(other.id, other.state, other.agent.id))
