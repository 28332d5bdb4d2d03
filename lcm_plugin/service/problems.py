"""Errors as `application/problem+json` (RFC 9457), aiohttp's own too."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from cti_hooks import HookOverrunError, described
from cti_hooks.masking import masked_traceback
from lcm_plugin.errors import ConflictError, InvalidError, LcmError, LcmUnavailable
from lcm_plugin.ledger import LedgerError, LedgerUnavailable
from lcm_plugin.presentation import as_json

log = logging.getLogger("lcm_plugin.service")


class ProblemError(Exception):
    """A request that cannot be served; `detail` says what is wrong and what would be right."""

    def __init__(
        self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.members = members
        if status is HTTPStatus.UNAUTHORIZED:
            self.headers["WWW-Authenticate"] = "Bearer"


def invalid(errors: Mapping[str, str]) -> ProblemError:
    """422, with each wrong field and what would be right."""
    told = [{"field": field, "detail": detail} for field, detail in errors.items()]
    detail = "; ".join(f"{field}: {detail}" for field, detail in errors.items())
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=told)


_STATUS: Final[Mapping[type[Exception], HTTPStatus]] = {
    InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ConflictError: HTTPStatus.CONFLICT,
    LedgerUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    LedgerError: HTTPStatus.CONFLICT,
    LcmUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    LcmError: HTTPStatus.BAD_GATEWAY,
    HookOverrunError: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""What each error means to the caller; the first line that fits counts."""


def _status(error: Exception) -> HTTPStatus:
    return next(status for kind, status in _STATUS.items() if isinstance(error, kind))


def _members(error: Exception) -> dict[str, Any]:
    """What else is told: each wrong field, or each refusal."""
    return {name: as_json(told) for name in ("errors", "refusals") if (told := getattr(error, name, None))}


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error of a handler into a problem."""
    try:
        return await handler(request)
    except ProblemError as error:
        return _problem(error.status, str(error), error.headers, **error.members)
    except web.HTTPError as error:
        headers = {name: value for name, value in error.headers.items() if name == "Allow"}
        return _problem(HTTPStatus(error.status), error.reason, headers)
    except tuple(_STATUS) as error:
        return _problem(_status(error), str(error), **_members(error))
    except Exception as error:  # noqa: BLE001  (whatever it is, the caller gets a problem)
        log.error("%s %s failed: %s", request.method, request.path, described(error))  # noqa: TRY400  (masked)
        log.debug("%s", masked_traceback(error))
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "it failed here; the log says why")


def _problem(
    status: HTTPStatus, detail: str, headers: dict[str, str] | None = None, **members: Any
) -> web.Response:
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, **members}
    return web.json_response(body, status=status, headers=headers, content_type="application/problem+json")
