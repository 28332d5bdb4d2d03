"""`calling-hours`: no call outside its window, on the wall clock of every zone the called may be in.

The windows are those of the site, of the number if the LCM states one, and of the rules the site chose.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from attrs import field, frozen

from cti_hooks import Check, Contact, Problem
from lcm_plugin.policies.dialed import dialed_modes
from lcm_plugin.policies.opening import next_opening
from lcm_plugin.policies.ruled import RuledPolicy, names_in
from lcm_plugin.policies.rules import Part, Rulebook, RuleSettings
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
    """By date, `{ "2026-12-25" = "closed" }`: a holiday's window narrows that of its day. A rule that closes
    on holidays goes by these dates, too; it closes a year of which none are known."""
    unknown_zone: str = field(default=REFUSE, validator=a_fallback)
    """If no zone is known: no call, or the zone to go by."""
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

    def problems(self, book: Rulebook, table: Mapping[str, object]) -> Iterator[Problem]:
        """The problems of all rules, and a rule that closes on holidays if the site lists none."""
        yield from super().problems(book, table)
        if not table.get("holidays"):
            yield from book.wanting_holidays(names_in(table))

    async def checks(self, contact: Contact, moment: datetime) -> list[Check]:
        """Every rule's word. `not_before` is the earliest instant at which all are open everywhere.

        What cannot be told at any time (zone, region, the number's own window) refuses without one.
        """
        found = candidates(contact, self.settings.zone_names, self.settings.unknown_zone)
        if found.problem:
            return [self._zone_check(found)]
        told = list(self._told(contact))
        untold = [one for one in told if isinstance(one, Check)]
        stated = [one for one in told if isinstance(one, Stated)]
        opening = (
            None
            if untold
            else next_opening([one.hours for one in stated if not one.exempt], found.zones, moment)
        )
        checks = [one.check(found.zones, moment, opening) for one in stated]
        return [self._zone_check(found), *untold, *checks]

    def _told(self, contact: Contact) -> Iterator[Stated | Check]:
        """The hours that hold for this contact, and a check that did not pass for what cannot be told."""
        chosen, unknown = self.rules.of(contact)
        if unknown:
            yield self.region_check(REGION, unknown)
        yield Stated(rule=SITE, hours=self.settings.hours, evidence=self.version)
        for mode in dialed_modes(contact):
            yield by_mode(MODE, mode, self.version)
        for name, rule in chosen.items():
            yield by_rule(name, rule, contact, self.settings.holidays, self.rules.book.version)

    def _zone_check(self, found: Candidates) -> Check:
        evidence = {"zones": list(found.names), "told_by": found.evidence, **self.version}
        count = f"{len(found.zones)} candidate zone{'s' if len(found.zones) > 1 else ''}, by {found.evidence}"
        return Check(rule=ZONE, passed=not found.problem, reason=found.problem or count, evidence=evidence)
