"""What came of a call, told to the LCM: checked by its lists, recorded, sent by the outbox."""

import logging
from typing import Any, Final

from attrs import define, evolve, field

from cti_hooks import (
    Agent,
    AgentState,
    Attempt,
    AttemptState,
    Contact,
    Disposition,
    Outcome,
    Refusal,
)
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.callbacks import Callbacks
from lcm_plugin.desk.outcome_lists import ListedOutcomes, now
from lcm_plugin.desk.setters import Setters
from lcm_plugin.desk.shape import wrong_for_lcm, wrong_in_shape
from lcm_plugin.desk.site import is_foreign
from lcm_plugin.errors import ConflictError, InvalidError, LcmError
from lcm_plugin.lcm.catalogue.agent_states import AGENT_STATE
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.ledger import AttemptLostError, Ledger, Outbox

log = logging.getLogger("lcm_plugin.desk")

_CHECKING: Final = 5.0
"""Seconds for all that the LCM is asked before a disposition is recorded; the hook has 20 in all."""


@define(kw_only=True, eq=False)
class Disposing:
    """Checks, records and delivers dispositions, for all agents."""

    settings: LcmSettings
    client: LcmClient
    ledger: Ledger
    outbox: Outbox = field(init=False)
    listed: ListedOutcomes = field(init=False)
    callbacks: Callbacks = field(init=False)
    _setters: Setters = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.listed = ListedOutcomes(settings=self.settings, client=self.client)
        self.callbacks = Callbacks(settings=self.settings, client=self.client, ledger=self.ledger)
        self._setters = Setters(settings=self.settings, client=self.client)
        self.outbox = Outbox(
            ledger=self.ledger,
            deliver=self._setters.deliver,
            on_settled=self._settled,
            resend_unconfirmed=self.settings.resend_unconfirmed,
        )

    async def dispose(
        self,
        attempt: Attempt,
        disposition: Disposition,
        actor: str,
        *,
        refusals: tuple[Refusal, ...] = (),
        **told: Any,
    ) -> Attempt:
        """Record what came of it, and what was `told` of an offer; the LCM hears it in order, never twice.

        Raises:
            ConflictError: the attempt is neither ended nor offered, or a callback overlaps another one.
            InvalidError: an outcome the LCM does not list, a callback in the past, nothing said at all.
            LedgerUnavailable: it cannot be recorded now, so nothing was sent.
        """
        if attempt.state not in {AttemptState.ENDED, AttemptState.OFFERED} or attempt.contact is None:
            raise ConflictError(
                f"attempt {attempt.id} is {attempt.state}: only an ended call or an offer can be disposed of"
            )
        if disposition.do_not_call and disposition.do_not_call_scope is None:
            disposition = evolve(disposition, do_not_call_scope=self.settings.do_not_call_scope)
        await self._check(attempt, attempt.contact, disposition)
        drafts = self._setters.drafts(attempt, disposition, self.ledger.now())
        told |= {"disposition": disposition, "actor": actor, "refusals": refusals or attempt.refusals}
        reason = f"disposed of by {actor}"
        if outcome := self._outcome_said(attempt, disposition):
            told["outcome"], reason = outcome, f"{reason}: {outcome}, where the line told {attempt.outcome}"
        try:
            disposed = await self.ledger.dispose(attempt, drafts, reason=reason, **told)
        except AttemptLostError as error:
            raise ConflictError(str(error)) from None
        self.outbox.wake()
        if is_foreign(disposed):
            self.ledger.close_disposed(disposed, "it is not the LCM's, which is told nothing of it")
        return disposed

    async def tell_state(self, agent: Agent, state: AgentState) -> None:
        """Relay an agent's state; the LCM answers nothing, and nothing depends on it."""
        try:
            await self.client.ask(AGENT_STATE, agent, state=state.name)
        except LcmError as error:
            log.warning("the LCM was not told that %s is %s: %s", agent.id, state, error)

    def _outcome_said(self, attempt: Attempt, disposition: Disposition) -> Outcome | None:
        """What the agent says of who answered, which no signal of the network tells; None if nothing."""
        said = {disposition.outcome_id, disposition.business_outcome_id}
        if attempt.outcome not in {Outcome.ANSWERED, Outcome.UNKNOWN}:
            return None
        if said & {*self.settings.machine_outcomes}:
            return Outcome.MACHINE
        return Outcome.WRONG_NUMBER if said & {*self.settings.wrong_number_outcomes} else None

    # -- checking -------------------------------------------------------------------------------------------

    async def _check(self, attempt: Attempt, contact: Contact, disposition: Disposition) -> None:
        wrong = wrong_in_shape(contact, disposition, self.ledger.now())
        if not contact.source:
            wrong = wrong_for_lcm(disposition, self.settings) | wrong
        until = now() + _CHECKING
        if not wrong and not contact.source:
            wrong = await self.listed.unlisted(attempt.agent, contact, disposition, until)
        if wrong:
            raise InvalidError(wrong)
        if contact.source or disposition.callback is None:
            return
        if await self.callbacks.overlaps(attempt, contact, disposition.callback, until):
            raise ConflictError("the callback overlaps another one of the agent's; choose another time")

    # -- sending --------------------------------------------------------------------------------------------

    async def _settled(self, attempt_id: str) -> None:
        attempt = await self.ledger.get(attempt_id)
        if attempt and attempt.state is AttemptState.DISPOSED:
            self.ledger.close_disposed(attempt, "the LCM has confirmed it")
