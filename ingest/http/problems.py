"""Turns errors into problem documents (RFC 9457), for both the API and the gateway."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from ingest.http.methods import allow_header, options_response
from triggers.contracts.problem import MEDIA_TYPE, Problem, headers_of, problem_of
from triggers.errors import LongtailError, Misconfigured, Unreachable

_log = logging.getLogger(__name__)

Handler = Callable[[Request, Exception], Awaitable[Response]]


def problem_response(
    error: LongtailError, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer that reports `error` to a client; `status` overrides the status of its class."""
    problem = problem_of(_public(error))
    if status is not None:
        problem = problem.model_copy(update={"status": status})
    return _response(problem, {**headers_of(error), **(headers or {})})


def exception_handlers() -> dict[Any, Handler]:
    """Exception handlers for an application: its own errors, those of the router, and disconnected clients."""

    async def expected(_request: Request, error: Exception) -> Response:
        assert isinstance(error, LongtailError)  # noqa: S101 - it is registered for this class
        return problem_response(error)

    return {LongtailError: expected, HTTPException: _routing, ClientDisconnect: _gone}


async def _routing(request: Request, error: Exception) -> Response:
    """The router's errors: 404, and 405 for every method that the path has no route for, including OPTIONS."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for this class
    headers = dict(error.headers or {})
    remedy = "the addresses are in /openapi.json of the API" if error.status_code == HTTPStatus.NOT_FOUND else ""
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        if request.method == "OPTIONS":
            return options_response(request)
        headers = allow_header(request)
        remedy = f"use {headers['Allow']}"
    title = HTTPStatus(error.status_code).phrase
    code = f"http_{error.status_code}"
    problem = Problem(title=title, status=error.status_code, detail=error.detail, code=code, remedy=remedy)
    return _response(problem, headers)


async def _gone(request: Request, _error: Exception) -> Response:
    """The client disconnected before its body was complete; this answer is never seen."""
    _log.info("%s %s: the client disconnected", request.method, request.url.path)
    status = HTTPStatus.BAD_REQUEST
    detail = "the connection ended before the body was whole"
    problem = Problem(
        title=status.phrase, status=status, detail=detail, code=f"http_{status:d}", remedy="send it again"
    )
    return _response(problem, {})


def _public(error: LongtailError) -> LongtailError:
    """The error as a client may see it: hosts, users and settings of the deployment go only to the log."""
    if not isinstance(error, Unreachable | Misconfigured):
        return error
    _log.error("%s", error)
    return type(error)(
        "the service is not available at the moment: something it depends on does not work",
        remedy="try again later; operators find the cause in the log and with `longtail doctor`",
    )


def _response(problem: Problem, headers: Mapping[str, str]) -> JSONResponse:
    return JSONResponse(problem.to_json(), problem.status, headers=dict(headers), media_type=MEDIA_TYPE)
