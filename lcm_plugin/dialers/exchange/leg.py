"""How far each of a call's two legs is."""

from enum import StrEnum

from attrs import define, evolve

from cti_hooks import CallEventKind, ConnectionState
from lcm_plugin.dialers.exchange.legs import NO_ANSWER, NORMAL_CLEARING, Heard, News, Party


class Stage(StrEnum):
    """How far a leg is."""

    NONE = "none"
    PLACED = "placed"
    UP = "up"
    OVER = "over"


@define(eq=False)
class Leg:
    """One leg, as far as its course knows.

    Attributes:
        unsure: it was ordered, and nothing was heard of it yet: the engine may not have it.
        heard: how many times something was heard of it, or it was looked for while it was unsure.
        lost: the answer to its order was lost: a frozen engine may carry it out late.
        unwanted: the cause with which it is being hung up.
        end: what was heard of its end.
    """

    party: Party
    stage: Stage = Stage.NONE
    unsure: bool = False
    heard: int = 0
    lost: bool = False
    unwanted: int | None = None
    end: Heard | None = None

    @property
    def live(self) -> bool:
        """Whether it may be there."""
        return self.stage in {Stage.PLACED, Stage.UP}

    @property
    def is_customers(self) -> bool:
        """Whether the customer's phone is at its end."""
        return self.party is Party.CUSTOMER

    def placed(self) -> None:
        """It is about to be ordered."""
        self.stage, self.unsure = Stage.PLACED, True

    def proceeds(self) -> None:
        """Something was heard of it, or it was looked for: what the engine was asked before is older."""
        self.unsure, self.heard = False, self.heard + 1

    def found(self, state: ConnectionState) -> None:
        """The engine has it."""
        self.stage = Stage.UP if state is ConnectionState.CONNECTED else Stage.PLACED

    def over(self, heard: Heard) -> tuple[CallEventKind, Heard]:
        """It has ended: what is told of that."""
        was_up, self.stage = self.stage is Stage.UP, Stage.OVER
        if self.unwanted == NO_ANSWER and not was_up:  # it rang long enough, whatever the engine calls it
            heard = evolve(heard, q850=NO_ANSWER)
        self.end = heard
        if was_up:
            return CallEventKind.CONNECTION_CLEARED, heard
        if self.is_customers and self.unwanted == NORMAL_CLEARING:  # it says nothing of the customer
            return CallEventKind.CONNECTION_CLEARED, Heard(party=self.party, news=News.ENDED)
        return CallEventKind.FAILED, heard
