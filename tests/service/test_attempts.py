"""The API's attempts: listed, told whole, explained."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from cti_hooks import Agent, Disposition
from lcm_plugin.attempt.transitions import ENDED, NOTHING, SKIPPED
from lcm_plugin.ledger import Draft
from lcm_plugin.plugin import lcm_of

NO_SUCH = "018d5b3e-0000-7000-8000-000000000000"


async def test_attempts_are_listed_newest_first(site: Any) -> None:
    """All of all agents, or an agent's, or those in some states; newest first."""
    async with site() as here:
        ids = {}
        for agent in ("a", "b", "c"):
            ids[agent] = (await here.offered(agent)).id
            await asyncio.sleep(1)
        open_one = here.ledger.get_open(ids["b"])
        here.ledger.change(open_one, SKIPPED, reason="not now")
        status, found = await here.get("/v1/attempts")
        assert (status, [one["id"] for one in found]) == (200, [ids["c"], ids["b"], ids["a"]])
        assert [one["id"] for one in (await here.get("/v1/attempts?agent=a"))[1]] == [ids["a"]]
        assert [one["id"] for one in (await here.get("/v1/attempts?state=skipped"))[1]] == [ids["b"]]
        both = (await here.get("/v1/attempts?state=skipped&state=offered"))[1]
        assert len(both) == 3
        assert (await here.get("/v1/attempts?agent=nobody"))[1] == []


async def test_pages_lead_on_to_the_last(site: Any) -> None:
    """The header Link leads through all attempts, each once, also those opened at the same instant."""
    async with site() as here:
        made = {(await here.offered(f"agent {n}")).id for n in range(5)}
        seen: list[str] = []
        path = "/v1/attempts?limit=2&state=offered"
        while path:
            async with here.http.get(path) as reply:
                seen += [one["id"] for one in await reply.json()]
                path = str(reply.links["next"]["url"].relative()) if "next" in reply.links else ""
        assert (len(seen), set(seen)) == (5, made)


async def test_one_attempt_is_told_whole(site: Any) -> None:
    """Contact, history and what the LCM is told of it; a number in full, for the desktop."""
    async with site() as here:
        offered = await here.offered("a", key="0|7", campaign="C")
        ended = here.ledger.change(await here.ledger.dial(offered), ENDED, outcome="busy", reason="line busy")
        await lcm_of(here.host).desks.disposing.outbox.close()  # so that it stays as it is written
        await here.ledger.dispose(ended, [Draft(message="SetCallResult", values={"key": "0|7"})])
        status, told = await here.get(f"/v1/attempts/{offered.id}")
    assert status == 200
    assert (told["contact"]["key"], told["contact"]["phone_number"]) == ("0|7", "2125550123")
    assert (told["state"], told["outcome"], told["agent"]["id"]) == ("disposed", "busy", "a")
    assert [line["state"] for line in told["history"]] == [
        "requested",
        "offered",
        "dialing",
        "ended",
        "disposed",
    ]
    (message,) = told["messages"]
    assert (message["message"], message["state"], message["tries"]) == ("SetCallResult", "waiting", 0)


@pytest.mark.parametrize("attempt_id", [NO_SUCH, "nonsense", "%00", "' OR 1=1"])
@pytest.mark.parametrize("under", ["", "/explanation"])
async def test_an_unknown_attempt_is_404(site: Any, attempt_id: str, under: str) -> None:
    """An id the ledger does not know, whatever it looks like, is 404 with the way out."""
    async with site() as here:
        status, problem = await here.get(f"/v1/attempts/{attempt_id}{under}")
    assert (status, "GET /v1/attempts lists them" in problem["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("state=offerd", "state", 'did you mean "offered"?'),
        ("sate=offered", "sate", 'did you mean "state"?'),
        ("limit=0", "limit", ""),
        ("limit=many", "limit", "must be a whole number"),
        ("limit=1&limit=2", "limit", "must be a whole number"),
        (f"limit={'9' * 5000}", "limit", "must be a whole number"),
        ("agent=a&agent=b", "agent", "must be a text"),
        (f"before={NO_SUCH}", "before", "the last of the page before"),
    ],
)
async def test_a_wrong_query_is_422(site: Any, query: str, field: str, said: str) -> None:
    """A parameter or state there is not is named, with what would be right."""
    async with site() as here:
        status, problem = await here.get(f"/v1/attempts?{query}")
    assert status == 422
    assert [one["field"] for one in problem["errors"]] == [field]
    assert said in problem["detail"]


async def test_an_attempt_is_explained(site: Any) -> None:
    """Every rule, passed or not, of a moment asked for; each refusal with its next moment."""
    async with site(names=("calling-hours", "consent", "lcm")) as here:
        attempt = await here.offered("a", e164="+12125550123", consent="given", time_zones=[])
        path = f"/v1/attempts/{attempt.id}/explanation"
        moment = "2026-11-24T04:00:00-05:00"
        status, told = await here.get(path, params={"at": moment, "agent": "bob"})
        now = (await here.get(path))[1]
    assert status == 200
    assert (told["attempt_id"], told["agent"]["id"], told["moment"]) == (attempt.id, "bob", moment)
    assert (told["allowed"], now["agent"]["id"]) == (False, "a")
    assert {check["rule"]: check["passed"] for check in told["checks"]} == {
        "calling-hours-zone": False, "consent": True, "expiry": True, "special_number": True, "barred": True,
        "stopped": True,
    }  # fmt: skip


