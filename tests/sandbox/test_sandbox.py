"""The sandbox LCM over plain requests: it behaves, it misbehaves as told, and it keeps an account."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import phonenumbers
import pytest

from lcm_plugin.sandbox import MEANINGS, VARIANTS, Fault, Sandbox, SandboxContact, generate_contacts
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.people import GROUP

FRESH = "GetDownloadContactsForDialing"
RESERVED = "GetReservedManualDialContact"

Ask = Callable[..., Awaitable[Any]]
Open = Callable[..., Awaitable[tuple[Sandbox, Ask]]]


def person(number: int, **facts: Any) -> SandboxContact:
    given = {"key": f"k{number}", "phone_number": f"+1212555{number:04}", "contact_id": str(number), **facts}
    return SandboxContact(**given)


def envelope(subtopic: str, **data: Any) -> dict[str, Any]:
    asked = {
        "CampaignGroup": GROUP,
        "NumberofContactsRequired": 1,
        "Consent": "Both",
        "AgentID": "alice",
        "ReservedContacts": "false",
        **data,
    }
    return {"channel": "LCM", "topic": "WebService", "subtopic": subtopic, "data": asked, "source": "tests"}


@pytest.fixture
async def opened(clock: LoopClock) -> AsyncIterator[Open]:
    """Opens a sandbox with these people, and a way to ask it by HTTP."""
    async with AsyncExitStack() as stack:

        async def opened(*people: SandboxContact, **options: Any) -> tuple[Sandbox, Ask]:
            options = {"timezone": "UTC", "clock": clock, "random": Random(1), **options}
            lcm = await stack.enter_async_context(Sandbox(contacts=list(people), **options))
            http = await stack.enter_async_context(aiohttp.ClientSession())

            async def ask(subtopic: str = FRESH, **data: Any) -> Any:
                async with http.post(
                    lcm.url, json=envelope(subtopic, **data), allow_redirects=False
                ) as reply:
                    if reply.status != 200:
                        return reply.status
                    return (await reply.json(content_type=None))["message"]["response"]

            return lcm, ask

        yield opened


async def test_a_fresh_download_reserves(opened: Open) -> None:
    """A contact handed out is its agent's, and comes as the documentation's record."""
    lcm, ask = await opened(person(1), person(2))
    first = await ask()
    assert first["AccountNumber"] == "k1"
    assert first["ExpiryTime"] == "01/30/2024 15:10:00"
    assert (await ask(AgentID="bob"))["AccountNumber"] == "k2"
    assert lcm.account.reservations == {"k1": "alice", "k2": "bob"}
    assert await ask() is None


@pytest.mark.parametrize("message", [RESERVED, FRESH])
async def test_reserved_contacts_are_asked_for(opened: Open, message: str) -> None:
    """A question for reserved contacts gives the agent's own, and reserves nothing."""
    _, ask = await opened(person(1), person(2))
    await ask()
    found = await ask(message, ReservedContacts="true", NumberofContactsRequired=5)
    assert [one["AccountNumber"] for one in (found if isinstance(found, list) else [found])] == ["k1"]
    assert await ask(RESERVED, AgentID="bob", ReservedContacts="true") == []


async def test_a_reservation_expires(opened: Open) -> None:
    """After its time a contact is free again, under another key: LCM's key is one for each delivery."""
    lcm, ask = await opened(person(1), reserve_seconds=60)
    first = await ask()
    await asyncio.sleep(61)
    again = await ask(AgentID="bob")
    assert again["ContactId"] == first["ContactId"]
    assert again["AccountNumber"] != first["AccountNumber"]
    assert lcm.account.reservations == {again["AccountNumber"]: "bob"}


@pytest.mark.parametrize(("wanted", "key"), [("true", "k2"), ("false", "k1"), ("Both", "k1")])
async def test_the_consent_filter(opened: Open, wanted: str, key: str) -> None:
    """True gives contacts with consent, false those without, Both whoever is next."""
    _, ask = await opened(person(1, consent="No"), person(2, consent="Yes"))
    assert (await ask(Consent=wanted))["AccountNumber"] == key


async def test_callbacks_come_due(opened: Open) -> None:
    """A callback comes when it is due, before fresh contacts; a personal one first, and to its agent only."""
    _, ask = await opened(
        person(1),
        person(2, due_in=60, call_type="1"),
        person(3, due_in=60, call_type="2", personal_agent="bob"),
        callbacks="fresh",
    )
    assert (await ask(AgentID="carol"))["AccountNumber"] == "k1"
    assert await ask(AgentID="carol") is None
    await asyncio.sleep(61)
    assert (await ask(AgentID="bob"))["AccountNumber"] == "k3"
    assert (await ask(AgentID="alice"))["CallbackTime"] == "01/30/2024 15:01:00"


