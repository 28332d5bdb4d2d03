"""`lcm-plugin demo`: a contact centre on 127.0.0.1, and whether its account adds up."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Final

import aiohttp
import click
from attrs import define, field
from rich.console import Console
from rich.live import Live
from rich.table import Table

from cti_hooks import AnswerKind, Attempt, AttemptState, CallEvent, CallEventKind, Host, hookimpl, masked
from lcm_plugin.sandbox import Sandbox, generate_contacts
from lcm_plugin.service import Service, ServiceSettings

GROUP: Final = "AD Dev Manual Group"
_FRESH: Final = "message=GetDownloadContactsForDialing"
FAULTS: Final = (
    f"drop,{_FRESH},times=2",
    f"truncated,{_FRESH},times=1",
    "busy,status=503,retry_after=0.3,times=2",
)
"""What the sandbox does wrong during the demo; nothing may come of it."""
_OVER: Final = {AttemptState.REFUSED, AttemptState.CLOSED, AttemptState.EXPIRED}
PLAN: Final = {"answer": 6, "busy": 2, "no_answer": 2}
"""How calls end, with weights."""
LOOK: Final = 0.4
"""Seconds an agent looks at a contact without consent before having it dialed."""


async def demo(*, agents: int, contacts: int, seed: int) -> int:
    """Let `agents` call `contacts` people; exit status 0 when what the LCM handed out adds up, else 1."""
    random = Random(seed)  # noqa: S311  (a demo's chance)
    people = generate_contacts(contacts, campaign_group=GROUP, random=random, consent_share=0.8)
    endings = {one.phone_number: random.choices(list(PLAN), list(PLAN.values()))[0] for one in people}
    began = asyncio.get_running_loop().time()
    async with Sandbox(contacts=people, random=random) as lcm:
        for fault in FAULTS:
            lcm.order(fault)
        host = Host.from_config(_config(lcm.url, endings), random=random)
        floor = Floor(host=host, people=contacts, names=[f"agent-{n}" for n in range(1, agents + 1)])
        host.register(floor, name="demo")
        async with Service(host, ServiceSettings(port=0)) as service, _view(floor):
            await floor.work(service.url)
        seconds = asyncio.get_running_loop().time() - began
        placed = getattr(host.plugins["loopback"], "placed", ())
        failed = f"{sum(bool(one.fault) for one in lcm.requests)} requests failed"
        told = {one.key for one in lcm.account.dispositions}
        counts = (len(lcm.account.keys_handed()), len(placed), len(told))
        status = _summary(floor, failed, counts)
        click.echo(f"it took {seconds:.1f} s", err=True)
        return status


def _config(url: str, endings: Mapping[str, str]) -> dict[str, Any]:
    """How each person's call ends is settled before: agents and calls come in another order each time."""
    return {
        "cti": {"plugins": ["lcm", "loopback"]},
        "plugins": {
            "lcm": {
                "url": url,
                "source": "demo",
                "timezone": "America/New_York",
                "campaign_groups": [GROUP],
                "settle_seconds": 0.5,
                "poll_min_seconds": 0.2,
                "poll_max_seconds": 0.5,
                "ledger": "sqlite://",
                "preview": {"seconds": 0},
                "auto_dispose": {"busy": "3", "no_answer": "8", "*": "0"},
            },
            "loopback": {
                "numbers": dict(endings),
                "ring_seconds": 0.3,
                "give_up_seconds": 0.8,
                "talk_seconds": 0.5,
            },
        },
    }


