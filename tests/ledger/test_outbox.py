"""The outbox: in order for each contact, sent again only when surely not delivered, nothing dropped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from attrs import define, field

from cti_hooks import Agent, Attempt, Contact
from lcm_plugin.attempt.transitions import ENDED, FETCHED
from lcm_plugin.ledger import Delivery, Draft, Ledger, Letter, LetterState, Outbox, letters
from lcm_plugin.ledger.outbox import POLL
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.ledger.wire import OpenLedger

SENT = Delivery(state=LetterState.CONFIRMED)
AGAIN = Delivery(state=LetterState.WAITING, error="refused")
NO = Delivery(state=LetterState.REJECTED, error="no such key")
WHO_KNOWS = Delivery(state=LetterState.UNCONFIRMED, error="reset")


@define
class Lcm:
    """Answers as it is told, by message; confirms everything else."""

    answers: dict[str, list[Delivery]] = field(factory=dict)
    got: list[str] = field(factory=list)
    at: list[float] = field(factory=list)
    settled: list[str] = field(factory=list)

    async def deliver(self, letter: Letter) -> Delivery:
        self.got.append(letter.message)
        self.at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.1)
        told = self.answers.get(letter.message)
        return told.pop(0) if told else SENT

    async def on_settled(self, attempt_id: str) -> None:
        self.settled.append(attempt_id)


@asynccontextmanager
async def sending(ledger: Ledger, lcm: Lcm, **facts: Any) -> AsyncIterator[Outbox]:
    outbox = Outbox(ledger=ledger, deliver=lcm.deliver, on_settled=lcm.on_settled, **facts)
    outbox.start()
    try:
        yield outbox
    finally:
        await outbox.close()


async def disposed(ledger: Ledger, *messages: str, agent: str = "alice", key: str = "k") -> Attempt:
    attempt = await ledger.open(Agent(id=agent))
    contact = Contact(key=key, phone_number="+12125550101")
    attempt = await ledger.dial(ledger.change(attempt, FETCHED, contact=contact))
    attempt = ledger.change(attempt, ENDED)
    return await ledger.dispose(attempt, [Draft(message=one, values={"n": 1}) for one in messages])


async def kept(ledger: Ledger) -> dict[str, str]:
    return {one.message: one.state.value for one in await ledger.run(letters.list_letters)}


def assert_pauses(lcm: Lcm, *pauses: float) -> None:
    """From each try to the next it took so long, and no longer than a look into the box more."""
    late = [
        later - earlier - pause for (earlier, later), pause in zip(pairwise(lcm.at), pauses, strict=False)
    ]
    assert len(late) == len(pauses)
    assert all(0 <= one < 1.5 * POLL for one in late)


async def test_letters_go_in_order(open_ledger: OpenLedger) -> None:
    """A disposition's second message leaves once the first is confirmed; then the attempt is settled."""
    ledger, lcm = await open_ledger(), Lcm(answers={"first": [AGAIN, AGAIN]})
    attempt = await disposed(ledger, "first", "second")
    async with sending(ledger, lcm):
        await asyncio.sleep(30)
    assert lcm.got == ["first", "first", "first", "second"]
    assert lcm.settled == [attempt.id]
    assert await kept(ledger) == {}


@pytest.mark.long
async def test_pauses_grow(open_ledger: OpenLedger) -> None:
    """What surely was not delivered is sent again with growing pauses, for as long as it takes."""
    ledger, lcm = await open_ledger(), Lcm(answers={"m": [AGAIN] * 20})
    await disposed(ledger, "m")
    async with sending(ledger, lcm):
        await asyncio.sleep(600)
    assert_pauses(lcm, 1, 2, 4, 8, 16, 32, 64, 128, 256)
    assert await kept(ledger) == {"m": "waiting"}


async def test_a_clock_set_back_makes_no_pause_longer(open_ledger: OpenLedger, clock: LoopClock) -> None:
    """Set back an hour, what surely was not delivered is sent again as soon as ever."""
    ledger, lcm = await open_ledger(), Lcm(answers={"m": [AGAIN] * 3})
    await disposed(ledger, "m")
    clock.start -= timedelta(hours=1)
    async with sending(ledger, lcm):
        await asyncio.sleep(30)
    assert lcm.got == ["m"] * 4
    assert_pauses(lcm, 1, 2, 4)


