"""What waits for a person, and who holds what, over the API: messages to the LCM, doubts, hosts."""

import asyncio
from functools import partial
from typing import Any

import pytest

from cti_hooks import Agent
from lcm_plugin.attempt.transitions import ENDED
from lcm_plugin.ledger import Draft, LetterState, letters
from lcm_plugin.plugin import lcm_of


async def settled(here: Any, agent: str, state: LetterState, error: str | None) -> str:
    """An attempt whose one message to the LCM came to this; its id."""
    ended = here.ledger.change(await here.ledger.dial(await here.offered(agent, key=f"0|{agent}")), ENDED)
    disposed = await here.ledger.dispose(ended, [Draft(message="SetCallResult", values={"key": "k"})])
    take = partial(letters.take, holder=here.ledger.holder, now=here.ledger.now())
    (taken,) = await here.ledger.run(take)
    settle = partial(letters.settle, letter_id=taken.id, state=state, error=error)
    await here.ledger.run(partial(settle, now=here.ledger.now()))
    return str(disposed.id)


async def quiet(here: Any) -> None:
    """Nothing is sent by itself, so that messages stay as the test leaves them."""
    await lcm_of(here.host).desks.disposing.outbox.close()


async def test_messages_tell_what_waits_for_a_person(site: Any) -> None:
    """By state: whose each is, since when it is so, how often it was sent and what the LCM said."""
    async with site() as here:
        await quiet(here)
        lost = await settled(here, "alice", LetterState.UNCONFIRMED, "the connection was cut")
        await asyncio.sleep(60)
        refused = await settled(here, "bob", LetterState.REJECTED, "the LCM says: no")
        await settled(here, "carol", LetterState.CONFIRMED, None)
        status, found = await here.get("/v1/messages?state=unconfirmed&state=rejected")
        assert (status, [one["attempt_id"] for one in found]) == (200, [refused, lost])
        last = found[-1]
        assert (last["agent"], last["key"], last["message"]) == ("alice", "0|alice", "SetCallResult")
        assert (last["state"], last["tries"], last["error"]) == ("unconfirmed", 1, "the connection was cut")
        assert last["changed_at"] < found[0]["changed_at"]
        assert len((await here.get("/v1/messages"))[1]) == 3
        assert (await here.get("/v1/messages?state=waiting"))[1] == []
        status, problem = await here.get("/v1/messages?state=unconfirmd")
        assert (status, 'did you mean "unconfirmed"?' in problem["detail"]) == (422, True)


async def test_doubts_tell_who_since_when_and_why(site: Any) -> None:
    """Every agent for whom the LCM may have reserved a contact: of which group, since when, and why."""
    async with site() as here:
        here.ledger.note_doubt(Agent(id="alice"), "AD Manual", "the reply was lost")
        since = here.ledger.clock.now()
        status, found = await here.get("/v1/doubts")
        assert status == 200
        assert found == [
            {
                "agent": "alice",
                "campaign_group": "AD Manual",
                "since": since.isoformat(),
                "reason": "the reply was lost",
            }
        ]
        here.ledger.end_doubt(Agent(id="alice"))
        assert (await here.get("/v1/doubts"))[1] == []


async def test_hosts_tell_their_leases(site: Any) -> None:
    """Every host that lives, when it renewed its lease last, and how many open attempts it holds."""
    async with site() as here:
        await here.offered("alice")
        await here.offered("bob")
        status, (host,) = await here.get("/v1/hosts")
        assert (status, host["host"], host["open_attempts"]) == (200, "cti", 2)
        assert host["id"] == here.ledger.holder
        await asyncio.sleep(60)
        assert (await here.get("/v1/hosts"))[1][0]["renewed_at"] > host["renewed_at"]


