"""The metrics: measured by the hooks, looked up when asked, nobody named in them."""

import asyncio
import re
from typing import Any

import aiohttp
import pytest
from attrs import evolve
from prometheus_client.parser import text_string_to_metric_families

from cti_hooks import Activity, Agent, Attempt, AttemptState, Call, Contact, Refusal
from lcm_plugin.attempt.transitions import ENDED
from lcm_plugin.errors import LcmError
from lcm_plugin.lcm.catalogue import CAMPAIGN_GROUPS
from lcm_plugin.ledger import Draft
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import Sandbox, SandboxContact
from lcm_plugin.service.metrics import RULES

ASKED = CAMPAIGN_GROUPS.subtopic
AGENT = Agent(id="agent-7")
CONTACT = Contact(key="0|0|77", phone_number="2125550123", campaign="Spring")


async def scraped(here: Any) -> dict[str, float]:
    """Every sample by name and labels, as Prometheus reads it."""
    async with here.http.get("/metrics") as reply:
        assert reply.status == 200
        assert reply.content_type == "text/plain"
        text = await reply.text()
    return {
        one.name.removeprefix("lcm_plugin_")
        + (str(sorted(one.labels.values())) if one.labels else ""): round(one.value, 3)
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


async def tell(here: Any, attempt: Attempt) -> None:
    await here.host.hooks.all("on_attempt_changed", attempt=attempt)


def attempt(here: Any, state: str = "offered", number: int = 1, **facts: Any) -> Attempt:
    return Attempt(
        id=f"a{number}", agent=AGENT, contact=CONTACT, state=state, campaign_group="G",
        opened_at=here.host.clock.now(), **facts,
    )  # fmt: skip


async def test_the_way_from_ready_to_answer_is_measured(site: Any) -> None:
    """Ready to contact, contact to dial, dial to answer: once each, in seconds, however often told."""
    async with site(names=()) as here:
        await here.host.hooks.all("on_agent_ready", agent=AGENT)
        await asyncio.sleep(2)
        await here.host.hooks.all("on_agent_ready", agent=AGENT)
        await asyncio.sleep(1)
        offered = attempt(here)
        await tell(here, offered)
        await tell(here, offered)
        await asyncio.sleep(4)
        await tell(here, evolve(offered, state=AttemptState.DIALING))
        await asyncio.sleep(5)
        up = Call(id="c", attempt_id="a1", state="connected")
        calling = evolve(offered, state=AttemptState.CALLING, calls=(up,))
        await tell(here, calling)
        await tell(here, evolve(calling, reason="still"))
        await tell(here, evolve(calling, state=AttemptState.ENDED))
        seen = await scraped(here)
    measured = {name: (seen[f"{name}_seconds_count"], seen[f"{name}_seconds_sum"]) for name in (
        "ready_to_contact", "contact_to_dial", "dial_to_answer")}  # fmt: skip
    assert measured == {"ready_to_contact": (1, 3), "contact_to_dial": (1, 4), "dial_to_answer": (1, 5)}


async def test_who_does_not_wait_is_not_measured(site: Any) -> None:
    """An agent not ready or gone waits for nothing; an offer without a wait measures no wait."""
    async with site() as here:
        for hook, facts in (("on_agent_not_ready", {"reason": None}), ("on_agent_logged_off", {})):
            await here.host.hooks.all("on_agent_ready", agent=AGENT)
            await here.host.hooks.all(hook, agent=AGENT, **facts)
            await tell(here, attempt(here, number=len(hook)))
        assert (await scraped(here))["ready_to_contact_seconds_count"] == 0


async def test_refusals_are_counted_by_rule(site: Any) -> None:
    """Each refusal counts for its rule; past so many rules the rest is counted together."""
    async with site() as here:
        for rule in ("consent", "calling-hours", "consent", *(f"r{n}" for n in range(RULES + 5))):
            refusal = Refusal(rule=rule, reason="no")
            await tell(here, attempt(here, "refused", refusals=(refusal,)))
        seen = await scraped(here)
    assert (seen["refusals_total['consent']"], seen["refusals_total['calling-hours']"]) == (2, 1)
    assert seen["refusals_total['other']"] == 7
    assert sum(name.startswith("refusals_total") for name in seen) == RULES + 1


async def test_open_attempts_and_the_outbox_are_looked_up(site: Any) -> None:
    """Open attempts of this host and unsettled messages of the ledger, by state; zero if there is none."""
    async with site() as here:
        for agent in ("a", "b"):
            await here.offered(agent)
        ended = here.ledger.change(await here.ledger.dial(await here.offered("c")), ENDED)
        await here.ledger.dispose(ended, [Draft(message="SetCallResult", values={})] * 2)
        seen = await scraped(here)
    assert seen["attempts_open['offered']"] == 2
    assert seen["attempts_open['dialing']"] == 0
    assert seen["outbox_messages['waiting']"] == 2
    assert seen["outbox_messages['unconfirmed']"] == 0
    assert seen["ledger_good"] == 1


async def test_the_lcms_latency_and_breaker_are_seen(site: Any) -> None:
    """Each try of a request by message and result; the breaker as it stands."""
    async with Sandbox(contacts=[SandboxContact(key="0|1", phone_number="+12125550101")]) as lcm:
        lcm.order("drop,times=1")
        async with site(url=lcm.url, breaker_failures=1, max_requests=1) as here:
            client = lcm_of(here.host).client
            with pytest.raises(LcmError):
                await client.campaign_groups(AGENT)
            seen = await scraped(here)
            assert seen[f"lcm_request_seconds_count['{ASKED}', 'no_answer']"] == 1
            assert seen["lcm_breaker['open']"] == 1
            async with here.http.get("/metrics") as reply:
                assert 'lcm_plugin_lcm_breaker{state="open"} 1.0' in await reply.text()
            await asyncio.sleep(10)
            await client.campaign_groups(AGENT)
            seen = await scraped(here)
            assert seen[f"lcm_request_seconds_count['{ASKED}', 'ok']"] == 1
            assert (seen["lcm_breaker['open']"], seen["lcm_breaker['closed']"]) == (0, 1)


async def test_a_ledger_in_trouble_is_seen(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the ledger cannot be written the metrics say so, and all else is still measured."""
    async with site() as here:

        async def down(*_: Any) -> None:
            raise OSError("disk I/O error")

        monkeypatch.setattr(type(here.ledger.database), "run", down)
        seen = await scraped(here)
        assert (seen["ledger_good"], seen["ready_to_contact_seconds_count"]) == (0, 0)
        assert not any(name.startswith("outbox") for name in seen)
        monkeypatch.undo()


async def test_nobody_is_named(site: Any) -> None:
    """No agent, key, number or campaign is in the metrics."""
    async with site() as here:
        await here.host.hooks.all("on_agent_ready", agent=AGENT)
        await here.offered(AGENT.id, key=CONTACT.key, campaign=CONTACT.campaign)
        await tell(here, attempt(here))
        async with here.http.get("/metrics") as reply:
            text = await reply.text()
    assert not re.search(rf"{AGENT.id}|{re.escape(CONTACT.key)}|Spring|5550123", text)


async def test_a_host_without_an_lcm_has_metrics_too(site: Any) -> None:
    """What hooks tell is measured; of the ledger and the LCM there is nothing."""
    async with site(names=()) as here:
        await here.host.hooks.all("on_agent_ready", agent=AGENT)
        await tell(here, attempt(here))
        assert (await scraped(here))["ready_to_contact_seconds_count"] == 1


async def test_metrics_need_the_token_too(monkeypatch: pytest.MonkeyPatch, site: Any) -> None:
    """If a token is set, it is asked for here as everywhere."""
    monkeypatch.setenv("API_TOKEN", "t0ken")
    async with site(service={"token_env": "API_TOKEN"}) as here:
        assert (await here.get("/metrics"))[0] == 401
        headers = {"Authorization": "Bearer t0ken"}
        async with aiohttp.ClientSession(here.url, headers=headers) as http, http.get("/metrics") as reply:
            assert reply.status == 200


async def test_who_waits_is_seen(site: Any) -> None:
    """How many agents wait for a question, and how often each is asked what is reserved for them."""
    async with Sandbox(contacts=[]) as lcm, site(url=lcm.url, campaign_groups=["G"]) as here:
        assert (await scraped(here))["agents_waiting"] == 0
        for number in range(3):
            await here.host.hooks.all("on_agent_ready", agent=Agent(id=f"a{number}"))
        await asyncio.sleep(3)
        seen = await scraped(here)
        assert seen["agents_waiting"] == 3
        assert seen["reserved_every_seconds"] == 60


async def test_what_comes_of_offers_and_calls_is_counted(site: Any) -> None:
    """Each once, however often it is told: offers, skips by what was said, calls by outcome, dispositions."""
    async with site(names=()) as here:
        for number, facts in enumerate(({"answer": "skip"}, {})):
            await tell(here, attempt(here, number=number))
            await tell(here, attempt(here, "skipped", number, **facts))
        called = [("offered", {}), ("dialing", {}), ("calling", {}), ("ended", {"outcome": "busy"})]
        for state, facts in [*called, called[-1], ("disposed", {"actor": "auto"}), ("closed", {})]:
            await tell(here, attempt(here, state, 7, **facts))
        for state, facts in [*called[:2], ("closed", {"outcome": "agent_unavailable"})]:
            await tell(here, attempt(here, state, 8, **facts))
        await tell(here, attempt(here, "disposed", 9, actor="alice"))
        found = await scraped(here)
    assert found["offers_total"] == 4
    assert found["skips_total['skip']"] == found["skips_total['unanswered']"] == 1
    assert found["calls_total['busy']"] == found["calls_total['agent_unavailable']"] == 1
    assert found["dispositions_total['auto']"] == found["dispositions_total['person']"] == 1


async def test_a_next_contact_is_no_offer_yet(site: Any) -> None:
    """One that waits behind a call is neither counted as an offer nor the end of a wait."""
    async with site(names=()) as here:
        await here.host.hooks.all("on_agent_ready", agent=AGENT)
        await tell(here, attempt(here, place="next"))
        found = await scraped(here)
        assert (found["offers_total"], found["ready_to_contact_seconds_count"]) == (0, 0)
        await tell(here, attempt(here))
        found = await scraped(here)
        assert (found["offers_total"], found["ready_to_contact_seconds_count"]) == (1, 1)


async def test_talk_and_wrap_up_are_timed(site: Any) -> None:
    """By what agents do, from one step to the next."""
    async with site(names=()) as here:
        for kind, seconds in (("talking", 90), ("wrap_up", 20), ("waiting", 0)):
            activity = Activity(kind=kind, since=here.host.clock.now(), wants=True)
            await here.host.hooks.all("on_agent_activity", agent=AGENT, activity=activity)
            await asyncio.sleep(seconds)
        found = await scraped(here)
    assert (found["talk_seconds_count"], found["talk_seconds_sum"]) == (1, 90)
    assert (found["wrap_up_seconds_count"], found["wrap_up_seconds_sum"]) == (1, 20)


async def test_requests_are_counted_by_route(site: Any) -> None:
    """By the route's pattern and not by what is in the path, refused ones too."""
    async with site(names=()) as here:
        await here.get("/v1/agents/agent-7")
        await here.get("/v1/agents/agent-8")
        await here.get("/nowhere/agent-7")
        found = await scraped(here)
        async with here.http.get("/metrics") as reply:
            assert "agent-7" not in await reply.text()
    assert found["http_request_seconds_count['/v1/agents/{agent_id}', '404', 'GET']"] == 2
    assert found["http_request_seconds_count['404', 'GET', 'unknown']"] == 1
