"""The policy `calling-hours`, loaded by its name."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phonenumbers.timezone import time_zones_for_number

from cti_hooks import ConfigError, Contact, Host, Mode, TimeZone
from lcm_plugin.policies.public_holidays import holidays_in
from lcm_plugin.policies.rules import packaged

Police = Callable[..., Any]
Person = Callable[..., Contact]
NEW_YORK, CHICAGO, DENVER, LONDON = "America/New_York", "America/Chicago", "America/Denver", "Europe/London"
LOS_ANGELES = "America/Los_Angeles"
SITE, ZONE, REGION, MODE = "calling-hours", "calling-hours-zone", "calling-hours-region", "calling-hours-mode"


def at(wall: str, zone: str = NEW_YORK) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone))


AROUND_THE_CLOCK = [
    (NEW_YORK, "2026-07-01T08:00", None),
    (NEW_YORK, "2026-07-01T20:59:59", None),
    (NEW_YORK, "2026-07-01T21:00", "2026-07-02T08:00"),
    (NEW_YORK, "2026-07-01T07:59:59.999999", "2026-07-01T08:00"),
    (NEW_YORK, "2026-03-07T23:00", "2026-03-08T08:00"),  # the clock is put on that night
    (NEW_YORK, "2026-10-31T23:00", "2026-11-01T08:00"),  # and back
    (LONDON, "2026-03-28T23:00", "2026-03-29T08:00"),
    (LONDON, "2026-10-24T23:00", "2026-10-25T08:00"),
    ("Australia/Lord_Howe", "2026-10-03T23:00", "2026-10-04T08:00"),
    ("Asia/Calcutta", "2026-07-01T05:00", "2026-07-01T08:00"),
]


@pytest.mark.parametrize(("zone", "wall", "next_wall"), AROUND_THE_CLOCK)
async def test_the_called_ones_wall_clock_decides(
    police: Police, person: Person, zone: str, wall: str, next_wall: str | None
) -> None:
    """From the window's start on, until before its end, and the next moment is the next start."""
    refusal = await police("calling-hours").refusal(person(zone), at(wall, zone))
    assert (refusal and refusal.not_before) == (next_wall and at(next_wall, zone))
    if refusal:
        assert refusal.rule == SITE
        assert zone in refusal.reason
        assert refusal.evidence["closed_in"] == {zone: at(wall, zone).isoformat(timespec="minutes")}


async def test_every_candidate_zone_must_be_open(police: Police, person: Person) -> None:
    """Of the number's zones, the last to open says when, and the first to close says until when."""
    policed, contact = police("calling-hours"), person(NEW_YORK, DENVER, by="number")
    early = await policed.refusal(contact, at("2026-07-01T09:00"))
    assert early.not_before == at("2026-07-01T08:00", DENVER)
    assert early.evidence["closed_in"] == {DENVER: "2026-07-01T07:00-06:00"}
    assert await policed.refusal(contact, at("2026-07-01T20:59")) is None
    assert (await policed.refusal(contact, at("2026-07-01T21:00"))).not_before == at("2026-07-02T10:00")


async def test_forty_two_zones(police: Police, person: Person) -> None:
    """A toll-free number may be answered anywhere from Newfoundland to Guam."""
    zones = time_zones_for_number(phonenumbers.parse("+18005550123"))
    refusal = await police("calling-hours").refusal(
        person(*zones, by="number"), datetime(2026, 1, 20, 17, tzinfo=UTC)
    )
    assert len(refusal.evidence["zones"]) == 42
    assert refusal.not_before == datetime(2026, 1, 20, 22, tzinfo=UTC)


async def test_the_lcms_zone_wins(police: Police, person: Person) -> None:
    """If the LCM names a zone, those of the number do not count."""
    contact = person(DENVER)
    both = evolve(contact, time_zones=(*contact.time_zones, TimeZone(name=NEW_YORK, evidence="number")))
    zone, site = await police("calling-hours").checks(both, at("2026-07-01T21:30"))
    assert (zone.passed, site.passed) == (True, True)
    assert (zone.evidence["zones"], zone.evidence["told_by"]) == ([DENVER], "lcm")