@pytest.mark.parametrize(
    ("callbacks", "fresh", "reserved"),
    [(None, "k1", ["k2"]), ("reserved", "k1", ["k2"]), ("fresh", "k2", []), ("both", "k2", ["k2"])],
)
@pytest.mark.parametrize("asked_for", ["fresh", "reserved"])
async def test_which_download_gives_a_personal_callback(
    opened: Open, callbacks: str | None, fresh: str, reserved: list[str], asked_for: str
) -> None:
    """`callbacks` says which gives one that is due; by default that of reserved contacts, to its agent."""
    options = {"callbacks": callbacks} if callbacks else {}
    _, ask = await opened(person(1), person(2, due_in=60, personal_agent="alice"), **options)
    wanted = {"ReservedContacts": "true", "NumberofContactsRequired": 10}
    assert await ask(RESERVED, **wanted) == []
    await asyncio.sleep(61)
    assert await ask(RESERVED, **wanted, AgentID="bob") == []
    if asked_for == "fresh":
        assert (await ask())["AccountNumber"] == fresh
        return
    found = await ask(RESERVED, **wanted)
    assert [(one["AccountNumber"], one["CallType"]) for one in found] == [
        (key, "personal callback") for key in reserved
    ]


async def test_a_reserved_download_is_of_its_group(opened: Open) -> None:
    """A question for reserved contacts that names a group gives those of this group only."""
    _, ask = await opened(person(1), person(2, campaign_group="Other", due_in=0, personal_agent="alice"))
    assert await ask(ReservedContacts="true") is None
    assert (await ask(ReservedContacts="true", CampaignGroup="Other"))["AccountNumber"] == "k2"


async def test_groups_are_kept_apart(opened: Open) -> None:
    """A download gives contacts of its group; GetCampaignGroups lists them all."""
    _, ask = await opened(person(1), person(2, campaign_group="Other"))
    assert (await ask(CampaignGroup="Other"))["AccountNumber"] == "k2"
    groups = (await ask("GetCampaignGroups"))["CampaignGroups"]
    assert [one["Name"] for one in groups] == [GROUP, "Other"]


async def test_download_all_has_its_own_shape(opened: Open) -> None:
    """GetDownloadAllContactsForDialing answers with an array under Contacts, empty when there is nobody."""
    _, ask = await opened(person(1))
    assert [one["AccountNumber"] for one in (await ask("GetDownloadAllContactsForDialing"))["Contacts"]] == [
        "k1"
    ]
    assert (await ask("GetDownloadAllContactsForDialing"))["Contacts"] == []


async def test_what_it_does_not_know_is_an_error_of_the_documented_family(opened: Open) -> None:
    """An unknown subtopic or no JSON is 400."""
    lcm, ask = await opened()
    assert await ask("GetLost") == 400
    async with aiohttp.ClientSession() as http, http.post(lcm.url, data=b"{") as reply:
        assert reply.status == 400
        assert (await reply.json())["errorType"] == "WS_Error"


# -- faults -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["drop", "truncated"])
async def test_a_cut_connection_has_processed(opened: Open, name: str) -> None:
    """Drop and truncated reserve, and the reply does not arrive; the account says so."""
    lcm, ask = await opened(person(1))
    lcm.order(name)
    with pytest.raises(aiohttp.ClientError):
        await ask()
    (entry,) = lcm.account.handed
    assert (entry.key, entry.delivered) == ("k1", False)


async def test_late_commit_reserves_after_the_cut(opened: Open) -> None:
    """late_commit cuts at once and reserves later."""
    lcm, ask = await opened(person(1))
    lcm.order("late_commit,seconds=0.5")
    with pytest.raises(aiohttp.ClientError):
        await ask()
    assert lcm.account.reservations == {}
    await asyncio.sleep(1)
    assert lcm.account.reservations == {"k1": "alice"}


async def test_late_answers_late(opened: Open) -> None:
    """Late processes at once and answers after its seconds."""
    lcm, ask = await opened(person(1))
    lcm.order(Fault(name="late", seconds=30))
    began = asyncio.get_running_loop().time()
    assert (await ask())["AccountNumber"] == "k1"
    assert asyncio.get_running_loop().time() - began == pytest.approx(30, abs=1)


@pytest.mark.parametrize(
    ("fault", "status", "reserves"),
    [
        ("busy,status=429", 429, False),
        ("error", 500, True),
        ("reject,status=404", 404, False),
        ("redirect", 307, False),
    ],
)
async def test_statuses(opened: Open, fault: str, status: int, *, reserves: bool) -> None:
    """busy, reject and redirect process nothing; error does."""
    lcm, ask = await opened(person(1))
    lcm.order(fault)
    assert await ask() == status
    assert bool(lcm.account.reservations) is reserves