@pytest.mark.parametrize("what", ["messages", "doubts"])
async def test_pages_lead_through_all(site: Any, what: str) -> None:
    """The header Link leads on until there is nothing more, each row once, though some go meanwhile."""
    agents = [f"agent {n}" for n in range(5)]
    async with site() as here:
        await quiet(here)
        for agent in agents:
            here.ledger.note_doubt(Agent(id=agent), "G", "lost")
            await settled(here, agent, LetterState.REJECTED, "no")
        seen: list[str] = []
        path = f"/v1/{what}?limit=2"
        while path:
            async with here.http.get(path) as reply:
                seen += [one["agent"] for one in await reply.json()]
                path = str(reply.links["next"]["url"].relative()) if "next" in reply.links else ""
            here.ledger.end_doubt(Agent(id=seen[-1]))
    assert sorted(seen) == agents


async def test_a_host_without_a_ledger_says_so(site: Any) -> None:
    """Without the plugin that keeps the ledger these lists are 501, with what to enable."""
    async with site(names=()) as here:
        for what in ("messages", "doubts", "hosts"):
            status, problem = await here.get(f"/v1/{what}")
            assert (status, 'no plugin "lcm"' in problem["detail"]) == (501, True)


async def test_messages_are_sent_again(site: Any) -> None:
    """Those of one attempt, or all that wait for a person; the LCM is asked again at once."""
    async with site() as here:
        await quiet(here)
        lost = await settled(here, "alice", LetterState.UNCONFIRMED, "the connection was cut")
        await settled(here, "bob", LetterState.REJECTED, "the LCM says: no")
        await settled(here, "carol", LetterState.CONFIRMED, None)
        assert await here.ask("POST", "/v1/messages/resend", {"attempts": [lost]}) == (200, {"messages": 1})
        (waiting,) = (await here.get("/v1/messages?state=waiting"))[1]
        assert (waiting["attempt_id"], waiting["error"]) == (lost, None)
        asked = {"state": ["rejected", "unconfirmed"], "actor": "sue"}
        assert await here.ask("POST", "/v1/messages/resend", asked) == (200, {"messages": 1})
        assert await here.ask("POST", "/v1/messages/resend", asked) == (200, {"messages": 0})


async def test_messages_are_given_up(site: Any) -> None:
    """The attempt is closed, as the LCM is to be told nothing more of it."""
    async with site() as here:
        await quiet(here)
        lost = await settled(here, "alice", LetterState.UNCONFIRMED, "the connection was cut")
        assert await here.ask("POST", "/v1/messages/withdraw", {"attempts": [lost]}) == (200, {"messages": 1})
        assert (await here.get(f"/v1/attempts/{lost}"))[1]["state"] == "closed"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"state": ["waiting"]}, "waiting is not for a person to decide on"),
        ({"attempts": []}, "attempts"),
        ({"attempt": ["a"]}, 'did you mean "attempts"?'),
    ],
)
async def test_what_nobody_may_decide_on(site: Any, body: dict[str, Any], wrong: str) -> None:
    """What is on its way to the LCM, or nothing at all, is an error that says what is meant."""
    async with site() as here:
        status, problem = await here.ask("POST", "/v1/messages/withdraw", body)
        assert (status, wrong in str(problem)) == (422, True)


async def test_the_past_of_a_contact(site: Any) -> None:
    """Calls to the same number or contact before, newest first, each with what its agent said of it."""
    async with site() as here:
        await quiet(here)
        first = await settled(here, "alice", LetterState.CONFIRMED, None)
        await asyncio.sleep(60)
        offer = await here.offered("bob", key="0|bob")
        status, (call,) = await here.get(f"/v1/attempts/{offer.id}/past")
        assert (status, call["attempt_id"], call["agent"]) == (200, first, "alice")
        assert (call["same_number"], call["at"] < offer.opened_at.isoformat()) == (True, True)
        assert (await here.get(f"/v1/attempts/{first}/past"))[1] == []
        assert (await here.get("/v1/attempts/nobody/past"))[0] == 404
