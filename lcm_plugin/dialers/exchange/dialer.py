"""The plugin around connections and courses; a backend is a subclass that opens its lines."""

import asyncio
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

from attrs import define

from cti_hooks import Agent, Attempt, Call, ConnectionState, Dial, Health, Host, described, hookimpl
from lcm_plugin.dialers.errors import RepeatedAttemptError
from lcm_plugin.dialers.exchange.course import Course
from lcm_plugin.dialers.exchange.legs import Exchange, Heard, News, Order, Party
from lcm_plugin.dialers.exchange.reports import Reports
from lcm_plugin.dialers.exchange.wire import EngineDownError
from lcm_plugin.dialers.finding import found
from lcm_plugin.dialers.numbers import channel_variables, dialable

log = logging.getLogger("lcm_plugin.dialers")

LEAVE_SECONDS: Final = 5.0
"""How long calls that nobody would put through may take to end when the host stops."""
_ID: Final = re.compile(r"[\w.-]+", re.ASCII)


class Link(Protocol):
    """What keeps an engine in reach."""

    def start(self) -> None:
        """Connect, now and whenever the connection is lost."""

    async def stop(self) -> None:
        """Disconnect, for good."""

    async def health(self) -> Health:
        """How it is; waits for the first try, so that a check right after the start can tell."""


@define(kw_only=True, eq=False)
class Line:
    """An exchange and the connection it speaks over.

    Attributes:
        has_one_user: the engine serves only the latest connection: a host that only observes asks
            for its health, in a moment, and does no more.
    """

    exchange: Exchange
    connection: Link
    agent_seconds: float
    setup_seconds: float
    has_one_user: bool = False


