"""The routes of attempts: what the ledger of all hosts holds, and why."""

import re
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Final

import attrs
from aiohttp import web
from attrs import define, field, frozen, validators

from cti_hooks import Agent, Attempt, AttemptState, ConfigError, Host, Outcome
from cti_hooks.masking import masked_repr
from lcm_plugin.explanation import Explanation, explained
from lcm_plugin.identity import Caller
from lcm_plugin.ledger import Ledger, Letter, LetterState, Line, Past
from lcm_plugin.plugin import LcmPlugin, lcm_of
from lcm_plugin.service.callers import caller_of
from lcm_plugin.service.moments import moment, moment_of
from lcm_plugin.service.paging import limit, page
from lcm_plugin.service.problems import ProblemError, invalid
from lcm_plugin.service.reports import Wanted, first_of, reported
from lcm_plugin.service.rights import only_own

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


@frozen(kw_only=True)
class AttemptsQuery:
    """Which attempts, by agent, state, time of their beginning, campaign and outcome; and which page."""

    agent: str | None = None
    state: tuple[AttemptState, ...] = ()
    since: str | None = moment()
    until: str | None = moment()
    campaign: str | None = None
    outcome: tuple[Outcome, ...] = ()
    limit: int = limit()
    before: str | None = None

    def wanted(self, caller: Caller | None) -> Wanted:
        """What this caller is told of.

        Raises:
            ProblemError: a time is none, or an agent asks for another's.
        """
        return Wanted(
            agent=only_own(caller, self.agent),
            states=self.state,
            since=moment_of("since", self.since),
            until=moment_of("until", self.until),
            campaign=self.campaign,
            outcome=self.outcome,
        )


@frozen(kw_only=True)
class PastQuery:
    """So many calls at the most."""

    limit: int = limit()


@frozen(kw_only=True)
class ExplanationQuery:
    """For which moment and agent, if not for now and for the attempt's own agent."""

    at: str | None = moment()
    agent: str | None = field(default=None, validator=validators.optional(validators.min_len(1)))


@frozen(kw_only=True)
class MessageTold:
    """A message to the LCM, and how far it has come."""

    message: str
    state: LetterState
    tries: int
    written_at: datetime
    changed_at: datetime
    error: str | None = field(repr=masked_repr)


@frozen(kw_only=True)
class AttemptStory(Attempt):
    """One attempt, with a line for each transition, and what the LCM has been told of it."""

    history: tuple[Line, ...]
    messages: tuple[MessageTold, ...]


@define(kw_only=True, eq=False)
class AttemptsRoutes:
    """The handlers."""

    host: Host

    async def list(self, query: AttemptsQuery, request: web.Request) -> web.Response:
        """Attempts of all hosts, newest first; the header Link leads to the next page."""
        wanted = query.wanted(caller_of(request))
        before = await self._before(query.before) if query.before is not None else None
        found = await first_of(reported(self._ledger, wanted, before, at_once=query.limit), query.limit)
        return page(request, found, query.limit, lambda one: one.id)

    async def get(self, attempt_id: str) -> AttemptStory:
        """One attempt: its contact, calls, outcome, history, and the messages to the LCM."""
        attempt = self.lcm.desks.as_shown(await self.one(attempt_id))
        return AttemptStory(
            **attrs.asdict(attempt, recurse=False, filter=lambda one, _: one.init),
            history=tuple(await self._ledger.history(attempt_id)),
            messages=tuple(map(_told, await self._ledger.letters_of(attempt_id))),
        )

    async def explain(self, attempt_id: str, query: ExplanationQuery, caller: Caller | None) -> Explanation:
        """Why its contact may or may not be called: every rule, passed or not. Nothing is dialed."""
        asked_of = moment_of("at", query.at)
        only_own(caller, query.agent)
        attempt = await self.one(attempt_id)
        if attempt.contact is None:
            raise ProblemError(HTTPStatus.CONFLICT, f"it has no contact to explain: it is {attempt.state}")
        agent = Agent(id=query.agent) if query.agent else attempt.agent
        return await explained(self.host, agent, attempt.contact, asked_of, attempt_id)

    async def past(self, attempt_id: str, query: PastQuery) -> Sequence[Past]:
        """The calls placed before to its number or contact, newest first, with what their agents said."""
        attempt = await self.one(attempt_id)
        if attempt.contact is None:
            return []
        found = await self._ledger.past(attempt.contact, query.limit + 1)
        return [one for one in found if one.attempt_id != attempt_id][: query.limit]

    async def one(self, attempt_id: str) -> Attempt:
        """An attempt of the ledger.

        Raises:
            ProblemError: there is none of this id.
        """
        attempt = await self._ledger.get(attempt_id) if _ID.fullmatch(attempt_id) else None
        if attempt is None:
            raise no_such()
        return attempt

    @property
    def lcm(self) -> LcmPlugin:
        """The plugin that keeps the attempts.

        Raises:
            ProblemError: this host has none.
        """
        try:
            return lcm_of(self.host)
        except ConfigError:
            raise ProblemError(
                HTTPStatus.NOT_IMPLEMENTED,
                'this host has no plugin "lcm", which keeps the attempts; enable it in [cti] plugins',
            ) from None

    @property
    def _ledger(self) -> Ledger:
        return self.lcm.desks.ledger

    async def _before(self, attempt_id: str) -> Attempt:
        try:
            return await self.one(attempt_id)
        except ProblemError as error:
            if error.status is not HTTPStatus.NOT_FOUND:
                raise
            raise invalid({"before": "must be the id of an attempt: the last of the page before"}) from None


def no_such() -> ProblemError:
    """404, as the ledger has no such attempt."""
    return ProblemError(HTTPStatus.NOT_FOUND, "there is no attempt of this id; GET /v1/attempts lists them")


def _told(letter: Letter) -> MessageTold:
    return MessageTold(
        message=letter.message,
        state=letter.state,
        tries=letter.tries,
        written_at=letter.written_at,
        changed_at=letter.changed_at,
        error=letter.error,
    )
