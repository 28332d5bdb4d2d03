"""What a dialer plugin may have beside its hooks. Each is optional, and found by its name."""

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from cti_hooks.values import Agent, Attempt


@runtime_checkable
class HasEngines(Protocol):
    """A dialer of several engines: `find_call` speaks for these only."""

    @property
    def engines(self) -> Collection[str]:
        """Their names: what `Call.engine` says."""


@runtime_checkable
class KnowsEngines(Protocol):
    """A dialer that can tell which engine an agent's calls go by, before one was recorded."""

    def engine_of(self, agent: Agent) -> str | None:
        """The engine's name; None if the dialer does not serve this agent."""


@runtime_checkable
class ToldByEvents(Protocol):
    """A dialer that is told of its calls by signed events, over the host's API."""

    def is_told_of(self, attempt: Attempt) -> bool:
        """Whether this dialer passes on the events of this attempt's call."""


@runtime_checkable
class KnowsEndpoints(Protocol):
    """A dialer that can tell where an agent's phone is, before it has to ring it."""

    def endpoint_of(self, agent: Agent) -> str:
        """The endpoint of an agent that the dialer serves.

        Raises:
            ValueError: it is none that the dialer may ring; the text says why, and the way out.
        """