NO_ZONES = [
    "EST",
    "GMT-05:00",
    "GMT-5",
    "-300",
    "Etc/GMT+5",
    "UTC",
    "America",
    "America/Nowhere",
    "US/",
    "../etc",
]


@pytest.mark.parametrize("name", NO_ZONES)
async def test_what_is_no_zone_refuses(police: Police, person: Person, name: str) -> None:
    """An unknown name, an abbreviation or a deviation from GMT refuses, next to zones that are known too."""
    (check,) = await police("calling-hours").checks(person(NEW_YORK, name), at("2026-07-01T12:00"))
    assert (check.rule, check.passed, check.not_before) == (ZONE, False, None)
    assert repr(name) in check.reason


async def test_no_zone_refuses(police: Police, person: Person) -> None:
    """Without any zone there is no call, unless the site named one to go by; that excuses no unknown name."""
    noon = at("2026-07-01T12:00")
    refusal = await police("calling-hours").refusal(person(), noon)
    assert (refusal.rule, refusal.reason, refusal.not_before) == (ZONE, "no time zone is known", None)
    lenient = police("calling-hours", unknown_zone=NEW_YORK)
    zone, _ = await lenient.checks(person(), noon)
    assert (zone.passed, zone.evidence["told_by"]) == (True, "setting")
    assert (await lenient.refusal(person("Nowhere"), noon)).rule == ZONE


async def test_the_lcms_own_names_for_zones(police: Police, person: Person) -> None:
    """`zone_names` says which zone the LCM means."""
    policed = police("calling-hours", zone_names={"Eastern Standard Time": NEW_YORK})
    assert await policed.refusal(person("eastern standard time"), at("2026-07-01T12:00")) is None
    assert (await policed.refusal(person("Eastern"), at("2026-07-01T12:00"))).rule == ZONE


async def test_weekdays_and_holidays(police: Police, person: Person) -> None:
    """A closed Sunday and a closed holiday are left out, a short one ends early; the date is the called's."""
    policed = police(
        "calling-hours",
        weekdays={"sunday": "closed"},
        holidays={"2026-12-25": "closed", "2026-12-24": "08:00-12:00"},
    )
    contact = person(NEW_YORK)
    assert await policed.refusal(contact, at("2026-12-24T11:59")) is None
    assert (await policed.refusal(contact, at("2026-12-24T12:00"))).not_before == at("2026-12-26T08:00")
    sunday = await policed.refusal(contact, at("2026-12-27T12:00"))
    assert sunday.not_before == at("2026-12-28T08:00")
    assert "closed" in sunday.reason
    already_monday = at("2026-12-27T23:00")
    assert await policed.refusal(person("Pacific/Auckland"), already_monday) is None


