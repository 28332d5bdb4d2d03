"""Fetching a contact from an LCM that fails: no contact lost, none fetched in place of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from cti_hooks import Agent
from cti_hooks import settings as plugin_settings
from lcm_plugin.config import LcmSettings
from lcm_plugin.errors import Fault, LcmBadReply, LcmError, LcmRejected, LcmUnavailable
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.lcm.envelope import Request
from lcm_plugin.sandbox import Sandbox, SandboxContact
from tests.people import ALICE, BOB, GROUP

FRESH = "GetDownloadContactsForDialing"
RESERVED = "GetReservedManualDialContact"

OpenLcm = Callable[..., Awaitable[tuple[Sandbox, LcmClient]]]


def asked(lcm: Sandbox) -> list[str]:
    return [request.subtopic for request in lcm.requests]


async def test_a_contact_is_fetched(open_lcm: OpenLcm, wire: str) -> None:
    """A healthy LCM is asked once, and hands out one contact."""
    lcm, client = await open_lcm(wire=wire)
    contact = await client.next_contact(ALICE, GROUP, "attempt-1")
    assert contact is not None
    assert contact.key == "0|0|000|0|0|00|1"
    assert contact.campaign_group == GROUP
    assert asked(lcm) == [FRESH]


async def test_no_contact_is_none(open_lcm: OpenLcm, wire: str) -> None:
    """An LCM without contacts answers None, once, and raises nothing."""
    lcm, client = await open_lcm(0, wire=wire)
    assert await client.next_contact(ALICE, GROUP) is None
    assert asked(lcm) == [FRESH]


LOST_REPLIES = [
    pytest.param("drop", id="processed, then dropped"),
    pytest.param("late,seconds=6", id="time-out"),
    pytest.param("truncated", id="truncated"),
    pytest.param("error,status=500", id="5xx"),
    pytest.param("not_json", id="not JSON"),
    pytest.param("wrong_subtopic", id="wrong subtopic"),
    pytest.param("huge", id="more than 1 MiB"),
]


@pytest.mark.parametrize("fault", LOST_REPLIES)
async def test_a_lost_reply_is_asked_for_among_the_reserved(open_lcm: OpenLcm, fault: str) -> None:
    """After a lost reply the LCM is next asked for reserved contacts, and the same one comes back."""
    lcm, client = await open_lcm()
    lcm.order(f"{fault},message={FRESH},times=1")
    contact = await client.next_contact(ALICE, GROUP)
    assert contact is not None
    assert asked(lcm) == [FRESH, RESERVED]
    assert contact.key == "0|0|000|0|0|00|1"
    assert contact.campaign_group == GROUP
    assert contact.reserved
    assert dict(lcm.account.reservations) == {contact.key: "alice"}
    assert not await client.ledger.doubts()


@pytest.mark.parametrize("fault", ["drop", "late,seconds=6"])
async def test_a_lost_reply_on_the_bus_is_asked_for_too(open_lcm: OpenLcm, fault: str) -> None:
    """The same over publish/subscribe, where a late reply has no address of its own."""
    lcm, client = await open_lcm(wire="websocket")
    lcm.order(f"{fault},message={FRESH},times=1")
    contact = await client.next_contact(ALICE, GROUP)
    assert contact is not None
    assert asked(lcm) == [FRESH, RESERVED]
    assert dict(lcm.account.reservations) == {contact.key: "alice"}


async def test_a_server_that_commits_late_loses_nothing(open_lcm: OpenLcm) -> None:
    """A reservation committed half a second after the connection broke is found by asking once more."""
    lcm, client = await open_lcm()
    lcm.order(f"late_commit,seconds=0.5,message={FRESH},times=1")
    contact = await client.next_contact(ALICE, GROUP)
    assert contact is not None
    assert asked(lcm) == [FRESH, RESERVED, RESERVED]
    assert dict(lcm.account.reservations) == {contact.key: "alice"}


async def test_doubt_ends_when_nothing_was_reserved(open_lcm: OpenLcm) -> None:
    """Nothing reserved, twice and a second apart: the doubt is over, and a fresh contact is fetched."""
    lcm, client = await open_lcm()
    lcm.order(f"late_commit,seconds=3600,message={FRESH},times=1")
    contact = await client.next_contact(ALICE, GROUP)
    assert contact is not None
    assert asked(lcm) == [FRESH, RESERVED, RESERVED, FRESH]
    assert lcm.requests[2].at - lcm.requests[1].at >= 1


async def test_doubt_outlives_the_fetch(open_lcm: OpenLcm) -> None:
    """While reserved contacts cannot be asked for, no fresh request is sent, in this fetch or the next."""
    lcm, client = await open_lcm(breaker_failures=100)
    lcm.order(f"drop,message={FRESH},times=1")
    lcm.order(f"error,status=500,message={RESERVED},times=9")
    for _ in range(2):
        with pytest.raises(LcmUnavailable):
            await client.next_contact(ALICE, GROUP)
    assert set(await client.ledger.doubts()) == {"alice"}
    contact = await client.next_contact(ALICE, GROUP)
    assert contact is not None
    assert asked(lcm).count(FRESH) == 1
    assert dict(lcm.account.reservations) == {contact.key: "alice"}


async def test_the_lost_contact_is_asked_for_in_its_own_group(open_lcm: OpenLcm) -> None:
    """Whatever group is fetched next, the reserved ones are asked for in the group that left the doubt."""
    lcm, client = await open_lcm(recover_with=FRESH, max_requests=1)
    lcm.order("drop,times=1")
    with pytest.raises(LcmUnavailable):
        await client.next_contact(ALICE, GROUP)
    contact = await client.next_contact(ALICE, "Another Group")
    assert contact is not None
    assert contact.campaign_group == GROUP
    assert [one.data["CampaignGroup"] for one in lcm.requests] == [GROUP, GROUP]


async def test_the_lost_contact_is_found_behind_many_known_ones(open_lcm: OpenLcm) -> None:
    """An agent with more contacts reserved than are asked for at once gets the lost one all the same."""
    lcm, client = await open_lcm(15)
    known = [await client.next_contact(ALICE, GROUP) for _ in range(12)]
    lcm.order(f"drop,message={FRESH},times=1")
    lost = await client.next_contact(ALICE, GROUP)
    assert lost is not None
    assert lost.key == "0|0|000|0|0|00|13"
    assert lost not in known
    assert asked(lcm)[-3:] == [FRESH, RESERVED, RESERVED]


async def test_doubt_lasts_until_the_contact_found_is_recorded(open_lcm: OpenLcm) -> None:
    """A host that dies right after the lost contact came leaves the doubt to whoever comes next."""
    lcm, client = await open_lcm()
    lcm.order(f"drop,message={FRESH},times=1")
    assert await LcmClient.next_contact(client, ALICE, GROUP) is not None
    assert set(await client.ledger.doubts()) == {"alice"}
    client.recorded(ALICE)
    assert not await client.ledger.doubts()


async def test_a_contact_found_and_not_recorded_is_asked_for_again(open_lcm: OpenLcm) -> None:
    """Whoever asked for the lost contact and dropped it gets it once more."""
    lcm, client = await open_lcm()
    lcm.order(f"drop,message={FRESH},times=1")
    found = await LcmClient.next_contact(client, ALICE, GROUP)
    assert await client.next_contact(ALICE, GROUP) == found
    assert asked(lcm) == [FRESH, RESERVED, RESERVED]


async def test_doubt_is_one_agents(open_lcm: OpenLcm) -> None:
    """Doubt about one agent's contact holds up no other agent."""
    lcm, client = await open_lcm()
    lcm.order(f"drop,message={FRESH},times=1,agent=alice")
    lcm.order(f"reject,status=404,message={RESERVED}")
    with pytest.raises(LcmRejected):
        await client.next_contact(ALICE, GROUP)
    assert await client.next_contact(BOB, GROUP) is not None


