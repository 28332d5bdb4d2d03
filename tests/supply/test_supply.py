"""Who asks what, and when: many agents on virtual time, and an LCM that answers as it is told."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from attrs import define, evolve, field, frozen

from lcm_plugin.supply import Answer, Kind, Question, Rules, Supply, Waiter

ELEVEN = datetime(2026, 11, 27, 11, 0, tzinfo=UTC)
RULES = Rules(
    poll=(1, 5),
    own_seconds=300,
    shared=True,
    reserved=False,
    reserved_seconds=60,
    by_group=False,
    at_once=50,
    per_second=100,
    own_per_second=10,
)
TRIP = 0.1
"""Seconds until the LCM answers."""


@frozen
class Asked:
    at: float
    agent: str
    question: Question


def _nothing(_: Asked) -> Answer:
    return Answer.NOTHING


@define(eq=False)
class Floor:
    """Agents who ask what they are granted; one who gets a contact waits no longer."""

    supply: Supply
    answers: Callable[[Asked], Answer] = _nothing
    asked: list[Asked] = field(factory=list)
    waiters: dict[str, Waiter] = field(factory=dict)
    busiest: int = 0

    def wait(self, *agents: str, groups: Sequence[str] = ("G",)) -> None:
        for agent in agents:
            if agent not in self.waiters:
                self.waiters[agent] = self.supply.place(agent, self._asks(agent))
            self.supply.wait(self.waiters[agent], groups)

    def _asks(self, agent: str) -> Callable[[Question], None]:
        def ask(question: Question) -> None:
            asked = Asked(asyncio.get_running_loop().time(), agent, question)
            self.asked.append(asked)
            self.busiest = max(self.busiest, self.supply.in_flight)
            asyncio.get_running_loop().call_later(TRIP, self._answer, asked)

        return ask

    def _answer(self, asked: Asked) -> None:
        waiter, answer = self.waiters[asked.agent], self.answers(asked)
        if answer is Answer.CONTACT:
            self.supply.leave(waiter)
        if asked.question.kind is Kind.RESERVED and answer is Answer.NOTHING:
            waiter.schedule.asked("", self.supply.now(), asked.at)
        self.supply.answered(waiter, asked.question, answer, 2.0)

    def agents(self, kind: Kind = Kind.FRESH, since: float = 0) -> list[str]:
        return [one.agent for one in self.asked if one.question.kind is kind and one.at >= since]


OpenFloor = Callable[..., Floor]


@pytest.fixture
def open_floor() -> OpenFloor:
    def opened(answers: Callable[[Asked], Answer] = _nothing, **rules: Any) -> Floor:
        began = asyncio.get_running_loop().time()

        def now() -> datetime:
            return ELEVEN + timedelta(seconds=asyncio.get_running_loop().time() - began)

        supply = Supply(
            rules=evolve(RULES, **rules),
            random=Random(1),
            now=now,
            held_up=lambda: (0.0, False),
            hosts=lambda: 1,
        )
        return Floor(supply, answers)

    return opened


def at() -> float:
    return asyncio.get_running_loop().time()


async def test_a_dry_group_is_polled_by_one(open_floor: OpenFloor) -> None:
    """Of a hundred waiting, the longest waiting asks, every 1 to 5 s; each asks once for themselves."""
    floor = open_floor()
    floor.wait(*(f"a{n}" for n in range(100)))
    await asyncio.sleep(260)
    own = [one.agent for one in floor.asked if one.question.own]
    polls = [one for one in floor.asked if not one.question.own]
    assert {one.agent for one in polls[1:]} == {"a0"}
    assert 260 / 5 <= len(polls) <= 260
    assert own == []  # the group was not known to be dry when they came
    await asyncio.sleep(75)
    own = [one.agent for one in floor.asked if one.question.own]
    assert Counter(own) == Counter(f"a{n}" for n in range(100))


async def test_who_comes_to_a_dry_group_asks_at_once(open_floor: OpenFloor) -> None:
    """The LCM may have a list of their own."""
    floor = open_floor()
    floor.wait("first")
    await asyncio.sleep(1)
    came = at()
    floor.wait("second")
    await asyncio.sleep(TRIP)
    assert [one.at for one in floor.asked if one.agent == "second"] == [pytest.approx(came)]


async def test_a_contact_is_there_within_a_poll_interval(open_floor: OpenFloor) -> None:
    """An agent alone in a dry group gets a contact that appears within the interval and one round trip."""
    there: list[float] = []
    floor = open_floor(lambda _: Answer.CONTACT if there else Answer.NOTHING)
    floor.wait("alone")
    await asyncio.sleep(100)
    there.append(at())
    await asyncio.sleep(RULES.poll[1] + TRIP)
    assert floor.waiters["alone"].since is None


async def test_a_contact_opens_its_group(open_floor: OpenFloor) -> None:
    """Two at once, then four, eight, up to the cap: everybody is served in a few round trips."""
    floor = open_floor(lambda _: Answer.CONTACT, per_second=1000)
    floor.wait(*(f"a{n}" for n in range(200)))
    await asyncio.sleep(10 * TRIP)
    waves = Counter(one.at for one in floor.asked)
    assert [waves[moment] for moment in sorted(waves)][:6] == [1, 2, 4, 8, 16, 32] or floor.busiest == 50
    assert floor.busiest == 50
    assert floor.agents() == [f"a{n}" for n in range(200)]


async def test_an_empty_answer_shuts_it_again(open_floor: OpenFloor) -> None:
    """Once the campaign has run out, one question each interval is asked again."""
    left = list(range(30))
    floor = open_floor(lambda _: Answer.CONTACT if left and left.pop() is not None else Answer.NOTHING)
    floor.wait(*(f"a{n}" for n in range(100)))
    await asyncio.sleep(20)
    assert not left
    floor.asked.clear()
    await asyncio.sleep(100)
    assert 100 / 5 - 1 <= len(floor.asked) <= 100


async def test_a_failed_question_sends_its_agent_to_the_back(open_floor: OpenFloor) -> None:
    """The next one asks then; one whose own question is refused keeps nobody waiting."""
    floor = open_floor(lambda one: Answer.REFUSED if one.agent == "a0" else Answer.NOTHING)
    floor.wait("a0", "a1", "a2")
    await asyncio.sleep(2 * TRIP)
    assert floor.agents() == ["a0", "a1"]
    await asyncio.sleep(60)
    polls = [one.agent for one in floor.asked if not one.question.own]
    assert set(polls[1:]) == {"a1"}
    assert "a0" in floor.agents(since=2)  # by themselves, in case it left doubt


async def test_an_lcm_that_is_down_is_left_alone(open_floor: OpenFloor) -> None:
    """A group whose question the LCM did not answer is asked once each interval, whoever waits."""
    floor = open_floor(lambda _: Answer.FAILED)
    floor.wait(*(f"a{n}" for n in range(1000)))
    await asyncio.sleep(60)
    polls = [one for one in floor.asked if not one.question.own]
    assert len(polls) <= 61
    assert len(floor.asked) <= 60 * (1 + RULES.own_per_second)


async def test_nothing_is_asked_while_the_breaker_is_open(open_floor: OpenFloor) -> None:
    """Then one at a time, until one is answered."""
    floor = open_floor(lambda _: Answer.CONTACT)
    opens_at = at() + 30

    def held_up() -> tuple[float, bool]:
        return max(0.0, opens_at - at()), at() < opens_at + 5

    floor.supply.held_up = held_up
    floor.wait(*(f"a{n}" for n in range(20)))
    await asyncio.sleep(29.9)
    assert floor.asked == []
    await asyncio.sleep(3)
    assert floor.busiest == 1
    await asyncio.sleep(10)
    assert len(floor.asked) == 20


async def test_the_caps_are_kept(open_floor: OpenFloor) -> None:
    """Never more a second, or at once, than the LCM may be asked; and all of that, if there is demand."""
    groups = [f"G{n}" for n in range(20)]
    floor = open_floor(lambda _: Answer.CONTACT, at_once=10, per_second=20)
    for n in range(400):
        floor.wait(f"a{n}", groups=[groups[n % 20]])
    began = at()
    await asyncio.sleep(20)
    assert floor.busiest <= 10
    assert len(floor.asked) == 400
    seconds = Counter(int(one.at - began) for one in floor.asked)
    assert max(seconds.values()) <= 22


async def test_the_first_open_group_is_asked_first(open_floor: OpenFloor) -> None:
    """Of an agent's groups that have contacts the first; a dry one is passed over."""
    floor = open_floor(lambda one: Answer.CONTACT if one.question.group != "A" else Answer.NOTHING)
    floor.wait("a0", groups=["A", "B", "C"])
    await asyncio.sleep(3 * TRIP)
    assert [one.question.group for one in floor.asked] == ["A", "B"]
    floor.wait("a1", groups=["A", "C", "B"])
    await asyncio.sleep(TRIP / 2)
    assert floor.asked[-1].question.group == "C"