FOURTH_OF_JULY = {"2026-07-03": "closed"}
EACH_YEAR = {f"{year}-07-04": "closed" for year in (2025, 2026, 2027)}
RULES = [
    ("us-federal", "FL", NEW_YORK, "2026-07-01T20:30", None),
    ("us-federal", "FL", NEW_YORK, "2026-07-01T21:00", "2026-07-02T08:00"),
    ("us-reg-f", "FL", NEW_YORK, "2026-07-01T07:30", "2026-07-01T08:00"),
    ("us-fl", "FL", NEW_YORK, "2026-07-01T20:00", "2026-07-02T08:00"),
    ("us-fl", "US-GA", NEW_YORK, "2026-07-01T20:00", None),
    ("us-md", "MD", NEW_YORK, "2026-07-01T20:00", "2026-07-02T08:00"),
    ("us-ok", "OK", CHICAGO, "2026-07-01T20:00", "2026-07-02T08:00"),
    ("us-ct", "us_ct", NEW_YORK, "2026-07-01T08:30", "2026-07-01T09:00"),
    ("us-al", "AL", CHICAGO, "2026-07-05T12:00", "2026-07-06T08:00"),  # a Sunday
    ("us-la", "LA", CHICAGO, "2026-07-05T12:00", "2026-07-06T08:00"),
    ("us-ms", "MS", CHICAGO, "2026-07-04T20:30", "2026-07-06T08:00"),  # Saturday evening
    ("us-ms", "MS", CHICAGO, "2026-07-06T19:59", None),
    ("us-pa", "PA", NEW_YORK, "2026-07-11T12:00", None),  # a Saturday
    ("us-pa", "PA", NEW_YORK, "2026-07-11T21:00", "2026-07-12T08:00"),
    (
        "us-pa",
        "PA",
        NEW_YORK,
        "2026-07-03T12:00",
        "2026-07-05T08:00",
    ),  # the 4th is one, too
    ("us-pa-saturday", "PA", NEW_YORK, "2026-07-11T11:59", None),
    ("us-pa-saturday", "PA", NEW_YORK, "2026-07-11T12:00", "2026-07-12T00:00"),
    ("us-ri", "RI", NEW_YORK, "2026-07-01T18:00", "2026-07-02T09:00"),
    ("us-ri", "RI", NEW_YORK, "2026-07-01T17:59", None),
    ("us-reg-f", "FL", NEW_YORK, "2026-07-01T08:00", None),
    ("us-fl", "FL", NEW_YORK, "2026-07-01T19:59", None),
    ("us-md", "MD", NEW_YORK, "2026-07-01T19:59", None),
    ("us-ok", "OK", CHICAGO, "2026-07-01T19:59", None),
    ("us-ct", "CT", NEW_YORK, "2026-07-01T09:00", None),
    ("us-al", "AL", CHICAGO, "2026-07-06T12:00", None),
    ("us-la", "LA", CHICAGO, "2026-07-06T12:00", None),
    ("uk-dma", "GB-LND", LONDON, "2026-07-04T09:00", None),
    ("us-wa", "WA", LOS_ANGELES, "2026-12-01T07:59", "2026-12-01T08:00"),
    ("us-wa", "WA", LOS_ANGELES, "2026-12-01T08:00", None),
    ("us-ma", "MA", NEW_YORK, "2026-12-01T20:00", "2026-12-02T08:00"),
    ("us-ma", "MA", NEW_YORK, "2026-12-01T19:59", None),
    ("us-ky", "KY", NEW_YORK, "2026-12-01T09:59", "2026-12-01T10:00"),
    ("us-ky", "KY", NEW_YORK, "2026-12-01T10:00", None),
    ("us-mi", "MI", NEW_YORK, "2026-12-01T08:59", "2026-12-01T09:00"),
    ("us-mi", "MI", NEW_YORK, "2026-12-01T20:59", None),
    ("us-mn", "MN", CHICAGO, "2026-12-01T21:00", "2026-12-02T09:00"),
    ("us-mn", "MN", CHICAGO, "2026-12-01T09:00", None),
    ("us-nm", "NM", "America/Denver", "2026-12-01T08:00", "2026-12-01T09:00"),
    ("us-nm", "NM", "America/Denver", "2026-12-01T12:00", None),
    ("us-nv", "NV", LOS_ANGELES, "2026-12-01T20:00", "2026-12-02T09:00"),
    ("us-nv", "NV", LOS_ANGELES, "2026-12-01T19:59", None),
    ("ca", "CA-ON", "America/Toronto", "2026-12-05T09:30", "2026-12-05T10:00"),  # a Saturday
    ("ca", "CA-ON", "America/Toronto", "2026-12-04T21:29", None),
    ("fr", "FR-IDF", "Europe/Paris", "2026-12-01T13:00", "2026-12-01T14:00"),  # the lunch break
    ("fr", "FR-IDF", "Europe/Paris", "2026-12-01T12:59", None),
    ("fr", "FR-IDF", "Europe/Paris", "2026-12-04T20:00", "2026-12-07T10:00"),  # Friday evening
    ("fr", "FR-IDF", "Europe/Paris", "2027-07-14T11:00", "2027-07-15T10:00"),  # Bastille Day
    ("au", "AU-NSW", "Australia/Sydney", "2026-12-05T17:00", "2026-12-07T09:00"),  # Saturday evening
    ("au", "AU-NSW", "Australia/Sydney", "2026-12-05T16:59", None),
    ("us-ri", "RI", NEW_YORK, "2026-07-11T17:00", "2026-07-13T09:00"),  # Saturday, and no Sunday
    ("uk-dma", "GB-LND", LONDON, "2026-07-04T08:30", "2026-07-04T09:00"),  # a Saturday
]