async def test_contacts_known_are_not_taken_for_the_lost_one(open_lcm: OpenLcm) -> None:
    """A contact given before, still reserved, is not the lost one: that is behind it in the answer."""
    lcm, client = await open_lcm()
    given = [await client.next_contact(ALICE, GROUP) for _ in range(2)]
    lcm.order(f"drop,message={FRESH},times=1")
    lost = await client.next_contact(ALICE, GROUP)
    assert lost is not None
    assert lost.key not in {contact.key for contact in given if contact}
    assert len(lcm.account.reservations) == 3


async def test_only_contacts_known_means_nothing_lost(open_lcm: OpenLcm) -> None:
    """When all that is reserved is known, the doubt is over after the second look."""
    lcm, client = await open_lcm()
    first = await client.next_contact(ALICE, GROUP)
    lcm.order(f"late_commit,seconds=3600,message={FRESH},times=1")
    second = await client.next_contact(ALICE, GROUP)
    assert first is not None
    assert second is not None
    assert first.key != second.key
    assert asked(lcm) == [FRESH, FRESH, RESERVED, RESERVED, FRESH]


async def test_a_cancelled_fetch_leaves_doubt(open_lcm: OpenLcm) -> None:
    """A fetch cancelled in flight may have reserved: the next one asks for it."""
    lcm, client = await open_lcm()
    lcm.order(f"late,seconds=3,message={FRESH},times=1")
    fetch = asyncio.create_task(client.next_contact(ALICE, GROUP))
    await asyncio.sleep(1)
    fetch.cancel()
    await asyncio.gather(fetch, return_exceptions=True)
    contact = await client.next_contact(ALICE, GROUP)
    assert contact is not None
    assert asked(lcm) == [FRESH, RESERVED]
    assert dict(lcm.account.reservations) == {contact.key: "alice"}


