"""The sandbox's lists and books after it was told what came of a call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import frozen

from cti_hooks import Agent, CallType, Contact
from cti_hooks import settings as plugin_settings
from lcm_plugin.config import ConsentFilter, LcmSettings
from lcm_plugin.errors import LcmRejected
from lcm_plugin.lcm import meanings
from lcm_plugin.lcm.catalogue import CATALOGUE, DOWNLOAD_ALL, FAMILIES, MessageType, dispositions
from lcm_plugin.lcm.catalogue.callbacks import OVERLAP, PERSONAL_CALLBACKS
from lcm_plugin.lcm.catalogue.compliance import ADD_COMPLIANCE, CHECK_CONTACTS, COMPLIANCE_CHECK
from lcm_plugin.lcm.catalogue.details import CREATE_CONTACT, MODE_INFORMATION
from lcm_plugin.lcm.catalogue.dispositions import (
    BOTH_OUTCOMES,
    CALL_OUTCOME,
    CALL_RESULT,
    CALLBACK,
    DO_NOT_CALL,
    OUTCOME_AND_PERSONAL_CALLBACK,
    PERSONAL_CALLBACK,
    SET_BUSINESS_OUTCOME,
)
from lcm_plugin.lcm.catalogue.downloads import SKIP
from lcm_plugin.lcm.catalogue.non_pewc import CONTACT_OD, DIALER_DETAIL, RESERVED_CONTACT_OD, SKIP_OD
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.lcm.decode import Reply
from lcm_plugin.lcm.transports import transport_for
from lcm_plugin.ledger import Ledger
from lcm_plugin.sandbox import Sandbox, SandboxContact, SandboxMode
from lcm_plugin.sandbox.behaviours import BEHAVIOURS
from lcm_plugin.sandbox.virtual_time import LoopClock
from tests.people import ALICE, BOB, GROUP


@frozen
class Shift:
    """A sandbox, and somebody who speaks to it."""

    lcm: Sandbox
    client: LcmClient

    async def fetch(self, agent: Agent = ALICE) -> Contact | None:
        return await self.client.next_contact(agent, GROUP)

    async def fetched(self, agent: Agent = ALICE) -> Contact:
        contact = await self.fetch(agent)
        assert contact is not None
        return contact

    async def tell(self, message: MessageType, agent: Agent = ALICE, **values: Any) -> Reply:
        return await self.client.ask(message, agent, **values)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(entry.key, entry.message) for entry in self.lcm.account.dispositions]


Open = Callable[..., Awaitable[Shift]]


@pytest.fixture
async def opened(clock: LoopClock, ledger: Ledger) -> AsyncIterator[Open]:
    """Opens a sandbox with these people, in UTC unless told otherwise."""
    async with AsyncExitStack() as stack:

        async def opened(*people: SandboxContact, **options: Any) -> Shift:
            options = {"timezone": "UTC", "clock": clock, "random": Random(1), **options}
            lcm = await stack.enter_async_context(Sandbox(contacts=list(people), **options))
            table = {"url": lcm.url, "source": "tests", "timezone": options["timezone"]}
            settings = plugin_settings.read(LcmSettings, table)
            transport = transport_for(settings, Path.cwd(), clock)
            stack.push_async_callback(transport.close)
            client = LcmClient(settings=settings, transport=transport, random=Random(1), ledger=ledger)
            return Shift(lcm, client)

        yield opened


def person(number: int, **facts: Any) -> SandboxContact:
    return SandboxContact(key=f"k{number}|", phone_number=f"+1212555010{number}", **facts)


def window(clock: LoopClock, minutes: float = 10, length: float = 30) -> dict[str, Any]:
    starts_at = clock.now().replace(second=0, microsecond=0) + timedelta(minutes=minutes)
    return {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=length), "time_zone": UTC}


def everything(clock: LoopClock, key: str) -> dict[str, Any]:
    """A value for each field a disposition may have."""
    return {
        "key": key,
        "call_id": "1",
        "outcome_id": "4",
        "business_outcome_id": "101",
        "mode_id": "3",
        "comments": "call Ms Berry later",
        **window(clock),
    }


def test_every_message_of_the_catalogue_has_a_behaviour() -> None:
    """What the catalogue declares, the sandbox answers, and nothing else."""
    assert set(BEHAVIOURS) == set(CATALOGUE)


@pytest.mark.parametrize("message", FAMILIES[dispositions], ids=lambda message: message.subtopic)
async def test_each_disposition_ends_its_delivery(
    opened: Open, clock: LoopClock, message: MessageType
) -> None:
    """Whichever setter tells it, the reservation is over, the contact closed, and the books have one row."""
    shift = await opened(person(1))
    key = (await shift.fetched()).key
    assert (await shift.tell(message, **everything(clock, key))).acknowledged
    assert shift.lcm.account.reservations == {}
    assert shift.told == [(key, message.subtopic)]
    (entry,) = shift.lcm.account.dispositions
    assert entry.agent_id == "alice"
    assert "Berry" not in repr(shift.lcm.account)
    assert await shift.fetch(BOB) is None


async def test_the_books_have_what_was_told(opened: Open) -> None:
    """A row has the outcomes, the comments, the callback, and who told it."""
    shift = await opened(person(1))
    key = (await shift.fetched()).key
    told = {"key": key, "call_id": "1", "outcome_id": "9", "business_outcome_id": "106", "comments": "no"}
    await shift.tell(BOTH_OUTCOMES, BOB, **told)
    (entry,) = shift.lcm.account.dispositions
    assert (entry.outcome_id, entry.business_outcome_id, entry.comments) == ("9", "106", "no")
    assert (entry.agent_id, entry.callback, entry.delivered) == ("bob", None, True)


# -- callbacks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", [CALLBACK, CALL_RESULT])
async def test_a_regular_callback_comes_to_anybody(
    opened: Open, clock: LoopClock, message: MessageType
) -> None:
    """It comes when it is due, before fresh contacts, under a new key, to whoever asks."""
    shift = await opened(person(1), person(2), person(3))
    first = await shift.fetched()
    await shift.tell(message, **everything(clock, first.key))
    (booked,) = shift.lcm.account.callbacks
    assert (booked.key, booked.personal, booked.mode_id) == (first.key, False, "3")
    assert (await shift.fetched(BOB)).key == "k2|"
    await asyncio.sleep(600)
    again = await shift.fetched(Agent(id="carol"))
    assert again.key == "k1|1"
    assert (again.phone_number, again.callback_at) == (first.phone_number, booked.starts_at)


@pytest.mark.parametrize("message", [PERSONAL_CALLBACK, OUTCOME_AND_PERSONAL_CALLBACK, CALL_RESULT])
async def test_a_personal_callback_comes_to_its_agent(
    opened: Open, clock: LoopClock, message: MessageType
) -> None:
    """It comes to its agent only, and before a regular one that is due as well."""
    shift = await opened(person(2, due_in=60), person(1, due_in=0), callbacks="fresh")
    key = (await shift.fetched()).key
    await shift.tell(message, user=ALICE, **everything(clock, key))
    await asyncio.sleep(700)
    assert (await shift.fetched(BOB)).key == "k2|"
    assert await shift.fetch(BOB) is None
    assert (await shift.fetched()).key == "k1|1"


async def test_a_personal_callback_is_among_the_reserved(opened: Open, clock: LoopClock) -> None:
    """By default it comes with the agent's reserved contacts only, and says what it is."""
    shift = await opened(person(1))
    await shift.tell(PERSONAL_CALLBACK, **everything(clock, (await shift.fetched()).key))
    await asyncio.sleep(700)
    assert await shift.fetch() is None
    assert await shift.client.reserved.all(BOB, GROUP) == []
    (found,) = await shift.client.reserved.all(ALICE, GROUP)
    assert (found.key, found.call_type) == ("k1|1", CallType.PERSONAL_CALLBACK)


