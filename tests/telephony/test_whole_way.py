"""The whole way: a sandbox LCM hands out contacts, a host dials them by a real engine, sipp answers."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from cti_hooks import Attempt, AttemptState, Outcome
from lcm_plugin.sandbox import Sandbox
from tests.telephony.bench.asterisk import Asterisk
from tests.telephony.bench.customer import Customer, Sipp, hangs_up_after
from tests.telephony.bench.shift import DISPOSED, people, table_of, working
from tests.telephony.bench.softphone import Softphone

pytestmark = pytest.mark.real_time

OUTCOMES: Final = {
    Customer.RINGS: Outcome.NO_ANSWER,
    Customer.ANSWERS: Outcome.ANSWERED,
    hangs_up_after(2): Outcome.ANSWERED,
    Customer.UNALLOCATED: Outcome.INVALID_NUMBER,
    Customer.BUSY: Outcome.BUSY,
    Customer.NOT_ANSWERED: Outcome.NO_ANSWER,
    Customer.DECLINES: Outcome.REJECTED,
    Customer.CONGESTED: Outcome.CONGESTION,
}
"""Eight customers; the first rings until the time is over, the second is hung up on by the agent."""
BY_BARESIP: Final = {**OUTCOMES, Customer.NOT_ANSWERED: Outcome.UNREACHABLE}
"""It tells the SIP status alone, and a 480 that comes without any ringing is no unanswered call."""


@pytest.fixture(autouse=True)
def passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARI_PASSWORD", "secret")
    monkeypatch.setenv("AMI_PASSWORD", "secret")


async def eight(dialer: str, table: dict[str, Any], ledger: Path) -> dict[str, tuple[Outcome | None, str]]:
    """Two agents call the eight; each number's outcome in the ledger, and the outcome id at the LCM."""
    async with Sandbox(contacts=people(*OUTCOMES)) as lcm, working(lcm, ledger, dialer, table) as shift:
        await shift.ready("patient")
        await shift.call(Customer.RINGS, "alerting")
        await shift.ready("busy")
        call = await shift.call(Customer.ANSWERS, "connected")
        assert await shift.host.hooks.first("clear_call", call=call) is True
        for number in list(OUTCOMES)[1:]:
            await shift.state(number, AttemptState.CLOSED)
            await shift.ready("busy")
        await shift.state(Customer.RINGS, AttemptState.CLOSED)
        await shift.ledger.recorded()
        rows = [await shift.ledger.get(attempt) for attempt in shift.record.attempts]
        return {
            one.contact.phone_number: (one.outcome, shift.outcome_ids[one.contact.key])
            for one in rows
            if one and one.contact and len(one.calls) == 1
        }


async def test_eight_customers_from_the_lcm_to_its_disposition(
    shared_asterisk: Asterisk, sipp: Sipp, open_softphone: Callable[..., Softphone], tmp_path: Path
) -> None:
    """By each dialer, each way a call can go is its outcome in the ledger and its message at the LCM."""
    phones = {name: {"port": open_softphone().control_port} for name in ("patient", "busy")}
    tables = {
        "asterisk": table_of("asterisk", shared_asterisk),
        "asterisk-ami": table_of("asterisk-ami", shared_asterisk),
        "baresip": {"endpoint": f"sip:{{number}}@127.0.0.1:{sipp.port}", "phones": phones},
    }
    seen = await asyncio.gather(
        *(eight(name, table, tmp_path / f"{name}.db") for name, table in tables.items())
    )
    wanted = {"asterisk": OUTCOMES, "asterisk-ami": OUTCOMES, "baresip": BY_BARESIP}
    for dialer, shown in zip(tables, seen, strict=True):
        assert shown == {
            number: (outcome, DISPOSED[outcome]) for number, outcome in wanted[dialer].items()
        }, dialer
    assert shared_asterisk.channels() == []


@pytest.mark.parametrize("dialer", ["asterisk", "asterisk-ami"])
async def test_an_unregistered_phone_is_no_try_at_the_customer(
    shared_asterisk: Asterisk, tmp_path: Path, dialer: str
) -> None:
    """A phone that is not registered is agent_unavailable: nobody is rung, and the contact offered again."""
    table = table_of(dialer, shared_asterisk)
    async with (
        Sandbox(contacts=people(Customer.ANSWERS)) as lcm,
        working(lcm, tmp_path / "ledger.db", dialer, table) as shift,
    ):
        await shift.ready("absent", "PJSIP/1003")
        await shift.record.until(lambda attempts: any(one.redial_of for one in attempts))
        offer = shift.record.to(Customer.ANSWERS)
        assert offer
        assert offer.state is AttemptState.OFFERED
        closed = await shift.ledger.get(offer.redial_of or "")
        assert closed
        assert (closed.state, closed.outcome) == (AttemptState.CLOSED, Outcome.AGENT_UNAVAILABLE)
    assert lcm.account.dispositions == []
    assert f"{closed.id}-c" not in shared_asterisk.account()


