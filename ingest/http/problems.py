"""Errors as HTTP answers of both applications, API and gateway: problem documents (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from triggers.contracts.problem import MEDIA_TYPE, Problem, headers_of, problem_of
from triggers.errors import LongtailError

_log = logging.getLogger(__name__)

Handler = Callable[[Request, Exception], Awaitable[Response]]


def problem_response(
    error: LongtailError, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer that tells a client of `error`; `status` where the route gives it another one."""
    problem = problem_of(error)
    if status is not None:
        problem = problem.model_copy(update={"status": status})
    return _response(problem, {**headers_of(error), **(headers or {})})


def exception_handlers() -> dict[Any, Handler]:
    """Handlers for an application: its own errors, those of the router (404, 405), and unexpected ones."""

    async def expected(_request: Request, error: Exception) -> Response:
        assert isinstance(error, LongtailError)  # noqa: S101 - what it is registered for
        return problem_response(error)

    async def routing(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
        problem = Problem(status=error.status_code, detail=error.detail, code=f"http_{error.status_code}")
        return _response(problem, dict(error.headers or {}))

    async def unexpected(request: Request, error: Exception) -> Response:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return problem_response(LongtailError("an unexpected error happened; it was logged"))

    return {LongtailError: expected, HTTPException: routing, Exception: unexpected}


def _response(problem: Problem, headers: dict[str, str]) -> JSONResponse:
    return JSONResponse(problem.to_json(), problem.status, headers=headers, media_type=MEDIA_TYPE)
