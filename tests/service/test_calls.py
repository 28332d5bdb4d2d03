"""A whole call over the API: offered, answered, hung up, disposed of; and what is refused on the way."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import define

from cti_hooks import Call, Refusal, hookimpl
from lcm_plugin.sandbox import Sandbox, SandboxContact
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.people import GROUP

NO_SUCH = "018d5b3e-0000-7000-8000-000000000000"


@define
class Floor:
    """A site whose LCM has people to call, and one agent with an offer."""

    lcm: Sandbox
    site: Any
    clock: LoopClock
    attempt_id: str = ""

    async def post(self, what: str, body: Any = None, attempt_id: str = "") -> tuple[int, Any]:
        path = f"/v1/attempts/{attempt_id or self.attempt_id}/{what}"
        answer: tuple[int, Any] = await self.site.ask("POST", path, body)
        return answer

    async def offered(self, agent: str = "alice") -> str:
        """Make an agent ready, and wait for the offer."""
        await self.site.ask("PUT", f"/v1/agents/{agent}", {"state": "ready"})
        self.attempt_id = (await self.until(agent, "offered"))["id"]
        return self.attempt_id

    async def until(self, agent: str, state: str) -> Any:
        """The agent's open attempt, once it is in this state."""
        for _ in range(200):
            attempt = (await self.site.get(f"/v1/agents/{agent}"))[1]["attempt"]
            if attempt and attempt["state"] == state:
                return attempt
            await asyncio.sleep(0.1)
        raise AssertionError(f"{agent} has no attempt that is {state}: {attempt}")

    async def connected(self) -> None:
        """Dial the offer, and wait for the customer."""
        assert (await self.post("answer", {"answer": "dial"}))[0] == 200
        while (await self.shown())["calls"][-1]["state"] != "connected":  # noqa: ASYNC110  (virtual time)
            await asyncio.sleep(0.1)

    async def shown(self) -> Any:
        return (await self.site.get(f"/v1/attempts/{self.attempt_id}"))[1]

    def in_hours(self, hours: float) -> str:
        return (self.clock.now() + timedelta(hours=hours)).isoformat()


Open = Callable[..., AbstractAsyncContextManager[Floor]]


@pytest.fixture
def floor(site: Any, clock: LoopClock) -> Open:
    """Opens a floor; settings of the LCM plugin by keyword."""

    @asynccontextmanager
    async def opened(*plugins: object, names: tuple[str, ...] = (), **lcm: Any) -> AsyncIterator[Floor]:
        people = [
            SandboxContact(key=f"0|{n}", phone_number=f"+1212555{n:04}", campaign_group=GROUP, consent="Yes")
            for n in range(1, 9)
        ]
        settings = {
            "names": ("lcm", "loopback", *names),
            "campaign_groups": [GROUP],
            "callback_time_zone": "America/New_York",
            "reserved_first": False,
            "tables": {"loopback": {"talk_seconds": 60}},
            **lcm,
        }
        async with (
            Sandbox(contacts=people, clock=clock) as there,
            site(*plugins, url=there.url, **settings) as here,
        ):
            yield Floor(there, here, clock)

    return opened


async def test_a_call_from_ready_to_a_personal_callback(floor: Open) -> None:
    """Ready, offer, dial, hang up, the LCM's lists, a disposition with a callback that the LCM gets once."""
    async with floor() as here:
        await here.offered()
        await here.connected()
        assert await here.post("clear") == (200, {"cleared": True})
        ended = await here.until("alice", "ended")
        assert ended["outcome"] == "answered"
        lists = (await here.site.get(f"/v1/attempts/{here.attempt_id}/outcomes"))[1]
        callback = {"kind": "personal", "starts_at": here.in_hours(24), "ends_at": here.in_hours(25)}
        body = {"outcome_id": lists["telephony"][0]["id"], "comments": "call again", "callback": callback}
        status, disposed = await here.post("disposition", body)
        assert (status, disposed["state"], disposed["actor"]) == (200, "disposed", "alice")
        await asyncio.sleep(5)
        closed = await here.shown()
        (booked,) = here.lcm.account.dispositions
        agent = (await here.site.get("/v1/agents/alice"))[1]
    assert (closed["state"], closed["disposition"]["comments"]) == ("closed", "call again")
    assert [one["state"] for one in closed["messages"]] == ["confirmed"]
    assert (booked.key, booked.outcome_id) == (closed["contact"]["key"], body["outcome_id"])
    assert booked.callback is not None
    assert booked.callback.personal
    assert (agent["attempt"]["state"], agent["last_attempt"]["id"]) == ("offered", closed["id"])


