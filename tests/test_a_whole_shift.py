"""Many agents, an LCM and a dialer that fail: held to the sandbox's account and the dialer's."""

import asyncio
import logging
from collections import Counter
from random import Random
from typing import Any

import pytest
from attrs import define, field

from cti_hooks import Agent, Attempt, AttemptState, Contact, Host, hookimpl
from lcm_plugin.dialers.loopback import LoopbackDialer
from lcm_plugin.sandbox import Sandbox, SandboxContact
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.people import GROUP

SECRET = "s3cret-token-of-the-gateway"  # noqa: S105  (what must not be seen)

MIXED_FAULTS = [
    "drop,chance=0.03",
    "late_commit,seconds=0.5,chance=0.02,message=GetDownloadContactsForDialing",
    "late,seconds=6,chance=0.02",
    "busy,status=503,retry_after=1,chance=0.03",
    "busy,status=429,chance=0.02",
    "error,status=500,chance=0.02",
    "truncated,chance=0.02",
    "not_json,chance=0.02",
    "wrong_subtopic,chance=0.02",
]
"""One request in five fails, in one of nine ways."""


@define(eq=False)
class Records:
    dialed: Counter[str] = field(factory=Counter)
    unknown: list[str] = field(factory=list)
    _more: asyncio.Condition = field(factory=asyncio.Condition)

    @hookimpl
    async def on_attempt_changed(self, attempt: Attempt) -> None:
        if attempt.contact and attempt.state is AttemptState.DIALING:
            self.dialed[attempt.contact.key] += 1
            async with self._more:
                self._more.notify_all()
        if attempt.contact and attempt.state is AttemptState.UNKNOWN:
            self.unknown.append(attempt.id)

    async def seen(self, count: int) -> None:
        async with self._more:
            await self._more.wait_for(lambda: len(self.dialed) >= count)


def people(count: int) -> list[SandboxContact]:
    return [
        SandboxContact(key=f"5|3|1|0|0|44|{n}", phone_number=f"+1212555{n:04}", campaign_group=GROUP)
        for n in range(count)
    ]


def centre(lcm_url: str, clock: LoopClock, **lcm: Any) -> Host:
    settings = {
        "url": lcm_url,
        "source": "shift",
        "timezone": "UTC",
        "campaign_groups": [GROUP],
        "ledger": "sqlite://",
        "preview": {"seconds": 0},
        "reserved_first": False,
        "auto_dispose": {"*": "0"},
        **lcm,
    }
    dialer = {"plan": {"answer": 6, "busy": 2, "no_answer": 2}, "fail_after_ring": 0.05, "seed": 3}
    config = {"cti": {"plugins": ["lcm", "loopback"]}, "plugins": {"lcm": settings, "loopback": dialer}}
    return Host.from_config(config, clock=clock, random=Random(5))


@pytest.mark.parametrize("wire", ["http", "websocket"])
@pytest.mark.long
async def test_a_herd_of_agents_and_a_failing_lcm(clock: LoopClock, wire: str) -> None:
    """200 agents ready in one second, one request in five failing: each contact handed out is dialed once."""
    async with Sandbox(
        contacts=people(200), clock=clock, random=Random(2), reserve_seconds=7200, timezone="UTC"
    ) as lcm:
        for fault in MIXED_FAULTS:
            lcm.order(fault)
        host = centre(lcm.url if wire == "http" else lcm.ws_url, clock, connections=50)
        records = Records()
        host.register(records)
        agents = [Agent(id=f"agent-{n}") for n in range(200)]
        async with host:
            await asyncio.gather(*(host.hooks.all("on_agent_ready", agent=agent) for agent in agents))
            async with asyncio.timeout(600):
                await records.seen(200)
            dialer = host.plugins["loopback"]
            assert isinstance(dialer, LoopbackDialer)
        handed = lcm.account.keys_handed()
        assert set(records.dialed) == handed
        assert set(records.dialed.values()) == {1}
        assert len(dialer.placed) == len(set(dialer.placed)) == 200
        assert records.unknown, "some calls failed after they rang, and were not dialed again"
        assert lcm.account.max_in_flight <= 50
        assert sum(bool(request.fault) for request in lcm.requests) >= 0.15 * len(lcm.requests)
    await asyncio.sleep(2)
    assert {task.get_name() for task in asyncio.all_tasks()} == {asyncio.current_task().get_name()}  # type: ignore[union-attr]  # there is one


@define(eq=False)
class Careless:
    """A site's plugin that puts numbers into its errors, hangs, or returns nonsense."""

    @hookimpl
    async def enrich_contact(self, contact: Contact) -> Any:
        match contact.key[-1]:
            case "1":
                raise ValueError(f"no customer with number {contact.phone_number}")
            case "2":
                await asyncio.sleep(3600)
            case "3":
                return {"phone": contact.phone_number}
        return None


async def test_a_careless_plugin_stops_nobody(clock: LoopClock, caplog: pytest.LogCaptureFixture) -> None:
    """A plugin that raises, hangs or returns nonsense stops no agent, and the log names it."""
    async with Sandbox(contacts=people(20), clock=clock, random=Random(2), timezone="UTC") as lcm:
        host = centre(lcm.url, clock)
        host.register(Careless())
        records = Records()
        host.register(records)
        async with host:
            for n in range(20):
                await host.hooks.all("on_agent_ready", agent=Agent(id=f"agent-{n}"))
            await asyncio.sleep(30)
        assert len(records.dialed) == 20
    for what in ("ValueError", "did not answer within 5 s", "returned dict"):
        (line, *_) = [one for one in caplog.messages if what in one]
        assert "'Careless'" in line
        assert "module" in line or "lcm-plugin" in line


@pytest.mark.long
async def test_no_log_line_holds_a_number_or_a_secret(
    clock: LoopClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole faulty run at the finest log level shows no number in full, and no secret."""
    caplog.set_level(logging.NOTSET)
    monkeypatch.setenv("LCM_TOKEN", SECRET)
    contacts = people(60)
    async with Sandbox(contacts=contacts, clock=clock, random=Random(2), timezone="UTC") as lcm:
        for fault in [
            *MIXED_FAULTS,
            "spelling,variant=bad_expiry,chance=0.1",
            "reject,status=400,chance=0.02",
        ]:
            lcm.order(fault)
        for url in (lcm.url, lcm.ws_url):
            host = centre(url, clock, auth={"type": "bearer", "token_env": "LCM_TOKEN"})
            host.register(Careless())
            async with host:
                for n in range(30):
                    await host.hooks.all("on_agent_ready", agent=Agent(id=f"agent-{n}", name="Alice Liddell"))
                await asyncio.sleep(120)
    said = "\n".join(caplog.messages) + caplog.text
    assert len(caplog.messages) > 50
    assert "doubt" in said
    for contact in contacts:
        assert contact.phone_number.removeprefix("+") not in said
        assert contact.phone_number.removeprefix("+1") not in said
    assert SECRET not in said
    assert "Liddell" not in said
