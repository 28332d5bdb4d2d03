"""What is counted and measured, for Prometheus.

Labels are words of this program: states, rules, messages; never an agent, a key, a number or a name.
"""

import asyncio
from typing import Final

from attrs import define, evolve, field
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from cti_hooks import (
    Agent,
    Attempt,
    AttemptPlace,
    AttemptState,
    ConfigError,
    ConnectionState,
    Host,
    hookimpl,
)
from lcm_plugin.lcm.breaker import BreakerState
from lcm_plugin.ledger import OPEN, Ledger, LedgerUnavailable, LetterState
from lcm_plugin.plugin import LcmPlugin, lcm_of

RULES: Final = 100
"""Rules told apart; what plugins name beyond is `other`."""
_PEOPLES: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)
_LCMS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@define(kw_only=True)
class _Course:
    """An agent's way from ready to a conversation: when each step was, by the loop's clock."""

    ready_at: float | None = None
    attempt_id: str = ""
    offered_at: float | None = None
    dialed_at: float | None = None


class Instruments:
    """All that is measured."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def histogram(name: str, says: str, *labels: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"lcm_plugin_{name}", says, labels, buckets=buckets, registry=registry)

        def gauge(name: str, says: str, *labels: str) -> Gauge:
            return Gauge(f"lcm_plugin_{name}", says, labels, registry=registry)

        self.ready_to_contact = histogram(
            "ready_to_contact_seconds", "From an agent's ready to the offer of a contact.", buckets=_PEOPLES
        )
        self.contact_to_dial = histogram(
            "contact_to_dial_seconds", "From the offer of a contact to its dialing.", buckets=_PEOPLES
        )
        self.dial_to_answer = histogram(
            "dial_to_answer_seconds", "From dialing to the customer's answer.", buckets=_PEOPLES
        )
        self.requests = histogram(
            "lcm_request_seconds", "Each try of a request to the LCM.", "message", "result", buckets=_LCMS
        )
        self.refusals = Counter(
            "lcm_plugin_refusals", "Reasons not to call a contact.", ("rule",), registry=registry
        )
        self.attempts = gauge("attempts_open", "This host's open attempts.", "state")
        self.outbox = gauge("outbox_messages", "The ledger's unsettled messages to the LCM.", "state")
        self.ledger_good = gauge("ledger_good", "1 while the ledger can be written.")
        self.waiting = gauge("agents_waiting", "Agents who wait for a question to the LCM.")
        self.reserved_every = gauge(
            "reserved_every_seconds", "How often the LCM is asked what it has reserved for a waiting agent."
        )
        self.breaker = gauge("lcm_breaker", "1 for the state of the breaker towards the LCM.", "state")


@define(eq=False)
class Metrics:
    """The plugin `service-metrics`: hears what happens, and looks up the rest when asked."""

    media: str = field(default=CONTENT_TYPE_LATEST, init=False)
    registry: CollectorRegistry = field(factory=CollectorRegistry, init=False)
    _measured: Instruments = field(init=False)
    _courses: dict[str, _Course] = field(factory=dict, init=False)
    _rules: set[str] = field(factory=set, init=False)
    _lcm: LcmPlugin | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._measured = Instruments(self.registry)

    def watch(self, host: Host) -> None:
        """Measure a started host's requests to the LCM, and look up ledger and breaker when asked."""
        try:
            self._lcm = lcm_of(host)
        except ConfigError:
            return  # no LCM, nothing to measure
        self._lcm.client.gate.observe = self._requested

    async def text(self) -> bytes:
        """Everything as it is now, in Prometheus' text format."""
        if self._lcm:
            now = self._lcm.client.gate.breaker.state
            for state in BreakerState:
                self._measured.breaker.labels(state.value).set(state is now)
            supply = self._lcm.desks.supply
            self._measured.waiting.set(len(supply.waiting()))
            self._measured.reserved_every.set(supply.reserved_every)
            await self._look_up(self._lcm.desks.ledger)
        return generate_latest(self.registry)

    @hookimpl
    def on_agent_ready(self, agent: Agent) -> None:
        """The clock starts; ready again while waiting is the same wait."""
        course = self._courses.setdefault(agent.id, _Course())
        if course.ready_at is None:
            course.ready_at = _now()

    @hookimpl
    def on_agent_not_ready(self, agent: Agent) -> None:
        """Nobody waits any more."""
        if course := self._courses.get(agent.id):
            course.ready_at = None

    @hookimpl
    def on_agent_logged_off(self, agent: Agent) -> None:
        """Nothing is waited for."""
        self._courses.pop(agent.id, None)

    @hookimpl
    def on_attempt_changed(self, attempt: Attempt) -> None:
        """The steps of an attempt, each measured once, and refusals; an agent's next one has no steps yet."""
        if attempt.state is AttemptState.REFUSED:
            for refusal in attempt.refusals:
                self._measured.refusals.labels(self._rule(refusal.rule)).inc()
        if attempt.place is AttemptPlace.NEXT:
            return
        course = self._courses.setdefault(attempt.agent.id, _Course())
        if attempt.state is AttemptState.OFFERED:
            self._offered(course, attempt)
        elif attempt.id == course.attempt_id:
            self._moved(course, attempt)

    def _offered(self, course: _Course, attempt: Attempt) -> None:
        if course.attempt_id == attempt.id:
            return
        if course.ready_at is not None:
            self._measured.ready_to_contact.observe(_now() - course.ready_at)
        self._courses[attempt.agent.id] = _Course(attempt_id=attempt.id, offered_at=_now())

    def _moved(self, course: _Course, attempt: Attempt) -> None:
        now = _now()
        if attempt.state is AttemptState.DIALING and course.offered_at is not None:
            self._measured.contact_to_dial.observe(now - course.offered_at)
            course.offered_at, course.dialed_at = None, now
        if course.dialed_at is not None and _is_answered(attempt):
            self._measured.dial_to_answer.observe(now - course.dialed_at)
            course.dialed_at = None
        if attempt.state not in OPEN:
            self._courses[attempt.agent.id] = evolve(course, attempt_id="", offered_at=None, dialed_at=None)

    def _rule(self, name: str) -> str:
        if len(self._rules) < RULES:
            self._rules.add(name)
        return name if name in self._rules else "other"

    def _requested(self, message: str, result: str, seconds: float) -> None:
        self._measured.requests.labels(message, result).observe(seconds)

    async def _look_up(self, ledger: Ledger) -> None:
        self._measured.ledger_good.set(ledger.health().good)
        states = [attempt.state for attempt in ledger.held]
        for state in OPEN:
            self._measured.attempts.labels(state.value).set(states.count(state))
        try:
            unsettled = await ledger.unsettled_letters()
        except LedgerUnavailable:
            self._measured.ledger_good.set(0)
            self._measured.outbox.clear()
            return
        for kept in (LetterState.WAITING, LetterState.SENDING, LetterState.UNCONFIRMED, LetterState.REJECTED):
            self._measured.outbox.labels(kept.value).set(unsettled.get(kept, 0))


def _is_answered(attempt: Attempt) -> bool:
    return any(call.state is ConnectionState.CONNECTED for call in attempt.calls)


def _now() -> float:
    return asyncio.get_running_loop().time()