async def test_each_agents_own_list_is_asked_for(open_floor: OpenFloor) -> None:
    """An LCM that has a contact for the last in line alone is asked for it within own_question_seconds."""
    floor = open_floor(lambda one: Answer.CONTACT if one.agent == "last" else Answer.NOTHING)
    floor.wait(*(f"a{n}" for n in range(50)), "last", groups=["A", "B"])
    await asyncio.sleep(1.1 * RULES.own_seconds + 60)
    assert floor.waiters["last"].since is None


async def test_no_group_is_shared_if_the_lcm_keeps_lists_for_agents(open_floor: OpenFloor) -> None:
    """With `shared_polling = false` each asks for themselves, every interval."""
    floor = open_floor(shared=False)
    floor.wait("a0", "a1", "a2")
    await asyncio.sleep(100)
    asked = Counter(floor.agents())
    assert asked.keys() == {"a0", "a1", "a2"}
    assert min(asked.values()) >= 100 / 5 - 1


async def test_what_is_reserved_comes_before_what_is_fresh(open_floor: OpenFloor) -> None:
    """At a login, and once the interval is over."""
    floor = open_floor(reserved=True)
    floor.wait("a0")
    await asyncio.sleep(3 * TRIP)
    assert [one.question.kind for one in floor.asked] == [Kind.RESERVED, Kind.FRESH]
    await asyncio.sleep(600)
    assert 9 <= len(floor.agents(Kind.RESERVED)) <= 12


