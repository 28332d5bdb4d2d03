"""A contact of another source: offered, dialed and followed as any other, and the LCM hears nothing of it."""

import asyncio
from collections.abc import Generator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from attrs import define, evolve, field

from cti_hooks import (
    Agent,
    AttemptState,
    Callback,
    CallEventKind,
    Contact,
    Disposition,
    Refusal,
    hookimpl,
)
from lcm_plugin.errors import InvalidError
from lcm_plugin.ledger import housekeeping
from lcm_plugin.plugin import lcm_of
from tests.desk.centre import Centre, OpenCentre
from tests.people import ALICE, BOB

KEY = "0|0|000|0|0|00|1"
"""The LCM has a contact of this key, too."""
LEAD = Contact(key=KEY, phone_number="+12125559901", e164="+12125559901", campaign="Leads", consent="given")
ASKS_ALL = {"screen_pop": True, "zone_lookup": True, "contact_modes": True, "dialer_detail": True}
BY_HAND = {"auto_dispose": {}, "preview": {"seconds": 60, "on_timeout": "dial"}, **ASKS_ALL}


@define(eq=False)
class Leads:
    """Another source, asked before the LCM; it says whose its contacts are as it likes."""

    contacts: list[Contact]
    asked_by: set[str] = field(factory=lambda: {"alice"})

    @hookimpl
    def request_next_contact(self, agent: Agent) -> Contact | None:
        return self.contacts.pop(0) if self.contacts and agent.id in self.asked_by else None


async def with_leads(open_centre: OpenCentre, *leads: Contact, count: int = 3, **settings: Any) -> Any:
    return await open_centre(count, plugins=(Leads(list(leads or (LEAD,))),), **{**BY_HAND, **settings})


async def offered(centre: Centre, agent: Agent = ALICE) -> Any:
    await centre.ready(agent)
    await asyncio.sleep(1)
    return centre.records.shown[-1]


async def called(centre: Centre) -> Any:
    offer = await offered(centre)
    await centre.answers(ALICE, offer, "dial")
    await centre.dialer.event(CallEventKind.ESTABLISHED, offer)
    await centre.dialer.event(CallEventKind.CALL_CLEARED, offer, q850=16)
    return await centre.recorded(offer)


def told_of(centre: Centre, key: str = KEY) -> list[str]:
    """The messages that name a contact to the LCM."""
    return [one.subtopic for one in centre.lcm.requests if key in map(str, one.data.values())]


SAID = [
    ("an id of its own", {"outcome_id": "777", "comments": "bought two"}),
    ("nothing but that it is over", {}),
    ("do-not-call", {"do_not_call": True}),
]


@pytest.mark.parametrize("said", [row[1] for row in SAID], ids=[row[0] for row in SAID])
@pytest.mark.long
async def test_the_lcm_hears_nothing_of_it(open_centre: OpenCentre, said: dict[str, Any]) -> None:
    """From its offer to its disposition no message to the LCM names it; the disposition closes it here."""
    centre = await with_leads(open_centre, evolve(LEAD, source="forged"), count=0)
    ended = await called(centre)
    assert ended.contact.source == next(
        name for name, one in centre.host.hooks.pm.list_name_plugin() if isinstance(one, Leads)
    )
    lists = await lcm_of(centre.host).outcomes(ALICE, ended)
    assert (lists.telephony, lists.business) == ((), ())
    await centre.disposes(ended, Disposition(**said))
    closed = await centre.recorded(ended)
    assert closed.state is AttemptState.CLOSED
    assert closed.disposition == Disposition(**said)
    assert await centre.ledger.letters_of(ended.id) == []
    await asyncio.sleep(600)
    assert told_of(centre) == []
    assert centre.sent() == []


async def test_its_disposition_is_checked_in_shape(open_centre: OpenCentre) -> None:
    """A callback in the past, or with do-not-call, is wrong whoever gave the contact."""
    centre = await with_leads(open_centre, count=0)
    ended = await called(centre)
    now = centre.host.clock.now()
    late = Callback(kind="regular", starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1))
    with pytest.raises(InvalidError, match="is in the past"):
        await centre.disposes(ended, Disposition(callback=late))
    later = evolve(late, starts_at=now + timedelta(minutes=5))
    with pytest.raises(InvalidError, match="cannot be told with do_not_call"):
        await centre.disposes(ended, Disposition(callback=later, do_not_call=True))
    await centre.disposes(ended, Disposition(callback=later))
    assert (await centre.recorded(ended)).state is AttemptState.CLOSED
    assert told_of(centre) == []


@pytest.mark.parametrize("answer", ["skip", "reject", "close"])
async def test_an_answer_is_no_message(open_centre: OpenCentre, answer: str) -> None:
    """Skipped, rejected or closed, it is over here, and the LCM hears nothing; no outcome has to be named."""
    centre = await with_leads(open_centre, download_with="GetDownloadAllContactsForDialing")
    offer = await offered(centre)
    await centre.answers(ALICE, offer, answer)
    wanted = AttemptState.CLOSED if answer == "close" else AttemptState.SKIPPED
    assert (await centre.recorded(offer)).state is wanted
    await centre.not_ready(ALICE)
    assert centre.sent() == []


class Never:
    @hookimpl
    def review_contact(self, contact: Contact) -> Refusal | None:
        return Refusal(rule="never", reason="not this one") if contact.campaign == "Leads" else None


