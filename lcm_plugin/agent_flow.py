"""The tables of settings about what an agent has time for: to look at an offer, to write up a call."""

from typing import Any, Final, Literal

from attrs import field, frozen, validators

_not_negative: Any = validators.ge(0)


@frozen(kw_only=True)
class Preview:
    """How long an agent may look at a contact before something happens; `seconds = 0` dials at once.

    Only a contact whose consent is given is ever dialed by the timer, or at once.
    """

    seconds: float = field(default=20.0, validator=_not_negative)
    on_timeout: Literal["dial", "skip", "not_ready"] = "skip"
    unanswered: int = field(default=2, validator=validators.ge(1))
    """Offers in a row that may end without an answer. The last of them stays held, and nothing is fetched for
    the agent until it is answered, or the agent is ready anew."""


OUTCOME: Final = "outcome:"
"""In `wrap_up.then`: the call is disposed of by the LCM's outcome that follows."""


def _follows(_: object, __: object, value: str) -> None:
    if value not in {"ready", "not_ready"} and not value.startswith(OUTCOME):
        raise ValueError(f'{value!r} is none of "ready", "not_ready", "outcome:ID"')
    if value == OUTCOME:
        raise ValueError('"outcome:" needs the id of one of the LCM\'s outcomes, like "outcome:3"')


@frozen(kw_only=True)
class WrapUp:
    """How long an agent may write up a call that is over, and what follows then."""

    seconds: float = field(default=0.0, validator=_not_negative)
    """0: as long as they want."""
    then: str = field(default="not_ready", validator=_follows)
    """The state that the host is asked for, `ready` or `not_ready`; the call still waits for its disposition.
    Or `outcome:ID`: it is disposed of by that outcome."""
