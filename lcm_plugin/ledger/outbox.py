"""Sends the letters in the box, and keeps those that may have been delivered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from attrs import define, field, frozen

from cti_hooks import described
from lcm_plugin.ledger import letters
from lcm_plugin.ledger.database import Step
from lcm_plugin.ledger.errors import LedgerUnavailable
from lcm_plugin.ledger.ledger import Ledger
from lcm_plugin.ledger.letters import Letter, LetterState, Rests

log = logging.getLogger("lcm_plugin.ledger")

POLL: Final = 1.0
"""Seconds between two looks into the box; what is written here is sent at once."""
LEFT_BEHIND: Final = 10.0
"""Seconds between two looks for what hosts that ended were sending: a host ends once in a while."""


@frozen(kw_only=True)
class Delivery:
    """What became of a letter: `waiting`, because it surely was not delivered, or settled."""

    state: LetterState
    error: str | None = None


@define(kw_only=True, eq=False)
class Outbox:
    """One host's sender. `deliver` sends a letter; `on_settled` is told when an attempt has none left."""

    ledger: Ledger
    deliver: Callable[[Letter], Awaitable[Delivery]]
    on_settled: Callable[[str], Awaitable[None]]
    resend_unconfirmed: bool = False
    _sent: set[int] = field(factory=set, init=False)
    """Letters of which the ledger does not know yet what became of them."""
    _wake: asyncio.Event = field(factory=asyncio.Event, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _rests: Rests = field(factory=Rests, init=False)
    _looked_at: float = field(default=float("-inf"), init=False)

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._work(), name="outbox")

    def wake(self) -> None:
        """There is something new in the box."""
        self._wake.set()

    async def close(self) -> None:
        """Stop; what is being sent is waited for, what is left is sent by whoever comes next."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            try:
                sent = await self._send_due()
            except LedgerUnavailable as error:
                sent = 0
                log.debug("the outbox waits: %s", error)
            if not sent:
                await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _send_due(self) -> int:
        now, holder = self.ledger.now(), self.ledger.holder
        await self._settle_left_behind()
        resting = partial(self._rests.resting, asyncio.get_running_loop().time())
        take = partial(letters.take, holder=holder, now=now, resting=resting)
        due = await self.ledger.run(take, undo=partial(self._put_back, holder))
        sending = [asyncio.create_task(self._send(letter)) for letter in due]
        if sending:
            await _finished(sending)
        return len(due)

    def _put_back(self, holder: str, taken: list[Letter] | None) -> Step[object] | None:
        """Once, before the next are taken out: later on, the same ones may be on their way."""
        if taken is not None:
            return None
        return partial(letters.put_back, holder=holder, sent=set(self._sent), now=self.ledger.now())

    async def _settle_left_behind(self) -> None:
        moment = asyncio.get_running_loop().time()
        if moment - self._looked_at < LEFT_BEHIND:
            return
        step = partial(letters.left_sending, now=self.ledger.now(), resend=self.resend_unconfirmed)
        for left in await self.ledger.run(step):
            _say(left.message, left.attempt_id, left.state, left.error)
        self._looked_at = moment

    async def _send(self, letter: Letter) -> None:
        self._sent.add(letter.id)
        try:
            delivery = await self.deliver(letter)
        except Exception as error:  # noqa: BLE001  (nobody can say whether it was delivered)
            delivery = Delivery(state=LetterState.UNCONFIRMED, error=described(error))
        if delivery.state is LetterState.UNCONFIRMED and self.resend_unconfirmed:
            delivery = Delivery(state=LetterState.WAITING, error=delivery.error)
        if delivery.state is not LetterState.CONFIRMED:
            _say(letter.message, letter.attempt_id, delivery.state, delivery.error)
        self.ledger.note(
            partial(
                letters.settle,
                letter_id=letter.id,
                state=delivery.state,
                error=delivery.error,
                now=self.ledger.now(),
            ),
            on_written=lambda _: self._sent.discard(letter.id),
        )
        if delivery.state is LetterState.CONFIRMED:
            await self._tell_settled(letter.attempt_id)

    async def _tell_settled(self, attempt_id: str) -> None:
        left = await self.ledger.run(partial(letters.list_letters, attempt_id=attempt_id))
        if all(one.state.value in letters.SETTLED for one in left):
            await self.on_settled(attempt_id)


def _say(message: str, attempt_id: str, state: LetterState, error: str | None) -> None:
    """What the LCM has not confirmed, in the log: which, of which attempt, and why."""
    log.warning("%s of attempt %s is %s: %s", message, attempt_id, state, error)


async def _finished(tasks: list[asyncio.Task[None]]) -> None:
    """Wait for them; cancelled, let them finish first, since what is sent cannot be called back."""
    try:
        await asyncio.shield(asyncio.gather(*tasks, return_exceptions=True))
    except asyncio.CancelledError:
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