async def test_a_personal_callback_is_first_in_line(opened: Open, clock: LoopClock) -> None:
    """Due with a regular one, the agent's own goes first."""
    shift = await opened(person(1), person(2, due_in=60), callbacks="fresh")
    key = (await shift.fetched()).key
    await shift.tell(PERSONAL_CALLBACK, **everything(clock, key))
    await asyncio.sleep(700)
    assert (await shift.fetched()).key == "k1|1"
    assert (await shift.fetched(BOB)).key == "k2|"


async def test_a_callback_is_for_the_number_asked_for(opened: Open, clock: LoopClock) -> None:
    """The mode of a callback is the number the contact comes again with."""
    numbers = (
        SandboxMode(id="3", phone_number="+12125550101"),
        SandboxMode(id="1", phone_number="+16465550101"),
    )
    shift = await opened(person(1, modes=numbers))
    told = {**everything(clock, (await shift.fetched()).key), "mode_id": "1"}
    await shift.tell(CALLBACK, **told)
    await asyncio.sleep(600)
    again = await shift.fetched()
    assert (again.phone_number, again.mode) == ("+16465550101", "Home")
    assert meanings.mode_information(await shift.tell(MODE_INFORMATION, key=again.key)).mode == "Home"


async def test_a_callback_is_read_in_the_sandboxs_zone(opened: Open) -> None:
    """Dates without a zone are the site's: what is written in another zone is due at another time."""
    shift = await opened(person(1), timezone="America/New_York")
    told: dict[str, Any] = {
        "starts_at": datetime(2024, 3, 10, 7, 30, tzinfo=UTC),
        "ends_at": datetime(2024, 3, 10, 8, 0, tzinfo=UTC),
        "time_zone": shift.client.settings.zone,
    }
    await shift.tell(CALL_RESULT, key=(await shift.fetched()).key, outcome_id="4", **told)
    (booked,) = shift.lcm.account.callbacks
    assert booked.starts_at.astimezone(UTC) == told["starts_at"]


