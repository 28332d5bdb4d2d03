"""Errors as `application/problem+json` (RFC 9457), aiohttp's own too."""

import logging
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from cti_hooks import described
from cti_hooks.masking import masked_traceback
from lcm_plugin.ledger import LedgerUnavailable

log = logging.getLogger("lcm_plugin.service")


class ProblemError(Exception):
    """A request that cannot be served; `detail` says what is wrong and what would be right."""

    def __init__(self, status: HTTPStatus, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.members = members


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error of a handler into a problem."""
    try:
        return await handler(request)
    except ProblemError as error:
        return _problem(error.status, str(error), **error.members)
    except web.HTTPError as error:
        headers = {name: value for name, value in error.headers.items() if name == "Allow"}
        return _problem(HTTPStatus(error.status), error.reason, headers)
    except LedgerUnavailable as error:
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    except Exception as error:  # noqa: BLE001  (whatever it is, the caller gets a problem)
        log.error("%s %s failed: %s", request.method, request.path, described(error))  # noqa: TRY400  (masked)
        log.debug("%s", masked_traceback(error))
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "it failed here; the log says why")


def _problem(
    status: HTTPStatus, detail: str, headers: dict[str, str] | None = None, **members: Any
) -> web.Response:
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, **members}
    return web.json_response(body, status=status, headers=headers, content_type="application/problem+json")
