"""Whether an agent wants a contact: what the host told last, and what has happened since.

Ready lasts: it counts until another state is told, and told again it is no news. What stops the fetching for
another reason (offers nobody answers, refusals in a row) ends with an answer or with a ready that is news, so
that a desktop that repeats ready every few seconds does not drain the campaign of an agent who is not there.
"""

import asyncio
from typing import Final

from attrs import define, field

from cti_hooks import AgentState
from lcm_plugin.config import LcmSettings

_GONE: Final = frozenset({None, AgentState.LOGGED_OFF})


@define(kw_only=True, eq=False)
class Readiness:
    """One agent's readiness.

    Attributes:
        closed: set when the host stops.
        state: told last; None before the first.
        busy: whether the agent has a call that was not placed here.
        stopped: why nothing is fetched though the agent is ready, in words; empty if nothing stops it.
        unanswered: offers that ended without an answer, in a row.
    """

    settings: LcmSettings
    closed: asyncio.Event
    state: AgentState | None = field(default=None, init=False)
    busy: bool = field(default=False, init=False)
    stopped: str = field(default="", init=False)
    unanswered: int = field(default=0, init=False)
    _left_for: str = field(default="", init=False)
    _moment: str = field(default="", init=False)
    _used: bool = field(default=False, init=False)
    _counts_again: bool = field(default=False, init=False)

    @property
    def here(self) -> bool:
        """Whether the agent is logged on."""
        return self.state not in _GONE

    @property
    def gone(self) -> str:
        """Why the agent is not here, in words."""
        if self.state is AgentState.LOGGED_OFF:
            return "the agent has logged off"
        left = f"the agent is at host {self._left_for}"
        return left if self._left_for else "no state of the agent's was told here"

    @property
    def ready(self) -> bool:
        """Whether the state told last is one to fetch in."""
        return self._moment in self.settings.fetch_when

    @property
    def wants(self) -> bool:
        """Whether the agent wants a contact."""
        return self.ready and not self.stopped and not self._used

    @property
    def is_stopped(self) -> bool:
        """Whether nothing is fetched for an agent who is ready, until they are there again."""
        return self.ready and bool(self.stopped)

    @property
    def looks_ahead(self) -> bool:
        """Whether the agent will want the next contact once what came of a call is said, as far as is known.

        Not where another ready is waited for: nothing is fetched for an agent who may be about to leave.
        """
        follows = self.ready or self.state is AgentState.WORKING_AFTER_CALL
        return follows and not (self.busy or self.stopped or self._is_for_one)

    def wants_one(self) -> bool:
        """Whether the agent wants a contact now, of a host that goes on."""
        return self.wants and not self.closed.is_set()

    @property
    def is_used_up(self) -> bool:
        """Whether a call has used up ready, so that the agent has to be ready again."""
        return self.ready and self._used

    def told(self, state: AgentState, reason: str | None = None, *, own_call: bool = False) -> bool:
        """Take note of a state. Whether it is news: another state, or the same one if that counts again."""
        moment = f"{state}:{reason}" if state is AgentState.NOT_READY else f"{state}"
        if moment == self._moment and not self._counts_again:
            return False
        self.state, self._moment = state, moment
        self.busy = state is AgentState.BUSY and not own_call
        self._used = self._counts_again = False
        if self.ready:
            self.stopped, self.unanswered = "", 0
        return True

    def left(self, host: str) -> None:
        """The agent has gone to another host: here counts only what is told from now on."""
        self.state, self._moment, self.busy, self._left_for = None, "", False, host

    def stop(self, reason: str) -> None:
        """Want nothing more, for this reason, until the agent is there again."""
        self.stopped, self._counts_again = reason, False

    def granted(self) -> None:
        """The host has put the agent into not ready, as wished: the next ready is the agent's own."""
        self._counts_again = True

    def answered(self) -> None:
        """The agent is there."""
        self.stopped, self.unanswered, self._counts_again = "", 0, True

    def present(self) -> None:
        """The agent is there, and has not answered yet."""
        self.unanswered = 0

    def called(self) -> None:
        """A call was placed; it uses up ready, if the site wants a ready for each call.

        Ready told during the call counts for the next.
        """
        self.unanswered = 0
        if self._is_for_one:
            self._used = self._counts_again = True

    def freed(self) -> None:
        """Nothing is in hand any more: ready counts again, but for a stop."""
        self._counts_again = self._counts_again or not self.stopped

    def disposed(self, *, by_person: bool, offered: bool) -> None:
        """What came of a contact was said: of an offer, only a person's word is an answer."""
        if offered and by_person:
            self.answered()
        elif not offered:
            self.freed()
        self._used = self._used or (offered and by_person and self._is_for_one)

    @property
    def _is_for_one(self) -> bool:
        """Whether the site wants another ready for each contact."""
        return self.settings.after_disposition == "ready"

    def is_unanswered(self) -> bool:
        """Count an offer that ended without an answer. Whether these are as many as may be, in a row."""
        self.unanswered += 1
        return self.unanswered >= self.settings.preview.unanswered

    @property
    def no_answer(self) -> str:
        """Why nothing is fetched after so many."""
        limit = self.settings.preview.unanswered
        return "no answer to an offer" if limit == 1 else f"no answer to {limit} offers in a row"