@pytest.mark.parametrize(
    ("minutes", "length", "meets"),
    [(0, 10, False), (0, 20, False), (0, 21, True), (25, 1, True), (30, 0, True), (39, 60, True),
     (40, 10, False), (10, 90, True), (20, 0, True), (19, 0, False)],
)  # fmt: skip
async def test_windows_that_only_touch_do_not_overlap(
    opened: Open, clock: LoopClock, minutes: int, length: int, *, meets: bool
) -> None:
    """Against a callback from minute 20 to 40, a shared minute is an overlap; a moment counts as one."""
    shift = await opened(person(1), person(2, due_in=1200, due_until=2400, personal_agent="alice"))
    key = (await shift.fetched()).key
    reply = await shift.tell(OVERLAP, key=key, call_id="1", **window(clock, minutes, length))
    assert meanings.overlaps(reply) is meets


async def test_the_list_of_personal_callbacks(opened: Open, clock: LoopClock) -> None:
    """An agent's own of these days, in order, a page at a time; what was handed out is off the list."""
    mine = [person(n, due_in=n * 3600, due_until=n * 3600 + 60, personal_agent="alice") for n in (3, 1, 2)]
    shift = await opened(
        *mine, person(4, due_in=60, personal_agent="bob"), person(5, due_in=60), callbacks="fresh"
    )
    asked: dict[str, Any] = {"starts_at": clock.now(), "ends_at": clock.now(), "time_zone": UTC}
    listed = meanings.personal_callbacks(await shift.tell(PERSONAL_CALLBACKS, **asked), UTC)
    assert [one.phone_number[-1] for one in listed] == ["1", "2", "3"]
    assert listed[0] == meanings.PersonalCallback(
        campaign_id="AD Manual Dial Campaign",
        mode_id="3",
        mode="Mobile",
        phone_number="+12125550101",
        starts_at=datetime(2024, 1, 30, 16, 0, tzinfo=UTC),
        ends_at=datetime(2024, 1, 30, 16, 1, tzinfo=UTC),
    )
    assert "5550101" not in repr(listed)
    page = meanings.personal_callbacks(await shift.tell(PERSONAL_CALLBACKS, first=2, count=1, **asked), UTC)
    assert page == listed[1:2]
    tomorrow: dict[str, Any] = {
        **asked,
        "starts_at": clock.now() + timedelta(days=1),
        "ends_at": clock.now() + timedelta(days=2),
    }
    assert (await shift.tell(PERSONAL_CALLBACKS, **tomorrow)).records == ()
    await asyncio.sleep(3700)
    assert (await shift.fetched()).key == "k1|"
    left = meanings.personal_callbacks(await shift.tell(PERSONAL_CALLBACKS, **asked), UTC)
    assert left == listed[1:]


