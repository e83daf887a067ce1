"""The errors that a route can answer with: declared where they are raised, described in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import BaseModel

from triggers.contracts.problem import MEDIA_TYPE, Problem, status_of_class
from triggers.errors import InvalidInput, LongtailError, Misconfigured, Unreachable

F = TypeVar("F", bound=Callable[..., Any])
Errors = tuple[type[LongtailError], ...]

REF_TEMPLATE = "#/components/schemas/{model}"
_ATTRIBUTE = "raises"
_TOLD: dict[type[LongtailError], str] = {
    LongtailError: "An unexpected error happened; it was logged.",
    Misconfigured: "A setting of the deployment is missing or wrong; its log names it.",
    Unreachable: "Something that the service depends on does not answer; its log names it.",
}
"""Descriptions for clients of errors whose details are kept from them, see `ingest.http.problems`."""
_RETRY_AFTER = {"description": "Seconds after which to try again.", "schema": {"type": "integer", "minimum": 0}}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}}},
    403: {"Retry-After": _RETRY_AFTER},
    412: {"Tus-Version": {"description": "The tus versions that this server supports.", "schema": {"type": "string"}}},
    416: {"Content-Range": {"description": "The object's size in bytes.", "schema": {"type": "string"}}},
    429: {"Retry-After": _RETRY_AFTER},
    503: {"Retry-After": _RETRY_AFTER},
}


def raises(*errors: type[LongtailError]) -> Callable[[F], F]:
    """Declare the errors that an endpoint or a dependency raises itself; its dependencies declare their own.

    Tests compare every answer with the document, so a forgotten declaration is found.
    """

    def declare(function: F) -> F:
        setattr(function, _ATTRIBUTE, errors)
        return function

    return declare


def declared(function: Any) -> Errors:
    """The errors that a function was declared to raise; empty without a declaration."""
    errors: Errors = getattr(function, _ATTRIBUTE, ())
    return errors


def problem_responses(
    errors: Iterable[type[LongtailError]], *, refused_status: int | None = None
) -> dict[str, dict[str, Any]]:
    """The OpenAPI responses of these errors: by status, with each `code` and what it means.

    `refused_status` is that of an InvalidInput where it is not the usual one.
    """
    by_status: dict[int, dict[str, str]] = {}
    for error in errors:
        overridden = refused_status if error is InvalidInput else None
        by_status.setdefault(overridden or status_of_class(error), {})[error.code] = _meaning(error)
    return {str(status): _response(status, by_status[status]) for status in sorted(by_status)}


def reference(model: type[BaseModel]) -> dict[str, str]:
    """The schema that refers to a model's component."""
    return {"$ref": REF_TEMPLATE.format(model=model.__name__)}


def _response(status: int, meanings: dict[str, str]) -> dict[str, Any]:
    lines = [f"`{code}`: {meanings[code]}" for code in sorted(meanings)]
    response: dict[str, Any] = {
        "description": "\n\n".join(lines),
        "content": {MEDIA_TYPE: {"schema": reference(Problem)}},
    }
    if status in _HEADERS:
        response["headers"] = _HEADERS[status]
    return response


def _meaning(error: type[LongtailError]) -> str:
    """The first paragraph of the class's docstring on one line."""
    return _TOLD.get(error) or " ".join((error.__doc__ or "").partition("\n\n")[0].split())
