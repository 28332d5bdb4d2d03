"""How far a do-not-call reaches, and until when: as the disposition says, here and in the LCM's message."""

import asyncio
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cti_hooks import AttemptState, Disposition
from lcm_plugin.errors import InvalidError
from lcm_plugin.sandbox import SandboxContact
from tests.desk.centre import Centre, OpenCentre, contact_of
from tests.people import ALICE, BOB

NUMBER, ANOTHER = "+12125550301", "+12125550302"
ZONE = "America/New_York"
SETTINGS = {"auto_dispose": {}, "preview": {"seconds": 5}, "callback_time_zone": ZONE}
SAID: dict[str, Any] = {"outcome_id": "5", "business_outcome_id": "106", "do_not_call": True}


def person(key: str, number: str, contact_id: str, campaign: str = "A") -> SandboxContact:
    return SandboxContact(key=key, phone_number=number, contact_id=contact_id, campaign=campaign)


PEOPLE = [
    person("barred", NUMBER, "c1"),
    person("same number", NUMBER, "c2"),
    person("same contact", ANOTHER, "c1"),
    person("same number, another campaign", NUMBER, "c3", "B"),
]
SCOPES = [
    (None, {"same number", "same contact", "same number, another campaign"}, {}),
    ("number", {"same number", "same number, another campaign"}, {"isPhoneNoDNC": True}),
    ("contact", {"same contact"}, {"isPhoneNoDNC": False}),
    ("campaign", {"same number", "same contact"}, {"CampaignSpecificDNC": True}),
]


async def barred(centre: Centre, **said: Any) -> Any:
    """The first contact, offered to Alice and disposed of so; the message that the LCM answers with 503."""
    centre.lcm.order("busy,message=SetDNC")
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    await centre.not_ready(ALICE)
    await centre.disposes(centre.records.shown[-1], Disposition(**{**SAID, **said}))
    return centre.sent("SetDNC")[0]


def block_of(message: Any) -> dict[str, Any]:
    return {name: value for name, value in message.data.items() if "DNC" in name}


@pytest.mark.parametrize("by", ["the disposition", "the setting"])
@pytest.mark.parametrize(("scope", "refused", "sent"), SCOPES, ids=[str(row[0]) for row in SCOPES])
async def test_whom_it_reaches(
    open_centre: OpenCentre, by: str, scope: str | None, refused: set[str], sent: dict[str, Any]
) -> None:
    """By scope it bars the number, the contact, both in this campaign, or both everywhere; SetDNC says so."""
    is_set = by == "the setting" and scope is not None
    centre = await open_centre(PEOPLE, **SETTINGS, **({"do_not_call_scope": scope} if is_set else {}))
    message = await barred(centre, do_not_call_scope=None if is_set else scope)
    assert block_of(message) == sent
    await centre.ready(BOB)
    await asyncio.sleep(60)
    found = {contact_of(one).key for one in centre.records.states(AttemptState.REFUSED)}
    assert found == refused
    assert {contact_of(one).key for one in centre.records.shown} == {one.key for one in PEOPLE} - refused


@pytest.mark.long
async def test_until_when(open_centre: OpenCentre) -> None:
    """With an end it bars until then, which the refusal tells, and SetDNC in the site's zone."""
    centre = await open_centre(PEOPLE[:2], **SETTINGS, on_refusal={"barred": "hold"})
    until = (centre.host.clock.now() + timedelta(minutes=4)).replace(second=0, microsecond=0)
    message = await barred(centre, do_not_call_until=until)
    local = until.astimezone(ZoneInfo(ZONE))
    assert message.data["DNCBlockEndDate"] == f"{local:%d/%m/%Y %H:%M}"
    assert "DNCBlockStartDate" in message.data
    await centre.ready(BOB)
    await asyncio.sleep(1)
    held = centre.records.states(AttemptState.OFFERED)[-1]
    assert [one.not_before for one in held.refusals] == [until]
    assert f"until {until.isoformat()}" in held.reason
    await asyncio.sleep(270)
    assert [contact_of(one).key for one in centre.records.shown] == ["barred", "same number"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"do_not_call": False, "do_not_call_scope": "number"}, "do_not_call_scope: says how far do_not_call"),
    ({"do_not_call": False, "do_not_call_until": 1.0}, "do_not_call_until: says until when do_not_call"),
    ({"do_not_call_until": -1.0}, "do_not_call_until: is in the past"),
]


@pytest.mark.parametrize(("said", "problem"), WRONG, ids=[row[1] for row in WRONG])
async def test_what_cannot_be_right(open_centre: OpenCentre, said: dict[str, Any], problem: str) -> None:
    """A scope or an end of no do-not-call, or an end that is over, is told by its field."""
    centre = await open_centre(PEOPLE[:1], **SETTINGS)
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    if hours := said.get("do_not_call_until"):
        said = {**said, "do_not_call_until": centre.host.clock.now() + timedelta(hours=hours)}
    with pytest.raises(InvalidError, match=problem):
        await centre.disposes(centre.records.shown[-1], Disposition(**{**SAID, **said}))


async def test_its_zone_has_to_be_known(open_centre: OpenCentre) -> None:
    """An end is told to the LCM without a zone, so the site has to say in which."""
    centre = await open_centre(PEOPLE[:1], auto_dispose={}, preview={"seconds": 5})
    await centre.ready(ALICE)
    await asyncio.sleep(1)
    later = centre.host.clock.now() + timedelta(hours=1)
    with pytest.raises(InvalidError, match="do_not_call_until: needs the setting callback_time_zone"):
        await centre.disposes(centre.records.shown[-1], Disposition(**SAID, do_not_call_until=later))