async def test_what_is_reserved_is_found_behind_known_ones(open_lcm: OpenLcm) -> None:
    """However many of the agent's reserved contacts are known, one that is new is found behind them."""
    lcm, client = await open_lcm(12)
    for _ in range(12):
        await client.next_contact(ALICE, GROUP)
    assert await client.reserved.unknown(ALICE, GROUP) == []
    lcm.add(SandboxContact(key="due", phone_number="+12125550199", due_in=0, personal_agent="alice"))
    assert [one.key for one in await client.reserved.unknown(ALICE, GROUP)] == ["due"]


async def test_a_site_without_the_reserved_message_recovers_by_the_download(open_lcm: OpenLcm) -> None:
    """`recover_with` asks for reserved contacts by GetDownloadContactsForDialing."""
    lcm, client = await open_lcm(recover_with="GetDownloadContactsForDialing")
    lcm.order(f"drop,message={FRESH},times=1")
    contact = await client.next_contact(ALICE, GROUP)
    assert contact is not None
    assert [(one.subtopic, one.data["ReservedContacts"]) for one in lcm.requests] == [
        (FRESH, "false"),
        (FRESH, "true"),
    ]
    assert dict(lcm.account.reservations) == {contact.key: "alice"}


async def test_download_all_is_fetched_and_recovered_alike(open_lcm: OpenLcm) -> None:
    """`download_with` takes the message whose contacts can be skipped; a lost one is recovered alike."""
    lcm, client = await open_lcm(download_with="GetDownloadAllContactsForDialing")
    lcm.order("drop,message=GetDownloadAllContactsForDialing,times=1")
    contact = await client.next_contact(ALICE, GROUP)
    assert contact is not None
    assert asked(lcm) == ["GetDownloadAllContactsForDialing", RESERVED]


NOT_DONE = [
    pytest.param("busy,status=503,retry_after=2", 2.0, id="503 with Retry-After"),
    pytest.param("busy,status=429,retry_after=1", 1.0, id="429 with Retry-After"),
    pytest.param("busy,status=503", 0.0, id="503 without"),
]


@pytest.mark.parametrize(("fault", "pause"), NOT_DONE)
async def test_a_busy_lcm_is_asked_again(open_lcm: OpenLcm, fault: str, pause: float) -> None:
    """429 and 503 were not processed: the same question again, after Retry-After."""
    lcm, client = await open_lcm()
    lcm.order(f"{fault},message={FRESH},times=1")
    assert await client.next_contact(ALICE, GROUP) is not None
    assert asked(lcm) == [FRESH, FRESH]
    assert lcm.requests[1].at - lcm.requests[0].at >= pause


async def test_a_busy_lcm_that_asks_for_too_long_is_raised(open_lcm: OpenLcm) -> None:
    """A Retry-After beyond the deadline ends the fetch at once, with what the LCM asked for."""
    lcm, client = await open_lcm()
    lcm.order(f"busy,status=503,retry_after=60,message={FRESH}")
    with pytest.raises(LcmUnavailable) as raised:
        await client.next_contact(ALICE, GROUP)
    assert raised.value.retry_after == 60
    assert asked(lcm) == [FRESH]


