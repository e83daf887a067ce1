"""Error handlers of the API, including one for requests that FastAPI itself refuses."""

from __future__ import annotations

from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from fleet_api.http.routing import refused_parameters
from ingest.http.problems import exception_handlers, problem_response
from triggers.errors import InvalidInput


def handlers() -> dict[Any, Any]:
    """Exception handlers of the application."""
    return {**exception_handlers(), RequestValidationError: _parameters}


async def refuse_nul(request: Request) -> None:
    """A dependency of every route: InvalidInput for U+0000 in path or query, which no name or text can contain."""
    if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise InvalidInput("the address contains U+0000", remedy="remove the character")


async def _parameters(_request: Request, error: Exception) -> Response:
    """The answer to invalid path or query parameters; it names the first one."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for this class
    return problem_response(refused_parameters(error))
