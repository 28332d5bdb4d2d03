"""A redirected WebSocket handshake goes nowhere else: aiohttp would take it there, with all its secrets."""

import aiohttp


def refused() -> aiohttp.TraceConfig:
    """For a session: a redirect ends a handshake as any other status than 101 does."""
    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_refuse)
    return tracing


async def _refuse(_: aiohttp.ClientSession, __: object, told: aiohttp.TraceRequestRedirectParams) -> None:
    reply = told.response
    raise aiohttp.WSServerHandshakeError(
        reply.request_info, reply.history, status=reply.status, headers=reply.headers
    )
