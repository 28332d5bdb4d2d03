"""The task that works for one agent while they want a contact and nothing is in hand.

Its work, what timers tell and what people answer come one after another, in their order.
"""

import asyncio
from collections.abc import Callable, Iterator

from attrs import define, field

from cti_hooks import AttemptState
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.auto_disposing import AutoDisposing
from lcm_plugin.desk.parts import Parts
from lcm_plugin.desk.pauses import waited
from lcm_plugin.desk.steps import DONE, HELD, SHOWN, Hold, Step, Wait
from lcm_plugin.ledger import Ledger


@define(kw_only=True, eq=False)
class Working:
    """One agent's task.

    Attributes:
        wants: whether the agent wants a contact now.
        left: is told that the task has ended, or that somebody has acted, to let go of what came for an agent
            who is gone.
        acting: held by whoever acts.
    """

    settings: LcmSettings
    ledger: Ledger
    parts: Parts
    automatic: AutoDisposing
    wants: Callable[[], bool]
    left: Callable[[], None]
    acting: asyncio.Lock = field(factory=asyncio.Lock, init=False)
    _wake: asyncio.Event = field(factory=asyncio.Event, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def __iter__(self) -> Iterator[asyncio.Task[None]]:
        """The task, if there is one."""
        return iter([] if self._task is None or self._task.done() else [self._task])

    def go_on(self) -> None:
        """Work, if the agent wants a contact; not before a pause that is owed."""
        if self.wants() and (self._task is None or self._task.done()):
            name = f"desk of agent {self.parts.hand.agent.id}"
            self._task = asyncio.create_task(self._work(), name=name)

    def wake(self) -> None:
        """Rest no longer."""
        self._wake.set()

    async def _work(self) -> None:
        self._wake.clear()
        await self._rest(self.parts.pauses.owed)
        while self.wants():
            self._wake.clear()
            step = await self._looked()
            if isinstance(step, Hold) and self.parts.hand.attempt:
                self.parts.hand.arrived = False
                return
            await self._rest(step.seconds if isinstance(step, Wait) else 0)
        self.left()

    async def _rest(self, seconds: float) -> None:
        if self.wants() and seconds > 0:
            await waited(self._wake, seconds)
        self.parts.pauses.owed = 0.0

    async def _looked(self) -> Step:
        try:
            async with self.acting:
                return await self._turn()
        except Exception as error:  # noqa: BLE001  (a source of contacts or a site's hook may raise anything)
            return Wait(self.parts.refusing.after_error(error))

    async def _turn(self) -> Step:
        """One contact offered or dialed, or why not."""
        parts = self.parts
        if await self._is_occupied():
            return HELD
        attempt = await parts.intake.offered()
        parts.refusing.trouble = ""
        if attempt is None:
            pause = parts.pauses.after_no_contact()
            return DONE if parts.hand.busy else Wait(parts.intake.reserved.until_next(pause))
        at_once = self.settings.preview.seconds == 0 and parts.calling.may_dial_itself(attempt)
        if refusals := await parts.reviewing.refusals(attempt, keys=not at_once):
            return await parts.refusing.refuse(attempt, refusals)
        if not self.wants():
            return DONE
        step = await parts.calling.dial(attempt) if at_once else SHOWN
        if step != SHOWN:
            return step
        parts.offering.put(attempt)
        return HELD

    async def _is_occupied(self) -> bool:
        """Whether the hand is full; what is found in it is what the agent's arrival here stood for.

        What a person disposed of, or took up, at another host is in hand no more.
        """
        hand = self.parts.hand
        attempt = hand.attempt
        if attempt and attempt.state is AttemptState.ENDED and await self.ledger.still_has(attempt):
            await self.automatic.dispose(attempt)
        held = hand.held()
        if held and await self.ledger.still_has(held):
            hand.arrived = False
            if self.parts.screen.shows(held.id):
                return hand.attempt is not None
        return hand.busy