NO_USE = [
    pytest.param("reject,status=400", LcmRejected, id="4xx"),
    pytest.param("reject,status=401", LcmRejected, id="401"),
    pytest.param("redirect", LcmBadReply, id="3xx"),
]


@pytest.mark.parametrize(("fault", "kind"), NO_USE)
async def test_what_the_lcm_refuses_is_not_asked_again(
    open_lcm: OpenLcm, fault: str, kind: type[LcmError]
) -> None:
    """4xx and 3xx are raised at once, and leave no doubt."""
    lcm, client = await open_lcm()
    lcm.order(f"{fault},message={FRESH}")
    with pytest.raises(kind):
        await client.next_contact(ALICE, GROUP)
    assert asked(lcm) == [FRESH]
    assert not await client.ledger.doubts()


async def test_an_lcm_that_is_down_was_not_asked(open_lcm: OpenLcm) -> None:
    """A refused connection is retried, and leaves no doubt: nothing was sent."""
    lcm, client = await open_lcm()
    await lcm.__aexit__(None, None, None)
    with pytest.raises(LcmUnavailable) as raised:
        await client.next_contact(ALICE, GROUP, "attempt-7")
    assert raised.value.fault is Fault.NOT_SENT
    assert (raised.value.agent_id, raised.value.attempt_id) == ("alice", "attempt-7")
    assert not await client.ledger.doubts()


async def test_at_most_five_requests_in_a_fetch(open_lcm: OpenLcm) -> None:
    """However the LCM fails, a fetch sends five requests at the most, and raises the last error."""
    lcm, client = await open_lcm()
    lcm.order("error,status=500")
    with pytest.raises(LcmUnavailable):
        await client.next_contact(ALICE, GROUP)
    assert len(lcm.requests) == 5


async def test_a_fetch_ends_in_time(open_lcm: OpenLcm) -> None:
    """A fetch takes no longer than fetch_seconds, whatever the LCM does."""
    lcm, client = await open_lcm(fetch_seconds=15)
    lcm.order("late,seconds=100")
    began = asyncio.get_running_loop().time()
    with pytest.raises(LcmUnavailable):
        await client.next_contact(ALICE, GROUP)
    assert asyncio.get_running_loop().time() - began <= 15.5


async def test_a_contact_without_a_number_is_a_bad_reply(open_lcm: OpenLcm) -> None:
    """A contact that cannot be called is a bad reply, raised at once; it was answered, so no doubt arises."""
    lcm, client = await open_lcm()
    lcm.order("spelling,variant=no_number,times=1")
    with pytest.raises(LcmBadReply) as raised:
        await client.next_contact(ALICE, GROUP)
    assert raised.value.fault is Fault.UNUSABLE
    assert asked(lcm) == [FRESH]
    assert not await client.ledger.doubts()


async def test_at_most_so_many_requests_in_flight(open_lcm: OpenLcm) -> None:
    """However many agents ask, no more than max_concurrency requests are in flight."""
    lcm, client = await open_lcm(100, max_concurrency=7, max_per_second=1000)
    lcm.order("late,seconds=0.5")
    agents = [Agent(id=f"agent-{n}") for n in range(40)]
    found = await asyncio.gather(*(client.next_contact(agent, GROUP) for agent in agents))
    assert len({contact.key for contact in found if contact}) == 40
    assert lcm.account.max_in_flight == 7


async def test_no_more_than_so_many_a_second(open_lcm: OpenLcm) -> None:
    """The rate cap spreads a herd of agents over time."""
    lcm, client = await open_lcm(100, max_per_second=10)
    agents = [Agent(id=f"agent-{n}") for n in range(30)]
    await asyncio.gather(*(client.next_contact(agent, GROUP) for agent in agents))
    assert lcm.requests[-1].at - lcm.requests[0].at >= 1.9


async def test_fetches_of_one_agent_go_one_after_another(open_lcm: OpenLcm) -> None:
    """Two fetches for one agent at once are two questions, never at the same time."""
    lcm, client = await open_lcm()
    lcm.order("late,seconds=1")
    found = await asyncio.gather(*(LcmClient.next_contact(client, ALICE, GROUP) for _ in range(2)))
    assert len({contact.key for contact in found if contact}) == 2
    assert lcm.account.max_in_flight == 1


