"""The rules that come with the package."""

from datetime import date

import pytest

from cti_hooks import Contact
from lcm_plugin.policies.rules import packaged

STATES = {"AL", "CT", "FL", "KY", "LA", "MA", "MD", "MI", "MN", "MS", "NM", "NV", "OK", "PA", "RI", "WA"}


def test_the_rules_that_are_known() -> None:
    """Federal law, Regulation F, sixteen states, Australia, Canada, France and the United Kingdom."""
    rules = packaged().rule
    assert set(rules) == {f"us-{state.lower()}" for state in STATES} | {
        "us-federal", "us-reg-f", "us-ma-debt", "us-pa-saturday", "uk-dma", "uk-ofcom", "au", "ca", "fr"
    }  # fmt: skip
    assert all(rule.hours or rule.caps for rule in rules.values())


@pytest.mark.parametrize("name", packaged().rule)
def test_a_rule_says_where_it_comes_from(name: str) -> None:
    """Each names its source, how far that can be trusted, and since when it holds; no date is a promise."""
    rule = packaged().rule[name]
    assert len(rule.source) > 20
    assert rule.effective <= date.fromisoformat(packaged().version)
    assert rule.region in {"US", "GB"} or name.upper().startswith(rule.region)


REGIONS = [
    ({"region": "FL"}, "US-FL"),
    ({"Region": " us_fl "}, "US-FL"),
    ({"region": "GB-LND"}, "GB-LND"),
    ({"region": "CA"}, "US-CA"),
    ({"region": "CA-ON"}, "CA-ON"),
    ({"region": "Florida"}, None),
    ({"region": "XX"}, None),
    ({"region": "US"}, None),
    ({"region": None}, None),
    ({"state": "FL"}, None),
]


@pytest.mark.parametrize(("extra", "code"), REGIONS)
def test_a_region_is_read(extra: dict[str, str], code: str | None) -> None:
    """By ISO 3166-2, a bare code being the default country's; what is no code there is unknown."""
    contact = Contact(key="k", phone_number="1", extra=extra)
    assert packaged().region_of(contact, "region", "US") == code
