"""What a person says to an offer, or of an ended call that is to be made once more."""

from attrs import define

from cti_hooks import AnswerKind, Attempt, AttemptState, Disposition
from lcm_plugin.attempt.transitions import AMENDED, SKIPPED
from lcm_plugin.desk.calling import Calling
from lcm_plugin.desk.disposing import Disposing
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.said import Said
from lcm_plugin.desk.screen import Screen
from lcm_plugin.desk.site import is_foreign
from lcm_plugin.errors import ConflictError, InvalidError
from lcm_plugin.ledger import key_of


@define(kw_only=True, eq=False)
class Answering:
    """One agent's answers. `rejected` are the keys they do not want to see again in this login."""

    hand: Hand
    screen: Screen
    calling: Calling
    disposing: Disposing
    rejected: dict[str, None]

    async def answer(self, attempt_id: str, said: Said) -> Attempt:
        """Do as it says; the attempt as it is then.

        Raises:
            ConflictError: it is not this agent's offer any more, or rules say no.
            InvalidError: the answer cannot be right.
            LedgerError: it cannot be recorded now.
        """
        attempt = await self._in_hand(attempt_id)
        if said.answer is AnswerKind.DIAL:
            return await self.calling.dial_for(attempt, said)
        if attempt.state is not AttemptState.OFFERED:
            raise ConflictError(f"attempt {attempt.id} is {attempt.state}, and no offer any more")
        if said.answer is AnswerKind.CLOSE:
            return await self._close(attempt, said)
        if said.answer is AnswerKind.REJECT and attempt.contact:
            self.rejected[key_of(attempt.contact)] = None
        reason = f"{said.answer}: {said.reason}" if said.reason else f"{said.answer}"
        told = said.told(self.hand.ledger.now())
        return self.hand.put_down(attempt, SKIPPED, reason=reason, **told) or attempt

    async def keep(self, attempt_id: str, actor: str) -> Attempt:
        """Let the agent look at an offer for another preview, within the offer's own time.

        Raises:
            ConflictError: it is not this agent's offer any more, or no preview of it runs.
            LedgerError: it cannot be taken up now.
        """
        attempt = await self._in_hand(attempt_id)
        offer = self.screen.offer
        if attempt.state is not AttemptState.OFFERED or offer is None or offer.attempt_id != attempt_id:
            raise ConflictError(f"attempt {attempt.id} is {attempt.state}, and not on offer")
        if not offer.keep():
            raise ConflictError(f"attempt {attempt.id} waits for an answer: no preview of it runs")
        self.calling.readiness.present()
        return self.hand.change(attempt, AMENDED, reason=f"kept by {actor}")

    async def _close(self, attempt: Attempt, said: Said) -> Attempt:
        if not said.reason and not is_foreign(attempt):
            raise InvalidError({"reason": "is needed with close: an outcome's id, by the LCM's lists"})
        disposition = Disposition(outcome_id=said.reason)
        return await self.disposing.dispose(attempt, disposition, **said.told(self.hand.ledger.now()))

    async def _in_hand(self, attempt_id: str) -> Attempt:
        """The agent's open attempt, taken up from the ledger if nobody holds it."""
        if self.hand.attempt is None:
            await self.hand.take_up()
        attempt = self.hand.held() or self.hand.attempt
        if attempt and self.hand.next and self.hand.next.id == attempt_id:
            raise ConflictError(f"attempt {attempt_id} comes next: dispose of attempt {attempt.id} first")
        if attempt is None or attempt.id != attempt_id:
            has = f"attempt {attempt.id}, {attempt.state}" if attempt else "none"
            raise ConflictError(f"attempt {attempt_id} is not open; agent {self.hand.agent.id} has {has}")
        return attempt
