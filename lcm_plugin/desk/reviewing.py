"""Why an attempt's contact may not be called now: its key's past, and what the site's policies say."""

from attrs import define, field

from cti_hooks import Attempt, AttemptState, Contact, Refusal
from lcm_plugin.desk.dialing import key_taken
from lcm_plugin.desk.site import Site
from lcm_plugin.ledger import KeyTakenError, Ledger

OVER = frozenset({AttemptState.CLOSED})
"""An earlier call of the same key is over and told to the LCM: a person may have it dialed again."""


@define(kw_only=True, eq=False)
class Reviewing:
    """Reviews one agent's contacts.

    Attributes:
        rejected: keys the agent does not want to see again in this login.
        for_a_person: ids of attempts whose key was dialed before: no timer and no ready agent dials those.
    """

    site: Site
    ledger: Ledger
    rejected: set[str]
    for_a_person: set[str] = field(factory=set, init=False)

    async def refusals(
        self, attempt: Attempt, contact: Contact | None = None, *, by_person: bool = False
    ) -> tuple[Refusal, ...]:
        """Every reason not to call this contact now; none is permission."""
        contact = contact or attempt.contact
        if contact is None:
            return ()
        found = await self.site.refusals(attempt.agent, contact, self.ledger.now())
        objection = await self._objection(attempt, by_person=by_person)
        return (*((objection,) if objection else ()), *found)

    async def _objection(self, attempt: Attempt, *, by_person: bool) -> Refusal | None:
        """A key that comes again (DESIGN 5). One whose call is over may be called for a person who asks."""
        if attempt.contact and attempt.contact.key in self.rejected:
            return Refusal(rule="rejected", reason="the agent rejected it in this login")
        self.for_a_person.discard(attempt.id)
        other = await self.ledger.other_with_key(attempt)
        if other is None or (by_person and other.id == attempt.redial_of):
            return None
        if other.state in OVER:
            self.for_a_person.add(attempt.id)
            return None
        return key_taken(KeyTakenError(other.id, other.state, other.agent.id))
