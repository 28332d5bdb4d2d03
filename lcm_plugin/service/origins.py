"""Under which names, from which pages and through which proxies the embedded host may be asked."""

from http import HTTPStatus
from typing import Final

from aiohttp import web
from yarl import URL

from lcm_plugin.service.problems import ProblemError
from lcm_plugin.service.settings import ServiceSettings

OPEN: Final = frozenset({"/healthz", "/readyz"})
"""Answered without a token: a yes or a no to whoever watches, by whatever address they have of this host."""
_LOCAL_NAMES: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_FORWARDED: Final = frozenset({"forwarded", "via", "x-real-ip"})
_FOREIGN: Final = frozenset({"cross-site", "same-site"})


def refuse_strangers(request: web.Request, settings: ServiceSettings) -> None:
    """Let nobody in by another name, from a page of another origin, or unknown behind a proxy.

    Raises:
        ProblemError: 403, with the setting that would let them in.
    """
    _refuse_other_names(request, settings)
    _refuse_foreign_pages(request, settings)
    if not settings.with_token and any(map(_tells_of_a_proxy, request.headers)):
        raise _refused(
            "a proxy brings this, whoever asked it; behind one, set a token: [service] token_env, token_file,"
            " tokens or jwt"
        )


def _refuse_other_names(request: web.Request, settings: ServiceSettings) -> None:
    """A page may have had its own name resolved to this address, to be of the same origin."""
    if not settings.loopback and not settings.allowed_hosts:
        return
    if request.path in OPEN and settings.with_token:
        return
    own = {one.removesuffix(".") for one in (settings.host, *settings.allowed_hosts)}
    if _name(request) not in _LOCAL_NAMES | own:
        raise _refused("this address answers to its own name only; others are [service] allowed_hosts")


def _refuse_foreign_pages(request: web.Request, settings: ServiceSettings) -> None:
    """A page of any origin may send requests here, and open WebSockets; a script or image has no Origin."""
    origin = request.headers.get("Origin")
    if origin is None:
        if request.headers.get("Sec-Fetch-Site") in _FOREIGN:
            raise _refused("what pages of another origin ask for is refused")
        return
    if not _is_own(origin, request, settings) and origin not in settings.allowed_origins:
        raise _refused(
            "pages of another origin are refused; one that a proxy changes is [service] allowed_origins"
        )


def _is_own(origin: str, request: web.Request, settings: ServiceSettings) -> bool:
    """Whether a page came from here; by a proxy's name over TLS only, or anybody on the way made it."""
    if _name(request) in settings.allowed_hosts and not origin.startswith("https://"):
        return False
    return _url(origin).host_port_subcomponent == request.host


def _name(request: web.Request) -> str:
    return (_url(f"http://{request.host}").host or "").removesuffix(".")


def _tells_of_a_proxy(header: str) -> bool:
    return (name := header.casefold()) in _FORWARDED or name.startswith("x-forwarded-")


def _refused(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.FORBIDDEN, detail)


def _url(text: str) -> URL:
    """The URL, or an empty one if it is none."""
    try:
        return URL(text)
    except ValueError:
        return URL()
