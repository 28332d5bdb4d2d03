"""Who may speak to the embedded host: a bearer token where one is set, and no foreign page in a browser.

Call events may be signed instead (`lcm_plugin.dialers.webhook.signing`), so that a site's dialer needs no
token to everything else. Where a secret is set for them, they have to be signed or to show the token.
"""

import hmac
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from cti_hooks import Clock
from lcm_plugin.dialers.webhook.signing import SignatureError, verify
from lcm_plugin.service.problems import ProblemError
from lcm_plugin.service.settings import ServiceSettings

OPEN = {"/healthz", "/readyz"}
"""Answered without a token."""
CALL_EVENTS = "/v1/call-events"
"""Told with the token, or signed."""
_LOCAL_NAMES = {"127.0.0.1", "::1", "localhost"}


def guard(settings: ServiceSettings, clock: Clock) -> Middleware:
    """The middleware that keeps others out."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        _refuse_foreign_pages(request, settings)
        shown = settings.token is not None and _shows(request, settings.token)
        if request.path == CALL_EVENTS and settings.events_secret and not shown:
            await _refuse_unsigned(request, settings.events_secret, clock)
        elif settings.token and request.path not in OPEN and not shown:
            raise ProblemError(HTTPStatus.UNAUTHORIZED, "a bearer token is required")
        return await handler(request)

    return guarded


async def _refuse_unsigned(request: web.Request, secret: str, clock: Clock) -> None:
    try:
        verify(secret, clock.now(), request.headers, await request.read())
    except SignatureError as error:
        raise ProblemError(HTTPStatus.UNAUTHORIZED, f"{error}") from None


def _shows(request: web.Request, token: str) -> bool:
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return scheme.casefold() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())


def _refuse_foreign_pages(request: web.Request, settings: ServiceSettings) -> None:
    """A page of another origin may send requests here, and open WebSockets; a rebound name is one too."""
    name = _url(f"http://{request.host}").host
    if settings.loopback and name not in _LOCAL_NAMES | {settings.host}:
        raise ProblemError(HTTPStatus.FORBIDDEN, "this address answers to its own name only")
    origin = request.headers.get("Origin")
    if origin is not None and _url(origin).authority != request.host:
        raise ProblemError(HTTPStatus.FORBIDDEN, "requests of pages of another origin are refused")


def _url(text: str) -> URL:
    """The URL, or an empty one where it is none."""
    try:
        return URL(text)
    except ValueError:
        return URL()
