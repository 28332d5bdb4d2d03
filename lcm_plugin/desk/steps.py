"""What comes of one look at an agent: what the desk does next."""

from typing import Final

from attrs import frozen


@frozen
class Wait:
    """Nothing is in hand: look again after so many seconds."""

    seconds: float


@frozen
class Queue:
    """Nothing is in hand: wait in line for a question, and look again after so many seconds all the same."""

    seconds: float


@frozen
class Hold:
    """Something is in hand, and a person, a timer or a dialer goes on with it."""


@frozen
class Done:
    """Something is done with: look for the next at once."""


@frozen
class Show:
    """Only a person may have it dialed: put it before one."""


Step = Wait | Queue | Hold | Done | Show
HELD: Final = Hold()
DONE: Final = Done()
SHOWN: Final = Show()