@pytest.mark.parametrize("answer", ["skip", "reject"])
async def test_an_offer_is_put_down(floor: Open, answer: str) -> None:
    """Skipped or rejected with a reason, it is not dialed, and says who said so."""
    async with floor() as here:
        await here.offered()
        status, said = await here.post("answer", {"answer": answer, "reason": "I know them"})
    assert (status, said["state"], said["answer"], said["actor"]) == (200, "skipped", answer, "alice")
    assert "I know them" in said["reason"]


async def test_an_offer_is_closed_with_an_outcome(floor: Open) -> None:
    """CLOSE with the id of an outcome disposes of the contact without a call."""
    async with floor() as here:
        await here.offered()
        lists = (await here.site.get(f"/v1/attempts/{here.attempt_id}/outcomes"))[1]
        outcome = lists["telephony"][0]["id"]
        status, closed = await here.post("answer", {"answer": "close", "reason": outcome})
        await asyncio.sleep(5)
        assert (status, closed["state"]) == (200, "disposed")
        assert [one.outcome_id for one in here.lcm.account.dispositions] == [outcome]
        assert not (await here.shown())["calls"]


async def test_a_supervisor_disposes_for_an_agent_who_left(floor: Open) -> None:
    """An ended call of an agent who logged off may be disposed of by somebody else, who is named."""
    async with floor() as here:
        await here.offered()
        await here.connected()
        await here.post("clear")
        await here.until("alice", "ended")
        await here.site.ask("PUT", "/v1/agents/alice", {"state": "logged_off"})
        lists = (await here.site.get(f"/v1/attempts/{here.attempt_id}/outcomes"))[1]
        body = {"outcome_id": lists["telephony"][0]["id"], "actor": "sue, supervisor"}
        status, disposed = await here.post("disposition", body)
    assert (status, disposed["state"], disposed["actor"]) == (200, "disposed", "sue, supervisor")
    assert disposed["agent"]["id"] == "alice"


WRONG_DISPOSITIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"outcome_id": "no such"}, "outcome_id", "the LCM does not list 'no such'; it has "),
    ({}, "outcome_id", "is needed"),
    ({"outcome": "1"}, "outcome", 'did you mean "outcome_id"?'),
    ({"do_not_call": "yes"}, "do_not_call", "must be true or false"),
    ({"do_not_call": True, "do_not_call_scope": "nmber"}, "do_not_call_scope", 'did you mean "number"?'),
    ({"do_not_call": True, "do_not_call_until": "noon"}, "do_not_call_until", "instant"),
    ({"outcome_id": "5", "do_not_call_scope": "number"}, "do_not_call_scope", "which is not said"),
    ({"callback": {"kind": "personal"}}, "callback.starts_at", "is required"),
    ({"callback": {"kind": "persnal", "starts_at": 0, "ends_at": 1}}, "callback.kind", '"personal"?'),
    ({"callback": {"kind": "personal", "starts_at": 0, "ends_at": 1}}, "callback.starts_at", "be a text"),
    ({"callback": {"kind": "personal", "starts_at": "noon", "ends_at": 1}}, "callback.starts_at", "instant"),
    ({"callback": {"kind": "personal", "starts_at": -1, "ends_at": 1}}, "callback.starts_at", "in the past"),
    ({"callback": {"kind": "personal", "starts_at": 2, "ends_at": 1}}, "callback.ends_at", "is not after"),
]  # fmt: skip
"""Bodies, the field at fault, and what is said; whole numbers stand for hours from now, but 0 for itself."""


