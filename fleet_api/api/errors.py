"""How the API answers what FastAPI itself finds wrong with a request."""

from __future__ import annotations

from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from ingest.http.problems import exception_handlers, problem_response
from triggers.errors import InvalidInput


def handlers() -> dict[Any, Any]:
    """Exception handlers of the application."""
    return {**exception_handlers(), RequestValidationError: _parameters}


async def refuse_nul(request: Request) -> None:
    """A dependency of every route: InvalidInput for U+0000 in path or query, which no name or text here can hold."""
    if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise InvalidInput("the address holds U+0000", remedy="remove the character")


async def _parameters(_request: Request, error: Exception) -> Response:
    """A path or query parameter that is not what the route wants: the first one, named."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return problem_response(InvalidInput(f"{place}: {first['msg']}"))