@pytest.mark.parametrize(("rule", "region", "zone", "wall", "next_wall"), RULES)
async def test_the_packaged_rules(
    police: Police, person: Person, rule: str, region: str, zone: str, wall: str, next_wall: str | None
) -> None:
    """Each rule's hours hold where it does, with its source and the file's version as evidence."""
    policed = police(
        "calling-hours", window="00:00-24:00", holidays={"2026-07-03": "00:00-24:00"}, rules=[rule]
    )
    refusal = await policed.refusal(person(zone, extra={"region": region}), at(wall, zone))
    assert (refusal and refusal.not_before) == (next_wall and at(next_wall, zone))
    if refusal:
        assert refusal.rule == rule
        assert refusal.evidence["source"] == packaged().rule[rule].source
        assert refusal.evidence["rules"] == packaged().version


CLOSING = sorted(name for name, rule in packaged().rule.items() if rule.hours and rule.hours.holiday)


def test_every_rule_has_hours_that_refuse_and_let_pass() -> None:
    """Each packaged rule with hours has a case of either kind above."""
    cases = {(rule, following is None) for rule, *_, following in RULES}
    with_hours = [name for name, rule in packaged().rule.items() if rule.hours]
    assert [name for name in with_hours if not {(name, True), (name, False)} <= cases] == []


def test_which_rules_close_on_holidays() -> None:
    """Those whose source says so."""
    assert CLOSING == ["au", "fr", "us-al", "us-la", "us-pa", "us-ri"]


@pytest.mark.parametrize("rule", CLOSING)
async def test_christmas_is_closed_without_any_dates_of_the_sites(
    police: Police, person: Person, rule: str
) -> None:
    """A rule that closes on holidays knows them by itself, each year's."""
    policed = police("calling-hours", window="00:00-24:00", rules=[rule])
    contact = person(NEW_YORK, extra={"region": f"{rule.upper()}{'-X' * ('-' not in rule)}"})
    for day in ("2026-12-25T12:00", "2028-12-25T12:00"):
        assert (await policed.refusal(contact, at(day, NEW_YORK))).rule == rule
    assert await policed.refusal(contact, at("2026-12-22T12:00", NEW_YORK)) is None


