"""Who may speak to the embedded host: a bearer token if one is set, and no foreign page in a browser.

A page shows a ticket where it opens a WebSocket, as a browser lets it set no header there but the protocol.

Call events may be signed instead (`lcm_plugin.dialers.webhook.signing`), so that a site's dialer needs no
token to everything else. If a secret is set for call events, they have to be signed, or show the token.
"""

import asyncio
import math
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from attrs import define, field, frozen

from cti_hooks import Clock
from lcm_plugin.dialers.webhook.signing import SignatureError, verify
from lcm_plugin.identity import Caller, Identity, KeysUnavailable, RefusedToken
from lcm_plugin.service.bodies import bytes_of, refuse_encoded
from lcm_plugin.service.callers import CALLER
from lcm_plugin.service.door import Door
from lcm_plugin.service.origins import OPEN, refuse_strangers
from lcm_plugin.service.problems import ProblemError
from lcm_plugin.service.replays import Replays
from lcm_plugin.service.settings import ServiceSettings
from lcm_plugin.service.tries import Tries

CALL_EVENTS: Final = "/v1/call-events"
"""Told with the token, or signed."""
EVENTS: Final = "/v1/events"
"""Opened with a token, or with a ticket."""
_TICKET: Final = "ticket."
"""What a WebSocket's protocol begins with that is a ticket."""
SIGNED: Final = web.RequestKey("signed", bool)
"""On a request: whether it was let in by its signature only."""


@define(kw_only=True, eq=False)
class Guard:
    """Keeps others out, as a middleware."""

    settings: ServiceSettings
    identity: Identity
    clock: Clock
    door: Door
    _tries: Tries = field(factory=Tries, init=False)
    _replays: Replays = field(factory=Replays, init=False)

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Serve whom we know.

        Raises:
            ProblemError: 401, 403, 409, 429 or 503; says what would be right.
        """
        refuse_strangers(request, self.settings)
        refuse_encoded(request)
        request[SIGNED] = False
        caller, why_not = await self._caller(request)
        left = 0.0 if caller or why_not.is_known else self._count_wrong(request)
        if request.path in OPEN and not caller:
            response = await handler(request)
            response.force_close()  # who is not let in does not stay
            return response
        if left:
            raise _too_many(left)
        secret = self.settings.events_secret
        if request.path == CALL_EVENTS and secret and (not caller or self.identity.is_open):
            return await self._heard(request, secret, handler)
        if not caller:
            raise why_not.problem
        request[CALLER] = caller
        self.door.let_in(request)
        return await handler(request)

    async def _caller(self, request: web.Request) -> tuple[Caller | None, "_Unknown"]:
        """Who asks; and if that is nobody, what to say."""
        if request.path == EVENTS and (ticket := _ticket(request)):
            return self.identity.tickets.take(ticket), _Unknown("the ticket was used, or is older than 60 s")
        try:
            return await self.identity.caller(_shown(request)), _Unknown("a bearer token is required")
        except RefusedToken as error:
            return None, _Unknown(f"the token {error}", is_known=True)
        except KeysUnavailable as error:
            return None, _Unknown(f"{error}", HTTPStatus.SERVICE_UNAVAILABLE, is_known=True)

    def _count_wrong(self, request: web.Request) -> float:
        """Count a wrong token. If this peer has shown too many, the seconds until it may show another.

        The right token is never refused for them: behind a proxy, and on one machine, peers share it.
        """
        if (shown := _shown(request)) is None:
            return 0.0
        now = asyncio.get_running_loop().time()
        if not (left := self._tries.seconds_left(request.remote, now)):
            self._tries.note(request.remote, shown, now)
        return left

    async def _heard(self, request: web.Request, secret: str, handler: Handler) -> web.StreamResponse:
        try:
            message = verify(secret, self.clock.now(), request.headers, await bytes_of(request))
        except SignatureError as error:
            raise ProblemError(HTTPStatus.UNAUTHORIZED, f"{error}") from None
        self._replays.take(message, self.clock.now())
        self.door.let_in(request)
        request[SIGNED] = True
        try:
            return await handler(request)
        except BaseException:
            self._replays.give_back(message)
            raise


@frozen
class _Unknown:
    """Why somebody is not let in."""

    detail: str
    status: HTTPStatus = HTTPStatus.UNAUTHORIZED
    is_known: bool = field(default=False, kw_only=True)
    """Whether it is a JWT, of which it is known what is wrong: nobody comes by one by guessing."""

    @property
    def problem(self) -> ProblemError:
        return ProblemError(self.status, self.detail)


def _shown(request: web.Request) -> bytes | None:
    """The token a request shows, as the bytes that came; None if it shows none."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return shown.strip().encode("utf-8", "surrogateescape") if scheme.casefold() == "bearer" else None


def _ticket(request: web.Request) -> bytes | None:
    """The ticket among the protocols that a WebSocket asks for; None if there is none."""
    told = request.headers.get("Sec-WebSocket-Protocol", "").split(",")
    shown = [one.strip().removeprefix(_TICKET) for one in told if one.strip().startswith(_TICKET)]
    return shown[0].encode("utf-8", "surrogateescape") if shown else None


def _too_many(seconds: float) -> ProblemError:
    again = math.ceil(seconds)
    return ProblemError(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"too many wrong tokens from your address; again in {again} s",
        headers={"Retry-After": str(again)},
    )