@pytest.mark.parametrize(("body", "field", "said"), WRONG_DISPOSITIONS, ids=range(len(WRONG_DISPOSITIONS)))
async def test_a_wrong_disposition_is_422(floor: Open, body: dict[str, Any], field: str, said: str) -> None:
    """The field at fault is named with what would be right; nothing is sent to the LCM, the call stays."""
    async with floor() as here:
        await here.offered()
        await here.connected()
        await here.post("clear")
        await here.until("alice", "ended")
        lists = (await here.site.get(f"/v1/attempts/{here.attempt_id}/outcomes"))[1]
        told = {"outcome_id": lists["telephony"][0]["id"], **body} if "callback" in body else body
        if "callback" in body:
            times = {
                name: here.in_hours(value) if isinstance(value, int) and value and "kind" in body["callback"]
                else value for name, value in body["callback"].items()
            }  # fmt: skip
            told = {**told, "callback": times}
        status, problem = await here.post("disposition", told)
        await asyncio.sleep(5)
        assert status == 422
        assert field in [one["field"] for one in problem["errors"]]
        assert said in problem["detail"]
        assert here.lcm.account.dispositions == []
        assert (await here.shown())["state"] == "ended"


async def test_what_does_not_go_with_how_things_stand_is_409(floor: Open) -> None:
    """Another agent's offer, one answered before, no call to hang up, a closed attempt: nothing is done."""
    async with floor() as here:
        await here.offered("alice")
        await here.site.ask("PUT", "/v1/agents/bob", {"state": "not_ready"})
        status, problem = await here.post("answer", {"answer": "dial", "actor": "bob"})
        assert (status, "is agent alice's, not bob's" in problem["detail"]) == (409, True)
        status, problem = await here.post("clear")
        assert (status, "no call that is up: it is offered" in problem["detail"]) == (409, True)
        assert (await here.post("answer", {"answer": "skip"}))[0] == 200
        for body in ({"answer": "dial"}, {"answer": "skip"}, {"answer": "close", "reason": "1"}):
            assert (await here.post("answer", body))[0] == 409
        status, problem = await here.post("disposition", {"outcome_id": "1"})
        assert (status, "is skipped" in problem["detail"]) == (409, True)
        await asyncio.sleep(5)
        assert here.lcm.account.dispositions == []
        assert here.site.host.plugins["loopback"].placed == []


async def test_a_rule_that_says_no_is_told_with_its_refusal(floor: Open) -> None:
    """DIAL of a contact that may not be called now is 409 with each rule's word; it is not dialed."""

    class Hours:
        open = True

        @hookimpl
        def review_contact(self, moment: datetime) -> Refusal | None:
            later = moment + timedelta(hours=1)
            return None if self.open else Refusal(rule="hours", reason="too late today", not_before=later)

    hours = Hours()
    async with floor(hours) as here:
        await here.offered()
        hours.open = False
        status, problem = await here.post("answer", {"answer": "dial"})
        assert (status, [one["rule"] for one in problem["refusals"]]) == (409, ["hours"])
        assert problem["refusals"][0]["not_before"] > here.in_hours(0.5)
        assert "too late today" in problem["detail"]
        assert here.site.host.plugins["loopback"].placed == []


async def test_an_unknown_attempt_is_404_whatever_is_asked(floor: Open) -> None:
    """Each act on an attempt there is not is 404; a wrong body 422, nonsense 400."""
    async with floor() as here:
        for what, body in (("answer", {"answer": "dial"}), ("clear", None), ("disposition", {})):
            assert (await here.post(what, body, NO_SUCH))[0] == 404
        assert (await here.site.get(f"/v1/attempts/{NO_SUCH}/outcomes"))[0] == 404
        assert (await here.post("answer", {"answer": "dail"}, NO_SUCH))[0] == 422
        assert (await here.post("answer", None, NO_SUCH))[0] == 422
        async with here.site.http.post(f"/v1/attempts/{NO_SUCH}/answer", data="{") as reply:
            assert reply.status == 400