async def test_the_breaker_spares_an_lcm_that_is_down(open_lcm: OpenLcm) -> None:
    """After ten failures in a row nothing is sent until one probe finds the LCM alive again."""
    lcm, client = await open_lcm(100, breaker_seconds=30)
    lcm.order("error,status=500,times=10")
    agents = [Agent(id=f"agent-{n}") for n in range(10)]
    await asyncio.gather(*(client.next_contact(agent, GROUP) for agent in agents), return_exceptions=True)
    assert str(client.gate.breaker.state) == "open"
    seen = len(lcm.requests)
    with pytest.raises(LcmUnavailable, match="not asked"):
        await client.next_contact(BOB, GROUP)
    assert len(lcm.requests) == seen
    await asyncio.sleep(30)
    assert await client.next_contact(BOB, GROUP) is not None
    assert str(client.gate.breaker.state) == "closed"


async def test_retries_stop_with_the_budget(open_lcm: OpenLcm) -> None:
    """When everybody fails retries end with the budget, however many agents there are."""
    lcm, client = await open_lcm(100, retry_budget=5, breaker_failures=1000)
    lcm.order("busy,status=503")
    agents = [Agent(id=f"agent-{n}") for n in range(20)]
    await asyncio.gather(*(client.next_contact(agent, GROUP) for agent in agents), return_exceptions=True)
    assert len(lcm.requests) == 25


async def test_a_question_that_settles_doubt_needs_no_budget(open_lcm: OpenLcm) -> None:
    """An empty budget stops retries, never the search for a lost contact."""
    lcm, client = await open_lcm(retry_budget=0.5)
    lcm.order(f"drop,message={FRESH},times=1")
    assert await client.next_contact(ALICE, GROUP) is not None
    assert asked(lcm) == [FRESH, RESERVED]


async def test_more_contacts_than_asked_for_are_kept(open_lcm: OpenLcm) -> None:
    """An LCM that hands out several at once loses none: the others are asked for, and the agent's next."""
    lcm, client = await open_lcm(at_once=2)
    found = [await client.next_contact(ALICE, GROUP) for _ in range(2)]
    keys = {contact.key for contact in found if contact}
    assert len(keys) == 2
    assert asked(lcm) == [FRESH, RESERVED]


async def test_a_reply_that_comes_twice_reaches_one_agent(open_lcm: OpenLcm) -> None:
    """A reply published twice is never taken for another agent's: both get contacts of their own."""
    lcm, client = await open_lcm(wire="websocket", connections=1)
    lcm.order(f"twice,message={FRESH},times=3")
    agents = [Agent(id=f"agent-{n}") for n in range(5)]
    found = await asyncio.gather(*(client.next_contact(agent, GROUP) for agent in agents))
    assert len({contact.key for contact in found if contact}) == 5
    for agent, contact in zip(agents, found, strict=True):
        assert contact is not None
        assert lcm.account.reservations[contact.key] == agent.id


async def test_campaign_groups_are_asked_for(open_lcm: OpenLcm, wire: str) -> None:
    """GetCampaignGroups gives the names of the groups that run; a read is retried after any lost reply."""
    lcm, client = await open_lcm(wire=wire)
    lcm.order("drop,message=GetCampaignGroups,times=1")
    assert GROUP in await client.campaign_groups(ALICE)


async def test_the_attempt_id_is_the_idempotency_key_of_a_fresh_download(open_lcm: OpenLcm) -> None:
    """A fresh download carries the attempt's id, the same when it is sent again; a question carries none."""
    lcm, client = await open_lcm()
    lcm.order(f"busy,status=503,message={FRESH},times=1")
    lcm.order(f"drop,message={FRESH},times=1")
    await client.next_contact(ALICE, GROUP, "attempt-9")
    assert [one.headers.get("Idempotency-Key") for one in lcm.requests] == ["attempt-9", "attempt-9", None]


async def test_a_reserved_contact_that_cannot_be_used_keeps_nobody_waiting(
    open_lcm: OpenLcm, caplog: pytest.LogCaptureFixture
) -> None:
    """A reserved contact without a number is logged and passed over; the doubt ends, and fresh ones come."""
    lcm, client = await open_lcm()
    lcm.order(f"drop,message={FRESH},times=1")
    lcm.order(f"spelling,variant=no_number,message={RESERVED},times=2")
    contact = await client.next_contact(ALICE, GROUP)
    assert contact is not None
    assert asked(lcm) == [FRESH, RESERVED, RESERVED, FRESH]
    assert "a contact of agent alice cannot be used" in caplog.text


