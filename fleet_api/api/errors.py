"""Errors that only the API has, and the table of their statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingest import problems
from triggers.errors import InvalidInput, LongtailError


class TooLarge(InvalidInput):
    """The request's body is larger than this route takes."""

    code = "too_large"


class WrongRange(InvalidInput):
    """The range of bytes that was asked for is not in the object."""

    code = "wrong_range"

    def __init__(self, message: str, *, size_bytes: int) -> None:
        super().__init__(message, remedy=f"the object has {size_bytes} bytes")
        self.size_bytes = size_bytes


class DiagnosticsError(InvalidInput):
    """The trigger text has mistakes; `diagnostics` has them all, with their places."""

    code = "diagnostics"

    def __init__(self, message: str, diagnostics: list[dict[str, Any]]) -> None:
        super().__init__(message, remedy="mend the marked places")
        self.diagnostics = diagnostics


STATUSES: Mapping[type[LongtailError], int] = {**problems.STATUSES, TooLarge: 413, WrongRange: 416}


def headers_of(error: LongtailError) -> Mapping[str, str]:
    """Headers that an error's answer carries beside the common ones."""
    return {"Content-Range": f"bytes */{error.size_bytes}"} if isinstance(error, WrongRange) else {}


def handlers() -> dict[Any, Any]:
    """Exception handlers of the application."""
    return {
        **problems.exception_handlers(STATUSES, headers_of),
        DiagnosticsError: _diagnostics,
        RequestValidationError: _parameters,
    }


async def refuse_nul(request: Request) -> None:
    """A dependency of every route: InvalidInput for U+0000 in path or query, which no name or text here can hold."""
    if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise InvalidInput("the address holds U+0000", remedy="remove the character")


async def _diagnostics(_request: Request, error: Exception) -> Response:
    assert isinstance(error, DiagnosticsError)  # noqa: S101 - what it is registered for
    document = {
        "code": error.code,
        "message": error.message,
        "remedy": error.remedy,
        "diagnostics": error.diagnostics,
    }
    return JSONResponse(document, STATUSES[InvalidInput], media_type=problems.MEDIA_TYPE)


async def _parameters(_request: Request, error: Exception) -> Response:
    """A path or query parameter that is not what the route wants: the first one, named."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return problems.problem_response(InvalidInput(f"{place}: {first['msg']}"))
