"""The rules that are data: the packaged file, a site's own over it, and those that hold for a contact."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

import phonenumbers
from attrs import evolve, field, frozen, validators

from cti_hooks import ConfigError, Contact, Problem, nearest
from cti_hooks import settings as plugin_settings
from lcm_plugin.policies.limits import Caps
from lcm_plugin.policies.windows import HoursTable

Part = Literal["hours", "caps"]
_REGION: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


def _a_date(_: object, __: object, value: Any) -> None:
    if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
        raise TypeError("must be a date like 2026-11-24, without quotes")


@frozen(kw_only=True)
class Rule:
    """One rule, as rules.toml describes it."""

    region: str = field(validator=validators.matches_re(_REGION))
    """ISO 3166: a country, or a subdivision of one."""
    source: str = field(validator=validators.min_len(1))
    standing: Literal["primary", "secondary"]
    effective: date = field(validator=_a_date)
    expires: date | None = field(default=None, validator=_a_date)
    """The first date on which it is not applied any more."""
    note: str = ""
    hours: HoursTable | None = None
    caps: Caps | None = None

    def evidence(self, version: str) -> dict[str, Any]:
        """What a check by this rule is based on."""
        told = {
            "source": self.source,
            "standing": self.standing,
            "region": self.region,
            "effective": self.effective.isoformat(),
            "rules": version,
        }
        return told | ({"expires": self.expires.isoformat()} if self.expires else {})

    def holds_in(self, region: str | None) -> bool | None:
        """Whether it holds for somebody who lives in `region`; None: unknown, as the region is.

        A country's rule holds for everybody who is not known to live elsewhere. Of a country alone nobody
        knows whether its regions' rules hold.
        """
        country = region.partition("-")[0] if region else None
        if "-" not in self.region:
            return country in {None, self.region}
        if region and "-" in region:
            return region == self.region
        return None if country in {None, self.region.partition("-")[0]} else False


@frozen(kw_only=True)
class Rulebook:
    """The rules of a file, by id."""

    version: str = field(validator=validators.min_len(1))
    rule: Mapping[str, Rule] = field(factory=dict)
    regions: Mapping[str, tuple[str, ...]] = field(factory=dict)
    """Codes of the subdivisions of a country; another code counts as unknown."""

    zips: Mapping[str, Mapping[str, tuple[str, ...]]] = field(factory=dict)
    """Of a country, by the code of its subdivision: the first digits of ZIP codes there, `010-027`."""

    def over(self, other: "Rulebook") -> "Rulebook":
        """These rules, and those of `other` whose ids are not among them."""
        return evolve(
            self,
            version=f"{other.version} + {self.version}",
            rule={**other.rule, **self.rule},
            regions={**other.regions, **self.regions},
            zips={**other.zips, **self.zips},
        )

    def problems(self, names: Iterable[object], part: Part) -> Iterator[Problem]:
        """What is wrong with a `rules` setting that wants the hours, or the caps, of these rules."""
        usable = [name for name, rule in self.rule.items() if getattr(rule, part)]
        for number, name in enumerate(names):
            if name not in usable:
                what = "has no" if name in self.rule else "is no rule with"
                yield Problem(f"rules[{number}]", f"{name!r} {what} {part}{nearest(str(name), usable)}")

    def wanting_holidays(self, names: Iterable[object]) -> Iterator[Problem]:
        """Rules that close on holidays and list none, so that the site has to."""
        for number, name in enumerate(names):
            rule = self.rule.get(str(name))
            if rule and rule.hours and rule.hours.wants_holidays:
                lacks = f"{name!r} closes on holidays, and nobody knows them"
                by_date = 'list them in `holidays`, { "2026-12-25" = "closed" }, for each year'
                yield Problem(f"rules[{number}]", f"{lacks}; install lcm-plugin[holidays], or {by_date}")

    def whereabouts(self, contact: Contact, settings: "RuleSettings") -> str | None:
        """Where the contact lives: by its region, its ZIP code, or, the country alone, its number.

        Never by an area code, which people take along.
        """
        told = self.region_of(contact, settings.region_field, settings.country)
        return told or self._by_zip(contact, settings) or country_of(contact)

    def _by_zip(self, contact: Contact, settings: "RuleSettings") -> str | None:
        found = re.fullmatch(r"(\d{3})\d{2}(?:-?\d{4})?", _extra(contact, settings.zip_field))
        if not found:
            return None
        states = self.zips.get(settings.country, {})
        known = (code for code, parts in states.items() if any(_covers(one, found[1]) for one in parts))
        return next((f"{settings.country}-{code}" for code in known), None)

    def region_of(self, contact: Contact, name: str, country: str) -> str | None:
        """Where the contact lives, by the field `name` of its `extra`, as ISO 3166-2; None: unknown."""
        code = _extra(contact, name).upper().replace("_", "-")
        code = code if "-" in code else f"{country}-{code}"
        found = re.fullmatch(r"([A-Z]{2})-([A-Z0-9]{1,3})", code)
        known = found and found[2] in self.regions.get(found[1], (found[2],))
        return code if known else None


def _extra(contact: Contact, name: str) -> str:
    told = next((value for key, value in contact.extra.items() if key.casefold() == name.casefold()), "")
    return str(told or "").strip()


def _covers(prefixes: str, prefix: str) -> bool:
    first, _, last = prefixes.partition("-")
    return first <= prefix <= (last or first)


def country_of(contact: Contact) -> str | None:
    """The country of the number's country code; None if it is of several, and the number tells no more."""
    try:
        parsed = phonenumbers.parse(contact.e164 or "")
    except phonenumbers.NumberParseException:
        return None
    found = phonenumbers.region_code_for_number(parsed)
    regions = phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
    found = found or (regions[0] if len(regions) == 1 else None)
    return found if found and re.fullmatch(r"[A-Z]{2}", found) else None


