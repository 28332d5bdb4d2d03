"""The zones a called number may be in: a set, and calling hours have to be open in every one of them.

Why it is a set: docs/architecture.md#times-and-numbers.
"""

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from attrs import field, frozen

from cti_hooks import ConfigError, Contact, Problem
from cti_hooks.values import TimeZone
from lcm_plugin.policies.dialed import dialed_modes

REFUSE: Final = "refuse"
LCM: Final = "lcm"
_AREAS: Final = {
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Brazil", "Canada", "Chile",
    "Europe", "Indian", "Mexico", "Pacific", "US",
}  # fmt: skip


@frozen(kw_only=True)
class Candidates:
    """The candidate zones, and what says so; or why there are none to go by."""

    zones: tuple[ZoneInfo, ...] = ()
    evidence: str = ""
    problem: str = ""
    names: tuple[str, ...] = field(default=())
    """The zones' names as they came."""


def zone_named(name: str) -> ZoneInfo:
    """The zone an IANA name like `America/New_York` means.

    A deviation from GMT or an abbreviation is none: neither says when the clock is changed.

    Raises:
        ValueError: it is none.
    """
    area, _, place = name.partition("/")
    if area not in _AREAS or not place:
        raise ValueError("is no zone of a place; write it like America/New_York")
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a folder of zones, no key at all
        raise ValueError("is no zone of the IANA database") from None


def a_zone(_: object, __: object, name: str | None) -> None:
    """An attrs validator: a zone, or nothing."""
    if name is not None:
        zone_named(name)


def a_fallback(_: object, __: object, name: str) -> None:
    """An attrs validator: `refuse`, or a zone."""
    if name != REFUSE:
        try:
            zone_named(name)
        except ValueError as error:
            raise ValueError(f'{error}, or "refuse"') from None


def zones_by_name(_: object, __: object, names: Mapping[str, str]) -> None:
    """An attrs validator: zones by the names the LCM has for them."""
    problems = []
    for told, zone in names.items():
        try:
            zone_named(zone)
        except ValueError as error:
            problems.append(Problem(f"zone_names.{told}", f"{error} (it is {zone!r})"))
    if problems:
        raise ConfigError(problems)


def candidates(contact: Contact, zone_names: Mapping[str, str], fallback: str) -> Candidates:
    """The candidate zones of the number being dialed.

    Those the LCM names, if it names any, else those of the number; if none is known the fallback, if the site
    named one. One that cannot be read leaves nothing to go by.
    """
    told = [*contact.time_zones, *(zone for mode in dialed_modes(contact) for zone in mode.time_zones)]
    by_lcm = [zone for zone in told if zone.evidence == LCM]
    used = by_lcm or told or ([] if fallback == REFUSE else [TimeZone(name=fallback, evidence="setting")])
    if not used:
        return Candidates(problem="no time zone is known")
    aliases = {alias.casefold(): zone for alias, zone in zone_names.items()}
    names = tuple(dict.fromkeys(zone.name for zone in used))
    evidence = ", ".join(dict.fromkeys(zone.evidence for zone in used))
    zones = []
    for name in names:
        try:
            zones.append(zone_named(aliases.get(name.strip().casefold(), name.strip())))
        except ValueError as error:
            return Candidates(problem=f"time zone {name!r} {error}", evidence=evidence, names=names)
    return Candidates(zones=tuple(dict.fromkeys(zones)), evidence=evidence, names=names)
