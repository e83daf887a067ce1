"""Error handlers of the API: of what a route refuses with a status of its own, and of what FastAPI itself refuses."""

from __future__ import annotations

from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from ingest.http.problems import exception_handlers, problem_response
from triggers.errors import InvalidInput
from triggers.remedies import mistake_of


def handlers() -> dict[Any, Any]:
    """Exception handlers of the application."""
    return {**exception_handlers(), InvalidInput: _refused, RequestValidationError: _parameters}


async def refuse_nul(request: Request) -> None:
    """A dependency of every route: InvalidInput for U+0000 in path or query, which no name or text can contain."""
    if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise InvalidInput("the address contains U+0000", remedy="remove the character")


async def _refused(request: Request, error: Exception) -> Response:
    """The answer to an InvalidInput, with the status that its route has for it."""
    assert isinstance(error, InvalidInput)  # noqa: S101 - it is registered for this class
    return problem_response(error, status=_refused_status(request) if type(error) is InvalidInput else None)


async def _parameters(request: Request, error: Exception) -> Response:
    """The answer to invalid path or query parameters; it names the first one."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for this class
    first = mistake_of(error.errors()[0])
    return problem_response(InvalidInput(str(first), remedy=first.remedy), status=_refused_status(request))


def _refused_status(request: Request) -> int | None:
    """That of the route; None for the usual one, as where something is refused before there is a route."""
    return getattr(request.scope.get("route"), "refused_status", None)
