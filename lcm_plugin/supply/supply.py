"""Grants the questions of all waiting agents: docs/supply.md says how it decides.

Nothing here waits: it decides anew whenever somebody comes, leaves or is answered, and when the next instant
comes at which something may be asked.
"""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Final

from attrs import define, field

from lcm_plugin.supply.bucket import Bucket
from lcm_plugin.supply.caps import Caps
from lcm_plugin.supply.dues import Dues
from lcm_plugin.supply.line import Line
from lcm_plugin.supply.question import Answer, Kind, Question
from lcm_plugin.supply.reserved_schedule import ReservedSchedule
from lcm_plugin.supply.rules import Rules
from lcm_plugin.supply.said import said
from lcm_plugin.supply.waiter import Waiter

NO_GROUP: Final = ""
_JITTER: Final = 0.1


@define(kw_only=True, eq=False)
class Supply:
    """The waiting agents of one LCM.

    Attributes:
        now: the clock's instant, which callbacks go by.
        held_up: for how many seconds the LCM may not be asked; whether one question at a time is all it may.
        hosts: how many hosts share the caps, which are the LCM's: each takes its part.
    """

    rules: Rules
    random: Random
    now: Callable[[], datetime]
    held_up: Callable[[], tuple[float, bool]]
    hosts: Callable[[], int]
    in_flight: int = field(default=0, init=False)
    _lines: dict[str, Line] = field(factory=dict, init=False)
    _waiters: dict[str, Waiter] = field(factory=dict, init=False)
    _dues: Dues = field(factory=Dues, init=False)
    _caps: Caps = field(init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)
    _soon: asyncio.Handle | None = field(default=None, init=False)
    _is_closed: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._caps = Caps.part_of(self.rules, 1)

    def place(self, agent_id: str, ask: Callable[[Question], None]) -> Waiter:
        """A place for an agent, who does not wait yet."""
        schedule = ReservedSchedule(every_seconds=self.rules.reserved_seconds, random=self.random)
        return Waiter(agent_id=agent_id, ask=ask, schedule=schedule)

    def wait(self, waiter: Waiter, groups: Sequence[str]) -> None:
        """The agent wants a contact of these groups, the first of them rather than the next."""
        groups = tuple(groups)
        if waiter.waits and waiter.groups == groups:
            return
        self.leave(waiter)
        waiter.groups, waiter.since = groups, _at()
        waiter.own_left = ()
        alone = not self.rules.shared or self.is_dry(groups)
        waiter.own_at = waiter.since + (0.0 if alone else self._own_pause())
        self._waiters[waiter.agent_id] = waiter
        for group in groups:
            self._line(group).join(waiter)
        self._add_dues(waiter)
        self._decide_soon()

    def leave(self, waiter: Waiter) -> None:
        """The agent wants no contact now. What they have asked is answered all the same."""
        if not waiter.waits:
            return
        waiter.since = None
        del self._waiters[waiter.agent_id]
        for group in waiter.groups:
            self._lines[group].leave(waiter)

    def answered(self, waiter: Waiter, question: Question, answer: Answer, pause: float = 0.0) -> None:
        """What came of the agent's question, once; if it failed, they ask nothing for so many seconds."""
        if waiter.asked is not question:
            return
        waiter.asked = None
        now = _at()
        self.in_flight -= 1
        waiter.reserved_first = question.kind is Kind.FRESH
        if question.kind is Kind.FRESH:
            self._line(question.group).in_flight -= 1
            self.heard(question.group, answer)
        if answer in {Answer.FAILED, Answer.REFUSED}:
            self._failed(waiter, now + pause)
        elif answer is Answer.NOTHING and question.own and not waiter.own_left:
            waiter.own_at = now + self._own_pause()
        if waiter.waits:
            self._add_dues(waiter)
        self._decide_soon()

    def heard(self, group: str, answer: Answer) -> None:
        """What came of a question for a fresh contact of this group, whoever asked."""
        self._line(group).hear(answer, _at(), self._poll_pause(), self.rules.at_once)
        self._decide_soon()

    def booked(self, waiter: Waiter) -> None:
        """The agent's schedule says something else now."""
        if waiter.waits:
            self._add_dues(waiter)
            self._decide_soon()

    def is_dry(self, groups: Sequence[str]) -> bool:
        """Whether none of these groups has contacts, as far as is known."""
        return not any(self._line(group).is_open for group in groups)

    def waiting(self) -> Mapping[str, Waiter]:
        """Everybody who waits, by agent id."""
        return self._waiters

    @property
    def reserved_every(self) -> float:
        """Seconds from one question for what is reserved to an agent's next: stretched, if many wait."""
        rules, waiting = self.rules, len(self._waiters)
        own = sum(len(one.groups) for one in self._waiters.values()) / rules.own_seconds
        wanted = own + waiting / max(rules.reserved_seconds, rules.poll[0])
        return rules.reserved_seconds * max(1.0, wanted / rules.own_per_second)

    def said(self, waiter: Waiter) -> str:
        """What this agent waits for, in words; empty if they do not wait, or are next."""
        groups = waiter.groups if waiter.waits else ()
        return said(waiter, (self._lines[group] for group in groups), _at())

    def close(self) -> None:
        """Grant nothing more, whoever comes."""
        self._is_closed = True
        for waiter in list(self._waiters.values()):
            self.leave(waiter)
        for handle in (self._timer, self._soon):
            if handle:
                handle.cancel()

    # -- deciding -------------------------------------------------------------------------------------------

    def _decide_soon(self) -> None:
        if self._soon is None and not self._is_closed:
            self._soon = asyncio.get_running_loop().call_soon(self._decide)

    def _decide(self) -> None:
        self._soon = None
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if (hosts := self.hosts()) != self._caps.hosts:
            self._caps = Caps.part_of(self.rules, hosts)
        now = _at()
        seconds, one_only = self.held_up()
        if seconds > 0:
            self._decide_at(now + seconds)
            return
        most = 1 if one_only else self._caps.at_once
        again_at = min(self._grant_dues(now, most), self._grant_lines(now, most))
        self._decide_at(again_at)

    def _decide_at(self, at: float) -> None:
        if at < math.inf and self._waiters:
            self._timer = asyncio.get_running_loop().call_at(at, self._decide)

    def _grant_dues(self, now: float, most: int) -> float:
        """Those that are due, as many as may be; when there may be more."""
        everything = self._caps.everything
        bucket = self._caps.own if self.rules.shared else everything
        while self._dues.next_at() <= now:
            if self.in_flight >= most:
                return math.inf
            if not (bucket.has(now) and everything.has(now)):
                return max(bucket.next_at(now), everything.next_at(now))
            self._grant_due(now, bucket)
        return self._dues.next_at()

    def _grant_due(self, now: float, bucket: Bucket) -> None:
        _, _, waiter, kind = self._dues.pop(now)
        question = self._due(waiter, kind, now) if waiter.may_ask(now) else None
        if question is None:
            return
        if bucket is not self._caps.everything:
            bucket.take(now)
        self._grant(waiter, question, now)

    def _due(self, waiter: Waiter, kind: Kind, now: float) -> Question | None:
        """The question that is due, if it still is."""
        if kind is Kind.FRESH:
            if now < waiter.own_at:
                return None
            return self._before_each(waiter, now) or Question(kind=kind, group=waiter.next_own(), own=True)
        return self._reserved_due(waiter, now)

    def _before_each(self, waiter: Waiter, now: float) -> Question | None:
        """If a site wants what is reserved asked for each time: before a fresh question, and once."""
        each_time = self.rules.reserved and not self.rules.reserved_seconds and waiter.reserved_first
        return self._reserved_due(waiter, now) if each_time else None

    def _reserved_due(self, waiter: Waiter, now: float) -> Question | None:
        clock = self.now()
        for group in self._reserved_in(waiter):
            if waiter.schedule.is_due(group, clock, now):
                return Question(kind=Kind.RESERVED, group=group or waiter.groups[0])
        return None

    def _grant_lines(self, now: float, most: int) -> float:
        """Questions of the groups that may have one; when there may be more."""
        lines = self._lines.values() if self.rules.shared else ()
        return min((self._grant_line(line, now, most) for line in lines if line), default=math.inf)

    def _grant_line(self, line: Line, now: float, most: int) -> float:
        """As many questions of this group as may be; when there may be more, if no answer comes before."""
        while line.may_ask(now):
            if self.in_flight >= most:
                return math.inf
            if not self._caps.everything.has(now):
                return self._caps.everything.next_at(now)
            waiter = line.first_able(now)
            if waiter is None:
                return line.able_at(now)
            fresh = Question(kind=Kind.FRESH, group=self._best(waiter, line, now))
            self._grant(waiter, self._before_each(waiter, now) or fresh, now)
        return math.inf if line.is_open or line.in_flight else line.ask_at

    def _best(self, waiter: Waiter, line: Line, now: float) -> str:
        """The first of the agent's groups that is open and may be asked, else the line's own."""
        lines = (self._lines[group] for group in waiter.groups)
        return next((one.group for one in lines if one.is_open and one.may_ask(now)), line.group)

    def _grant(self, waiter: Waiter, question: Question, now: float) -> None:
        self._caps.everything.take(now)
        self.in_flight += 1
        waiter.asked = question
        if question.kind is Kind.FRESH:
            self._line(question.group).in_flight += 1
        waiter.ask(question)

    # -- what follows of answers ----------------------------------------------------------------------------

    def _failed(self, waiter: Waiter, able_at: float) -> None:
        """The others come first; and if it left doubt, only another question of theirs can settle it."""
        waiter.able_at = waiter.own_at = able_at
        waiter.own_left = ()
        for group in waiter.groups if waiter.waits else ():
            self._lines[group].to_the_back(waiter)

    def _add_dues(self, waiter: Waiter) -> None:
        now, clock, schedule = _at(), self.now(), waiter.schedule
        earliest = max(now, waiter.able_at)
        if not waiter.groups:
            return
        for group in self._reserved_in(waiter) if self.rules.reserved else ():
            if self.rules.reserved_seconds:
                self._dues.add(max(earliest, schedule.again_at(group)), waiter, Kind.RESERVED)
            minute_at = schedule.minute_at(group, clock, now)
            self._dues.add(max(earliest, minute_at), waiter, Kind.RESERVED, minute=True)
        self._dues.add(max(earliest, waiter.own_at), waiter, Kind.FRESH)

    def _reserved_in(self, waiter: Waiter) -> Sequence[str]:
        """The groups by which questions for what is reserved are told apart."""
        return waiter.groups if self.rules.by_group else (NO_GROUP,)

    def _own_pause(self) -> float:
        if not self.rules.shared:
            return self._poll_pause()
        return self.rules.own_seconds * self.random.uniform(1 - _JITTER, 1 + _JITTER)

    def _poll_pause(self) -> float:
        return self.random.uniform(*self.rules.poll)

    def _line(self, group: str) -> Line:
        return self._lines.setdefault(group, Line(group=group))


def _at() -> float:
    return asyncio.get_running_loop().time()
