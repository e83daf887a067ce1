"""Errors as HTTP answers of both applications, API and gateway: problem documents (RFC 9457)."""

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
    """The answer that tells a client of `error`; `status` where the route gives it another one."""
    problem = problem_of(_public(error))
    if status is not None:
        problem = problem.model_copy(update={"status": status})
    return _response(problem, {**headers_of(error), **(headers or {})})


def exception_handlers() -> dict[Any, Handler]:
    """Handlers for an application: its own errors, those of the router, clients that went away."""

    async def expected(_request: Request, error: Exception) -> Response:
        assert isinstance(error, LongtailError)  # noqa: S101 - what it is registered for
        return problem_response(error)

    return {LongtailError: expected, HTTPException: _routing, ClientDisconnect: _gone}


async def _routing(request: Request, error: Exception) -> Response:
    """What the router answers: 404, and 405 for every method that the path has no route for, OPTIONS among them."""
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        if request.method == "OPTIONS":
            return options_response(request)
        headers = allow_header(request)
    title = HTTPStatus(error.status_code).phrase
    problem = Problem(title=title, status=error.status_code, detail=error.detail, code=f"http_{error.status_code}")
    return _response(problem, headers)


async def _gone(request: Request, _error: Exception) -> Response:
    """The client left before its body was whole. The answer reaches nobody."""
    _log.info("%s %s: the client went away", request.method, request.url.path)
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def _public(error: LongtailError) -> LongtailError:
    """The error as a client may see it: hosts, users and settings of the deployment go to the log only."""
    if not isinstance(error, Unreachable | Misconfigured):
        return error
    _log.error("%s", error)
    return type(error)(
        "the service cannot work at the moment: a part that it depends on is missing",
        remedy="try again later; operators find the cause in the log and with `longtail doctor`",
    )


def _response(problem: Problem, headers: Mapping[str, str]) -> JSONResponse:
    return JSONResponse(problem.to_json(), problem.status, headers=dict(headers), media_type=MEDIA_TYPE)