@pytest.mark.long
async def test_a_host_beside_it_shortens_no_pause(open_ledger: OpenLedger) -> None:
    """Of two hosts, neither sends again what the other has just tried; a restarted one waits no longer."""
    one, two = await open_ledger("h1"), await open_ledger("h2")
    lcm = Lcm(answers={"m": [AGAIN] * 20})
    await disposed(one, "m")
    async with sending(one, lcm), sending(two, lcm):
        await asyncio.sleep(100)
    assert_pauses(lcm, 1, 2, 4, 8, 16)
    tries = len(lcm.at)
    async with sending(one, lcm):
        await asyncio.sleep(2**tries)
    assert len(lcm.at) == tries + 1


@pytest.mark.parametrize("answer", [WHO_KNOWS, NO], ids=["unconfirmed", "rejected"])
@pytest.mark.long
async def test_what_may_have_been_delivered_is_kept(open_ledger: OpenLedger, answer: Delivery) -> None:
    """An unconfirmed or rejected message is not sent again by itself, holds back the next, and is shown."""
    ledger, lcm = await open_ledger(), Lcm(answers={"first": [answer]})
    attempt = await disposed(ledger, "first", "second")
    await disposed(ledger, "other", agent="bob", key="another")
    async with sending(ledger, lcm) as outbox:
        await asyncio.sleep(600)
        assert sorted(lcm.got) == ["first", "other"]
        assert await kept(ledger) == {"first": answer.state.value, "second": "waiting"}
        assert await ledger.run(partial(letters.resend, attempt_id=attempt.id, now=ledger.now())) == 1
        outbox.wake()
        await asyncio.sleep(5)
    assert lcm.got[2:] == ["first", "second"]


async def test_a_site_may_have_the_unconfirmed_sent_again(open_ledger: OpenLedger) -> None:
    """With `resend_unconfirmed` a message without an answer is sent until it has one."""
    ledger, lcm = await open_ledger(), Lcm(answers={"m": [WHO_KNOWS, WHO_KNOWS]})
    await disposed(ledger, "m")
    async with sending(ledger, lcm, resend_unconfirmed=True):
        await asyncio.sleep(30)
    assert lcm.got == ["m"] * 3


async def test_letters_survive_a_restart(open_ledger: OpenLedger) -> None:
    """What was waiting is sent by the next host; what was being sent may have been, so it is kept."""
    one = await open_ledger("h1")
    await disposed(one, "taken")
    (taken,) = await one.run(partial(letters.take, holder=one.holder, now=one.now()))
    assert taken.message == "taken"
    await disposed(one, "waiting", agent="bob", key="another")
    await one.close()
    two, lcm = await open_ledger("h2"), Lcm()
    async with sending(two, lcm):
        await asyncio.sleep(5)
    assert lcm.got == ["waiting"]
    assert await kept(two) == {"taken": "unconfirmed"}


async def test_what_a_dead_host_was_sending_is_named(
    open_ledger: OpenLedger, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names each message, with its attempt, that a host was sending when it ended."""
    one = await open_ledger("h1")
    attempts = [await disposed(one, "m", agent=name, key=name) for name in ("alice", "bob")]
    await one.run(partial(letters.take, holder=one.holder, now=one.now()))
    await one.close()
    two = await open_ledger("h2")
    async with sending(two, Lcm()):
        await asyncio.sleep(5)
    for attempt in attempts:
        said = f"m of attempt {attempt.id} is unconfirmed: the host ended while it was sent"
        assert [line.getMessage() for line in caplog.records].count(said) == 1


async def test_two_hosts_send_each_letter_once(open_ledger: OpenLedger) -> None:
    """Of two hosts with one ledger, one sends each letter."""
    one, two, lcm = await open_ledger("h1"), await open_ledger("h2"), Lcm()
    for n in range(20):
        await disposed(one, f"m{n}", agent=f"a{n}", key=f"k{n}")
    async with sending(one, lcm), sending(two, lcm):
        await asyncio.sleep(10)
    assert sorted(lcm.got) == sorted(f"m{n}" for n in range(20))


async def test_a_sender_that_fails_leaves_it_unconfirmed(open_ledger: OpenLedger) -> None:
    """Whatever sending raises, nobody can say whether it arrived."""
    ledger = await open_ledger()
    await disposed(ledger, "m")

    async def fails(_: Letter) -> Delivery:
        raise OSError("no route to +12125550101")

    lcm = Lcm()
    outbox = Outbox(ledger=ledger, deliver=fails, on_settled=lcm.on_settled)
    outbox.start()
    await asyncio.sleep(5)
    await outbox.close()
    (letter,) = await ledger.run(letters.list_letters)
    assert letter.state is LetterState.UNCONFIRMED
    assert "2125550101" not in (letter.error or "")
