"""A call's two legs, and what an engine is asked of them and tells of them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol

from attrs import field, frozen

from cti_hooks import ConnectionState, Dial, masked

NO_ANSWER: Final = 19
NORMAL_CLEARING: Final = 16
"""ITU-T Q.850's numbers."""


class Party(StrEnum):
    """Whose leg it is; the values are those of `CallEvent.party`."""

    AGENT = "agent"
    CUSTOMER = "customer"


class News(StrEnum):
    """What happened to a leg."""

    PROGRESS = "progress"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"
    SEEN = "seen"
    """The engine was asked for the leg: `state` says how it is, None that it is not there."""
    GIVE_UP = "give_up"
    """It rang long enough."""
    CLEAR = "clear"
    """Somebody wants the call hung up."""
    LEAVE = "leave"
    """The host stops: the call goes on, and nothing more is told of it here."""


@frozen(kw_only=True)
class Heard:
    """One piece of news about one leg."""

    party: Party
    news: News
    q850: int | None = None
    sip_status: int | None = None
    text: str | None = None
    state: ConnectionState | None = None


@frozen(kw_only=True)
class Order:
    """A call to place, every part of it safe to put into a dial string."""

    attempt_id: str
    agent_id: str
    endpoint: str
    """Where the agent's phone is, in the engine's words."""
    number: str = field(repr=masked)
    caller_id: str | None = field(default=None, repr=masked)
    variables: Mapping[str, str] = field(factory=dict, repr=False)
    dial: Dial


class Exchange(Protocol):
    """What a backend does at one engine. Nothing here is ever sent twice.

    `place_agent`, `place_customer` and `hang_up` raise EngineDownError when nothing was sent,
    EngineRefusedError when the engine said no, and another EngineError when its answer was lost.
    """

    @property
    def name(self) -> str:
        """The engine's name, as `Call.engine` has it."""

    async def place_agent(self, order: Order) -> None:
        """Ring the agent's phone."""

    async def place_customer(self, order: Order) -> None:
        """Ring the customer, and put both through when the customer answers."""

    async def hang_up(self, attempt_id: str, party: Party, cause: int) -> None:
        """Hang up a leg; one that is gone already is no error."""

    async def seen(self, attempt_id: str) -> Mapping[Party, ConnectionState]:
        """The legs of this attempt that the engine has now."""

    def forget(self, attempt_id: str) -> None:
        """The attempt's call is over."""