async def test_one_that_cannot_be_used_costs_no_other(
    open_lcm: OpenLcm, caplog: pytest.LogCaptureFixture
) -> None:
    """Of several contacts in a reply, one without a number is logged; the others come, reserved or fresh."""
    people = [
        SandboxContact(key=f"k{n}", phone_number=number, campaign_group=GROUP)
        for n, number in enumerate(["", "+12125550101"])
    ]
    _, client = await open_lcm(people, at_once=2)
    contact = await client.next_contact(ALICE, GROUP)
    assert contact
    assert contact.key == "k1"
    assert [one.key for one in await client.reserved.all(ALICE, GROUP)] == ["k1"]
    assert caplog.text.count("a contact of agent alice cannot be used") == 2


async def test_several_lost_contacts_are_found_one_by_one(open_lcm: OpenLcm) -> None:
    """When a lost reply held two contacts, both come back before anything fresh is asked for."""
    lcm, client = await open_lcm(at_once=2)
    lcm.order(f"drop,message={FRESH},times=1")
    found = [await client.next_contact(ALICE, GROUP) for _ in range(2)]
    assert [contact.key for contact in found if contact] == ["0|0|000|0|0|00|1", "0|0|000|0|0|00|2"]
    assert asked(lcm) == [FRESH, RESERVED, RESERVED]


async def test_a_reason_that_comes_with_contacts_is_shown(
    open_lcm: OpenLcm, caplog: pytest.LogCaptureFixture
) -> None:
    """A reason beside contacts is a warning without its words, which may name one; the contact is kept."""
    caplog.set_level(logging.DEBUG, "lcm_plugin.lcm")
    lcm, client = await open_lcm()
    lcm.order("spelling,variant=contacts_and_reason")
    assert await client.next_contact(ALICE, GROUP) is not None
    told = {one.levelno: one.getMessage() for one in caplog.records if "agent alice" in one.getMessage()}
    assert "list nearly empty" not in told[logging.WARNING]
    assert told[logging.DEBUG] == "the LCM says to agent alice: list nearly empty"


async def test_a_failure_reason_is_raised(open_lcm: OpenLcm) -> None:
    """A failure reason without contacts is the LCM's no."""
    lcm, client = await open_lcm()
    lcm.order("spelling,variant=reason")
    with pytest.raises(LcmRejected, match="campaign is stopped"):
        await client.next_contact(ALICE, GROUP)


async def test_waiting_too_long_for_a_turn_was_not_sent(open_lcm: OpenLcm) -> None:
    """Who does not get a turn in time has sent nothing, and is in no doubt."""
    lcm, client = await open_lcm(20, max_per_second=1, fetch_seconds=10)
    agents = [Agent(id=f"agent-{n}") for n in range(15)]
    found = await asyncio.gather(
        *(client.next_contact(agent, GROUP) for agent in agents), return_exceptions=True
    )
    refused = [one for one in found if isinstance(one, LcmUnavailable)]
    assert {one.fault for one in refused} == {Fault.NOT_SENT}
    assert len(refused) == 15 - len(lcm.requests) > 0
    assert not await client.ledger.doubts()


class Careless:
    """A third party's transport that fails as it likes."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    async def send(self, agent: Agent, message: Request, deadline: float) -> bytes:
        if self.error:
            raise self.error
        await asyncio.sleep(3600)
        return b""

    async def close(self) -> None: ...


@pytest.mark.parametrize(
    "error", [RuntimeError("bridge to +12125550123 broke"), None], ids=["raises", "hangs"]
)
async def test_a_third_partys_transport_may_fail_as_it_likes(
    open_lcm: OpenLcm, error: Exception | None
) -> None:
    """Whatever a transport raises, or if it forgets the deadline: no answer, in time, and nobody's number."""
    settings = plugin_settings.read(LcmSettings, {"url": "http://x", "source": "s", "timezone": "UTC"})
    ledger = (await open_lcm(0))[1].ledger
    client = LcmClient(settings=settings, transport=Careless(error), random=Random(1), ledger=ledger)
    with pytest.raises(LcmUnavailable) as raised:
        await client.next_contact(ALICE, GROUP)
    assert raised.value.fault is Fault.NO_ANSWER
    assert "2125550123" not in str(raised.value)
    assert asyncio.get_running_loop().time() < 16
    assert "alice" in await ledger.doubts()