async def test_an_lcm_that_does_not_answer_is_503(floor: Open) -> None:
    """The LCM's lists cannot be had while it is down; the answer says so."""
    async with floor(max_requests=1) as here:
        await here.offered()
        here.lcm.order("busy,status=503,times=9")
        status, problem = await here.site.get(f"/v1/attempts/{here.attempt_id}/outcomes")
    assert (status, "LCM" in problem["detail"]) == (503, True)


async def test_a_dialer_that_cannot_hang_up_is_503(floor: Open) -> None:
    """A dialer's failure to hang up is told, and the call goes on."""

    class Broken:
        @hookimpl
        def clear_call(self, call: Call) -> bool:
            raise OSError("no route to the engine")

    async with floor(Broken()) as here:
        await here.offered()
        await here.connected()
        status, problem = await here.post("clear")
        assert (status, "no route to the engine" in problem["detail"]) == (503, True)
        assert (await here.shown())["state"] == "calling"


async def test_dialing_stopped_holds_until_it_is_resumed(floor: Open) -> None:
    """Stopped, a DIAL is 409 that says who stopped it, the offer stays; resumed, it is dialed."""
    async with floor() as here:
        await here.offered()
        status, shown = await here.site.ask("POST", "/v1/dialing/stop", {"actor": "sue"})
        assert (status, [one["kind"] for one in shown["stops"]]) == (200, ["site"])
        status, problem = await here.post("answer", {"answer": "dial"})
        assert (status, "sue stopped dialing" in problem["detail"]) == (409, True)
        assert (await here.shown())["state"] == "offered"
        assert here.site.host.plugins["loopback"].placed == []
        assert await here.site.ask("POST", "/v1/dialing/resume") == (200, {"stops": []})
        await here.connected()


async def test_an_agents_activity_is_shown(floor: Open) -> None:
    """Beside the state that was told: what the agent does, since when, and what they wait for."""
    async with floor() as here:
        await here.offered()
        shown = (await here.site.get("/v1/agents/alice"))[1]
        assert (shown["state"], shown["activity"], shown["wants"]) == ("ready", "offered", True)
        await here.connected()
        await asyncio.sleep(10)
        shown = (await here.site.get("/v1/agents/alice"))[1]
        assert (shown["state"], shown["activity"]) == ("ready", "talking")
        assert shown["since"] < here.clock.now().isoformat()
        await asyncio.sleep(120)
        shown = (await here.site.get("/v1/agents/alice"))[1]
        assert (shown["activity"], "no disposition" in shown["waits_for"]) == ("wrap_up", True)


async def test_an_offer_is_kept(floor: Open) -> None:
    """The API tells how long an offer stays, and gives it another preview; what has none is a conflict."""
    async with floor() as here:
        await here.offered()
        first = (await here.shown())["offer"]
        assert (first["on_timeout"], first["paused"], first["person_only"]) == ("skip", False, False)
        await asyncio.sleep(5)
        status, shown = await here.post("keep", {})
        assert (status, shown["reason"]) == (200, "kept by alice")
        assert shown["offer"]["preview_ends_at"] > first["preview_ends_at"]
        assert (await here.site.get("/v1/agents/alice"))[1]["attempt"]["offer"] == shown["offer"]
        await here.connected()
        status, problem = await here.post("keep", {"actor": "sue"})
        assert (status, "not on offer" in problem["detail"]) == (409, True)


