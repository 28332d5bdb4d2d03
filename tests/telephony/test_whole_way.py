"""The whole way: a sandbox LCM hands out contacts, a host dials them by Asterisk, sipp answers."""

import asyncio

import pytest
from attrs import define, field

from cti_hooks import Agent, Attempt, AttemptState, hookimpl
from lcm_plugin.sandbox import Sandbox, SandboxContact
from tests.telephony.bench.asterisk import Asterisk
from tests.telephony.bench.centre import ari_settings, centre
from tests.telephony.bench.customer import Customer, hangs_up_after

pytestmark = pytest.mark.real_time

CAUSES = {
    hangs_up_after(2): 16,
    Customer.UNALLOCATED: 1,
    Customer.BUSY: 17,
    Customer.NOT_ANSWERED: 19,
    Customer.DECLINES: 21,
    Customer.CONGESTED: 34,
    Customer.RINGS: 19,
    Customer.ANSWERS: 16,
}
"""Eight customers, and the cause each call ends with; the last one is hung up on."""


@define(eq=False)
class Ledger:
    """What became of each number."""

    ended: dict[str, Attempt] = field(factory=dict)
    talking: dict[str, Attempt] = field(factory=dict)
    all_ended: asyncio.Event = field(factory=asyncio.Event)
    answered: asyncio.Event = field(factory=asyncio.Event)

    @hookimpl
    def on_attempt_changed(self, attempt: Attempt) -> None:
        if attempt.contact is None:
            return
        number = attempt.contact.phone_number
        if number == Customer.ANSWERS and attempt.reason == "established":
            self.talking[number] = attempt
            self.answered.set()
        if attempt.state is AttemptState.ENDED:
            self.ended[number] = attempt
            if set(self.ended) == set(CAUSES):
                self.all_ended.set()


async def test_eight_customers_from_the_lcm_to_the_last_event(
    shared_asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt ends with the network's cause, has one call, and is one pair of channels at Asterisk."""
    monkeypatch.setenv("ARI_PASSWORD", "secret")
    people = [SandboxContact(key=f"1|{n}", phone_number=number) for n, number in enumerate(CAUSES)]
    async with Sandbox(contacts=people) as lcm:
        settings = {"url": lcm.url, "source": "s", "timezone": "America/New_York", "ring_seconds": 15}
        plugins = {"lcm": settings, "asterisk": ari_settings(shared_asterisk)}
        ledger = Ledger()
        async with centre(plugins, ledger) as here:
            await here.ready()
            for number in range(len(CAUSES)):
                agent = Agent(id=f"agent-{number}", endpoint="PJSIP/1001")
                await here.host.hooks.all("on_agent_ready", agent=agent)
            async with asyncio.timeout(50):
                await ledger.answered.wait()
                (call,) = ledger.talking[Customer.ANSWERS].calls
                assert await here.host.hooks.first("clear_call", call=call) is True
                await ledger.all_ended.wait()
    assert {number: attempt.calls[-1].q850 for number, attempt in ledger.ended.items()} == CAUSES
    account = shared_asterisk.account()
    for attempt in ledger.ended.values():
        assert [channel for channel in account if channel.startswith(attempt.id)] == [
            f"{attempt.id}-a",
            f"{attempt.id}-c",
        ]
