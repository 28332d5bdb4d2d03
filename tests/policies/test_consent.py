"""The policy `consent`, loaded by its name."""

from collections.abc import Callable
from typing import Any

import pytest

from cti_hooks import ConfigError, Consent, Contact, Mode
from lcm_plugin.sandbox.virtual_time import LoopClock

Police = Callable[..., Any]
Person = Callable[..., Contact]
NOW = LoopClock().start
GIVEN, NOT_GIVEN, UNKNOWN = Consent.GIVEN, Consent.NOT_GIVEN, Consent.UNKNOWN


@pytest.mark.parametrize("allow", [["given"], ["given", "unknown"], ["given", "unknown", "not_given"]])
@pytest.mark.parametrize("consent", list(Consent))
async def test_only_allowed_consents_are_called(
    police: Police, person: Person, consent: Consent, allow: list[str]
) -> None:
    """Whatever is not allowed is refused, without a next moment."""
    refusal = await police("consent", allow=allow).refusal(person(consent=consent), NOW)
    assert (refusal is None) == (consent in allow)
    if refusal:
        assert (refusal.rule, refusal.not_before, refusal.evidence["consent"]) == ("consent", None, consent)


async def test_by_default_only_given_is_allowed(police: Police, person: Person) -> None:
    """Without settings, unknown is no yes."""
    policed = police("consent")
    assert await policed.refusal(person(consent=GIVEN), NOW) is None
    assert (await policed.refusal(person(consent=UNKNOWN), NOW)).reason == "consent is unknown, not given"


FOR = [
    ({"campaigns": ["Spring"]}, {"campaign": "spring "}, True),
    ({"campaigns": ["Spring"]}, {"campaign": "Autumn"}, False),
    (
        {"campaigns": ["Spring"], "campaign_groups": ["G"]},
        {"campaign": "Autumn", "campaign_group": "g"},
        True,
    ),
    ({"modes": ["Mobile"]}, {"mode": "mobile"}, True),
    ({"modes": ["Mobile"]}, {"mode": "Home"}, False),
    ({"modes": ["3"]}, {"modes": [Mode(id="3", description="Mobile", e164="+12125550123")]}, True),
    ({"campaigns": ["Spring"], "modes": ["Mobile"]}, {"campaign": "Spring", "mode": "Home"}, False),
]


@pytest.mark.parametrize(("table", "fields", "refused"), FOR)
async def test_a_site_names_whom_it_is_for(
    police: Police,
    person: Person,
    table: dict[str, Any],
    fields: dict[str, Any],
    refused: bool,  # noqa: FBT001  (the table's)
) -> None:
    """Contacts of other campaigns, and numbers of other modes, are left to the desk."""
    assert bool(await police("consent", **table).refusal(person(**fields), NOW)) == refused


@pytest.mark.parametrize(("own", "refused"), [(GIVEN, False), (UNKNOWN, False), (NOT_GIVEN, True)])
async def test_the_numbers_own_consent_counts_too(
    police: Police,
    person: Person,
    own: Consent,
    refused: bool,  # noqa: FBT001  (the table's)
) -> None:
    """A contact who said yes, but no to this number, is not called on it."""
    home = Mode(id="1", phone_number="3055550123", consent=NOT_GIVEN)
    mobile = Mode(id="3", phone_number="+1 212 555 0123", consent=own)
    contact = person(consent=GIVEN, modes=[home, mobile])
    assert bool(await police("consent").refusal(contact, NOW)) == refused


@pytest.mark.parametrize(
    ("table", "told"), [({"allow": ["gvien"]}, 'did you mean "given"?'), ({"allow": []}, "allow")]
)
def test_wrong_settings_are_told(police: Police, table: dict[str, Any], told: str) -> None:
    """A wrong setting is named, with what would be right."""
    with pytest.raises(ConfigError) as raised:
        police("consent", **table)
    assert told in str(raised.value)
