"""What a sandbox received, handed out and was told: the witness that a run is held to, to the row."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from attrs import define, field

from cti_hooks import masked
from lcm_plugin.lcm.spelling import MISSING, pick


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
        """For whom; empty if the message does not say."""
        named = pick(self.data, "AgentID", "UserID")
        return "" if named in (MISSING, None) else str(named)


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


@define(kw_only=True)
class BookedCallback:
    """A callback that a disposition made; `personal` is for `agent_id` alone."""

    key: str
    agent_id: str
    personal: bool
    starts_at: datetime
    ends_at: datetime
    mode_id: str = ""


@define(kw_only=True)
class Disposed:
    """A disposition that was taken: one for each time it came. `delivered`: no fault ate the reply."""

    key: str
    agent_id: str
    message: str
    at: float
    outcome_id: str = ""
    business_outcome_id: str = ""
    comments: str = field(default="", repr=masked)
    callback: BookedCallback | None = None
    delivered: bool = True


@define(kw_only=True)
class AgentStateTold:
    """A state an agent was said to be in."""

    agent_id: str
    state: str
    at: float


@define(kw_only=True)
class Blocked:
    """Who must not be called any more: a number, and the key that said so, if one did."""

    phone_number: str = field(repr=masked)
    message: str
    at: float
    key: str = ""


@define
class Account:
    """The sandbox's books, each in the order in which it came."""

    reservations_now: Callable[[], dict[str, str]] = field(repr=False)
    handed: list[Handed] = field(factory=list)
    dispositions: list[Disposed] = field(factory=list)
    callbacks: list[BookedCallback] = field(factory=list)
    agent_states: list[AgentStateTold] = field(factory=list)
    do_not_call: list[Blocked] = field(factory=list)
    max_in_flight: int = 0
    in_flight: int = 0

    @property
    def reservations(self) -> dict[str, str]:
        """Keys reserved now, and for which agent."""
        return self.reservations_now()

    def keys_handed(self) -> set[str]:
        """Every key that was ever reserved for an agent."""
        return {entry.key for entry in self.handed}
