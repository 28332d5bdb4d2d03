"""What a sandbox received, and what it handed to whom: the witness that a run is held to."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field


@define(kw_only=True)
class Received:
    """A request, as the sandbox got it; `at` is the running loop's time, `fault` what was done to it."""

    subtopic: str
    envelope: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    at: float
    fault: str = ""

    @property
    def data(self) -> Mapping[str, Any]:
        """The request's `data`."""
        data = self.envelope.get("data")
        return data if isinstance(data, Mapping) else {}

    @property
    def agent_id(self) -> str:
        """For whom."""
        return str(self.data.get("AgentID") or self.data.get("userID") or "")


@define(kw_only=True)
class Handed:
    """A contact in a reply.

    `reserved`: the answer to a question for reserved ones. `delivered`: no fault ate the reply.
    """

    key: str
    agent_id: str
    at: float
    reserved: bool
    delivered: bool = True


@define
class Account:
    """The sandbox's books."""

    reservations_now: Callable[[], dict[str, str]] = field(repr=False)
    handed: list[Handed] = field(factory=list)
    max_in_flight: int = 0
    in_flight: int = 0

    @property
    def reservations(self) -> dict[str, str]:
        """Keys reserved now, and for which agent."""
        return self.reservations_now()

    def keys_handed(self) -> set[str]:
        """Every key that was ever reserved for an agent."""
        return {entry.key for entry in self.handed}