async def test_faults_are_counted_and_chosen(opened: Open) -> None:
    """A fault applies to its message and agent, as often as ordered."""
    lcm, ask = await opened(person(1), person(2), person(3))
    lcm.order(f"error,message={FRESH},agent=alice,times=1")
    assert (await ask(AgentID="bob"))["AccountNumber"] == "k1"
    assert await ask() == 500
    assert (await ask())["AccountNumber"] == "k3"
    assert [request.fault for request in lcm.requests] == ["", "error", ""]


async def test_chance_is_seeded(opened: Open) -> None:
    """A fault of chance hits its share of requests, the same ones with the same seed."""
    hits = []
    for _ in range(2):
        lcm, ask = await opened(random=Random(9))
        lcm.order("reject,chance=0.3")
        hits.append([await ask() == 400 for _ in range(60)])
    assert hits[0] == hits[1]
    assert 8 <= sum(hits[0]) <= 28


@pytest.mark.parametrize("variant", VARIANTS)
async def test_each_variant_is_json(opened: Open, variant: str) -> None:
    """Each spelling can be ordered, and is JSON."""
    lcm, _ = await opened(person(1))
    lcm.order(f"spelling,variant={variant}")
    async with aiohttp.ClientSession() as http, http.post(lcm.url, json=envelope(FRESH)) as reply:
        assert json.loads(await reply.text())


async def test_the_bus_answers_twice(opened: Open) -> None:
    """Over WebSocket a reply is published on the connection, twice when ordered."""
    lcm, _ = await opened(person(1))
    lcm.order("twice")
    async with aiohttp.ClientSession() as http, http.ws_connect(lcm.ws_url) as bus:
        await bus.send_json(envelope(FRESH))
        replies = [await bus.receive_json(timeout=5) for _ in range(2)]
    assert replies[0] == replies[1]
    assert replies[0]["subtopic"] == "DownloadContactsForDialing"


def test_every_fault_is_described() -> None:
    """Each fault that can be ordered says what it does."""
    for name in MEANINGS:
        Fault.parse(f"{name},variant=array")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("drop,message=SetCalResult", 'did you mean "SetCallResult"'),
        ("spelling,variant=aray", 'did you mean "array"'),
    ],
)
def test_a_fault_for_nothing_is_refused(spec: str, said: str) -> None:
    """A fault of no message, or of no variant, would never happen: it is refused, with the right word."""
    with pytest.raises(ValueError, match=said):
        Fault.parse(spec)


# -- people -------------------------------------------------------------------------------------------------


def test_made_up_people_have_valid_numbers() -> None:
    """Numbers of made-up contacts are valid, fiction's, and each its own."""
    people = generate_contacts(300, random=Random(1), consent_share=0.5)
    assert len({one.phone_number for one in people}) == 300
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(one.phone_number)) for one in people)
    assert all("55501" in one.phone_number for one in people)
    assert 100 < sum(one.consent == "Yes" for one in people) < 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("key,phone_number\nk,+12125550101,more\n", "contact 1: has more columns than the header line"),
        ("key,phone_number,due_in\nk,+12125550101,soon\n", "contact 1: due_in: must be a number"),
    ],
    ids=["a column too many", "no number"],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, text: str, said: str) -> None:
    """One sentence, with the file and the row, instead of a traceback."""
    file = tmp_path / "people.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=said) as refused:
        SandboxContact.read(file)
    assert "people.csv" in str(refused.value)


def test_people_are_read_from_files(tmp_path: Path) -> None:
    """JSON and CSV hold the same fields."""
    table = tmp_path / "people.csv"
    table.write_text("key,phone_number,due_in\nk1,+12125550101,60\nk2,+12125550102,\n")
    array = tmp_path / "people.json"
    array.write_text(json.dumps([{"key": "k1", "phone_number": "+12125550101", "due_in": 60.0}]))
    assert SandboxContact.read(table)[0] == SandboxContact.read(array)[0]
    assert SandboxContact.read(table)[1].due_in is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"key": "k"}]', "contact 1: phone_number: is required"),
        ('[{"key": "k", "phone_number": "1", "consnt": "Yes"}]', 'did you mean "consent"?'),
        ("{}", "must hold an array"),
        ("[", "cannot be read"),
        ("[7]", "contact 1"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, text: str, said: str) -> None:
    """What is wrong with a contacts file is said with file and row."""
    path = tmp_path / "people.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"people\.json") as raised:
        SandboxContact.read(path)
    assert said in str(raised.value)
