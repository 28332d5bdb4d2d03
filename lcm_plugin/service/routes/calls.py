"""The routes that act on an attempt: answer its offer, hang up, say what came of it."""

from datetime import datetime
from http import HTTPStatus

from aiohttp import web
from attrs import define, evolve, field, frozen

from cti_hooks import (
    AnswerKind,
    Attempt,
    Callback,
    CallbackKind,
    Check,
    ConnectionState,
    Contact,
    Disposition,
    DoNotCallScope,
    described,
)
from lcm_plugin.desk import OutcomeLists
from lcm_plugin.desk.shape import wrong_in_shape
from lcm_plugin.explanation import explained
from lcm_plugin.identity import Caller
from lcm_plugin.instants import instant_of
from lcm_plugin.service.agents import Agents
from lcm_plugin.service.call_events import CallEventTold, refuse_strange
from lcm_plugin.service.guard import SIGNED
from lcm_plugin.service.moments import INSTANT, moment_of
from lcm_plugin.service.problems import ProblemError, invalid
from lcm_plugin.service.routes.attempts import AttemptsRoutes, no_such
from lcm_plugin.texts import named


@frozen(kw_only=True)
class AnswerTold:
    """What is said to an offer. `actor` is who says it, if not its agent; only a host's claim is kept."""

    answer: AnswerKind
    reason: str | None = None
    """With `close` the outcome's id, by the LCM's lists."""
    actor: str | None = field(default=None, validator=named)
    mode_id: str | None = None
    """Another of the contact's numbers to dial."""


@frozen(kw_only=True)
class KeepTold:
    """That an offer is looked at a little longer; `actor` is as of an answer."""

    actor: str | None = field(default=None, validator=named)


@frozen(kw_only=True)
class CallbackTold:
    """When to call again, as a window."""

    kind: CallbackKind
    starts_at: str = field(metadata=INSTANT)
    ends_at: str = field(metadata=INSTANT)
    mode_id: str | None = None


@frozen(kw_only=True)
class CallbackChecked:
    """What is known of a time to call back, before it is booked."""

    overlaps: bool | None
    """Whether it meets another callback of the agent's; None if the LCM did not say."""
    allowed: bool
    """Whether every rule lets the contact be called then."""
    not_before: datetime | None
    """From when on no rule is known to object, if one does; None if that cannot be told."""
    checks: tuple[Check, ...]


@frozen(kw_only=True)
class DispositionTold:
    """What came of a call, ids as the LCM's lists give them; `actor` is as of an answer."""

    outcome_id: str | None = None
    business_outcome_id: str | None = None
    comments: str = ""
    callback: CallbackTold | None = None
    do_not_call: bool = False
    do_not_call_scope: DoNotCallScope | None = None
    do_not_call_until: str | None = field(default=None, metadata=INSTANT)
    actor: str | None = field(default=None, validator=named)

    def disposition(self) -> Disposition:
        """The disposition.

        Raises:
            ProblemError: a time is no instant.
        """
        return Disposition(
            outcome_id=self.outcome_id,
            business_outcome_id=self.business_outcome_id,
            comments=self.comments,
            callback=_callback(self.callback) if self.callback else None,
            do_not_call=self.do_not_call,
            do_not_call_scope=self.do_not_call_scope,
            do_not_call_until=moment_of("do_not_call_until", self.do_not_call_until),
        )


@frozen(kw_only=True)
class Cleared:
    """Whether a call was hung up."""

    cleared: bool


@frozen(kw_only=True)
class Heard:
    """That a call event was passed on."""

    heard: bool


