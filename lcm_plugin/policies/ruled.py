"""A policy that goes by rules of the rules file besides its own settings."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from cti_hooks import Check, ConfigError, Host, Problem, hookimpl
from cti_hooks import settings as plugin_settings
from lcm_plugin.policies.policy import Policy
from lcm_plugin.policies.rules import Part, Rulebook, RuleSet, RuleSettings, packaged, site_rules

_Settings = TypeVar("_Settings", bound=RuleSettings)


class RuledPolicy(Policy, Generic[_Settings]):
    """Reads the rules when it is made; if the site has a file of its own, at the host's start."""

    part: Part
    """What it wants of a rule."""

    def __init__(self, settings: type[_Settings], table: Mapping[str, object]) -> None:
        problems = [] if table.get("rules_file") else list(self.problems(packaged(), table))
        try:
            self.settings = plugin_settings.read(settings, table)
        except ConfigError as error:
            problems += error.problems
        if problems:
            raise ConfigError(problems)
        self._table = table
        self._rules = None if self.settings.rules_file else RuleSet(book=packaged(), settings=self.settings)

    @hookimpl
    def on_startup(self, host: Host) -> None:
        super().on_startup(host)
        if self.settings.rules_file:
            self._rules = self._read(host.directory / self.settings.rules_file)

    def problems(self, book: Rulebook, table: Mapping[str, object]) -> Iterator[Problem]:
        """What is wrong with the rules that a table names, of this book."""
        yield from book.problems(names_in(table), self.part)

    @property
    def rules(self) -> RuleSet:
        """The rules the site chose.

        Raises:
            RuntimeError: they are in a file that is read at the host's start.
        """
        if self._rules is None:
            raise RuntimeError("rules_file is not read yet: start the host first")
        return self._rules

    @property
    def version(self) -> dict[str, str]:
        """The version of the rules, as evidence."""
        return {"rules": self.rules.book.version}

    def region_check(self, rule: str, unknown: list[str]) -> Check:
        """Why a contact of whom it is unknown whether these rules hold is not called."""
        name = self.settings.region_field
        reason = (
            f"its region is unknown ({name} has no ISO 3166-2 code, {self.settings.zip_field} no ZIP code),"
            f" so {', '.join(unknown)} may hold"
        )
        return Check(
            rule=rule, passed=False, reason=reason, evidence={"unknown_for": unknown, **self.version}
        )

    def _read(self, path: Path) -> RuleSet:
        book = site_rules(path)
        if problems := list(self.problems(book, self._table)):
            raise ConfigError(problems)
        return RuleSet(book=book, settings=self.settings)


def names_in(table: Mapping[str, object]) -> list[Any]:
    """The rules that a table names, as far as they are names."""
    names = table.get("rules")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list | tuple) else []
