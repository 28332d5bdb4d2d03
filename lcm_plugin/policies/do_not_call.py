"""`do-not-call`: no call to a number on the site's list, a file or a function of the site's own.

A list that cannot be read at the host's start stops it; one that cannot be read later refuses every call.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from attrs import field, frozen

from cti_hooks import Check, ConfigError, Contact, Health, Host, Problem, described, hookimpl, masked
from cti_hooks import settings as plugin_settings
from lcm_plugin.policies.number_list import UnreadableListError
from lcm_plugin.policies.numbers_file import NumbersFile
from lcm_plugin.policies.policy import Policy

LISTED: Final = "do-not-call"
UNKNOWN: Final = "do-not-call-list"
"""Nobody could tell whether the number is listed."""


def function_named(name: str) -> Callable[[Contact], Any]:
    """The function `module:function` means.

    Raises:
        ValueError: there is none.
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ValueError('must be like "module:function"')
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # noqa: BLE001  (whatever a module's import raises)
        raise ValueError(f"cannot be imported: {described(error)}") from None
    if not callable(found):
        raise ValueError("is no function")  # noqa: TRY004  (a wrong setting)
    return found  # type: ignore[no-any-return]  # the site's


def _a_function(_: object, __: object, name: str | None) -> None:
    if name is not None:
        function_named(name)


@frozen(kw_only=True)
class DoNotCallSettings:
    """The `[plugins.do-not-call]` table: a file, a function, or both."""

    file: str | None = None
    """One number a line, or with `column` a CSV; relative to the config file. It is read again when it
    changes: put a new one in its place by renaming."""
    column: str | None = None
    """The CSV's column with the numbers, by its header."""
    function: str | None = field(default=None, validator=_a_function)
    """`module:function`, called with the contact; plain or async; True: do not call."""

    def __attrs_post_init__(self) -> None:
        problems = []
        if self.file is None and self.function is None:
            problems.append(Problem("file", "set file or function, or both"))
        if self.column is not None and self.file is None:
            problems.append(Problem("column", "is a CSV file's: set file too"))
        if problems:
            raise ConfigError(problems)


class DoNotCall(Policy):
    """The plugin."""

    def __init__(self, table: Mapping[str, object]) -> None:
        self.settings = plugin_settings.read(DoNotCallSettings, table)
        self._function = function_named(self.settings.function) if self.settings.function else None
        self._file: NumbersFile | None = None

    @hookimpl
    def on_startup(self, host: Host) -> None:
        super().on_startup(host)
        if self.settings.file:
            try:
                self._file = NumbersFile(host.directory / self.settings.file, self.settings.column)
            except UnreadableListError as error:
                raise ConfigError([Problem("file", str(error))]) from None

    @hookimpl
    async def on_shutdown(self) -> None:
        if self._file:
            await self._file.close()

    @hookimpl
    async def report_health(self) -> list[Health]:
        if self._file is None:
            return []
        what = f"do-not-call list {self.settings.file}"
        try:
            numbers = await self._file.numbers()
        except UnreadableListError as error:
            return [Health(what=what, good=False, seen=str(error))]
        return [Health(what=what, good=True, seen=f"{numbers.count} numbers, as of {numbers.as_of}")]

    async def checks(self, contact: Contact, moment: datetime) -> list[Check]:  # noqa: ARG002  (a list is of now)
        checks = []
        if self.settings.file:
            checks.append(await self._by_file(contact))
        if self._function:
            checks.append(await self._by_function(self._function, contact))
        return checks

    async def _by_file(self, contact: Contact) -> Check:
        evidence = _evidence(contact, self.settings.file)
        if self._file is None:
            return _unknown("the list is not read: the host is not started", evidence)
        try:
            numbers = await self._file.numbers()
        except UnreadableListError as error:
            return _unknown(str(error), evidence)
        evidence |= {"numbers": numbers.count, "as_of": numbers.as_of}
        return _check(contact in numbers, evidence)

    async def _by_function(self, function: Callable[[Contact], Any], contact: Contact) -> Check:
        evidence = _evidence(contact, self.settings.function)
        try:
            answer = function(contact)
            listed = await answer if inspect.isawaitable(answer) else answer
        except Exception as error:  # noqa: BLE001  (whatever the site's function raises)
            return _unknown(described(error), evidence)
        if not isinstance(listed, bool):
            return _unknown(f"it answered {type(listed).__name__}, not True or False", evidence)
        return _check(listed, evidence)


def _evidence(contact: Contact, of: str | None) -> dict[str, Any]:
    return {"number": masked(contact.e164 or contact.phone_number), "list": of}


def _check(listed: bool, evidence: Mapping[str, Any]) -> Check:  # noqa: FBT001  (the answer)
    reason = "it is on the do-not-call list" if listed else "it is not on the do-not-call list"
    return Check(rule=LISTED, passed=not listed, reason=reason, evidence=evidence)


def _unknown(why: str, evidence: Mapping[str, Any]) -> Check:
    reason = f"whether it is on the do-not-call list is unknown: {why}"
    return Check(rule=UNKNOWN, passed=False, reason=reason, evidence=evidence)
