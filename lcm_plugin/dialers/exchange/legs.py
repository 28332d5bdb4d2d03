"""A call's two legs, and what an engine is asked of them and tells of them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Final, Protocol

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
    as_of: int = 0
    """Of what was seen: how much had been heard of the leg when the engine was asked."""


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

    What is sent raises EngineDownError when nothing was sent, EngineRefusedError when the engine said no, and
    another EngineError when its answer was lost. `PutsThrough` has the part of an engine that puts both legs
    through by itself.
    """

    @property
    def name(self) -> str:
        """The engine's name, as `Call.engine` has it."""

    @property
    def puts_through(self) -> bool:
        """Whether the customer who answers has the agent, even if this host is gone by then."""

    async def place_agent(self, order: Order) -> None:
        """Ring the agent's phone.

        Raises:
            RepeatedAttemptError: the engine has a call of this attempt already.
        """

    async def prepare(self, order: Order) -> None:
        """Make ready what the customer's leg needs; nobody rings."""

    async def place_customer(self, order: Order) -> None:
        """Ring the customer."""

    async def ring_back(self, attempt_id: str) -> None:
        """The customer's phone rings: let the agent hear it."""

    async def put_through(self, attempt_id: str) -> None:
        """The customer has answered: let both talk."""

    async def hang_up(self, attempt_id: str, party: Party, cause: int) -> None:
        """Hang up a leg; one that is gone already is no error."""

    async def seen(self, attempt_id: str) -> Mapping[Party, ConnectionState]:
        """The legs of this attempt that the engine has now."""

    async def tidy(self, attempt_id: str) -> None:
        """Both legs are gone: leave nothing of the call at the engine."""

    def forget(self, attempt_id: str) -> None:
        """This host has no more to do with the attempt's call, which may go on."""


class PutsThrough:
    """The part of an engine that puts the customer who answers through to the agent by itself."""

    puts_through: ClassVar[bool] = True

    async def prepare(self, order: Order) -> None:
        """Nothing is needed."""

    async def ring_back(self, attempt_id: str) -> None:
        """The engine sees to it."""

    async def put_through(self, attempt_id: str) -> None:
        """The engine does by itself."""

    async def tidy(self, attempt_id: str) -> None:
        """Nothing is left."""