@pytest.fixture
def no_holidays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site without the extra `holidays`."""
    holidays_in.cache_clear()
    monkeypatch.setattr("lcm_plugin.policies.public_holidays.find_spec", lambda _: None)


@pytest.mark.usefixtures("no_holidays")
@pytest.mark.parametrize("rule", CLOSING)
def test_a_rule_that_closes_on_holidays_needs_them(police: Police, rule: str) -> None:
    """Without the library, and no holiday listed, nobody knows when to close: refused, with the way out."""
    with pytest.raises(ConfigError) as error:
        police("calling-hours", rules=["us-federal", rule])
    (problem,) = error.value.problems
    assert str(problem) == (
        f"plugins.calling-hours.rules[1]: '{rule}' closes on holidays, and nobody knows them; "
        'install lcm-plugin[holidays], or list them in `holidays`, { "2026-12-25" = "closed" }, for each year'
    )


async def test_an_exemption_is_told(police: Police, person: Person) -> None:
    """Consent lifts the French hours, and the check says so; without it they hold."""
    policed = police("calling-hours", window="00:00-24:00", rules=["fr"])
    given = person("Europe/Paris", extra={"region": "FR-IDF"}, consent="given")
    sunday = at("2026-12-06T15:00", "Europe/Paris")
    check = (await policed.checks(given, sunday))[-1]
    assert (check.rule, check.passed, check.evidence["exempt"]) == ("fr", True, "consent_given")
    assert (await policed.refusal(evolve(given, consent="unknown"), sunday)).rule == "fr"


async def test_a_law_may_name_its_own_zone(police: Police, person: Person) -> None:
    """Mississippi's hours are Central ones, wherever the called is."""
    policed = police("calling-hours", window="00:00-24:00", rules=["us-ms"])
    contact = person(LOS_ANGELES, extra={"region": "MS"})
    refusal = await policed.refusal(contact, at("2026-12-01T19:00", LOS_ANGELES))
    assert refusal.not_before == at("2026-12-02T08:00", CHICAGO)
    assert await policed.refusal(contact, at("2026-12-01T06:00", LOS_ANGELES)) is None


WHERE = [
    ({"ZipCode": "33101"}, "+12125550123", "us-fl", "us-federal"),  # Miami, with a number of New York
    ({"ZipCode": "10001-1234"}, "+13055550123", None, "us-federal"),
    ({}, "+442071838750", None, None),  # a British number is no American's
]


@pytest.mark.parametrize(("extra", "number", "state", "country"), WHERE)
async def test_where_somebody_lives_is_taken_from_what_is_sure(
    police: Police, person: Person, extra: dict[str, str], number: str, state: str | None, country: str | None
) -> None:
    """By the ZIP code a state's rule holds, by the number's country code a country's."""
    policed = police("calling-hours", window="00:00-24:00", rules=["us-federal", "us-fl"])
    contact = person(NEW_YORK, extra=extra, e164=number, phone_number=number)
    passed = await policed.passed(contact, at("2026-12-01T22:00", NEW_YORK))
    assert {rule for rule, did in passed.items() if not did} == {state, country} - {None}


async def test_an_american_number_tells_no_state(police: Police, person: Person) -> None:
    """An area code is taken along: without region and ZIP code a state's rule may hold."""
    policed = police("calling-hours", rules=["us-fl"])
    refusal = await policed.refusal(person(NEW_YORK, e164="+13055551234"), at("2026-12-01T12:00", NEW_YORK))
    assert refusal.rule == "calling-hours-region"


@pytest.mark.usefixtures("no_holidays")
@pytest.mark.parametrize("rule", CLOSING)
async def test_a_year_without_a_holiday_listed_is_closed(police: Police, person: Person, rule: str) -> None:
    """A list that ends with its year lets nothing pass in the next: each day may be a holiday."""
    policed = police("calling-hours", window="00:00-24:00", holidays=FOURTH_OF_JULY, rules=[rule])
    contact = person(NEW_YORK, extra={"region": f"{rule.upper()}{'-X' * ('-' not in rule)}"})
    assert await policed.refusal(contact, at("2026-12-30T12:00", NEW_YORK)) is None
    refusal = await policed.refusal(contact, at("2027-01-06T12:00", NEW_YORK))
    assert (refusal.rule, refusal.not_before) == (rule, None)
    assert "as of 2027 no holidays are listed" in refusal.reason
    assert await policed.refusal(evolve(contact, extra={"region": "CA"}), at("2027-01-06T12:00")) is None


