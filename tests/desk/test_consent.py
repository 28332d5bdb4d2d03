"""A contact without consent given is never dialed by a timer, a restart or a ready agent."""

import asyncio
from datetime import timedelta
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from cti_hooks import Attempt, Call, ConnectionState, Host, hookimpl
from lcm_plugin.ledger import OPEN
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import Sandbox, SandboxContact
from lcm_plugin.sandbox.virtual_time import LoopClock, VirtualTimeLoop
from tests.people import ALICE, GROUP

WORDS = ["No", "", "Both", "maybe", "0"]

flows = st.fixed_dictionaries(
    {},
    optional={
        "preview": st.fixed_dictionaries(
            {"seconds": st.sampled_from([0, 1, 20])},
            optional={"on_timeout": st.sampled_from(["dial", "skip", "not_ready"])},
        ),
        "offer_seconds": st.sampled_from([5, 300]),
        "skip_again_after": st.sampled_from([0, 5, 600]),
        "fetch_when": st.lists(st.sampled_from(["ready", "not_ready:x", "on_request"]), max_size=2),
        "reserved_first": st.booleans(),
        "auto_dispose": st.sampled_from([{}, {"*": "0"}]),
        "on_refusal": st.sampled_from([{}, {"consent": "hold"}, {"consent": "9"}]),
        "contact_modes": st.booleans(),
        "zone_lookup": st.booleans(),
        "download_with": st.sampled_from(
            ["GetDownloadContactsForDialing", "GetDownloadAllContactsForDialing"]
        ),
    },
)
"""All settings that say when something is fetched, offered or dialed."""
FACTS: dict[str, dict[str, Any]] = {"not_ready": {"reason": "x"}, "busy": {"call": None}}
steps = st.lists(
    st.sampled_from(["ready", "not_ready", "busy", "logged_off", "logged_on", "wait", "restart", "request"]),
    min_size=1,
    max_size=8,
)


@define(eq=False)
class Dialer:
    dialed: list[str] = field(factory=list)

    @hookimpl
    def make_call(self, attempt: Attempt) -> Call:
        self.dialed.append(attempt.id)
        return Call(id=attempt.id, attempt_id=attempt.id, state=ConnectionState.INITIATED)


@pytest.mark.long
@given(flow=flows, told=steps, word=st.sampled_from(WORDS), asks=st.booleans())
@settings(max_examples=25, deadline=timedelta(seconds=20))
def test_nothing_but_a_person_dials_it(
    flow: dict[str, Any], told: list[str], word: str, *, asks: bool
) -> None:
    """Over all settings, and whatever the agent and the host do, only a person's DIAL has it dialed."""
    with TemporaryDirectory() as directory, asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(_day(f"sqlite:///{directory}/ledger.db", flow, told, word, asks=asks))


async def _day(ledger: str, flow: dict[str, Any], told: list[str], word: str, *, asks: bool) -> None:
    clock, dialer = LoopClock(), Dialer()
    people = [
        SandboxContact(key=f"k{n}", phone_number=f"+121255501{n:02}", campaign_group=GROUP, consent=word)
        for n in range(3)
    ]
    async with Sandbox(contacts=people, clock=clock, random=Random(1), timezone="UTC") as lcm:
        lcm_table = {"url": lcm.url, "source": "c", "timezone": "UTC", "campaign_groups": [GROUP]}
        config = {"cti": {"plugins": ["lcm"]}, "plugins": {"lcm": {**lcm_table, "ledger": ledger, **flow}}}
        pending, chance = told, Random(1)
        while True:
            host = Host.from_config(config, clock=clock, random=Random(chance.random()))
            host.register(dialer)
            async with host:
                pending = await _lived(host, pending)
                assert dialer.dialed == []
                if not pending and asks:
                    await _dialed_for_a_person(host, dialer)
            if not pending:
                return


async def _lived(host: Host, told: list[str]) -> list[str]:
    """The steps up to a restart; what is left of them."""
    for number, step in enumerate(told):
        match step:
            case "restart":
                return told[number + 1 :]
            case "wait":
                await asyncio.sleep(30)
            case "request":
                asked = {"agent": ALICE, "campaign_group": GROUP}
                await host.hooks.first("request_next_contact", **asked)
            case _:
                facts = FACTS.get(step, {})
                await host.hooks.all(f"on_agent_{step}", agent=ALICE, **facts)
        await asyncio.sleep(25)
    return []


async def _dialed_for_a_person(host: Host, dialer: Dialer) -> None:
    await host.hooks.all("on_agent_not_ready", agent=ALICE, reason=None)  # nobody dials at a busy agent
    for attempt in await lcm_of(host).desks.ledger.attempts(agent_id="alice", states=OPEN):
        said = {"answer": "dial", "reason": None, "actor": "alice"}
        await host.hooks.first("answer_contact", agent=ALICE, attempt_id=attempt.id, **said)
        await asyncio.sleep(1)
        assert dialer.dialed == [attempt.id]
