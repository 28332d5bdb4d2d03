"""The whole chain: a sandbox LCM hands contacts to a host, whose dialer calls them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from attrs import define, field

from cti_hooks import Agent, Attempt, AttemptState, Call, Host, hookimpl
from lcm_plugin.ledger import Ledger
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import Sandbox, SandboxContact
from tests.telephony.bench.asterisk import Asterisk
from tests.telephony.bench.centre import Centre, ari_settings, centre

DISPOSED: Final = {
    "answered": "0",
    "invalid_number": "2",
    "busy": "3",
    "no_answer": "8",
    "rejected": "9",
    "congestion": "6",
    "unreachable": "7",
}
"""The LCM's outcome ids, another one for each outcome; no word for what is not the customer's doing."""


@define(eq=False)
class Record:
    """Each attempt with a contact, as it was told last."""

    attempts: dict[str, Attempt] = field(factory=dict)
    _news: asyncio.Condition = field(factory=asyncio.Condition)

    @hookimpl
    async def on_attempt_changed(self, attempt: Attempt) -> None:
        if attempt.contact is None:
            return
        async with self._news:
            self.attempts[attempt.id] = attempt
            self._news.notify_all()

    def to(self, number: str) -> Attempt | None:
        """The attempt at this number that was told of last."""
        them = [one for one in self.attempts.values() if one.contact and one.contact.phone_number == number]
        return them[-1] if them else None

    async def until(self, seen: Any, seconds: float = 30) -> None:
        """Wait until the attempts look so."""
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(lambda: seen(list(self.attempts.values())))


@define(kw_only=True, eq=False)
class Shift:
    """A running centre, its LCM, and what was told of attempts."""

    lcm: Sandbox
    centre: Centre
    record: Record

    @property
    def host(self) -> Host:
        """The host."""
        return self.centre.host

    @property
    def ledger(self) -> Ledger:
        """The host's ledger."""
        return lcm_of(self.host).desks.ledger

    @property
    def outcome_ids(self) -> dict[str, str]:
        """What the LCM was told, by key; twice told is an error."""
        told = [(one.key, one.outcome_id) for one in self.lcm.account.dispositions]
        assert len(told) == len(dict(told))
        return dict(told)

    async def ready(self, agent: str, endpoint: str = "PJSIP/1001") -> None:
        """The agent wants a contact."""
        await self.host.hooks.all("on_agent_ready", agent=Agent(id=agent, endpoint=endpoint))

    async def state(self, number: str, state: AttemptState, seconds: float = 30) -> Attempt:
        """Wait until the attempt at this number is in this state."""

        def seen(_: Sequence[Attempt]) -> bool:
            found = self.record.to(number)
            return found is not None and found.state is state

        await self.record.until(seen, seconds)
        found = self.record.to(number)
        assert found
        return found

    async def call(self, number: str, state: str, seconds: float = 30) -> Call:
        """Wait until the customer's connection at this number is in this state."""

        def seen(_: Sequence[Attempt]) -> bool:
            found = self.record.to(number)
            return found is not None and [call.state for call in found.calls] == [state]

        await self.record.until(seen, seconds)
        found = self.record.to(number)
        assert found
        return found.calls[0]


def people(*numbers: str) -> list[SandboxContact]:
    """Contacts in this order, with consent given."""
    return [SandboxContact(key=f"1|{n}", phone_number=number) for n, number in enumerate(numbers)]


def lcm_settings(lcm: Sandbox, ledger: Path, **others: Any) -> dict[str, Any]:
    """`[plugins.lcm]`: contacts are dialed at once, and disposed of by DISPOSED."""
    return {
        "url": lcm.url,
        "source": "shift",
        "timezone": "America/New_York",
        "ledger": f"sqlite:///{ledger}",
        "preview": {"seconds": 0},
        "reserved_first": False,
        "ring_seconds": 15,
        "poll_min_seconds": 0.05,
        "poll_max_seconds": 0.1,
        "auto_dispose": DISPOSED,
        "after_disposition": "ready",  # each call is one that a test asked for
        **others,
    }


@asynccontextmanager
async def working(
    lcm: Sandbox,
    ledger: Path,
    dialer: str,
    table: Mapping[str, Any],
    *plugins: object,
    good: bool = True,
    **settings: Any,
) -> AsyncIterator[Shift]:
    """A centre with this dialer at this LCM; `good`: once its dialer says that it is."""
    record = Record()
    tables = {"lcm": lcm_settings(lcm, ledger, **settings), dialer: table}
    async with centre(tables, record, *plugins) as here:
        if good:
            await here.ready()
        yield Shift(lcm=lcm, centre=here, record=record)


def table_of(dialer: str, asterisk: Asterisk, **others: Any) -> dict[str, Any]:
    """The settings of `asterisk` or `asterisk-ami` for an Asterisk of the bench."""
    if dialer == "asterisk":
        return ari_settings(asterisk, **others)
    return {
        "port": asterisk.ami_port,
        "password_env": "AMI_PASSWORD",
        "endpoint": "PJSIP/{number}@trunk",
        **others,
    }
