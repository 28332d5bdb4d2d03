"""Signed requests are taken once, so that nobody who heard one on its way can send it again."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from attrs import define, field

from lcm_plugin.dialers.webhook.signing import WINDOW_SECONDS
from lcm_plugin.service.problems import ProblemError

REMEMBERED: Final = 100_000
"""Ids; beyond it the oldest is forgotten. Only a sender who has the secret can bring that about."""


@define(eq=False)
class Replays:
    """The ids of messages taken, for as long as their timestamps would be."""

    _until: dict[str, datetime] = field(factory=dict, init=False)

    def take(self, message: str, now: datetime) -> None:
        """Remember a genuine one.

        Raises:
            ProblemError: 409, it was taken before.
        """
        for old in list(self._until):
            if self._until[old] > now and len(self._until) < REMEMBERED:
                break
            del self._until[old]
        if message in self._until:
            raise ProblemError(
                HTTPStatus.CONFLICT, "this webhook-id was told before; what happened anew has another one"
            )
        self._until[message] = now + timedelta(seconds=2 * WINDOW_SECONDS)

    def give_back(self, message: str) -> None:
        """It came to nothing: it may be told again."""
        self._until.pop(message, None)
