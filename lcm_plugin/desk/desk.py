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
from lcm_plugin.desk.book import LIVE, Book
from lcm_plugin.desk.dialing import Dialing, calls_after
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.intake import Intake
from lcm_plugin.desk.pauses import Pauses
from lcm_plugin.desk.site import Site
from lcm_plugin.lcm.client import LcmClient

log = logging.getLogger("lcm_plugin.desk")


@define(kw_only=True, eq=False)
class Desk:
    """The desk of one agent; `ready` is whether the agent wants a contact."""

    agent: Agent
    settings: LcmSettings
    site: Site
    client: LcmClient
    book: Book
    ready: bool = field(default=False, init=False)
    hand: Hand = field(init=False)
    intake: Intake = field(init=False)
    _dialing: Dialing = field(init=False)
    _pauses: Pauses = field(init=False)
    _wake: asyncio.Event = field(factory=asyncio.Event, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.hand = Hand(agent=self.agent, book=self.book)
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
        ended = event.kind is CallEventKind.CALL_CLEARED and attempt.state in LIVE | {AttemptState.UNKNOWN}
        state = AttemptState.ENDED if ended else attempt.state
        calls = calls_after(attempt, event)
        if calls == attempt.calls and state is attempt.state:
            return
        changed = self.book.change(attempt, state, calls=calls, reason=f"{event.kind}")
        if self.hand.attempt and self.hand.attempt.id == changed.id:
            self.hand.attempt = None if ended else changed
        if ended:
            self._work_on()

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
                if not await self._dialing.settled():
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
        if self.ready:
            await self._dial(attempt, attempt.contact)
        return 0

    async def _dial(self, attempt: Attempt, contact: Contact) -> None:
        self.ready = False
        self._pauses.reset()
        if not await self._dialing.place(attempt, contact):
            self._refuse((Refusal(rule="no_dialer", reason="no dialer took the call"),))

    # -- why not --------------------------------------------------------------------------------------------

    async def _refusals(self, attempt: Attempt, contact: Contact) -> tuple[Refusal, ...]:
        agent = self.hand.agent
        own = (self.book.objection(agent, attempt, contact), _without_consent(contact))
        found = await self.site.refusals(agent, contact, self.book.clock.now())
        return (*filter(None, own), *found)

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
