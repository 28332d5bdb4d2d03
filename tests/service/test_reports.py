"""Reports: attempts by time, campaign and outcome, and as a table for a spreadsheet."""

import asyncio
import csv
import hashlib
import io
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest

from cti_hooks import Agent, Attempt, Contact
from lcm_plugin.attempt.transitions import FETCHED
from lcm_plugin.ledger import Ledger, LedgerUnavailable
from lcm_plugin.sandbox import Sandbox, SandboxContact
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.people import GROUP

AUDITOR = {"otto": {"role": "auditor", "sha256": hashlib.sha256(b"t0ken").hexdigest()}}
PEOPLE = 24
CAMPAIGNS = "Spring", "Autumn"


async def table(
    here: Any, since: datetime, until: datetime, more: str = "", **kwargs: Any
) -> list[dict[str, str]]:
    params = {"since": since.isoformat(), "until": until.isoformat()}
    async with here.http.get(f"/v1/reports/attempts.csv{more}", params=params, **kwargs) as reply:
        assert (reply.status, reply.content_type) == (200, "text/csv")
        return list(csv.DictReader(io.StringIO(await reply.text())))


async def test_a_days_report_agrees_with_the_lcms_account(site: Any, clock: LoopClock) -> None:
    """As many lines as the LCM handed contacts out, and as many of each outcome as it was told."""
    people = [
        SandboxContact(
            key=f"0|{n}",
            phone_number=f"+1212555{n:04}",
            campaign_group=GROUP,
            campaign=CAMPAIGNS[n % 2],
            consent="Yes",
        )
        for n in range(1, PEOPLE + 1)
    ]
    lcm = {
        "campaign_groups": [GROUP],
        "reserved_first": False,
        "auto_dispose": {"answered": "0", "busy": "3", "no_answer": "8", "invalid_number": "2"},
        "preview": {"seconds": 0},
        "names": ("lcm", "loopback"),
        "tables": {"loopback": {"talk_seconds": 20}},
    }
    since = clock.now()
    async with Sandbox(contacts=people, clock=clock) as there, site(url=there.url, **lcm) as here:
        for agent in ("alice", "bob"):
            await here.ask("PUT", f"/v1/agents/{agent}", {"state": "ready"})
        for _ in range(400):
            await asyncio.sleep(10)
            if len(there.account.dispositions) >= PEOPLE:
                break
        lines = [one for one in await table(here, since, clock.now()) if one["key"]]
        halves = [
            [one for one in await table(here, since, clock.now(), f"?campaign={name}") if one["key"]]
            for name in CAMPAIGNS
        ]
        listed = (await here.get("/v1/attempts?limit=1000&outcome=answered"))[1]
        told = Counter(one["outcome_id"] for one in lines)
        account = there.account
    assert len(lines) == len({one["key"] for one in lines}) == len(account.keys_handed()) == PEOPLE
    assert Counter(one["state"] for one in lines) == {"closed": PEOPLE}
    assert told == Counter(one.outcome_id for one in account.dispositions)
    assert {one["key"]: one["outcome_id"] for one in lines} == {
        one.key: one.outcome_id for one in account.dispositions
    }
    assert sum(map(len, halves)) == PEOPLE
    assert {one["campaign"] for one in halves[0]} == {"Spring"}
    assert len(listed) == sum(one["outcome"] == "answered" for one in lines) > 0


async def attempt(here: Any, agent: str, **facts: Any) -> None:
    reason = facts.pop("reason", "")
    opened = await here.ledger.open(Agent(id=agent))
    here.ledger.change(
        opened, FETCHED, contact=Contact(key=f"k{agent}", phone_number="+12125550123", **facts), reason=reason
    )


async def test_no_cell_is_a_formula(site: Any, clock: LoopClock) -> None:
    """What would make a spreadsheet calculate begins with an apostrophe, by whoever it was written."""
    async with site() as here:
        for number, evil in enumerate(("=1+2", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1")):
            await attempt(here, f"agent{number}", campaign=evil, contact_id='a"b,c\nd')
        lines = await table(here, clock.now() - timedelta(hours=1), clock.now() + timedelta(hours=1))
    assert [one["campaign"][0] for one in lines] == ["'"] * 6
    assert {one["number"] for one in lines} == {"'+12125550123"}
    assert {one["contact"] for one in lines} == {'a"b,c\nd'}


async def test_an_auditors_report_has_no_number(
    site: Any, clock: LoopClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last two digits, as everywhere an auditor looks."""
    monkeypatch.setenv("API_TOKEN", "host-t0ken")
    bearer: dict[str, Any] = {"headers": {"Authorization": "Bearer t0ken"}}
    async with site(service={"token_env": "API_TOKEN", "tokens": AUDITOR}) as here:
        await attempt(here, "alice", reason="the LCM has +1 212 555 0123 for it")
        (line,) = await table(
            here, clock.now() - timedelta(hours=1), clock.now() + timedelta(hours=1), **bearer
        )
    assert (line["number"], line["reason"]) == ("***23", "the LCM has ***23 for it")


async def test_a_report_is_of_a_time(site: Any, clock: LoopClock) -> None:
    """From `since` on and before `until`, by when an attempt began; more than are read at once, too."""
    async with site() as here:
        before = clock.now()
        for number in range(510):
            await attempt(here, f"a{number}")
        await asyncio.sleep(60)
        middle = clock.now()
        await attempt(here, "late")
        assert len(await table(here, before, middle)) == 510
        assert [one["agent"] for one in await table(here, middle, middle + timedelta(seconds=1))] == ["late"]
        assert await table(here, middle + timedelta(seconds=1), middle + timedelta(hours=1)) == []
        found = (await here.get("/v1/attempts", params={"since": middle.isoformat()}))[1]
        assert [one["agent"]["id"] for one in found] == ["late"]


async def test_a_report_that_cannot_go_on_is_cut_off(
    site: Any, clock: LoopClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the ledger fails in the middle the connection ends: half a report never looks like a whole one."""
    read = Ledger.attempts

    async def fails(ledger: Ledger, **which: Any) -> list[Attempt]:
        if which["before"]:
            raise LedgerUnavailable("gone")
        return await read(ledger, **which)

    async with site() as here:
        for number in range(510):
            await attempt(here, f"a{number}")
        monkeypatch.setattr(Ledger, "attempts", fails)
        with pytest.raises(aiohttp.ClientError):
            await table(here, clock.now() - timedelta(hours=1), clock.now() + timedelta(hours=1))
        monkeypatch.undo()
        assert (
            len(await table(here, clock.now() - timedelta(hours=1), clock.now() + timedelta(hours=1))) == 510
        )


@pytest.mark.parametrize(
    ("query", "wrong"),
    [("", "since"), ("?since=2026-01-01T00:00:00Z", "until"), ("?since=now&until=x&outcome=odd", "outcome")],
)
async def test_a_report_says_what_it_wants(site: Any, query: str, wrong: str) -> None:
    """A missing or impossible parameter is 422 that names it."""
    async with site() as here:
        status, problem = await here.get(f"/v1/reports/attempts.csv{query}")
    assert (status, wrong in problem["detail"]) == (422, True)