async def test_one_404_makes_nobody_invalid_unless_the_site_says_so(
    shared_asterisk: Asterisk, tmp_path: Path
) -> None:
    """An outcome that auto_dispose does not name is told to the LCM by nobody; it waits for a person."""
    mapped = {"busy": "3", "no_answer": "8"}
    table = table_of("asterisk", shared_asterisk)
    async with (
        Sandbox(contacts=people(Customer.UNALLOCATED)) as lcm,
        working(lcm, tmp_path / "ledger.db", "asterisk", table, auto_dispose=mapped) as shift,
    ):
        await shift.ready("alice")
        ended = await shift.state(Customer.UNALLOCATED, AttemptState.ENDED)
        assert (ended.outcome, ended.calls[0].q850) == (Outcome.INVALID_NUMBER, 1)
        await asyncio.sleep(0.5)  # for what must not happen: nobody tells that it did not
        assert shift.record.attempts[ended.id].state is AttemptState.ENDED
    assert lcm.account.dispositions == []


@pytest.mark.parametrize(
    ("dialer", "said"),
    [
        ("asterisk", "cannot reach this endpoint: unknown, or not registered"),
        ("asterisk-ami", "Asterisk could not call it"),
    ],
)
async def test_a_trunk_that_is_not_there_says_nothing_of_the_customer(
    shared_asterisk: Asterisk, tmp_path: Path, dialer: str, said: str
) -> None:
    """Only Asterisk's text tells a refused order from a lost call: unknown, with the text, for a person."""
    table = table_of(dialer, shared_asterisk, endpoint="PJSIP/{number}@carrier")
    async with (
        Sandbox(contacts=people(Customer.ANSWERS)) as lcm,
        working(lcm, tmp_path / "ledger.db", dialer, table, good=False) as shift,
    ):
        await shift.centre.health()
        await shift.ready("alice")
        ended = await shift.state(Customer.ANSWERS, AttemptState.ENDED)
    assert ended.outcome is Outcome.UNKNOWN
    assert said in ended.reason
    assert lcm.account.dispositions == []
    assert f"{ended.id}-c" not in shared_asterisk.account("ANSWER")


async def test_two_hundred_calls_by_the_ledger_and_by_asterisk(
    shared_asterisk: Asterisk, tmp_path: Path
) -> None:
    """200 contacts, 20 agents: one pair of channels each, once; ledger, Asterisk and LCM agree on each."""
    agents = [f"agent-{n}" for n in range(20)]
    contacts = people(*[hangs_up_after(1)] * 200)
    table = table_of("asterisk", shared_asterisk)
    async with (
        Sandbox(contacts=contacts) as lcm,
        working(lcm, tmp_path / "ledger.db", "asterisk", table) as shift,
    ):

        def closed(attempts: Sequence[Attempt]) -> bool:
            return len([one for one in attempts if one.state is AttemptState.CLOSED]) == len(contacts)

        async def again(agent: str) -> None:
            while not closed(list(shift.record.attempts.values())):
                await shift.ready(agent)
                await asyncio.sleep(0.2)  # a person is not ready again at once

        working_agents = [asyncio.create_task(again(agent)) for agent in agents]
        await shift.record.until(closed, 40)
        await asyncio.gather(*working_agents)
        await shift.ledger.recorded()
        rows = [one for one in await shift.ledger.attempts(limit=1000) if one.contact]
        assert {one.id for one in rows} == set(shift.record.attempts)
        assert sorted(one.contact.key for one in rows if one.contact) == sorted(one.key for one in contacts)
        assert {(one.outcome, one.calls[0].id == f"{one.id}-c", len(one.calls)) for one in rows} == {
            (Outcome.ANSWERED, True, 1)
        }
        assert shift.outcome_ids == dict.fromkeys((one.key for one in contacts), DISPOSED["answered"])
    ours = {one.id for one in rows}
    placed = [channel for channel in shared_asterisk.account() if channel[:-2] in ours]
    assert sorted(placed) == sorted(f"{attempt}-{leg}" for attempt in ours for leg in "ac")
    assert shared_asterisk.channels() == []