@define(kw_only=True, eq=False)
class Floor:
    """The agents at work, and what is seen of their attempts and calls."""

    host: Host
    people: int
    names: list[str]
    lines: dict[str, tuple[str, str]] = field(factory=dict, init=False)
    """What each agent does: number (masked), doing."""
    over: dict[str, Attempt] = field(factory=dict, init=False)
    heard: Counter[str] = field(factory=Counter, init=False)
    news: "asyncio.Queue[str]" = field(factory=asyncio.Queue, init=False)
    _free: dict[str, asyncio.Event] = field(init=False)
    by_hand: Counter[str] = field(factory=Counter, init=False)
    """Agents that had a contact dialed which nothing but a person may have dialed."""
    _done: asyncio.Event = field(factory=asyncio.Event, init=False)
    _looking: set[asyncio.Task[None]] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self._free = {name: asyncio.Event() for name in self.names}

    async def work(self, url: str) -> None:
        """Make the agents ready over the service's API, again after each call, until everybody was called."""
        async with aiohttp.ClientSession(url) as http:
            tasks = [asyncio.create_task(self._agent(http, name)) for name in self.names]
            try:
                await self._done.wait()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _agent(self, http: aiohttp.ClientSession, name: str) -> None:
        while True:
            self._free[name].clear()
            async with http.put(f"/v1/agents/{name}", json={"state": "ready"}) as reply:
                reply.raise_for_status()
            await self._free[name].wait()

    @hookimpl
    def on_contact_offered(self, attempt: Attempt) -> None:
        """Without consent nothing dials it: the agent looks at it, and says so."""
        task = asyncio.create_task(self._look(attempt))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _look(self, attempt: Attempt) -> None:
        await asyncio.sleep(LOOK)
        agent, answer = attempt.agent, AnswerKind.DIAL
        await self.host.hook.answer_contact(
            agent=agent, attempt_id=attempt.id, answer=answer, reason=None, actor=agent.id
        )
        self.by_hand[attempt.agent.id] += 1

    @hookimpl
    def on_attempt_changed(self, attempt: Attempt) -> None:
        """Note where an attempt stands."""
        if attempt.contact is None:
            return
        self._say(attempt, _doing(attempt))
        if attempt.state in _OVER:
            self.over[attempt.id] = attempt
            if attempt.state is not AttemptState.REFUSED:
                self._free[attempt.agent.id].set()
            if len(self.over) >= self.people:
                self._done.set()

    @hookimpl
    def on_call_event(self, event: CallEvent) -> None:
        """Count how calls went."""
        if event.kind is CallEventKind.ESTABLISHED:
            self.heard["answered"] += 1
        if event.kind is CallEventKind.FAILED:
            self.heard["busy" if event.q850 == 17 else "no answer"] += 1  # noqa: PLR2004  (Q.850: user busy)

    def _say(self, attempt: Attempt, doing: str) -> None:
        number = masked(attempt.contact.phone_number) if attempt.contact else ""
        if self.lines.get(attempt.agent.id) != (number, doing):
            self.lines[attempt.agent.id] = (number, doing)
            self.news.put_nowait(f"{attempt.agent.id}  {number}  {doing}")


def _doing(attempt: Attempt) -> str:
    """What people are shown of an attempt: why it was refused, how its call stands, or its state."""
    if attempt.state is AttemptState.REFUSED:
        return f"refused: {', '.join(refusal.rule for refusal in attempt.refusals)}"
    if attempt.state is AttemptState.CALLING:
        return str(attempt.calls[-1].state)
    return str(attempt.state)


@asynccontextmanager
async def _view(floor: Floor) -> AsyncIterator[None]:
    """A live table in a terminal, plain lines in a pipe."""
    show = _live if sys.stdout.isatty() else _plain
    task = asyncio.create_task(show(floor))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _plain(floor: Floor) -> None:
    while True:
        print(await floor.news.get(), flush=True)  # noqa: T201  (the demo's output)


async def _live(floor: Floor) -> None:
    with Live(console=Console(), refresh_per_second=10) as live:
        try:
            while True:
                live.update(_table(floor))
                await floor.news.get()
        finally:
            live.update(_table(floor))


def _table(floor: Floor) -> Table:
    table = Table("agent", "number", "now", title=f"{len(floor.over)} of {floor.people} contacts done")
    for name in floor.names:
        table.add_row(name, *floor.lines.get(name, ("", "waiting")))
    return table


def _summary(floor: Floor, failed: str, counts: tuple[int, int, int]) -> int:
    """Three counts: what the LCM handed out, what the dialer placed, what the LCM was told."""
    handed, placed, told = counts
    refused = sum(attempt.state is AttemptState.REFUSED for attempt in floor.over.values())
    good = handed == placed + refused and told == placed
    heard = ", ".join(f"{floor.heard[what]} {what}" for what in ("answered", "busy", "no answer"))
    by_hand = floor.by_hand.total()
    lines = [
        f"handed out by the LCM  {handed:4}   {failed} on purpose",
        f"calls placed           {placed:4}   {heard}; {by_hand} by hand",
        f"told to the LCM        {told:4}   an outcome for each call",
        f"{handed} = {placed} = {told}: {'it adds up' if good else 'NO'}",
    ]
    Console().print("\n".join(["", *lines]), highlight=False)
    return 0 if good else 1