@define(kw_only=True, eq=False)
class CallsRoutes:
    """The handlers."""

    attempts: AttemptsRoutes
    agents: Agents

    async def answer(self, attempt_id: str, body: AnswerTold, caller: Caller) -> Attempt:
        """Answer an offer: dial, skip, reject or close; or dial an ended call once more.

        An agent of this host answers their own offers only; any other actor answers for the attempt's agent.
        """
        attempt = await self.attempts.one(attempt_id)
        actor = caller.actor(body.actor, attempt.agent.id)
        seat = self.agents.seats.get(actor) if caller.speaks_for_others else None
        agent = seat.agent if seat else attempt.agent
        return _known(
            await self.attempts.lcm.answer(
                agent, attempt_id, body.answer, body.reason, actor, mode_id=body.mode_id
            )
        )

    async def keep(self, attempt_id: str, body: KeepTold, caller: Caller) -> Attempt:
        """Give an offer another preview, within `offer_seconds`: its agent wants to look at it longer."""
        attempt = await self.attempts.one(attempt_id)
        actor = caller.actor(body.actor, attempt.agent.id)
        return self._shown(await self.attempts.lcm.keep(attempt.agent, attempt_id, actor))

    async def check_callback(self, attempt_id: str, body: CallbackTold) -> CallbackChecked:
        """Look whether a callback may be booked then: nothing is, and nothing is dialed."""
        callback, attempt = _callback(body), await self.attempts.one(attempt_id)
        if attempt.contact is None:
            raise ProblemError(HTTPStatus.CONFLICT, f"it has no contact to call back: it is {attempt.state}")
        desks = self.attempts.lcm.desks
        _refuse_impossible(attempt.contact, callback, desks.ledger.now())
        anew = evolve(attempt.contact, expires_at=None)  # it comes again then, reserved anew
        found = await explained(self.attempts.host, attempt.agent, anew, callback.starts_at)
        overlaps = await desks.disposing.callbacks.overlaps(attempt, attempt.contact, callback)
        return CallbackChecked(
            overlaps=overlaps, allowed=found.allowed, not_before=found.not_before, checks=found.checks
        )

    def _shown(self, attempt: Attempt | None) -> Attempt:
        return self.attempts.lcm.desks.as_shown(_known(attempt))

    async def clear(self, attempt_id: str) -> Cleared:
        """Hang up the attempt's call, all its legs."""
        attempt = await self.attempts.one(attempt_id)
        up = [call for call in attempt.calls if call.state is not ConnectionState.NULL]
        if not up:
            raise ProblemError(HTTPStatus.CONFLICT, f"it has no call that is up: it is {attempt.state}")
        hook = self.attempts.host.hook
        try:
            cleared = [await hook.clear_call(call=call) for call in up]
        except Exception as error:  # noqa: BLE001  (whatever a dialer raises)
            detail = f"the dialer did not hang up: {described(error)}"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail) from None
        return Cleared(cleared=any(cleared))

    async def dispose(self, attempt_id: str, body: DispositionTold, caller: Caller) -> Attempt:
        """Say what came of a call; it is checked by the LCM's lists, recorded, and told to the LCM."""
        disposition = body.disposition()
        attempt = await self.attempts.one(attempt_id)
        return _known(
            await self.attempts.host.hook.dispose_attempt(
                agent=attempt.agent,
                attempt_id=attempt_id,
                disposition=disposition,
                actor=caller.actor(body.actor, attempt.agent.id),
            )
        )

    async def hear(self, body: CallEventTold, request: web.Request) -> Heard:
        """Pass on what a site's dialer tells of a call; whose call it is, the plugins know.

        Told with the bearer token, or signed as orders to the webhook dialer are.
        """
        try:
            event = body.event()
        except ValueError as error:
            raise invalid({"at": str(error).removeprefix("at: ")}) from None
        refuse_strange(self.agents.host, event, signed=request[SIGNED])
        await self.agents.host.hook.on_call_event(event=event)
        return Heard(heard=True)

    async def outcomes(self, attempt_id: str) -> OutcomeLists:
        """The outcomes the LCM lists for this attempt's contact."""
        attempt = await self.attempts.one(attempt_id)
        return await self.attempts.lcm.outcomes(attempt.agent, attempt)


def _refuse_impossible(contact: Contact, callback: Callback, now: datetime) -> None:
    wrong = wrong_in_shape(contact, Disposition(callback=callback), now)
    if wrong:
        raise invalid({name.removeprefix("callback."): why for name, why in wrong.items()})


def _known(attempt: Attempt | None) -> Attempt:
    if attempt is None:
        raise no_such()
    return attempt


def _callback(told: CallbackTold) -> Callback:
    wrong, moments = {}, {}
    for name in ("starts_at", "ends_at"):
        try:
            moments[name] = instant_of(getattr(told, name))
        except ValueError as error:
            wrong[f"callback.{name}"] = str(error)
    if wrong:
        raise invalid(wrong)
    return Callback(kind=told.kind, mode_id=told.mode_id, **moments)
