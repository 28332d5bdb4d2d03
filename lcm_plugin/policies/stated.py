"""Calling hours somebody stated, by the name of the rule: what a check of them says."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from attrs import frozen

from cti_hooks import Check, Contact
from cti_hooks.values import Mode
from lcm_plugin.policies.exemptions import Exemption, exemptions, said
from lcm_plugin.policies.opening import is_open
from lcm_plugin.policies.rules import Rule
from lcm_plugin.policies.windows import Hours, HoursTable, hours_of, windows_of


@frozen(kw_only=True)
class Stated:
    """Hours, the rule that states them, and its evidence."""

    rule: str
    hours: Hours
    evidence: Mapping[str, Any]
    exempt: Exemption | None = None
    """Why they do not hold for this contact, if they do not."""

    def check(self, zones: tuple[ZoneInfo, ...], moment: datetime, opening: datetime | None) -> Check:
        """Whether they are open in all these zones; `opening` is the next moment calls may be allowed."""
        if self.exempt:
            evidence = {**self.evidence, "exempt": self.exempt}
            return Check(rule=self.rule, passed=True, reason=said(self.exempt), evidence=evidence)
        zones = (self.hours.zone,) if self.hours.zone else zones
        closed = [zone for zone in zones if not is_open(self.hours, zone, moment)]
        evidence = {
            **self.evidence,
            "window": str(self.hours.on(moment.astimezone((closed or zones)[0]).date())),
            "zones": [zone.key for zone in zones],
        }
        if not closed:
            return Check(rule=self.rule, passed=True, reason=self._open(moment), evidence=evidence)
        return Check(
            rule=self.rule,
            passed=False,
            reason=self._closed(closed, moment, opening),
            not_before=opening,
            evidence={**evidence, "closed_in": _wall_clocks(closed, moment)},
        )

    def _open(self, moment: datetime) -> str:
        in_force = self.hours.effective <= moment.date() < self.hours.expires
        return "open" if in_force else f"not in force on {moment.date()}"

    def _closed(self, closed: list[ZoneInfo], moment: datetime, opening: datetime | None) -> str:
        local = moment.astimezone(closed[0])
        more = f" and {len(closed) - 1} more closed zones" if len(closed) > 1 else ""
        never = "" if opening else "; when it opens next cannot be told"
        window = f"{self.hours.on(local.date())}"
        if self.hours.lacks_holidays(local.date()):
            window += f", as of {local.year} no holidays are listed"
        return f"it is {local:%A %H:%M} in {closed[0].key}{more}, calls that day: {window}{never}"


def by_mode(rule: str, mode: Mode, version: Mapping[str, str]) -> Stated | Check:
    """The hours the LCM states for a number, all day if it states none.

    A check that did not pass, if what the LCM states cannot be read, or goes over midnight.
    """
    opens, closes = (mode.window_start or "").strip(), (mode.window_end or "").strip()
    evidence = {"mode": mode.id, **version}
    try:
        window = windows_of(f"{opens or '00:00'}-{closes or '24:00'}")
    except ValueError as error:
        reason = f"the window of mode {mode.id!r} {error}"
        return Check(
            rule=rule, passed=False, reason=reason, evidence={**evidence, "window": f"{opens}-{closes}"}
        )
    return Stated(rule=rule, hours=Hours(window=window), evidence=evidence)


def by_rule(name: str, rule: Rule, contact: Contact, site_holidays: Iterable[str], version: str) -> Stated:
    """The hours of a rule, and whether this contact is exempt of them."""
    table = rule.hours or HoursTable()
    hours = hours_of(
        table,
        site_holidays=site_holidays,
        effective=rule.effective,
        expires=rule.expires,
    )
    exempt = next(iter(exemptions(table.unless, contact)), None)
    return Stated(rule=name, hours=hours, evidence=rule.evidence(version), exempt=exempt)


def _wall_clocks(zones: Iterable[ZoneInfo], moment: datetime) -> dict[str, str]:
    return {zone.key: moment.astimezone(zone).isoformat(timespec="minutes") for zone in zones}