async def test_its_call_is_disposed_of_by_itself(open_centre: OpenCentre) -> None:
    """`auto_dispose` closes its call, without an outcome of the LCM's."""
    centre = await with_leads(open_centre, count=0, auto_dispose={"*": "0"})
    ended = await called(centre)
    await asyncio.sleep(1)
    closed = await centre.recorded(ended)
    assert (closed.state, closed.disposition) == (AttemptState.CLOSED, Disposition())
    assert centre.sent() == []


async def test_a_refusal_gives_it_no_outcome(open_centre: OpenCentre) -> None:
    """An outcome id in `on_refusal` is the LCM's: another source's contact is refused without it."""
    own = {**BY_HAND, "on_refusal": {"never": "2"}}
    centre = await open_centre(0, plugins=(Never(), Leads([LEAD])), **own)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    (refused,) = centre.records.states(AttemptState.REFUSED)
    assert refused.disposition is None
    assert centre.sent() == []


async def test_keys_are_each_sources_own(open_centre: OpenCentre) -> None:
    """The LCM's contact of the same key is offered, dialed and told meanwhile, as if the other were not."""
    centre = await with_leads(open_centre, count=1)
    ours, theirs = await offered(centre, ALICE), await offered(centre, BOB)
    assert (ours.contact.key, theirs.contact.key) == (KEY, KEY)
    assert (bool(ours.contact.source), theirs.contact.source) == (True, "")
    await centre.answers(ALICE, ours, "dial")
    await centre.answers(BOB, theirs, "dial")
    for one in (ours, theirs):
        await centre.dialer.event(CallEventKind.CALL_CLEARED, one, q850=17)
        await centre.disposes(one, Disposition(outcome_id="3"))
    assert sorted(centre.dialer.numbers) == ["+12125550001", "+12125559901"]
    assert [one.subtopic for one in centre.sent()] == ["SetNonPEWCContactOutcome", "SetCallResult"]


async def test_it_settles_no_doubt(open_centre: OpenCentre) -> None:
    """A contact the LCM reserved in an answer that got lost is found, though the other source has its key."""
    centre = await with_leads(open_centre, count=1)
    await offered(centre, ALICE)
    centre.lcm.order("drop,times=1")
    found = await offered(centre, BOB)
    assert (found.agent.id, found.contact.key, found.contact.source) == ("bob", KEY, "")


async def test_a_key_that_comes_again(open_centre: OpenCentre) -> None:
    """Given once more after its call, it waits for a person, as the LCM's would."""
    centre = await with_leads(open_centre, LEAD, LEAD, count=0)
    await centre.disposes(await called(centre), Disposition())
    again = await offered(centre)
    await asyncio.sleep(120)
    assert again.contact.key == KEY
    assert len(centre.dialer.dialed) == 1


async def test_its_person_can_be_forgotten(open_centre: OpenCentre) -> None:
    """Who is forgotten by key and source goes; the LCM's contact of that key stays."""
    centre = await with_leads(open_centre, count=1)
    ours, theirs = await offered(centre, ALICE), await offered(centre, BOB)
    for agent, one in ((ALICE, ours), (BOB, theirs)):
        await centre.answers(agent, one, "skip")
    gone = {"key": KEY, "source": ours.contact.source, "now": centre.ledger.now()}
    assert await centre.ledger.run(partial(housekeeping.forget, **gone)) == 1
    assert (await centre.recorded(theirs)).contact.phone_number == "+12125550001"
    forgotten = (await centre.recorded(ours)).contact
    assert (forgotten.phone_number, forgotten.source) == ("-", ours.contact.source)


async def test_its_number_is_barred_however_it_is_written(open_centre: OpenCentre) -> None:
    """A number barred as the LCM's contact is refused from another source, which writes it in its own way."""
    written = Contact(key="lead 7", phone_number="(212) 555-0001", consent="given")
    centre = await with_leads(open_centre, written, count=1)
    said = Disposition(outcome_id="5", business_outcome_id="106", do_not_call=True)
    await centre.disposes(await offered(centre, BOB), said, "bob")
    await centre.ready(ALICE)
    await asyncio.sleep(70)
    (refused,) = centre.records.states(AttemptState.REFUSED)
    assert (refused.contact.key, [one.rule for one in refused.refusals]) == ("lead 7", ["barred"])
    assert centre.dialer.dialed == []


class Repairs:
    """A site's hook around all sources of contacts."""

    @hookimpl(wrapper=True)
    def request_next_contact(self) -> Generator[None, Contact | None, Contact | None]:
        contact = yield
        return contact and evolve(contact, phone_number="+12125559999", e164="+12125559999")


async def test_a_hook_around_the_sources_may_repair_a_contact(open_centre: OpenCentre) -> None:
    """What a site's wrapper makes of the LCM's contact is what is called, and the LCM is told of it still."""
    centre = await open_centre(1, plugins=(Repairs(),))
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    assert centre.dialer.numbers == ["+12125559999"]
    await centre.call(ALICE, CallEventKind.ESTABLISHED, CallEventKind.CALL_CLEARED)
    await asyncio.sleep(5)
    assert [one.key for one in centre.lcm.account.dispositions] == ["0|0|000|0|0|00|1"]
