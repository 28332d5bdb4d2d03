"""`calling-hours`: no call outside its window, on the wall clock of every zone the called may be in.

The windows are the site's, the one the LCM states for the number itself, and those of rules the site chose.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from attrs import field, frozen

from cti_hooks import Check, Contact
from lcm_plugin.policies.dialed import dialed_modes
from lcm_plugin.policies.opening import next_opening
from lcm_plugin.policies.ruled import RuledPolicy
from lcm_plugin.policies.rules import Part, RuleSet, RuleSettings
from lcm_plugin.policies.stated import Stated, by_mode, by_rule
from lcm_plugin.policies.windows import (
    Hours,
    HoursTable,
    a_window,
    daily_windows,
    dated_windows,
    hours_of,
)
from lcm_plugin.policies.zones import REFUSE, Candidates, a_fallback, candidates, zones_by_name

SITE: Final = "calling-hours"
ZONE: Final = "calling-hours-zone"
REGION: Final = "calling-hours-region"
MODE: Final = "calling-hours-mode"


@frozen(kw_only=True)
class CallingHoursSettings(RuleSettings):
    """The `[plugins.calling-hours]` table."""

    window: str = field(default="08:00-21:00", validator=a_window)
    """On the called's wall clock; from its start on, until before its end."""
    weekdays: Mapping[str, str] = field(factory=dict, validator=daily_windows)
    """Windows of single days: `{ sunday = "closed" }`."""
    holidays: Mapping[str, str] = field(factory=dict, validator=dated_windows)
    """By date, `{ "2026-12-25" = "closed" }`: a holiday's window narrows that of its day."""
    unknown_zone: str = field(default=REFUSE, validator=a_fallback)
    """Where no zone is known: no call, or the zone to go by."""
    zone_names: Mapping[str, str] = field(factory=dict, validator=zones_by_name)
    """Zones by the names the LCM has for them: `{ "Eastern Standard Time" = "America/New_York" }`."""
    hours: Hours = field(init=False)

    @hours.default
    def _site_hours(self) -> Hours:
        return hours_of(HoursTable(window=self.window, weekdays=self.weekdays, holidays=self.holidays))


class CallingHours(RuledPolicy[CallingHoursSettings]):
    """The plugin."""

    part: Part = "hours"

    def __init__(self, table: Mapping[str, object]) -> None:
        super().__init__(CallingHoursSettings, table)

    async def checks(self, contact: Contact, moment: datetime) -> list[Check]:
        return hours_checks(self.settings, self.rules, contact, moment)


def hours_checks(
    settings: CallingHoursSettings, rules: RuleSet, contact: Contact, moment: datetime
) -> list[Check]:
    """Every rule's word. `not_before` is the earliest instant at which all of them are open everywhere.

    What cannot be told at any time (zone, region, the number's own window) refuses without one.
    """
    version = {"rules": rules.book.version}
    found = candidates(contact, settings.zone_names, settings.unknown_zone)
    by_zone = _zone_check(found, version)
    if not by_zone.passed:
        return [by_zone]
    chosen, unknown = rules.of(contact)
    of_modes, unreadable = _of_modes(contact, version)
    untold = [*_region_checks(unknown, settings.region_field, version), *unreadable]
    of_rules = (by_rule(name, rule, settings.holidays, rules.book.version) for name, rule in chosen.items())
    site = Stated(rule=SITE, hours=settings.hours, evidence=version)
    stated = [site, *of_modes, *(one for one in of_rules if one)]
    opening = None if untold else next_opening([one.hours for one in stated], found.zones, moment)
    return [by_zone, *untold, *(one.check(found.zones, moment, opening) for one in stated)]


def _zone_check(found: Candidates, version: Mapping[str, Any]) -> Check:
    evidence = {"zones": list(found.names), "told_by": found.evidence, **version}
    if found.problem:
        return Check(rule=ZONE, passed=False, reason=found.problem, evidence=evidence)
    reason = f"{len(found.zones)} candidate zone{'s' if len(found.zones) > 1 else ''}, by {found.evidence}"
    return Check(rule=ZONE, passed=True, reason=reason, evidence=evidence)


def _region_checks(unknown: list[str], name: str, version: Mapping[str, Any]) -> Iterator[Check]:
    if unknown:
        reason = f"its region is unknown ({name} has no ISO 3166-2 code), so {', '.join(unknown)} may hold"
        yield Check(rule=REGION, passed=False, reason=reason, evidence={"unknown_for": unknown, **version})


def _of_modes(contact: Contact, version: Mapping[str, Any]) -> tuple[list[Stated], list[Check]]:
    """What the LCM states for the number being dialed, and a check for each that cannot be read."""
    stated: list[Stated] = []
    unreadable: list[Check] = []
    for mode in dialed_modes(contact):
        try:
            one = by_mode(MODE, mode, version)
        except ValueError as error:
            told = f"{mode.window_start or ''}-{mode.window_end or ''}"
            reason = f"the window of mode {mode.id!r} {error}"
            unreadable.append(
                Check(rule=MODE, passed=False, reason=reason, evidence={"window": told, **version})
            )
            continue
        stated += [one] if one else []
    return stated, unreadable