async def test_states_rules_are_opt_in_and_need_the_region(police: Police, person: Person) -> None:
    """Never by area code: without a region nobody knows whether a state's rule holds, so there is no call."""
    late, miami = at("2026-07-01T20:30"), person(NEW_YORK, e164="+13055550123")
    assert await police("calling-hours").refusal(miami, late) is None
    policed = police("calling-hours", rules=["us-federal", "us-fl"])
    refusal = await policed.refusal(miami, late)
    assert (refusal.rule, refusal.not_before, refusal.evidence["unknown_for"]) == (REGION, None, ["us-fl"])
    for unreadable in ("Florida", "XX", "US-XX", "", None, 7):
        assert (await policed.refusal(evolve(miami, extra={"region": unreadable}), late)).rule == REGION
    strict = police("calling-hours", rules=["us-fl"], unknown_region="all")
    assert (await strict.refusal(miami, late)).rule == "us-fl"
    elsewhere = police("calling-hours", rules=["us-fl"], region_field="State")
    assert await elsewhere.refusal(evolve(miami, extra={"state": "GA"}), late) is None


async def test_a_countrys_rule_holds_unless_one_lives_elsewhere(police: Police, person: Person) -> None:
    """Without a region it holds, and for somebody known to live in another country it does not."""
    policed = police("calling-hours", window="00:00-24:00", rules=["us-federal"])
    late = at("2026-07-01T22:00")
    assert (await policed.refusal(person(NEW_YORK), late)).rule == "us-federal"
    assert await policed.refusal(person(NEW_YORK, extra={"region": "CA-ON"}), late) is None


async def test_the_earliest_moment_all_rules_allow(police: Police, person: Person) -> None:
    """Each refusal names the moment at which no other rule refuses either."""
    policed = police(
        "calling-hours", window="10:00-21:00", holidays=FOURTH_OF_JULY, rules=["us-al", "us-federal"]
    )
    contact = person(CHICAGO, extra={"region": "AL"})
    checks = await policed.checks(contact, at("2026-07-04T21:30", CHICAGO))  # a Saturday
    monday = at("2026-07-06T10:00", CHICAGO)
    assert {check.rule: check.not_before for check in checks if not check.passed} == {
        SITE: monday, "us-al": monday, "us-federal": monday
    }  # fmt: skip


RULES_FILE = """
version = "site-7"
[rule.us-fl]
region = "US-FL"
source = "our lawyer"
standing = "primary"
effective = 2026-07-01
expires = 2026-08-01
hours = { window = "10:00-18:00" }
[rule.club]
region = "US"
source = "works council"
standing = "primary"
effective = 2020-01-01
hours = { weekdays = { friday = "closed" } }
"""


async def test_a_sites_file_overrides_and_adds(police: Police, person: Person, tmp_path: Path) -> None:
    """A site's rules take the place of packaged ones by id; both versions are in the evidence."""
    (tmp_path / "rules.toml").write_text(RULES_FILE)
    policed = police(
        "calling-hours", rules_file=str(tmp_path / "rules.toml"), rules=["us-fl", "club", "us-federal"]
    )
    contact = person(NEW_YORK, extra={"region": "FL"})
    with pytest.raises(RuntimeError, match="start the host first"):
        await policed.refusal(contact, at("2026-07-01T09:00"))
    async with policed.host:
        refusal = await policed.refusal(contact, at("2026-07-01T09:00"))
        assert (refusal.rule, refusal.not_before) == ("us-fl", at("2026-07-01T10:00"))
        assert refusal.evidence["source"] == "our lawyer"
        assert refusal.evidence["rules"] == f"{packaged().version} + site-7"
        friday = await policed.refusal(contact, at("2026-07-03T12:00"))
        assert (friday.rule, friday.not_before) == ("club", at("2026-07-04T10:00"))


