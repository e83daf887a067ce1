"""Errors as HTTP answers: the one table from error class to status, and the problem document (RFC 9457).

Both HTTP applications use it; one with statuses of its own adds them to the table.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from triggers import errors
from triggers.errors import LongtailError

MEDIA_TYPE = "application/problem+json"
UNREACHABLE_RETRY_AFTER_S = 5

STATUSES: Mapping[type[LongtailError], int] = {
    errors.InvalidInput: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.BudgetExhausted: 403,
    errors.Overloaded: 503,
    errors.Unreachable: 503,
    errors.Untrusted: 422,
    errors.Misconfigured: 500,
    LongtailError: 500,
}

_log = logging.getLogger(__name__)

Handler = Callable[[Request, Exception], Awaitable[Response]]
HeadersOf = Callable[[LongtailError], Mapping[str, str]]


def status_of(error: LongtailError, statuses: Mapping[type[LongtailError], int] = STATUSES) -> int:
    """The status of the error's class, or of its nearest base in the table."""
    return next(statuses[kind] for kind in type(error).__mro__ if kind in statuses)


def problem_response(
    error: LongtailError,
    *,
    statuses: Mapping[type[LongtailError], int] = STATUSES,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer that tells a client of `error`: code, message and remedy, and when to try again."""
    document: dict[str, Any] = {"code": error.code, "message": error.message, "remedy": error.remedy}
    own_headers: dict[str, str] = {}
    retry_after_s = UNREACHABLE_RETRY_AFTER_S if isinstance(error, errors.Unreachable) else None
    if isinstance(error, errors.Overloaded | errors.BudgetExhausted):
        retry_after_s = error.retry_after_s
    if isinstance(error, errors.BudgetExhausted):
        document |= {
            "accounts": list(error.accounts),
            "campaigns": list(error.campaigns),
            "retry_after_s": error.retry_after_s,
        }
    if retry_after_s is not None:
        own_headers["Retry-After"] = str(retry_after_s)
    if isinstance(error, errors.Unauthenticated):
        own_headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(
        document, status_of(error, statuses), headers={**own_headers, **(headers or {})}, media_type=MEDIA_TYPE
    )


def exception_handlers(
    statuses: Mapping[type[LongtailError], int] = STATUSES, headers_of: HeadersOf = lambda _error: {}
) -> dict[Any, Handler]:
    """Handlers for an application: its own errors, those of the router (404, 405), and what nobody expected."""

    async def expected(_request: Request, error: Exception) -> Response:
        assert isinstance(error, LongtailError)  # noqa: S101 - what it is registered for
        return problem_response(error, statuses=statuses, headers=headers_of(error))

    async def routing(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
        document = {"code": f"http_{error.status_code}", "message": error.detail, "remedy": ""}
        return JSONResponse(document, error.status_code, headers=error.headers, media_type=MEDIA_TYPE)

    async def unexpected(request: Request, error: Exception) -> Response:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        document = {"code": "internal", "message": "an unexpected error happened; it was logged", "remedy": ""}
        return JSONResponse(document, 500, media_type=MEDIA_TYPE)

    return {LongtailError: expected, HTTPException: routing, Exception: unexpected}
