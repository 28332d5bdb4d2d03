"""Counts what comes of offers and calls, and times what agents do, for Prometheus.

Labels are words of this program: outcomes, states, routes; never an agent, a key, a number or a name.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from attrs import define, field
from prometheus_client import CollectorRegistry, Counter, Histogram

from cti_hooks import Activity, ActivityKind, Agent, Attempt, AttemptPlace, AttemptState, hookimpl
from lcm_plugin.desk.auto_disposing import AUTO

KNOWN: Final = 20_000
"""Attempts under way that are told apart."""
_CALLS: Final = (5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_ANSWERS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_OVER: Final = frozenset(
    {
        AttemptState.EMPTY,
        AttemptState.SKIPPED,
        AttemptState.REFUSED,
        AttemptState.EXPIRED,
        AttemptState.CLOSED,
    }
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@define(eq=False)
class Counts:
    """The plugin `service-counts`, and a middleware of the API."""

    registry: CollectorRegistry
    _open: dict[str, AttemptState] = field(factory=dict, init=False)
    """Attempts that are under way, as they were told last: what is told again is not counted again."""
    _doing: dict[str, Activity] = field(factory=dict, init=False)
    _offers: Counter = field(init=False)
    _calls: Counter = field(init=False)
    _skips: Counter = field(init=False)
    _dispositions: Counter = field(init=False)
    _talk: Histogram = field(init=False)
    _wrap_up: Histogram = field(init=False)
    _http: Histogram = field(init=False)

    def __attrs_post_init__(self) -> None:
        def counter(name: str, says: str, *labels: str) -> Counter:
            return Counter(f"lcm_plugin_{name}", says, labels, registry=self.registry)

        def histogram(name: str, says: str, *labels: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"lcm_plugin_{name}", says, labels, buckets=buckets, registry=self.registry)

        self._offers = counter("offers", "Contacts offered to agents.")
        self._calls = counter("calls", "Calls that ended, by how they went on the line.", "outcome")
        self._skips = counter("skips", "Offers that were not dialed: what was said, or unanswered.", "why")
        self._dispositions = counter(
            "dispositions", "Contacts disposed of, by a person or by auto_dispose.", "by"
        )
        self._talk = histogram("talk_seconds", "How long agents talked to a customer.", buckets=_CALLS)
        self._wrap_up = histogram(
            "wrap_up_seconds", "How long calls waited for dispositions.", buckets=_CALLS
        )
        self._http = histogram(
            "http_request_seconds", "Requests to the API.", "method", "route", "status", buckets=_ANSWERS
        )

    @hookimpl
    def on_attempt_changed(self, attempt: Attempt) -> None:
        """Each step of an attempt, once."""
        before, state = self._open.get(attempt.id), attempt.state
        if attempt.place is AttemptPlace.NEXT or state is before:
            return
        self._open[attempt.id] = state
        if len(self._open) > KNOWN:  # another host has it by now, and nothing more is told of it here
            self._open.pop(next(iter(self._open)))
        if state is AttemptState.OFFERED:
            self._offers.inc()
        elif state is AttemptState.ENDED or (state is AttemptState.CLOSED and _is_live(before)):
            self._calls.labels(attempt.outcome.value if attempt.outcome else "unknown").inc()
        elif state is AttemptState.SKIPPED:
            self._skips.labels(attempt.answer.value if attempt.answer else "unanswered").inc()
        elif state is AttemptState.DISPOSED:
            self._dispositions.labels("auto" if attempt.actor == AUTO else "person").inc()
        if state in _OVER:
            self._open.pop(attempt.id, None)

    @hookimpl
    def on_agent_activity(self, agent: Agent, activity: Activity) -> None:
        """What they did before took until now."""
        before = self._doing.pop(agent.id, None)
        if before and before.kind is ActivityKind.TALKING:
            self._talk.observe((activity.since - before.since).total_seconds())
        elif before and before.kind is ActivityKind.WRAP_UP:
            self._wrap_up.observe((activity.since - before.since).total_seconds())
        if activity.kind in {ActivityKind.TALKING, ActivityKind.WRAP_UP}:
            self._doing[agent.id] = activity

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Time a request; a WebSocket's is none that is answered."""
        began = asyncio.get_running_loop().time()
        response = await handler(request)
        if not isinstance(response, web.WebSocketResponse):
            resource = request.match_info.route.resource
            route = resource.canonical if resource else "unknown"
            seconds = asyncio.get_running_loop().time() - began
            self._http.labels(request.method, route, str(response.status)).observe(seconds)
        return response


def _is_live(before: AttemptState | None) -> bool:
    """Whether a call was being placed, or went on: its agent's phone was not reached."""
    return before in {AttemptState.DIALING, AttemptState.CALLING}
