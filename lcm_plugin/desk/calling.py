"""From the hand to a call: reviewed once more, recorded as dialing, given to a dialer."""

from collections.abc import Callable
from typing import Final, NoReturn

from attrs import define

from cti_hooks import Attempt, AttemptState, Consent, Contact, Dial, Refusal
from lcm_plugin.desk.barred import BARRED, bar_refusal
from lcm_plugin.desk.dialing import Dialing, key_taken
from lcm_plugin.desk.numbers import with_number
from lcm_plugin.desk.pauses import Pauses
from lcm_plugin.desk.readiness import Readiness
from lcm_plugin.desk.refusing import Refusing
from lcm_plugin.desk.reviewing import Reviewing
from lcm_plugin.desk.said import Said
from lcm_plugin.desk.steps import DONE, HELD, SHOWN, Step
from lcm_plugin.desk.stopping import Stopping
from lcm_plugin.desk.tasks import Tasks
from lcm_plugin.errors import ConflictError
from lcm_plugin.ledger import BarredError, CalledMeanwhileError, DialingStoppedError, KeyTakenError

REVIEWS: Final = 5
"""A contact whose number is called again and again while it is reviewed is reviewed so often at the most."""


@define(kw_only=True, eq=False)
class Calling:
    """One agent's calls.

    Attributes:
        wants: whether the agent wants a contact now.
    """

    readiness: Readiness
    reviewing: Reviewing
    dialing: Dialing
    refusing: Refusing
    stopping: Stopping
    pauses: Pauses
    tasks: Tasks
    wants: Callable[[], bool]

    def may_dial_itself(self, attempt: Attempt) -> bool:
        """Whether a timer or a ready agent may dial it: consent given, its key never dialed, a first try."""
        given = attempt.contact is not None and attempt.contact.consent is Consent.GIVEN
        return given and attempt.redial_of is None and attempt.id not in self.reviewing.for_a_person

    async def dial(self, attempt: Attempt) -> Step:
        """Dial without a person's doing; reviewed again right before, and again if it was called meanwhile.

        Raises:
            LedgerError: it cannot be recorded now, or is called again and again.
        """
        reviews = 0
        while True:
            reviews += 1
            refusals = await self.reviewing.refusals(attempt, keys=False)
            if refusals:
                return await self.refusing.refuse(attempt, refusals)
            if not self.wants():
                return DONE
            try:
                return await self._intended(attempt)
            except CalledMeanwhileError:
                if reviews == REVIEWS:
                    raise

    async def _intended(self, attempt: Attempt) -> Step:
        try:
            intended = await self.dialing.intended(attempt, reason="ready")
        except DialingStoppedError as error:
            return self.refusing.hold_back(attempt, str(error))
        except KeyTakenError as error:
            if refusal := self.reviewing.taken(attempt, error):
                return await self.refusing.refuse(attempt, (refusal,))
            return SHOWN
        if isinstance(intended, Refusal):
            return await self.refusing.refuse(attempt, (intended,))
        return await self._place(*intended)

    async def dial_for(self, attempt: Attempt, said: Said) -> Attempt:
        """A person wants it called: reviewed again, and once more if it was called before.

        Raises:
            ConflictError: the agent is busy, or rules say no.
            InvalidError: the contact has no such other number.
            LedgerError: it cannot be recorded now, or is called again and again.
        """
        self._refuse_busy(attempt)
        if attempt.state not in (AttemptState.OFFERED, AttemptState.ENDED) or attempt.contact is None:
            raise ConflictError(f"attempt {attempt.id} is {attempt.state}: it cannot be dialed")
        contact, reviews = with_number(attempt.contact, said.mode_id), 0
        while True:
            reviews += 1
            await self._review_for(attempt, contact)
            attempt = await self._once_more(attempt, contact)
            try:
                placing = await self._intended_for(attempt, contact, said)
            except CalledMeanwhileError:
                if reviews == REVIEWS:
                    raise
            else:
                self.tasks.spawn(self._place(*placing), f"dialing attempt {attempt.id}")
                return placing[0]

    async def _review_for(self, attempt: Attempt, contact: Contact) -> None:
        if refusals := await self.reviewing.refusals(attempt, contact, by_person=True):
            await self._refuse_person(attempt, refusals)
        self._refuse_busy(attempt)

    async def _once_more(self, attempt: Attempt, contact: Contact) -> Attempt:
        """Another attempt for a call that has ended; an offer is dialed as it is."""
        if attempt.state is not AttemptState.ENDED:
            return attempt
        hand = self.dialing.hand
        try:
            return hand.hold(await hand.ledger.redial(attempt, contact))
        except BarredError as error:  # the call that ended has to be disposed of still
            raise ConflictError(str(error), (bar_refusal(error.bar),)) from None
        except DialingStoppedError as error:
            raise ConflictError(str(error)) from None

    async def _intended_for(self, attempt: Attempt, contact: Contact, said: Said) -> tuple[Attempt, Dial]:
        told = {"reason": f"dialed for {said.actor}", **said.told(self.dialing.hand.ledger.now())}
        try:
            intended = await self.dialing.intended(attempt, contact=contact, by_person=True, **told)
        except DialingStoppedError as error:
            raise ConflictError(str(error)) from None
        except KeyTakenError as error:
            intended = key_taken(error)
        if not isinstance(intended, Refusal):
            return intended
        if intended.rule == BARRED:
            await self._refuse_person(attempt, (intended,))
        raise ConflictError(intended.reason, (intended,))

    async def _refuse_person(self, attempt: Attempt, refusals: tuple[Refusal, ...]) -> NoReturn:
        if attempt.state is AttemptState.OFFERED:
            if not self.refusing.is_held(attempt, refusals):  # it ends, and a person is there
                self.readiness.answered()
            await self.refusing.refuse(attempt, refusals)
        raise ConflictError("; ".join(refusal.reason for refusal in refusals), refusals)

    def _refuse_busy(self, attempt: Attempt) -> None:
        if self.readiness.busy:
            raise ConflictError(
                f"agent {attempt.agent.id} is busy with another call: nothing is dialed until it is over"
            )

    async def _place(self, attempt: Attempt, dial: Dial) -> Step:
        self.readiness.called()
        reason = await self.dialing.place(attempt, dial)
        if not reason:
            self.pauses.reset()
            return HELD
        self.stopping.stop(reason)
        return await self.refusing.refuse(attempt, (Refusal(rule="no_dialer", reason=reason),))
