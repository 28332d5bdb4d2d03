"""Who may speak to the embedded host: a bearer token if one is set, and no foreign page in a browser.

Call events may be signed instead (`lcm_plugin.dialers.webhook.signing`), so that a site's dialer needs no
token to everything else. If a secret is set for call events, they have to be signed, or show the token.
"""

import asyncio
import hmac
import math
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from attrs import define, field

from cti_hooks import Clock
from lcm_plugin.dialers.webhook.signing import SIGNATURE, SignatureError, verify
from lcm_plugin.service.bodies import bytes_of, refuse_encoded
from lcm_plugin.service.door import Door
from lcm_plugin.service.origins import OPEN, refuse_strangers
from lcm_plugin.service.problems import ProblemError
from lcm_plugin.service.replays import Replays
from lcm_plugin.service.settings import ServiceSettings
from lcm_plugin.service.tries import Tries

CALL_EVENTS: Final = "/v1/call-events"
"""Told with the token, or signed."""
TRUSTED: Final = web.RequestKey("trusted", bool)
"""On a request: whether it showed the token, or none is set."""
SIGNED: Final = web.RequestKey("signed", bool)
"""On a request: whether it was let in by its signature only."""


@define(kw_only=True, eq=False)
class Guard:
    """Keeps others out, as a middleware."""

    settings: ServiceSettings
    token: str | None = field(repr=False)
    clock: Clock
    door: Door
    _tries: Tries = field(factory=Tries, init=False)
    _replays: Replays = field(factory=Replays, init=False)

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Serve whom we know.

        Raises:
            ProblemError: 401, 403, 409 or 429; says what would be right.
        """
        refuse_strangers(request, self.settings)
        refuse_encoded(request)
        request[TRUSTED] = self.token is None or self._shows(request)
        request[SIGNED] = False
        left = 0.0 if request[TRUSTED] else self._count_wrong(request)
        if request.path in OPEN and not request[TRUSTED]:
            response = await handler(request)
            response.force_close()  # who is not let in does not stay
            return response
        if left:
            raise _too_many(left)
        if request.path == CALL_EVENTS and self.settings.events_secret and not self._shows(request):
            return await self._heard(request, self.settings.events_secret, handler)
        if not request[TRUSTED]:
            raise ProblemError(HTTPStatus.UNAUTHORIZED, "a bearer token is required")
        self.door.let_in(request)
        return await handler(request)

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

    def _shows(self, request: web.Request) -> bool:
        shown, token = _shown(request), self.token
        return bool(shown and token) and hmac.compare_digest(shown or b"", (token or "").encode())

    async def _heard(self, request: web.Request, secret: str, handler: Handler) -> web.StreamResponse:
        try:
            verify(secret, self.clock.now(), request.headers, await bytes_of(request))
        except SignatureError as error:
            raise ProblemError(HTTPStatus.UNAUTHORIZED, f"{error}") from None
        signature = request.headers[SIGNATURE].strip()
        self._replays.take(signature, self.clock.now())
        self.door.let_in(request)
        request[SIGNED] = True
        try:
            return await handler(request)
        except BaseException:
            self._replays.give_back(signature)
            raise


def _shown(request: web.Request) -> bytes | None:
    """The token a request shows, as the bytes that came; None if it shows none."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return shown.strip().encode("utf-8", "surrogateescape") if scheme.casefold() == "bearer" else None


def _too_many(seconds: float) -> ProblemError:
    again = math.ceil(seconds)
    return ProblemError(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"too many wrong tokens from your address; again in {again} s",
        headers={"Retry-After": str(again)},
    )
