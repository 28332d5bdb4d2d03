"""SIGKILL at every transition of an attempt, held to the LCM's account and the dialer's."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from signal import SIGKILL
from typing import Any

import pytest
from attrs import define

from cti_hooks import SystemClock
from lcm_plugin.ledger import OPEN, Ledger, database_for
from lcm_plugin.sandbox import Sandbox, SandboxContact
from tests.people import GROUP

HERE = Path(__file__).parent
TRANSITIONS = [
    "requested",
    "empty",
    "offered",
    "skipped",
    "refused",
    "expired",
    "dialing",
    "calling",
    "unknown",
    "ended",
    "disposed",
    "closed",
]
TIMES = 5
FAULTS = [
    "drop,chance=0.06",
    "late_commit,seconds=0.1,chance=0.02,message=GetDownloadContactsForDialing",
    "late,seconds=0.6,chance=0.02",
    "busy,status=503,chance=0.04",
    "busy,status=429,chance=0.02",
    "error,status=500,chance=0.02",
    "truncated,chance=0.02",
    "not_json,chance=0.02",
    "wrong_subtopic,chance=0.02",
]
"""One request in five fails, in one of nine ways."""


ENDINGS = {0: "S", 2: "N"}
"""Of keys: short-lived, not wanted by the agent it is offered to."""


def config(lcm_url: str) -> dict[str, Any]:
    lcm = {
        "url": lcm_url,
        "source": "crash",
        "timezone": "UTC",
        "datetime_formats": ["%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S.%f"],
        "ledger": "sqlite:///ledger.db",
        "settle_seconds": 0.15,
        "try_seconds": 0.4,
        "fetch_seconds": 3,
        "dial_seconds": 0.3,
        "lease_seconds": 1.0,
        "poll_min_seconds": 0.02,
        "poll_max_seconds": 0.05,
        "retry_budget": 1000,
        "preview": {"seconds": 0.02, "on_timeout": "dial"},
        "auto_dispose": {"*": "0"},
    }
    dialer = {
        "agent_seconds": 0.01,
        "ring_seconds": 0.01,
        "talk_seconds": 0.02,
        "fail_after_ring": 0.3,
        "account": "dialed.jsonl",
    }
    plugins = {"lcm": lcm, "loopback": dialer}
    return {"cti": {"plugins": ["consent", "lcm", "loopback"]}, "plugins": plugins}


@define
class People:
    """An endless campaign, for as long as it is filled up."""

    lcm: Sandbox
    count: int = 0

    async def keep_filled(self, free: int) -> None:
        while True:
            self.fill_up(free)
            await asyncio.sleep(0.05)

    def fill_up(self, free: int) -> None:
        handed = len(self.lcm.account.keys_handed())
        while self.count - handed < free:
            self.count += 1
            self.lcm.add(
                SandboxContact(
                    key=f"5|3|1|0|0|44|{self.count}{ENDINGS.get(self.count % 5, '')}",
                    phone_number=f"+1212{5550000 + self.count}",
                    campaign_group=GROUP,
                    consent="No" if self.count % 6 == 1 else "Yes",
                )
            )


def schedule(random: Random) -> list[list[Any]]:
    kills = [
        [state, when, random.randint(1, 2)]
        for state in TRANSITIONS
        for when in ("before", "after")
        for _ in range(TIMES)
    ]
    random.shuffle(kills)
    return kills


@define
class End:
    """How one of the hosts ended, and which contacts the LCM handed out in its time."""

    told: dict[str, Any]
    keys: set[str]

    @property
    def row(self) -> tuple[str, str]:
        killed = self.told.get("killed", ["(none)", ""])
        return killed[0], killed[1]


async def crashed(directory: Path, lcm: Sandbox, kills: list[list[Any]]) -> list[End]:
    """How each of the hosts ended."""
    people, ends, seen = People(lcm), list[End](), set[str]()
    hosts = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "crashing.py"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
    )  # a process that is killed tells no coverage, and would only be slower
    assert hosts.stdin
    assert hosts.stdout
    order = {"config": config(lcm.url), "directory": str(directory), "kills": kills}
    hosts.stdin.write(json.dumps(order).encode())
    hosts.stdin.close()
    filling = asyncio.create_task(people.keep_filled(20))
    try:
        async for line in hosts.stdout:
            ends.append(End(json.loads(line), lcm.account.keys_handed() - seen))
            seen |= ends[-1].keys
            if len(ends) == len(kills):
                filling.cancel()
    finally:
        filling.cancel()
        if hosts.returncode is None:
            with suppress(ProcessLookupError):
                hosts.kill()
        await hosts.wait()
    return ends


@define
class Verdict:
    """LCM keys, by the accounts of the LCM, the dialer and the ledger. Of a doubt: its agent."""

    lost: set[str]
    dialed_twice: set[str]
    stuck: set[str]


async def judged(directory: Path, lcm: Sandbox) -> Verdict:
    ledger = Ledger(
        database=database_for("sqlite:///ledger.db", directory),
        clock=SystemClock(),
        random=Random(1),
        host="judge",
        lease_seconds=30,
    )
    await ledger.start()
    try:
        open_now = await ledger.attempts(states=OPEN)
        doubts = await ledger.doubts()
        known = await ledger.owners(sorted(lcm.account.keys_handed()))
    finally:
        await ledger.close()
    lines = (directory / "dialed.jsonl").read_text().splitlines()
    dialed = Counter(json.loads(line)["key"] for line in lines)
    return Verdict(
        lost=lcm.account.keys_handed() - known.keys(),
        dialed_twice={key for key, times in dialed.items() if times > 1},
        stuck={one.contact.key if one.contact else one.agent.id for one in open_now} | doubts.keys(),
    )


def table(ends: list[End], found: Verdict) -> str:
    """A row for each transition; what went wrong is counted at the contact's hand-out."""
    lines = [f"{'killed':20}{'kills':>7}{'contacts':>10}{'lost':>6}{'dialed twice':>14}{'stuck':>7}"]
    wanted = [(state, when) for state in TRANSITIONS for when in ("before", "after")]
    for row in [*wanted, ("(none)", "")]:
        here = [end for end in ends if end.row == row]
        keys = set[str]().union(*(end.keys for end in here))
        counts = [len(keys & wrong) for wrong in (found.lost, found.dialed_twice, found.stuck)]
        name = f"{row[1]} {row[0]}".strip()
        lines.append(f"{name:20}{len(here):7}{len(keys):10}{counts[0]:6}{counts[1]:14}{counts[2]:7}")
    return "\n".join(lines)