@cache
def packaged() -> Rulebook:
    """The rules that come with this package."""
    return read_rules(files("lcm_plugin.policies").joinpath("rules.toml").read_bytes(), "rules.toml")


def read_rules(content: bytes, source: str) -> Rulebook:
    """The rules of a file's content; `source` names it in the error.

    Raises:
        ConfigError: with everything that is wrong with it.
    """
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except ValueError as error:  # TOML's and UTF-8's
        raise ConfigError([Problem("rules_file", f"{source} is not TOML: {error}")]) from None
    try:
        return plugin_settings.read(Rulebook, table)
    except ConfigError as error:
        raise ConfigError(problem.under(f"rules_file: {source}") for problem in error.problems) from None


def site_rules(path: Path) -> Rulebook:
    """The packaged rules, a site's file over them.

    Raises:
        ConfigError: the file cannot be read or used.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError([Problem("rules_file", f"{path.name} cannot be read: {error.strerror}")]) from None
    return read_rules(content, path.name).over(packaged())


@frozen(kw_only=True)
class RuleSettings:
    """Which rules a site chose, and where its contacts' regions are found."""

    rules: tuple[str, ...] = ()
    """Ids of rules.toml or of `rules_file`."""
    rules_file: str | None = None
    """A file like rules.toml, whose rules are added, or take the place of those of the same id."""
    region_field: str = "region"
    """The field of the contact's `extra` with its ISO 3166-2 region, `US-FL`."""
    zip_field: str = "ZipCode"
    """The field of its `extra` with its ZIP code, if it has no region: the LCM's own name for it."""
    country: str = field(default="US", validator=validators.matches_re(r"[A-Z]{2}"))
    """The country of regions that name none, `FL`, and of ZIP codes."""
    unknown_region: Literal["refuse", "all"] = "refuse"
    """A contact without a region, if states' rules are chosen: not called, or held to all of them."""


@frozen(kw_only=True)
class RuleSet:
    """The rules a site chose, read."""

    book: Rulebook
    settings: RuleSettings

    def of(self, contact: Contact) -> tuple[dict[str, Rule], list[str]]:
        """The rules that hold for this contact by id, and those of which it is unknown and that refuse."""
        region = self.book.whereabouts(contact, self.settings)
        holds = {name: self.book.rule[name].holds_in(region) for name in self.settings.rules}
        lenient = self.settings.unknown_region == "all"
        chosen = {
            name: self.book.rule[name] for name, does in holds.items() if does or (does is None and lenient)
        }
        return chosen, [name for name, does in holds.items() if does is None and not lenient]