async def test_a_rule_is_applied_while_it_is_in_force(police: Police, person: Person, tmp_path: Path) -> None:
    """Neither before its effective date nor from its expiry on; the next moment knows of both."""
    (tmp_path / "rules.toml").write_text(RULES_FILE)
    policed = police("calling-hours", rules_file=str(tmp_path / "rules.toml"), rules=["us-fl"])
    contact = person(NEW_YORK, extra={"region": "FL"})
    async with policed.host:
        checks = await policed.checks(contact, at("2026-06-30T20:30"))
        assert (checks[-1].passed, checks[-1].reason) == (True, "not in force on 2026-06-30")
        assert (await policed.refusal(contact, at("2026-06-30T21:30"))).not_before == at("2026-07-01T10:00")
        assert (await policed.refusal(contact, at("2026-07-31T18:30"))).not_before == at("2026-08-01T08:00")
        assert await policed.refusal(contact, at("2026-08-01T08:00")) is None


def with_mode(contact: Contact, **fields: Any) -> Contact:
    told = {"id": "3", "description": "Mobile", "phone_number": "(212) 555-0123", **fields}
    return evolve(contact, modes=(Mode(**told),))


MODES = [
    ({"window_start": "10:00", "window_end": "12:00"}, "10:00", MODE),
    ({"window_start": "9:30"}, "09:30", MODE),
    ({"window_end": "08:30:00"}, "2026-07-02T08:00", MODE),
    ({"phone_number": "", "e164": "+12125550123", "window_start": "10:00"}, "10:00", MODE),
    ({"phone_number": "", "window_start": "10:00"}, "10:00", MODE),  # by contact.mode
    ({"phone_number": "2125550199", "window_start": "10:00"}, None, None),  # another number
    ({"time_zones": [TimeZone(name=DENVER, evidence="lcm")]}, "10:00", SITE),
    ({"window_start": "late", "window_end": "later"}, None, MODE),
    ({"window_start": "20:00", "window_end": "06:00"}, None, MODE),
    ({}, None, None),
]


@pytest.mark.parametrize(("fields", "next_wall", "rule"), MODES)
async def test_the_numbers_own_window_narrows(
    police: Police, person: Person, fields: dict[str, Any], next_wall: str | None, rule: str | None
) -> None:
    """The window and the zones of the mode being dialed hold too; a window that cannot be read refuses."""
    contact = with_mode(person(NEW_YORK, mode="3"), **fields)
    refusal = await police("calling-hours").refusal(contact, at("2026-07-01T09:00"))
    assert (refusal and refusal.rule) == rule
    wall = next_wall and (next_wall if "T" in next_wall else f"2026-07-01T{next_wall}")
    assert (refusal and refusal.not_before) == (wall and at(wall))


async def test_a_preview_that_outlives_its_window(police: Police, person: Person) -> None:
    """Fetched in time, it passes; dialed too late, it is refused until the next morning."""
    policed, contact = police("calling-hours"), person(NEW_YORK)
    fetched = at("2026-10-31T20:55")
    assert await policed.refusal(contact, fetched) is None
    refusal = await policed.refusal(contact, fetched + timedelta(minutes=5))
    assert (refusal.rule, refusal.not_before) == (SITE, at("2026-11-01T08:00"))


async def test_a_window_that_never_opens(police: Police, person: Person) -> None:
    """Zones that are never open together are refused without a next moment, and the reason says so."""
    policed = police("calling-hours", window="08:00-09:00")
    refusal = await policed.refusal(person(NEW_YORK, DENVER), at("2026-07-01T08:30"))
    assert refusal.not_before is None
    assert "cannot be told" in refusal.reason