@pytest.mark.real_time
@pytest.mark.timeout(180)  # it takes half a minute; a machine may be busy with other things
@pytest.mark.long
async def test_a_kill_at_every_transition(tmp_path: Path, show: Callable[[str], None]) -> None:
    """Killed before and after each transition, 5 times each: nothing lost, dialed twice or stuck."""
    kills = schedule(Random(7))
    centres = [kills[::2], kills[1::2]]
    for n in range(len(centres)):
        (tmp_path / f"{n}").mkdir()
    runs = await asyncio.gather(*(run(tmp_path / f"{n}", order) for n, order in enumerate(centres)))
    ends = [end for one in runs for end in one.ends]
    found = Verdict(
        lost=set[str]().union(*(one.found.lost for one in runs)),
        dialed_twice=set[str]().union(*(one.found.dialed_twice for one in runs)),
        stuck=set[str]().union(*(one.found.stuck for one in runs)),
    )
    faulty = sum(one.faulty for one in runs) / len(runs)
    show(f"SIGKILL at each transition, 10 agents, LCM faults {faulty:.0%}\n{table(ends, found)}")
    assert found == Verdict(lost=set(), dialed_twice=set(), stuck=set())
    for one, order in zip(runs, centres, strict=True):
        assert [end.told for end in one.ends[:-1]] == [{"killed": kill, "signal": SIGKILL} for kill in order]
        assert one.ends[-1].told == {"open": [], "doubts": []}
        assert one.told_twice == set()
    assert 0.1 < faulty < 0.3


@define
class Run:
    """What came of a contact centre whose host was killed again and again."""

    ends: list[End]
    found: Verdict
    faulty: float
    told_twice: set[str]
    """Keys the LCM got more than one disposition of."""


async def run(directory: Path, kills: list[list[Any]]) -> Run:
    async with Sandbox(random=Random(2), contacts=[], reserve_seconds=7200, timezone="UTC") as lcm:
        for fault in FAULTS:
            lcm.order(fault)
        ends = await crashed(directory, lcm, kills)
        told = Counter(one.key for one in lcm.account.dispositions)
        return Run(
            ends=ends,
            found=await judged(directory, lcm),
            faulty=sum(bool(request.fault) for request in lcm.requests) / len(lcm.requests),
            told_twice={key for key, times in told.items() if times > 1},
        )
