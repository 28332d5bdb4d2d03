"""What the ledger cannot do, told apart by what the caller does next."""

from typing import TYPE_CHECKING

from cti_hooks import AttemptState, ConfigError, DeclinedError, Problem
from lcm_plugin.attempt.keys import again

if TYPE_CHECKING:
    from lcm_plugin.ledger.barring import Bar


class LedgerError(RuntimeError):
    """The ledger did not do what was asked. The text never holds a phone number or a password."""


class LedgerUnavailable(LedgerError):
    """It cannot be reached or written now: what may not happen unrecorded does not happen."""


class OpenElsewhereError(LedgerError):
    """The agent has an open attempt that another host holds, or that is being settled."""


class KeyTakenError(LedgerError):
    """The contact's key is open in another attempt, or was dialed in one; never dialed again by software.

    Attributes:
        attempt_id, state, agent_id: of the other attempt.
        again: what may be done with the contact all the same.
    """

    def __init__(self, attempt_id: str, state: AttemptState, agent_id: str) -> None:
        super().__init__(f"attempt {attempt_id} of agent {agent_id} has this key and is {state}")
        self.attempt_id, self.state, self.agent_id = attempt_id, state, agent_id
        self.again = again(state)


class CalledMeanwhileError(LedgerError):
    """Its number, or its contact, was called since its past calls were told: it has to be reviewed again."""


class BarredError(LedgerError):
    """Somebody said that its number, or its contact, must not be called: nobody dials it.

    Attributes:
        bar: what was said, by whom, when.
    """

    def __init__(self, bar: "Bar") -> None:
        super().__init__(bar.said)
        self.bar = bar


class DialingStoppedError(DeclinedError, LedgerError):
    """Somebody stopped dialing for the site, this campaign or this agent, or the clock cannot be believed.

    What is offered stays so.
    """


class AttemptLostError(LedgerError):
    """Another host took the attempt over after this host's lease had ended, or it is in another state."""


def refused(ledger: str, what: str, way_out: str) -> ConfigError:
    """Why this ledger is not opened, and what to do; nothing of it was changed."""
    return ConfigError([Problem("plugins.lcm.ledger", f"{ledger} {what}; {way_out}")])