WRONG = [
    ({"window": "21:00-08:00"}, ["plugins.calling-hours.window: goes over midnight"]),
    (
        {"weekdays": {"sonday": "closed", "monday": "8-9"}, "holidays": {"25.12.2026": "shut"}},
        [
            'weekdays.sonday: is no weekday; did you mean "sunday"?',
            'weekdays.monday: must be like "08:00-21:00"',
            "holidays.25.12.2026: must be a date",
            "holidays.25.12.2026: must be like",
        ],
    ),
    (
        {"rules": ["us-f", "uk-ofcom"], "windw": "08:00-21:00", "unknown_zone": "EST"},
        [
            "rules[0]: 'us-f' is no rule with hours",
            "rules[1]: 'uk-ofcom' has no hours",
            'windw: unknown key; did you mean "window"?',
            "unknown_zone: is no zone of a place",
        ],
    ),
    ({"zone_names": {"Eastern": "New York"}}, ["zone_names.Eastern: is no zone of a place"]),
    ({"rules": "us-fl"}, ["rules: must be a list"]),
    ({"unknown_region": "al"}, ['did you mean "all"?']),
]


@pytest.mark.parametrize(("table", "told"), WRONG)
def test_wrong_settings_are_told(police: Police, table: dict[str, Any], told: list[str]) -> None:
    """Everything that is wrong is told at once, with the nearest right word."""
    with pytest.raises(ConfigError) as raised:
        police("calling-hours", **table)
    for part in told:
        assert part in str(raised.value)


WRONG_FILES = [
    (None, "site.toml cannot be read"),
    ("version = ", "site.toml is not TOML"),
    ("[rule.x]\nregion = 'US'", "site.toml.version: is required"),
    (RULES_FILE.replace("10:00-18:00", "18:00-10:00"), "rule.us-fl.hours.window: goes over midnight"),
    (RULES_FILE.replace("2020-01-01", "'2020'"), "rule.club.effective: must be a date"),
    (RULES_FILE.replace("rule.club", "rule.clubs"), "'club' is no rule with hours; did you mean \"clubs\"?"),
    (RULES_FILE.replace("source =", "sauce =", 1), 'sauce: unknown key; did you mean "source"?'),
]


@pytest.mark.parametrize(("content", "told"), WRONG_FILES)
async def test_a_wrong_rules_file_is_told_at_the_start(
    police: Police, tmp_path: Path, content: str | None, told: str
) -> None:
    """A file that cannot be used stops the host's start, and says what is wrong with it."""
    if content is not None:
        (tmp_path / "site.toml").write_text(content)
    policed = police("calling-hours", rules_file=str(tmp_path / "site.toml"), rules=["club", "us-fl"])
    with pytest.raises(ConfigError) as raised:
        await policed.host.__aenter__()
    assert told in str(raised.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([[], ["us-federal"], ["us-ri"], ["us-pa", "us-al", "us-federal"]]),
    st.sampled_from([(NEW_YORK,), (CHICAGO, DENVER), ("Pacific/Guam", NEW_YORK), (LONDON, "Asia/Calcutta")]),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001  (UTC is put on it)
    st.sampled_from(["", "PA", "AL", "RI", "GB-LND"]),
)
@pytest.mark.long
async def test_the_next_moment_is_allowed_and_the_first(
    person: Person, rules: list[str], zones: tuple[str, ...], moment: datetime, region: str
) -> None:
    """Asked again at its not_before, the policy allows the call, and a minute before it does not."""
    host = Host.from_config(
        {
            "cti": {"plugins": ["calling-hours"]},
            "plugins": {"calling-hours": {"rules": rules, "unknown_region": "all", "holidays": EACH_YEAR}},
        }
    )
    contact = person(*zones, extra={"region": region})

    async def asked(when: datetime) -> Any:
        (answer,) = await host.hooks.all("review_contact", agent=None, contact=contact, moment=when)
        return answer.value

    now = moment.replace(tzinfo=UTC)
    refusal = await asked(now)
    if refusal and refusal.not_before is None:  # zones so far apart that these hours never meet
        assert all([await asked(now + timedelta(minutes=30 * n)) for n in range(100)])
    elif refusal:
        assert refusal.not_before > now
        assert await asked(refusal.not_before) is None
        before = max(now, refusal.not_before - timedelta(minutes=1))
        assert (await asked(before)).not_before == refusal.not_before
