"""The looks at an agent who wants a contact while nothing is in hand: each is a turn of the desk."""

import asyncio
from collections.abc import Callable

from attrs import define, field

from cti_hooks import AttemptState
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.auto_disposing import AutoDisposing
from lcm_plugin.desk.parts import Parts
from lcm_plugin.desk.steps import DONE, HELD, SHOWN, Hold, Step, Wait
from lcm_plugin.desk.turns import Turns
from lcm_plugin.ledger import Ledger


@define(kw_only=True, eq=False)
class Working:
    """One agent's looks: at most one is in line, under way, or waited for.

    Attributes:
        turns: the desk's.
        wants: whether the agent wants a contact now.
        left: is told once no more is looked for, to let go of what came for an agent who is gone.
    """

    settings: LcmSettings
    ledger: Ledger
    parts: Parts
    automatic: AutoDisposing
    turns: Turns
    wants: Callable[[], bool]
    left: Callable[[], None]
    _looks: bool = field(default=False, init=False)
    _woken: bool = field(default=False, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)

    def go_on(self) -> None:
        """Look, if the agent wants a contact; not before a pause that is owed."""
        if self.wants() and not self._looks and self._timer is None:
            self._look_in(self.parts.pauses.owed)

    def wake(self) -> None:
        """Wait no longer."""
        self._woken = self._looks
        if self._timer:
            self._look_now()

    def _look_in(self, seconds: float) -> None:
        if seconds > 0 and self.wants() and not self._woken:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._look_now)
        else:
            self._look_now()

    def _look_now(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._looks = True
        self.turns.tell(self._look)

    async def _look(self) -> None:
        self.parts.pauses.owed, self._woken = 0.0, False
        step = await self._looked() if self.wants() else None
        self._looks = False
        if step is None:
            self.left()
        elif isinstance(step, Hold) and self.parts.hand.attempt:
            self.parts.hand.looked()
        else:
            self._look_in(step.seconds if isinstance(step, Wait) else 0)

    async def _looked(self) -> Step:
        try:
            return await self._next_step()
        except Exception as error:  # noqa: BLE001  (a source of contacts or a site's hook may raise anything)
            return Wait(self.parts.refusing.after_error(error))

    async def _next_step(self) -> Step:
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
            hand.looked()
            if self.parts.screen.shows(held.id):
                return hand.attempt is not None
        return hand.busy