async def test_the_interval_stretches_with_many_agents(open_floor: OpenFloor) -> None:
    """Ten such questions a second, however many wait; nobody is left out, and fresh ones do not wait."""
    floor = open_floor(reserved=True)
    floor.wait(*(f"a{n}" for n in range(2000)))
    began = at()
    await asyncio.sleep(400)
    reserved = Counter(floor.agents(Kind.RESERVED))
    own = [one for one in floor.asked if one.question.own]
    assert sum(reserved.values()) + len(own) <= 400 * 10 + 10
    assert len(reserved) == 2000
    stretched = floor.supply.reserved_every
    assert 2000 / 10 <= stretched <= 2000 / 10 + 60
    again = [one.at for one in floor.asked if one.agent == "a7" and one.question.kind is Kind.RESERVED]
    assert again[1] - again[0] == pytest.approx(stretched, rel=0.2)
    assert floor.asked[11].at - began <= 2 * TRIP


async def test_a_known_minute_comes_before_all_else(open_floor: OpenFloor) -> None:
    """Though 2000 others wait for their turn, whose callback is due is asked for within a second."""
    floor = open_floor(reserved=True)
    floor.wait(*(f"a{n}" for n in range(2000)))
    await asyncio.sleep(30)
    waiter = floor.waiters["a1900"]
    waiter.schedule.book([ELEVEN + timedelta(minutes=2)])
    waiter.schedule.asked("", ELEVEN, at())
    floor.supply.booked(waiter)
    due_at = at() + 90
    await asyncio.sleep(95)
    (asked,) = [one for one in floor.asked if one.agent == "a1900"]
    assert asked.at == pytest.approx(due_at, abs=1)


async def test_who_left_asks_nothing(open_floor: OpenFloor) -> None:
    """What they had asked is answered, and the others go on."""
    floor = open_floor()
    floor.wait("a0", "a1")
    await asyncio.sleep(TRIP / 2)
    floor.supply.leave(floor.waiters["a0"])
    await asyncio.sleep(60)
    assert floor.agents()[0] == "a0"
    assert set(floor.agents()[1:]) == {"a1"}
    assert floor.supply.in_flight == 0


async def test_it_is_said_what_an_agent_waits_for(open_floor: OpenFloor) -> None:
    """Which group had nothing, how long ago, and how many wait before them."""
    floor = open_floor(poll=(5, 5))
    floor.wait("a0", "a1", "a2")
    assert floor.supply.said(floor.waiters["a0"]) == ""
    await asyncio.sleep(TRIP + 3)
    assert floor.supply.said(floor.waiters["a0"]) == "G had nothing 3 s ago"
    assert floor.supply.said(floor.waiters["a2"]) == "G had nothing 3 s ago; 2 agents wait before you"
    floor.supply.leave(floor.waiters["a2"])
    assert floor.supply.said(floor.waiters["a2"]) == ""


async def test_a_closed_supply_grants_nothing(open_floor: OpenFloor) -> None:
    """The host stops."""
    floor = open_floor()
    floor.wait("a0", "a1")
    await asyncio.sleep(1)
    floor.supply.close()
    floor.wait("a0", "late")
    asked = len(floor.asked)
    await asyncio.sleep(600)
    assert len(floor.asked) == asked


async def test_hosts_share_the_caps(open_floor: OpenFloor) -> None:
    """With four hosts on the ledger each asks a quarter as much; alone again, all of it."""
    floor, hosts = open_floor(lambda _: Answer.CONTACT, at_once=40, per_second=40), [4]
    floor.supply.hosts = lambda: hosts[0]
    floor.wait(*(f"a{n}" for n in range(300)))
    await asyncio.sleep(9.9)
    assert floor.busiest <= 10
    assert len(floor.asked) <= 110
    hosts[0] = 1
    await asyncio.sleep(5)
    assert len(floor.asked) > 250
