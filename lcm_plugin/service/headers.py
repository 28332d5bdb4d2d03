"""What is told of each answer, so that it goes no further."""

from typing import Final

from aiohttp import web

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


async def keep_to_ourselves(_: web.Request, response: web.StreamResponse) -> None:
    """Let nobody keep an answer, guess what it is, or take it into a page of another origin."""
    response.headers.update(_HEADERS)