@pytest.mark.parametrize(("scope", "other"), [("agent", "bob"), ("campaign", "another")])
async def test_a_stop_is_for_its_scope_only(floor: Open, scope: str, other: str) -> None:
    """A stop for an agent or a campaign holds there, and nowhere else; each is lifted as it was ordered."""
    async with floor() as here:
        await here.offered()
        own = "alice" if scope == "agent" else (await here.shown())["contact"]["campaign"]
        await here.site.ask("POST", "/v1/dialing/stop", {scope: other})
        await here.site.ask("POST", "/v1/dialing/stop", {scope: own})
        assert (await here.post("answer", {"answer": "dial"}))[0] == 409
        await here.site.ask("POST", "/v1/dialing/resume", {scope: own})
        (left,) = (await here.site.get("/v1/dialing"))[1]["stops"]
        assert (left["kind"], left["name"], left["actor"]) == (scope, other, "somebody")
        await here.connected()


async def test_a_stop_outlives_the_host(floor: Open, tmp_path: Any) -> None:
    """A stop holds for the next host on the same ledger."""
    ledger = f"sqlite:///{tmp_path}/ledger.db"
    async with floor(ledger=ledger) as here:
        await here.site.ask("POST", "/v1/dialing/stop")
    async with floor(ledger=ledger) as here:
        assert len((await here.site.get("/v1/dialing"))[1]["stops"]) == 1
        await here.site.ask("PUT", "/v1/agents/alice", {"state": "ready"})
        await asyncio.sleep(60)
        assert (await here.site.get("/v1/agents/alice"))[1]["attempt"] is None
        assert here.lcm.account.handed == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"campaign": "C", "agent": "a"}, "agent"),
        ({"campain": "C"}, "campain"),
        ({"agent": ""}, "agent"),
        ({"agent": 7}, "agent"),
    ],
)
@pytest.mark.parametrize("act", ["stop", "resume"])
async def test_a_wrong_scope_is_422(floor: Open, act: str, body: dict[str, Any], field: str) -> None:
    """Both scopes at once, a misspelt or an empty one is told; nothing is stopped."""
    async with floor() as here:
        status, problem = await here.site.ask("POST", f"/v1/dialing/{act}", body)
        assert (status, [one["field"] for one in problem["errors"]]) == (422, [field])
        assert (await here.site.get("/v1/dialing"))[1] == {"stops": []}


async def test_a_host_without_the_lcm_plugin_has_nothing_to_act_on(site: Any) -> None:
    """Acts on attempts and on dialing are 501 with what to enable."""
    async with site(names=()) as here:
        asked = [
            ("POST", f"/v1/attempts/{NO_SUCH}/answer", {"answer": "dial"}),
            ("POST", f"/v1/attempts/{NO_SUCH}/clear", None),
            ("POST", f"/v1/attempts/{NO_SUCH}/disposition", {}),
            ("GET", f"/v1/attempts/{NO_SUCH}/outcomes", None),
            ("POST", "/v1/dialing/stop", {}),
            ("POST", "/v1/dialing/resume", {}),
            ("GET", "/v1/dialing", None),
        ]
        for method, path, body in asked:
            status, problem = await here.ask(method, path, body)
            assert (status, 'no plugin "lcm"' in problem["detail"]) == (501, True)


async def test_a_clients_mistake_is_no_error_of_ours(floor: Open, caplog: pytest.LogCaptureFixture) -> None:
    """422 and 409 are told to who asked, whom it is for to mend; the log has no ERROR of it."""
    async with floor() as here:
        await here.offered()
        await here.connected()
        await here.post("clear")
        assert (await here.post("disposition", {"outcome_id": "99"}))[0] == 422
        assert (await here.post("answer", {"answer": "skip"}))[0] == 409
        assert (await here.post("disposition", {"outcome_id": "0"}))[0] == 200
        assert (await here.post("disposition", {"outcome_id": "0"}))[0] == 409
    said = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert [one for one in said if "blocked the event loop" not in one] == [], "the machine may be busy"


async def booked(here: Floor, hours: float) -> str:
    """Alice's call of now, with a callback of her own booked so many hours later; its attempt's id."""
    await here.offered()
    await here.connected()
    await here.post("clear")
    await here.until("alice", "ended")
    lists = (await here.site.get(f"/v1/attempts/{here.attempt_id}/outcomes"))[1]
    callback = {"kind": "personal", "starts_at": here.in_hours(hours), "ends_at": here.in_hours(hours + 1)}
    body = {"outcome_id": lists["telephony"][0]["id"], "comments": "call again", "callback": callback}
    assert (await here.post("disposition", body))[0] == 200
    await asyncio.sleep(5)
    return here.attempt_id