async def test_an_offer_barred_meanwhile_is_explained(site: Any) -> None:
    """An offer not yet dialed whose number another agent barred is shown as not allowed, by whom and when."""
    async with site() as here:
        offer, other = await here.offered("a"), await here.offered("b")
        said = Disposition(outcome_id="5", do_not_call=True)
        await here.ledger.dispose(other, [], disposition=said, actor="supervisor 7")
        told = (await here.get(f"/v1/attempts/{offer.id}/explanation"))[1]
    (check,) = [one for one in told["checks"] if not one["passed"]]
    assert (told["allowed"], check["rule"], check["evidence"]["by"]) == (False, "barred", "supervisor 7")
    assert check["reason"].startswith("supervisor 7 barred this number at ")
    assert "5550123" not in str(check)


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ({}, "boss stopped dialing at "),
        ({"campaign": "Spring"}, "boss stopped dialing for campaign Spring at "),
        ({"agent": "a"}, "boss stopped dialing for agent a at "),
    ],
    ids=["site", "campaign", "agent"],
)
async def test_a_stop_of_dialing_is_explained(site: Any, scope: dict[str, str], said: str) -> None:
    """What a stop keeps from being dialed is shown as not allowed, with who stopped it; nobody else's is."""
    async with site() as here:
        attempt = await here.offered("a", campaign="Spring")
        other = await here.offered("b", campaign="Autumn")
        await here.ask("POST", "/v1/dialing/stop", {**scope, "actor": "boss"})
        told = (await here.get(f"/v1/attempts/{attempt.id}/explanation"))[1]
        of_other = (await here.get(f"/v1/attempts/{other.id}/explanation"))[1]
        await here.ask("POST", "/v1/dialing/resume", scope)
        resumed = (await here.get(f"/v1/attempts/{attempt.id}/explanation"))[1]
    (check,) = [one for one in told["checks"] if not one["passed"]]
    assert (told["allowed"], check["rule"]) == (False, "stopped")
    assert check["reason"].startswith(said)
    assert (of_other["allowed"], resumed["allowed"]) == (bool(scope), True)


@pytest.mark.parametrize("expires_in", [60, 0])
async def test_a_rule_has_one_name(site: Any, expires_in: int) -> None:
    """Whether a rule lets a contact be called or not, its name is the same: here the LCM's expiry."""
    async with site() as here:
        expires_at = here.ledger.clock.now() + timedelta(seconds=expires_in)
        attempt = await here.offered("a", expires_at=expires_at)
        told = (await here.get(f"/v1/attempts/{attempt.id}/explanation"))[1]
    (check,) = [one for one in told["checks"] if one["rule"] == "expiry"]
    assert check["passed"] is bool(expires_in)
    assert len({one["rule"] for one in told["checks"]}) == len(told["checks"]) == 4


@pytest.mark.parametrize(
    ("at", "said"),
    [("noon", "is no instant"), ("2026-11-24T04:00:00 05:00", "%2B"), ("2026-11-24T04:00:00", "no offset")],
)
async def test_a_wrong_moment_is_422(site: Any, at: str, said: str) -> None:
    """A moment that is none is told with what would be right."""
    async with site() as here:
        attempt = await here.offered("a")
        status, problem = await here.get(f"/v1/attempts/{attempt.id}/explanation", params={"at": at})
    assert (status, problem["errors"][0]["field"]) == (422, "at")
    assert said in problem["detail"]


async def test_an_attempt_without_a_contact_cannot_be_explained(site: Any) -> None:
    """There is nothing to explain before a contact came: 409."""
    async with site() as here:
        attempt = here.ledger.change(await here.ledger.open(Agent(id="a")), NOTHING)
        status, problem = await here.get(f"/v1/attempts/{attempt.id}/explanation")
    assert (status, "it is empty" in problem["detail"]) == (409, True)


async def test_a_host_without_the_lcm_plugin_keeps_no_attempts(site: Any) -> None:
    """Another host's agents are served all the same; attempts are 501 with what to enable."""
    async with site(names=()) as here:
        assert (await here.get("/v1/agents"))[0] == 200
        for path in ("/v1/attempts", f"/v1/attempts/{NO_SUCH}", f"/v1/attempts/{NO_SUCH}/explanation"):
            status, problem = await here.get(path)
            assert (status, 'no plugin "lcm"' in problem["detail"]) == (501, True)


async def test_a_ledger_that_cannot_be_reached_is_503(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the ledger is out of reach the answer says so; a retry may do."""
    async with site() as here:

        async def down(*_: Any) -> None:
            raise OSError("disk I/O error")

        monkeypatch.setattr(type(here.ledger.database), "run", down)
        for path in ("/v1/attempts", f"/v1/attempts/{NO_SUCH}"):
            status, problem = await here.get(path)
            assert (status, "the ledger cannot be written" in problem["detail"]) == (503, True)
        monkeypatch.undo()
