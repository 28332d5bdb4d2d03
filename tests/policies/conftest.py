"""A host with a policy loaded by its name, and a contact to ask it about."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from attrs import define

from cti_hooks import Agent, Check, Contact, Host, Refusal, TimeZone

AGENT = Agent(id="alice")


@define
class Policed:
    """A host with one policy, and the questions that are asked of it."""

    host: Host

    async def refusal(self, contact: Contact, moment: datetime) -> Refusal | None:
        """What the review says; a failure is raised."""
        value = await self._asked("review_contact", contact, moment)
        assert value is None or isinstance(value, Refusal)
        return value

    async def checks(self, contact: Contact, moment: datetime) -> Sequence[Check]:
        """All checks; the review is held to be the first that did not pass."""
        checks: Sequence[Check] = await self._asked("explain_contact", contact, moment)
        first = next((check for check in checks if not check.passed), None)
        refusal = await self.refusal(contact, moment)
        assert (first is None) == (refusal is None)
        if first and refusal:
            assert (first.rule, first.reason) == (refusal.rule, refusal.reason)
            assert (first.not_before, first.evidence) == (refusal.not_before, refusal.evidence)
        return checks

    async def passed(self, contact: Contact, moment: datetime) -> dict[str, bool]:
        """Which rules passed."""
        return {check.rule: check.passed for check in await self.checks(contact, moment)}

    async def _asked(self, hook: str, contact: Contact, moment: datetime) -> Any:
        (answer,) = await self.host.hooks.all(hook, agent=AGENT, contact=contact, moment=moment)
        if answer.error:
            raise answer.error
        return answer.value


Police = Callable[..., Policed]
Person = Callable[..., Contact]


@pytest.fixture
def police() -> Police:
    """Makes a host with the policy of this name and these settings; not started."""

    def made(name: str, **table: Any) -> Policed:
        return Policed(Host.from_config({"cti": {"plugins": [name]}, "plugins": {name: table}}))

    return made


@pytest.fixture
def person() -> Person:
    """Makes a contact; zones by name, the LCM's word unless said otherwise."""

    def made(*zones: str, by: str = "lcm", **fields: Any) -> Contact:
        told = {"key": "0|1", "phone_number": "2125550123", "e164": "+12125550123", **fields}
        return Contact(time_zones=[TimeZone(name=zone, evidence=by) for zone in zones], **told)

    return made