async def test_an_agents_callbacks_are_listed(floor: Open) -> None:
    """What the LCM lists and what was booked here is one callback, with the note taken then."""
    async with floor() as here:
        attempt_id = await booked(here, 24)
        status, found = await here.site.get("/v1/agents/alice/callbacks")
        assert (status, found["not_listed"]) == (200, "")
        (one,) = found["callbacks"]
        assert (one["listed"], one["attempt_id"], one["comments"]) == (True, attempt_id, "call again")
        late = (await here.site.get("/v1/agents/alice/callbacks?since=2030-01-01T00:00:00Z"))[1]
        assert late["callbacks"] == []
        status, problem = await here.site.get("/v1/agents/alice/callbacks?until=noon")
        assert (status, "until" in problem["detail"]) == (422, True)


async def test_without_the_lcm_the_ledgers_callbacks_are_listed(floor: Open) -> None:
    """What was booked here is known here; the answer says why the LCM's list is missing."""
    async with floor() as here:
        attempt_id = await booked(here, 24)
        here.lcm.order("reject,message=GetPersonalCallbackList")
        found = (await here.site.get("/v1/agents/alice/callbacks"))[1]
        assert [(one["attempt_id"], one["listed"]) for one in found["callbacks"]] == [(attempt_id, False)]
        assert "LcmRejected" in found["not_listed"]


@pytest.mark.parametrize(
    ("hours", "says"),
    [(24.5, (True, True)), (48, (False, True)), (36, (False, False))],
    ids=["meets another", "free", "at night"],
)
async def test_a_callback_is_checked_before_it_is_booked(
    floor: Open, hours: float, says: tuple[bool, bool]
) -> None:
    """Whether it meets another one of the agent's, and whether the rules let it be called then."""
    overlaps, allowed = says
    async with floor(names=("calling-hours",)) as here:
        await booked(here, 24)
        await here.offered()
        told = {"kind": "personal", "starts_at": here.in_hours(hours), "ends_at": here.in_hours(hours + 1)}
        status, found = await here.post("callback-check", told)
        assert (status, found["overlaps"], found["allowed"]) == (200, overlaps, allowed)
        assert (found["not_before"] is None) is allowed
        assert any(one["passed"] is False for one in found["checks"]) is not allowed
        assert len(here.lcm.account.dispositions) == 1


async def test_a_check_of_what_the_lcm_does_not_say(floor: Open) -> None:
    """An LCM that does not answer leaves it open whether callbacks overlap."""
    async with floor() as here:
        await here.offered()
        here.lcm.order("reject,message=ScheduledCallBackOverlap")
        told = {"kind": "personal", "starts_at": here.in_hours(24), "ends_at": here.in_hours(25)}
        status, found = await here.post("callback-check", told)
        assert (status, found["overlaps"], found["allowed"]) == (200, None, True)
        status, problem = await here.post("callback-check", {**told, "starts_at": "noon"})
        assert (status, "starts_at" in str(problem)) == (422, True)


async def test_a_check_without_the_lcms_zone(floor: Open) -> None:
    """Times that the LCM cannot be told are asked of the rules alone; one in the past is an error."""
    async with floor(callback_time_zone=None) as here:
        await here.offered()
        told = {"kind": "personal", "starts_at": here.in_hours(24), "ends_at": here.in_hours(25)}
        status, found = await here.post("callback-check", told)
        assert (status, found["overlaps"], found["allowed"]) == (200, None, True)
        status, problem = await here.post("callback-check", {**told, "starts_at": here.in_hours(-1)})
        (error,) = problem["errors"]
        assert (status, error["field"], "is in the past" in error["detail"]) == (422, "starts_at", True)
