"""A dialer that plays calls: rings, then answers, is busy or does not answer, by a seeded plan.

For demo and tests: it keeps an account of the calls it placed, so that a run can be held to it.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Final, Literal

from attrs import define, evolve, field, frozen, validators

from cti_hooks import (
    Attempt,
    Call,
    CallEvent,
    CallEventKind,
    ConnectionState,
    Dial,
    Host,
    connection_after,
    hookimpl,
)
from cti_hooks import settings as plugin_settings
from lcm_plugin.dialers.errors import RepeatedAttemptError

Ending = Literal["answer", "busy", "no_answer"]

USER_BUSY: Final = 17
NO_ANSWER: Final = 19
NORMAL_CLEARING: Final = 16


@frozen(kw_only=True)
class LoopbackSettings:
    """The `[plugins.loopback]` table."""

    plan: Mapping[Ending, float] = field(factory=lambda: {"answer": 1.0})
    """How calls end, with weights: `{ answer = 6, busy = 2, no_answer = 2 }`."""
    numbers: Mapping[str, Ending] = field(factory=dict)
    """How calls to these numbers end, whatever the plan."""
    agent_seconds: float = field(default=0.1, validator=validators.ge(0.0))
    """How long the agent's phone rings."""
    ring_seconds: float = field(default=1.0, validator=validators.ge(0.0))
    """How long the customer's phone rings before it is answered."""
    give_up_seconds: float | None = field(default=None)
    """How long it rings unanswered; as long as the dial says if unset."""
    talk_seconds: float = field(default=2.0, validator=validators.ge(0.0))
    fail_after_ring: float = field(default=0.0, validator=[validators.ge(0.0), validators.le(1.0)])
    """Share of calls that ring and whose placing then fails: whoever called cannot know whether it rang."""
    seed: int | None = None
    """The seed of its own chance; the host's chance if unset."""
    account: str | None = None
    """A file that gets a line for each call, before it rings: `{"attempt": ID, "key": LCM key}`. It outlives
    the process, so that runs that crash can be held to it. Relative to the config file."""

    def __attrs_post_init__(self) -> None:
        if not self.plan or min(self.plan.values()) < 0 or sum(self.plan.values()) <= 0:
            raise ValueError("plan needs weights of 0 or more, and one above 0")


@define(kw_only=True, eq=False)
class _Playing:
    call: Call
    task: asyncio.Task[None] | None = None


class LoopbackDialer:
    """The plugin. `placed` is its account: the ids of the attempts it rang for, in order."""

    def __init__(self, table: Mapping[str, object]) -> None:
        self.settings = plugin_settings.read(LoopbackSettings, table)
        self.placed: list[str] = []
        self._playing: dict[str, _Playing] = {}
        self._host: Host | None = None
        self._random = Random(self.settings.seed)  # noqa: S311  (how a played call ends)

    @hookimpl
    def on_startup(self, host: Host) -> None:
        self._host = host
        if self.settings.seed is None:
            self._random = host.random

    @hookimpl
    async def on_shutdown(self) -> None:
        for playing in list(self._playing.values()):
            await self._hang_up(playing)

    @hookimpl
    async def make_call(self, attempt: Attempt, dial: Dial) -> Call:
        if attempt.id in self.placed:
            raise RepeatedAttemptError(f"attempt {attempt.id} was dialed before")
        self.placed.append(attempt.id)
        self._account_for(attempt)
        call = Call(id=f"{attempt.id}-c", attempt_id=attempt.id, state=ConnectionState.INITIATED)
        playing = self._playing[attempt.id] = _Playing(call=call)
        ending = self._ending(dial)
        fails = self.settings.fail_after_ring > self._random.random()
        playing.task = asyncio.create_task(self._play(playing, dial, ending), name=f"loopback call {call.id}")
        if fails:
            raise ConnectionError("the loopback dialer lost its answer, as ordered")
        return call

    @hookimpl
    def find_call(self, attempt_id: str) -> Call | None:
        playing = self._playing.get(attempt_id)
        return playing.call if playing else None

    @hookimpl
    async def clear_call(self, call: Call) -> bool | None:
        if call.attempt_id not in self.placed:
            return None
        playing = self._playing.get(call.attempt_id)
        if playing is None:
            return False
        await self._hang_up(playing)
        return True

    def _account_for(self, attempt: Attempt) -> None:
        if self.settings.account is None:
            return
        line = {"attempt": attempt.id, "key": attempt.contact.key if attempt.contact else None}
        path = self._started().directory / self.settings.account
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, json.dumps(line).encode() + b"\n")
        finally:
            os.close(file)

    def _ending(self, dial: Dial) -> Ending:
        fixed = self.settings.numbers.get(dial.to)
        endings = list(self.settings.plan)
        return fixed or self._random.choices(endings, [self.settings.plan[one] for one in endings])[0]

    async def _play(self, playing: _Playing, dial: Dial, ending: Ending) -> None:
        """The agent's leg first; the customer's only in time, and only once the agent has answered."""
        cause = NORMAL_CLEARING
        await self._tell(playing, CallEventKind.SERVICE_INITIATED)
        await asyncio.sleep(self.settings.agent_seconds)
        await self._tell(playing, CallEventKind.ORIGINATED, party="agent")
        if self._now() < dial.not_after:
            cause = await self._ring(playing, dial, ending)
        await self._clear(playing, cause)

    async def _ring(self, playing: _Playing, dial: Dial, ending: Ending) -> int:
        await self._tell(playing, CallEventKind.DELIVERED)
        if ending == "busy":
            await self._tell(playing, CallEventKind.FAILED, q850=USER_BUSY)
            return USER_BUSY
        answers = ending == "answer" and self.settings.ring_seconds <= dial.ring_seconds
        unanswered = self.settings.give_up_seconds or dial.ring_seconds
        await asyncio.sleep(self.settings.ring_seconds if answers else unanswered)
        if not answers:
            await self._tell(playing, CallEventKind.FAILED, q850=NO_ANSWER)
            return NO_ANSWER
        await self._tell(playing, CallEventKind.ESTABLISHED)
        await asyncio.sleep(self.settings.talk_seconds)
        return NORMAL_CLEARING

    async def _hang_up(self, playing: _Playing) -> None:
        if playing.task:
            playing.task.cancel()
            await asyncio.wait({playing.task})
        if playing.call.attempt_id in self._playing:
            await self._clear(playing, NORMAL_CLEARING)

    async def _clear(self, playing: _Playing, cause: int) -> None:
        del self._playing[playing.call.attempt_id]
        await self._tell(playing, CallEventKind.CALL_CLEARED, q850=cause)

    async def _tell(
        self, playing: _Playing, kind: CallEventKind, *, party: str = "customer", q850: int | None = None
    ) -> None:
        if party == "customer":
            state = connection_after(kind, playing.call.state)
            playing.call = evolve(playing.call, state=state, q850=q850)
        event = CallEvent(
            kind=kind,
            call_id=playing.call.id,
            attempt_id=playing.call.attempt_id,
            at=self._now(),
            party=party,
            q850=q850,
        )
        await self._started().hook.on_call_event(event=event)

    def _now(self) -> datetime:
        return self._started().clock.now()

    def _started(self) -> Host:
        if self._host is None:
            raise RuntimeError("the loopback dialer is not started: start the host first")
        return self._host
