"""The promise about consent, over all settings: without consent given only a person's DIAL calls."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar

from attrs import define, evolve, field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cti_hooks import (
    Agent,
    Attempt,
    Call,
    CallEvent,
    CallEventKind,
    ConnectionState,
    Consent,
    Contact,
    Host,
    Mode,
    Refusal,
    hookimpl,
)
from lcm_plugin.errors import ConflictError
from lcm_plugin.plugin import lcm_of
from lcm_plugin.sandbox import Sandbox, SandboxContact, SandboxMode
from lcm_plugin.sandbox.virtual_time import LoopClock, VirtualTimeLoop

T = TypeVar("T")
ALICE: Final = Agent(id="alice")
GROUP: Final = "AD Dev Manual Group"
WORDS: Final = ["Yes", "No", "", "Both", "maybe", "1", "0"]

TABLES: Final = st.fixed_dictionaries(
    {
        "preview": st.fixed_dictionaries(
            {
                "seconds": st.sampled_from([0, 5, 20]),
                "on_timeout": st.sampled_from(["dial", "skip", "not_ready"]),
            }
        ),
        "fetch_when": st.sampled_from([["ready"], ["ready", "not_ready:By hand"], ["on_request"]]),
        "consent": st.sampled_from(["both", "with", "without"]),
        "reserved_first": st.booleans(),
        "recover_with": st.sampled_from(["GetReservedManualDialContact", "GetDownloadContactsForDialing"]),
        "download_with": st.sampled_from(
            ["GetDownloadContactsForDialing", "GetDownloadAllContactsForDialing"]
        ),
        "on_refusal": st.sampled_from([{}, {"moody": "hold"}, {"moody": "9"}]),
        "auto_dispose": st.sampled_from([{}, {"*": "0"}]),
        "skip_again_after": st.sampled_from([0, 30]),
        "offer_seconds": st.sampled_from([15, 300]),
        "contact_modes": st.booleans(),
        "zone_lookup": st.booleans(),
    }
)
STEPS: Final = st.lists(
    st.one_of(
        st.sampled_from(
            ["ready", "busy", "working_after_call", "logged_off", "logged_on", "not_ready", "ask", "restart"]
        ),
        st.sampled_from(["skip", "reject", "close", "dial", "clear", "lost reply", "dispose"]),
        st.sampled_from([1, 6, 25, 40]),
    ),
    min_size=4,
    max_size=14,
)


@define(eq=False)
class Witness:
    """A dialer that notes who was called without consent, and whether a person had said DIAL."""

    dialed: list[Attempt] = field(factory=list)
    reviews: int = 0

    @hookimpl
    async def make_call(self, attempt: Attempt) -> Call:
        self.dialed.append(attempt)
        return Call(id=f"c-{attempt.id}", attempt_id=attempt.id, state=ConnectionState.INITIATED)

    @hookimpl
    def find_call(self) -> None:
        return None

    @hookimpl
    def review_contact(self) -> Refusal | None:
        self.reviews += 1
        return Refusal(rule="moody", reason="not now") if self.reviews % 5 == 0 else None

    @hookimpl
    def enrich_contact(self, contact: Contact) -> Contact:
        """A site that means well: it may not raise consent, and its other numbers' is not the contact's."""
        mode = Mode(id="9", phone_number="+12125550999", consent=Consent.GIVEN)
        return evolve(contact, consent=Consent.GIVEN, modes=(mode,))


@define(eq=False)
class Shift:
    """One run: a sandbox, a host that may be restarted, and one agent."""

    directory: Path
    table: dict[str, Any]
    lcm: Sandbox
    clock: LoopClock
    witness: Witness = field(factory=Witness)
    host: Host | None = None

    async def start(self) -> None:
        if self.host:
            await self.host.__aexit__(None, None, None)
        settings = {
            "url": self.lcm.url,
            "source": "consent",
            "timezone": "America/New_York",
            "campaign_groups": [GROUP],
            "ledger": f"sqlite:///{self.directory}/ledger.db",
            **self.table,
        }
        config = {"cti": {"plugins": ["lcm"]}, "plugins": {"lcm": settings}}
        self.host = Host.from_config(config, clock=self.clock, random=Random(1))
        self.host.register(self.witness)
        await self.host.__aenter__()

    async def do(self, step: str | int) -> None:
        assert self.host
        match step:
            case int():
                await asyncio.sleep(step)
            case "restart":
                await self.start()
            case "not_ready":
                await self.host.hooks.all("on_agent_not_ready", agent=ALICE, reason="By hand")
            case "busy":
                await self.host.hooks.all("on_agent_busy", agent=ALICE, call=None)
            case "ask":
                await self.quietly(
                    self.host.hooks.first("request_next_contact", agent=ALICE, campaign_group=GROUP)
                )
            case "lost reply":
                self.lcm.order("drop,times=1")
            case "clear" | "dispose" | "skip" | "reject" | "close" | "dial":
                await self.say(step)
            case _:
                await self.host.hooks.all(f"on_agent_{step}", agent=ALICE)

    async def say(self, word: str) -> None:
        assert self.host
        held = lcm_of(self.host).desks.ledger.held
        if not held:
            return
        attempt = held[-1]
        if word == "clear":
            event = CallEvent(
                kind=CallEventKind.CALL_CLEARED, call_id=f"c-{attempt.id}", attempt_id=attempt.id,
                at=self.clock.now(),
            )  # fmt: skip
            await self.host.hooks.all("on_call_event", event=event)
            return
        said = {"reason": "8" if word in {"close", "dispose"} else None, "actor": "alice"}
        answer = "close" if word == "dispose" else word
        await self.quietly(
            self.host.hooks.first("answer_contact", agent=ALICE, attempt_id=attempt.id, answer=answer, **said)
        )

    async def quietly(self, work: Coroutine[Any, Any, object]) -> None:
        with suppress(ConflictError, RuntimeError):
            await work


PEOPLE: Final = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4)


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(table=TABLES, steps=STEPS, words=PEOPLE)
def test_only_a_person_dials_without_consent(
    table: dict[str, Any], steps: list[str | int], words: list[str]
) -> None:
    """No timer, restart or ready agent calls a contact without consent given, whatever the settings."""
    with tempfile.TemporaryDirectory() as directory:
        dialed = on_virtual_time(lambda: shift(Path(directory), table, steps, words))
    for attempt in dialed:
        assert attempt.contact
        given = attempt.contact.consent is Consent.GIVEN and attempt.contact.consent_raw in {"Yes", "1"}
        assert given or (attempt.answer == "dial" and attempt.actor == "alice"), attempt
    assert len({attempt.id for attempt in dialed}) == len(dialed)


async def shift(
    directory: Path, table: dict[str, Any], steps: list[str | int], words: list[str]
) -> list[Attempt]:
    clock = LoopClock()
    mode = SandboxMode(id="2", phone_number="+12125550888", consent="Yes")
    contacts = [
        SandboxContact(
            key=f"{n}", phone_number=f"+1212555{n:04}", campaign_group=GROUP, consent=word, modes=(mode,)
        )
        for n, word in enumerate(words)
    ]
    async with AsyncExitStack() as stack:
        lcm = await stack.enter_async_context(Sandbox(contacts=contacts, clock=clock, random=Random(1)))
        run = Shift(directory, table, lcm, clock)
        await run.start()
        for step in ["ready", 1, *steps, "ready", 30]:
            await run.do(step)
        assert run.host
        await run.host.__aexit__(None, None, None)
        return run.witness.dialed


def on_virtual_time(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work())