# -- no -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "values", "said"),
    [
        (CALL_RESULT, {"key": "k9|"}, "no contact of this key"),
        (CALL_RESULT, {"outcome_id": "1"}, "outcome_id 1 is not listed"),
        (CALL_OUTCOME, {"outcome_id": "101"}, "outcome_id 101 is not listed"),
        (SET_BUSINESS_OUTCOME, {"business_outcome_id": "3"}, "business_outcome_id 3 is not listed"),
        (DO_NOT_CALL, {"business_outcome_id": "555"}, "business_outcome_id 555 is not listed"),
        (CALL_OUTCOME, {"call_id": ""}, "WS_Error: Callid is empty"),
        (CALLBACK, {"ends_at": datetime(2024, 1, 1, tzinfo=UTC)}, "ends before it starts"),
        (CALLBACK, {"mode_id": ""}, "CallbackModeId is missing"),
        (SKIP, {"phone_number": "+12125550101"}, "not downloaded with GetDownloadAllContactsForDialing"),
    ],
)  # fmt: skip
async def test_what_it_cannot_take_is_refused(
    opened: Open, clock: LoopClock, message: MessageType, values: dict[str, Any], said: str
) -> None:
    """The LCM says no and why, and nothing has changed."""
    shift = await opened(person(1))
    key = (await shift.fetched()).key
    with pytest.raises(LcmRejected, match=said):
        await shift.tell(message, **{**everything(clock, key), **values})
    assert shift.lcm.account.reservations == {key: "alice"}
    assert shift.told == []
    assert shift.lcm.account.do_not_call == []


async def test_a_site_may_want_the_dialer_detail_first(opened: Open) -> None:
    """If it is required, a disposition is refused before SetNonPEWCContactOutcome, and taken after it."""
    shift = await opened(person(1), require_dialer_detail=True)
    contact = await shift.fetched()
    with pytest.raises(LcmRejected, match="SetNonPEWCContactOutcome has to come first"):
        await shift.tell(CALL_RESULT, key=contact.key, outcome_id="3")
    assert (await shift.tell(DIALER_DETAIL, key=contact.key, phone_number=contact.phone_number)).acknowledged
    assert (await shift.tell(CALL_RESULT, key=contact.key, outcome_id="3")).acknowledged
    with pytest.raises(LcmRejected):
        await shift.tell(DIALER_DETAIL, key="k9|", phone_number=contact.phone_number)


async def test_skipping_closes_a_contact_of_the_all_download(opened: Open) -> None:
    """Skip closes what GetDownloadAllContactsForDialing gave, once, with an outcome that is listed."""
    shift = await opened(person(1))
    fetch: dict[str, Any] = {
        "campaign_group": GROUP,
        "count": 1,
        "consent": ConsentFilter.BOTH,
        "reserved": False,
    }
    (record,) = (await shift.tell(DOWNLOAD_ALL, **fetch)).records
    skip = {"key": record["AccountNumber"], "phone_number": record["PhoneNumber"]}
    with pytest.raises(LcmRejected, match="not listed"):
        await shift.tell(SKIP, outcome_id="99", **skip)
    assert (await shift.tell(SKIP, outcome_id="100", **skip)).acknowledged
    with pytest.raises(LcmRejected, match="not open"):
        await shift.tell(SKIP, outcome_id="100", **skip)
    assert shift.told == [("k1|", "SkipManualDialContact")]
    assert await shift.fetch() is None


