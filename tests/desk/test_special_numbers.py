"""Whatever the list says, and whoever dials: emergency, short and premium-rate numbers are not called."""

import asyncio
from typing import Any

import pytest
from attrs import evolve

from cti_hooks import AttemptState, Consent, Mode, hookimpl
from lcm_plugin.errors import ConflictError
from lcm_plugin.explanation import explained
from lcm_plugin.sandbox import SandboxContact
from tests.desk.centre import OpenCentre, contact_of
from tests.people import ALICE, GROUP

AT_ONCE = {"preview": {"seconds": 0}}


def person(number: str, **facts: Any) -> SandboxContact:
    told = {"key": "1", "phone_number": number, "campaign_group": GROUP, "consent": "Yes", **facts}
    return SandboxContact(**told)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("911", "emergency number"),
        ("112", "emergency number"),
        ("9-1-1", "emergency number"),
        ("911 234 5678", "emergency number"),
        ("+911", "short number"),
        ("0911", "short number"),
        ("116117", "short number"),
        ("70", "short number"),
        ("+19005550100", "premium-rate number"),
        ("900 555 0100", "premium-rate number"),
    ],
)
@pytest.mark.parametrize("moment", ["a ready agent", "a person"])
async def test_no_list_dials_a_special_number(
    open_centre: OpenCentre, number: str, said: str, moment: str
) -> None:
    """Consent or none, no policy enabled: refused with the rule's name, and no dialer hears of it."""
    consent = "Yes" if moment == "a ready agent" else "No"
    centre = await open_centre([person(number, consent=consent)], **AT_ONCE)
    await centre.ready(ALICE)
    await asyncio.sleep(5)
    assert not centre.dialer.dialed
    refused = centre.records.states(AttemptState.REFUSED)[0]
    assert [one.rule for one in refused.refusals] == ["special_number"]
    assert said in refused.refusals[0].reason
    assert number not in refused.refusals[0].reason


class OtherNumbers:
    """A site that knows another number of each contact."""

    @hookimpl
    def enrich_contact(self, contact: Any) -> Any:

        mode = Mode(id="2", description="Office", phone_number="911", consent=Consent.GIVEN)
        return evolve(contact, modes=(mode,))


async def test_nobody_dials_one_as_another_number(open_centre: OpenCentre) -> None:
    """A person who chooses another of the contact's numbers is told why not."""
    centre = await open_centre([person("+12125550123", consent="No")], plugins=(OtherNumbers(),))
    await centre.ready(ALICE)
    await asyncio.sleep(5)
    (offer,) = centre.records.shown
    with pytest.raises(ConflictError, match="emergency number"):
        await centre.answers(ALICE, offer, "dial", mode_id="2")
    assert not centre.dialer.dialed


@pytest.mark.parametrize(
    ("number", "table"),
    [
        ("7001", {"allowed_short_numbers": ["70*"]}),
        ("911", {"allowed_short_numbers": ["911"]}),
        ("+19005550100", {"allow_premium_rate": True}),
        ("+12125550123", {}),
        ("1234567", {}),
    ],
)
async def test_a_site_allows_what_it_needs(
    open_centre: OpenCentre, number: str, table: dict[str, Any]
) -> None:
    """Short numbers by pattern, an emergency number by itself, premium-rate numbers all."""
    centre = await open_centre([person(number)], **AT_ONCE, **table)
    await centre.ready(ALICE)
    await asyncio.sleep(5)
    assert centre.dialer.numbers == [number]


async def test_no_pattern_means_an_emergency_number(open_centre: OpenCentre) -> None:
    """Who allows all short numbers has not allowed 911."""
    centre = await open_centre([person("911")], **AT_ONCE, allowed_short_numbers=["*"])
    await centre.ready(ALICE)
    await asyncio.sleep(5)
    assert not centre.dialer.dialed


@pytest.mark.parametrize(("number", "passed"), [("911", False), ("+12125550123", True)])
async def test_an_explanation_has_the_rule(open_centre: OpenCentre, number: str, *, passed: bool) -> None:
    """The rule is among the checks, passed or not, under the name a refusal has."""
    centre = await open_centre([person("+12125550100", consent="No")])
    await centre.ready(ALICE)
    await asyncio.sleep(5)
    (offer,) = centre.records.shown

    contact = evolve(contact_of(offer), phone_number=number, e164=None)
    told = await explained(centre.host, ALICE, contact, None)
    assert [check.passed for check in told.checks if check.rule == "special_number"] == [passed]
    assert told.allowed is passed
