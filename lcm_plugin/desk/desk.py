"""One agent's flow: ready, next contact, review, call, and free again (DESIGN 5).

A task works while the agent is ready and nothing is in hand. A ready is used up by the call it leads to: the
next contact needs that call cleared and another ready. Agent states are the host's and no guard; the open
attempt is.
"""

import asyncio
import logging
from contextlib import suppress

from attrs import define, field

from cti_hooks import (
    Agent,
    Attempt,
    AttemptState,
    CallEvent,
    CallEventKind,
    Consent,
    Contact,
    Refusal,
    described,
)
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.dialing import Dialing, calls_after, key_taken
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.intake import Intake
from lcm_plugin.desk.pauses import Pauses
from lcm_plugin.desk.site import Site
from lcm_plugin.desk.verdicts import Verdicts
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.ledger import IN_DOUBT, KeyTakenError, Ledger

log = logging.getLogger("lcm_plugin.desk")


@define(kw_only=True, eq=False)
class Desk:
    """The desk of one agent; `ready` is whether the agent wants a contact."""

    agent: Agent
    settings: LcmSettings
    site: Site
    client: LcmClient
    ledger: Ledger
    verdicts: Verdicts
    ready: bool = field(default=False, init=False)
    hand: Hand = field(init=False)
    intake: Intake = field(init=False)
    _dialing: Dialing = field(init=False)
    _pauses: Pauses = field(init=False)
    _wake: asyncio.Event = field(factory=asyncio.Event, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.hand = Hand(agent=self.agent, ledger=self.ledger)
        self.intake = Intake(hand=self.hand, settings=self.settings, site=self.site, client=self.client)
        self._dialing = Dialing(hand=self.hand, settings=self.settings, site=self.site)
        self._pauses = Pauses(self.settings, self.client.random)

    # -- what the host and the dialers tell -----------------------------------------------------------------

    def on_ready(self, agent: Agent) -> None:
        """Look for a contact, from now on for the agent as given."""
        self.hand.agent = agent
        self.ready = True
        self._pauses.reset()
        self._work_on()

    def on_not_ready(self) -> None:
        """Stop looking. A request under way is awaited, lest its contact be lost; what it brings is held."""
        self.ready = False
        self._wake.set()

    def on_call_event(self, attempt: Attempt, event: CallEvent) -> None:
        """Keep the attempt's call up to date; `call_cleared` ends it and frees the agent."""
        ended = event.kind is CallEventKind.CALL_CLEARED and attempt.state in IN_DOUBT
        state = AttemptState.ENDED if ended else attempt.state
        calls = calls_after(attempt, event)
        if calls != attempt.calls or state is not attempt.state:
            self.ledger.change(attempt, state, seen=True, calls=calls, reason=f"{event.kind}")

    def on_changed(self, attempt: Attempt) -> None:
        """Keep what is in hand as it is in the ledger; once its call has ended, the agent is free."""
        if self.hand.attempt is None or self.hand.attempt.id != attempt.id:
            return
        self.hand.attempt = attempt
        if attempt.state is AttemptState.UNKNOWN:
            self.verdicts.seek(attempt)
        if attempt.state is AttemptState.ENDED:
            self.hand.attempt = self.hand.fetched = None
            self._work_on()

    def adopt(self, attempt: Attempt) -> None:
        """Take what a host that ended has left behind: its call has to be looked up before anything else."""
        if self.hand.attempt is None:
            self.hand.attempt, self.hand.fetched = attempt, attempt.contact
        self.verdicts.seek(attempt)

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The agent's task while it works, for whoever has to wait for it."""
        return None if self._task is None or self._task.done() else self._task

    # -- the agent's task -----------------------------------------------------------------------------------

    def _work_on(self) -> None:
        if self.ready and self.task is None:
            self._task = asyncio.create_task(self._work(), name=f"desk of agent {self.hand.agent.id}")

    async def _work(self) -> None:
        while self.ready:
            self._wake.clear()
            try:
                if self.hand.busy:
                    return
                pause = await self._turn() if self.ready else 0
            except Exception as error:  # noqa: BLE001  (a source of contacts or a site's hook may raise anything)
                pause = self._after_error(error)
            await self._rest(pause)

    async def _rest(self, seconds: float) -> None:
        if self.ready and seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()

    async def _turn(self) -> float:
        """One contact to the dialer, or why not; how long to wait before the next, in seconds."""
        attempt = await self.intake.offered()
        if attempt is None or attempt.contact is None:
            return self._pauses.after_no_contact()
        refusals = await self._refusals(attempt, attempt.contact)
        if self.ready and not refusals:  # asked again right before dialing
            refusals = await self._refusals(attempt, attempt.contact)
        if refusals:
            return self._refuse(refusals)
        return await self._dial(attempt, attempt.contact) if self.ready else 0

    async def _dial(self, attempt: Attempt, contact: Contact) -> float:
        intended = await self._dialing.intended(attempt, contact)
        if isinstance(intended, Refusal):
            return self._refuse((intended,))
        self.ready = False
        self._pauses.reset()
        if not await self._dialing.place(*intended):
            return self._refuse((Refusal(rule="no_dialer", reason="no dialer took the call"),))
        return 0

    # -- why not --------------------------------------------------------------------------------------------

    async def _refusals(self, attempt: Attempt, contact: Contact) -> tuple[Refusal, ...]:
        agent = self.hand.agent
        own = (await self._objection(attempt), _without_consent(contact))
        found = await self.site.refusals(agent, contact, self.ledger.now())
        return (*filter(None, own), *found)

    async def _objection(self, attempt: Attempt) -> Refusal | None:
        """Why this key may not be dialed (DESIGN 5, a key that comes again)."""
        other = await self.ledger.other_with_key(attempt)
        return key_taken(KeyTakenError(other.id, other.state, other.agent.id)) if other else None

    def _refuse(self, refusals: tuple[Refusal, ...]) -> float:
        """Close the attempt with its reasons; five in a row stop the fetching, and the reason says so."""
        pause = self._pauses.after_refusal()
        reason = "; ".join(refusal.reason for refusal in refusals)
        if pause is None:
            self.ready = False
            reason += f". {self._pauses.refusals} refusals in a row: nothing is fetched until the next ready"
        log.info("agent %s: contact refused: %s", self.hand.agent.id, reason)
        self.hand.put_down(AttemptState.REFUSED, refusals=refusals, reason=reason)
        return pause or 0

    def _after_error(self, error: Exception) -> float:
        pause = self._pauses.after_error(getattr(error, "retry_after", None))
        log.warning("agent %s: %s; trying again in %.0f s", self.hand.agent.id, described(error), pause)
        return pause


def _without_consent(contact: Contact) -> Refusal | None:
    """Until there are offers a person can answer, a contact without consent given is held."""
    if contact.consent is Consent.GIVEN:
        return None
    return Refusal(
        rule="consent",
        reason=f"consent is {contact.consent}: held, since only a person may start this call",
        evidence={"consent": contact.consent, "consent_raw": contact.consent_raw},
    )