class ExchangeDialer(ABC):
    """The hooks of a dialer with one or more engines. It serves an agent whose line it has."""

    def __init__(self) -> None:
        self._host: Host | None = None
        self._lines: dict[str, Line] = {}
        self._courses: dict[str, Course] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    @abstractmethod
    def engines(self) -> Collection[str]:
        """The names of its engines. If it says that a call was not seen, it speaks for these."""

    @abstractmethod
    def open_lines(self, host: Host) -> Sequence[Line]:
        """One for each engine, not started yet."""

    @abstractmethod
    def engine_of(self, agent: Agent) -> str | None:
        """The engine that places this agent's calls; None: not this backend's agent."""

    @abstractmethod
    def endpoint_of(self, agent: Agent) -> str:
        """Where the agent's phone is. Raises UnsafeEndpointError."""

    # -- the hooks ------------------------------------------------------------------------------------------

    @hookimpl
    def on_startup(self, host: Host) -> None:
        self._host = host
        for line in self.open_lines(host):
            self._lines[line.exchange.name] = line
            if not (host.observes and line.has_one_user):
                line.connection.start()

    @hookimpl
    async def on_shutdown(self) -> None:
        """Let go of calls that go on without this host; those that nobody would put through end here."""
        for course in self._courses.values():
            news = News.CLEAR if course.ends_with_host else News.LEAVE
            course.hear(Heard(party=Party.AGENT, news=news, text="the host stops"))
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=LEAVE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for line in self._lines.values():
            await line.connection.stop()

    @hookimpl
    async def make_call(self, attempt: Attempt, dial: Dial) -> Call | None:
        engine = self.engine_of(attempt.agent)
        if engine is None:
            return None
        if attempt.id in self._courses:
            raise RepeatedAttemptError(f"attempt {attempt.id} was placed before: it is being dialed")
        order = self._order(attempt, dial)
        course = self._course(self._lines[engine], attempt.id, order)
        try:
            await course.begin()
        except EngineDownError as error:
            self._drop(course)
            log.warning("attempt %s: not placed: %s", attempt.id, described(error))
            return None  # surely nothing was placed: the next dialer may be asked
        except RepeatedAttemptError:
            self._drop(course)
            raise
        except BaseException:
            self._follow(course)
            raise
        self._follow(course)
        return course.call

    @hookimpl
    async def find_call(self, attempt_id: str) -> Call | None:
        if not self._lines:
            raise RuntimeError("the dialer is not started: start the host first")
        course = self._courses.get(attempt_id)
        lines = [self._lines[course.exchange.name]] if course else list(self._lines.values())
        return await found({line.exchange.name: self._found(line, attempt_id, course) for line in lines})

    @hookimpl
    async def clear_call(self, call: Call) -> bool | None:
        if call.attempt_id not in self._courses:
            line = self._lines.get(call.engine or "")
            if line is None:
                return None
            if await self._found(line, call.attempt_id, None) is None:
                return False
        course = self._courses[call.attempt_id]
        course.hear(Heard(party=Party.AGENT, news=News.CLEAR, text="hung up from outside"))
        return bool(course.live)

    @hookimpl
    async def report_health(self) -> list[Health]:
        return list(await asyncio.gather(*(line.connection.health() for line in self._lines.values())))

    # -- its courses ----------------------------------------------------------------------------------------

    def leads(self, attempt_id: str) -> bool:
        """Whether this dialer has this attempt's call."""
        return attempt_id in self._courses

    def hear(self, attempt_id: str, heard: Heard) -> None:
        """Pass on what an engine tells of an attempt that was dialed here; of any other, nothing."""
        if course := self._courses.get(attempt_id):
            course.hear(heard)

    async def catch_up(self, engine: str) -> None:
        """After a reconnect: nothing was queued meanwhile, so look for every call of this engine."""
        for course in self.led_at(engine):
            await course.lookout.look()

    def led_at(self, engine: str) -> list[Course]:
        """The calls that this dialer leads at this engine."""
        return [course for course in self._courses.values() if course.exchange.name == engine]

    def _order(self, attempt: Attempt, dial: Dial) -> Order:
        if not _ID.fullmatch(attempt.id):
            raise ValueError("an attempt's id that can be no channel's")
        order = Order(
            attempt_id=attempt.id,
            agent_id=attempt.agent.id,
            endpoint=self.endpoint_of(attempt.agent),
            number=dialable(dial.to),
            caller_id=dialable(dial.caller_id) if dial.caller_id else None,
            variables=channel_variables(dial.variables),
            dial=dial,
        )
        if self._started().clock.now() >= dial.not_after:
            raise TimeoutError("too late to place this call")
        return order

    def _course(self, line: Line, attempt_id: str, order: Order | None) -> Course:
        call = Call(
            id=f"{attempt_id}-c",
            attempt_id=attempt_id,
            state=ConnectionState.INITIATED,
            engine=line.exchange.name,
        )
        course = Course(
            reports=Reports(host=self._started(), call=call),
            exchange=line.exchange,
            order=order,
            agent_seconds=line.agent_seconds,
            setup_seconds=line.setup_seconds,
        )
        self._courses[attempt_id] = course
        return course

    async def _found(self, line: Line, attempt_id: str, course: Course | None) -> Call | None:
        known = course.known if course else {}
        legs = await line.exchange.seen(attempt_id)
        course = course or self._courses.get(attempt_id)  # somebody else may have asked meanwhile
        if course and (legs or not course.in_doubt):
            return course.found(legs, known)
        if not legs and not course:
            line.exchange.forget(attempt_id)
        return self._adopted(line, attempt_id, legs) if legs else None

    def _adopted(self, line: Line, attempt_id: str, legs: Mapping[Party, ConnectionState]) -> Call:
        course = self._course(line, attempt_id, None)
        course.adopt(legs)
        self._follow(course)
        return course.call

    def _drop(self, course: Course) -> None:
        attempt_id = course.call.attempt_id
        del self._courses[attempt_id]
        course.exchange.forget(attempt_id)

    def _follow(self, course: Course) -> None:
        attempt_id = course.call.attempt_id
        self._tasks[attempt_id] = asyncio.create_task(
            self._lead(course), name=f"call of attempt {attempt_id}"
        )

    async def _lead(self, course: Course) -> None:
        attempt_id = course.call.attempt_id
        try:
            await course.run()
        finally:
            del self._tasks[attempt_id]
            self._drop(course)

    def _started(self) -> Host:
        if self._host is None:
            raise RuntimeError("the dialer is not started: start the host first")
        return self._host