async def test_a_late_disposition_takes_nothing_from_another(opened: Open, clock: LoopClock) -> None:
    """A delivery disposed after it expired is written down; who has the contact by then keeps it."""
    shift = await opened(person(1), reserve_seconds=60)
    key = (await shift.fetched()).key
    await asyncio.sleep(61)
    later = (await shift.fetched(BOB)).key
    await shift.tell(CALLBACK, **{**everything(clock, key), **window(clock, minutes=-5)})
    assert shift.lcm.account.reservations == {later: "bob"}
    assert await shift.fetch() is None
    await shift.tell(CALL_RESULT, BOB, key=later, outcome_id="0")
    await asyncio.sleep(3600)
    assert await shift.fetch() is None
    assert [key for key, _ in shift.told] == [key, later]


async def test_a_disposition_after_expiry_closes_a_free_contact(opened: Open) -> None:
    """A contact that was free again is closed by the disposition of its last delivery."""
    shift = await opened(person(1), reserve_seconds=60)
    key = (await shift.fetched()).key
    await asyncio.sleep(61)
    await shift.tell(CALL_RESULT, key=key, outcome_id="0")
    assert await shift.fetch() is None


# -- the rest of the family ---------------------------------------------------------------------------------


async def test_the_older_family_has_one_contact_at_a_time(opened: Open) -> None:
    """GetContactOD reserves, GetReservedContactOD shows, SkipNonPEWCContact puts back, or says why not."""
    shift = await opened(person(1))
    with pytest.raises(LcmRejected, match="no contact is reserved"):
        await shift.tell(SKIP_OD)
    (record,) = (await shift.tell(CONTACT_OD)).records
    assert (await shift.tell(RESERVED_CONTACT_OD)).records == (record,)
    assert (await shift.tell(CONTACT_OD, BOB)).records == ()
    assert (await shift.tell(SKIP_OD)).acknowledged
    assert (await shift.tell(RESERVED_CONTACT_OD)).records == ()
    assert (await shift.fetched(BOB)).key == "k1|1"


async def test_a_blocked_number_is_known(opened: Open) -> None:
    """AddCompliance blocks a number; the compliance questions tell, for each by its id."""
    shift = await opened(person(1), person(2))
    key = (await shift.fetched()).key
    await shift.tell(ADD_COMPLIANCE, value="+12125550101")
    contacts = [
        {"request_id": "a", "key": key, "id": "x", "phone_number": "+12125550101"},
        {"request_id": "b", "key": "k9|", "id": "y", "phone_number": "+12125550102"},
    ]
    checked = await shift.tell(COMPLIANCE_CHECK, campaign="c", contacts=contacts)
    assert [(one["requestid"], one["iscompliant"]) for one in checked.records] == [("a", False), ("b", False)]
    known = await shift.tell(CHECK_CONTACTS, campaigns=["c"], contacts=contacts)
    assert [(one["id"], one["isDNC"]) for one in known.records] == [("x", True), ("y", False)]


async def test_a_contact_can_be_made(opened: Open, clock: LoopClock) -> None:
    """CreateContact puts somebody on the lists, if its modes have a number."""
    shift = await opened()
    made: dict[str, Any] = {"campaign": "c", "business_fields": "", **window(clock, minutes=0)}
    with pytest.raises(LcmRejected, match="BussinessFields is missing"):
        await shift.tell(CREATE_CONTACT, modes="<M/>", **made)
    made["business_fields"] = "<F/>"
    with pytest.raises(LcmRejected, match="no number"):
        await shift.tell(CREATE_CONTACT, modes="<M/>", **made)
    await shift.tell(CREATE_CONTACT, modes="<M>+12125550177</M>", **made)
    contact = await shift.fetched()
    assert (contact.phone_number, contact.campaign) == ("+12125550177", "c")
