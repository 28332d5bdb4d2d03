"""Who asks, as each request carries it; and what of an answer they are shown."""

from typing import Any, Final

from aiohttp import web

from lcm_plugin.identity import Caller, Role, veiled
from lcm_plugin.presentation import as_json

CALLER: Final = web.RequestKey("caller", Caller)
"""On a request that was let in, unless by its signature: who asks."""


def caller_of(request: web.Request) -> Caller | None:
    """Who asks; None if that is not known, as of a signed call event or a look at /healthz."""
    return request.get(CALLER)


def shown_to(caller: Caller | None, answer: Any) -> Any:
    """The answer as JSON; an auditor is shown no number and no name."""
    return veiled(answer) if caller and caller.role is Role.AUDITOR else as_json(answer)
