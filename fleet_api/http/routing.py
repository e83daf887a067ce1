"""Routes of the API: HEAD is answered wherever GET is; unknown query parameters and odd numbers are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, get_args

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from ingest.http.query import MAX_SHOWN, check_query
from ingest.http.raising import raises
from triggers.contracts.problem import STATUSES
from triggers.errors import InvalidInput
from triggers.written_numbers import is_day, is_number, is_whole_number

_FORMS: Mapping[type, tuple[Callable[[str], bool], str]] = {
    int: (is_whole_number, "a whole number in digits, such as 100"),
    float: (is_number, "a number, such as 0.5"),
    date: (is_day, "a day, such as 2026-01-31"),
}
"""How parameters of a type are written."""


class ApiRoute(APIRoute):
    """A route that answers HEAD where it answers GET (RFC 9110, section 9.3.2); Starlette's own routes do so too."""

    takes_any_query = False
    """Whether parameters that the route does not know are ignored: others than our clients write its addresses."""
    refused_status = STATUSES[InvalidInput]
    """The status of an InvalidInput, and of what FastAPI refuses; a subclass of InvalidInput has one of its own."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        methods = self.methods or set()
        self.methods = {*methods, "HEAD"} if "GET" in methods else methods
        every = list(with_dependencies(self.dependant))
        self.known_query = frozenset(field.alias for dependant in every for field in dependant.query_params)
        fields = [field for dependant in every for field in (*dependant.query_params, *dependant.path_params)]
        self.forms = {field.alias: form for field in fields if (form := _form_of(field.field_info.annotation))}


class CatalogRoute(ApiRoute):
    """A route of the catalog. An InvalidInput is 400 there, as OGC API - Features wants of searches, and not 422.

    So it is wherever clips are searched, counted, chosen or marked: one filter is refused alike by all of them.
    """

    refused_status = 400


@raises(InvalidInput)
async def refuse_unknown_query(request: Request) -> None:
    """A dependency of every route: InvalidInput for a query parameter that is unknown, or sent twice."""
    route = request.scope["route"]
    if isinstance(route, ApiRoute) and not route.takes_any_query:
        check_query(request.query_params, route.known_query)


@raises(InvalidInput)
async def refuse_odd_numbers(request: Request) -> None:
    """A dependency of every route: InvalidInput for a number or day that is not written as one, such as `1_0`."""
    route = request.scope["route"]
    if isinstance(route, ApiRoute):
        sent = {**request.query_params, **request.path_params}
        for name, (is_written, words) in route.forms.items():
            if name in sent and not is_written(str(sent[name])):
                what = f"{name}: {str(sent[name])[:MAX_SHOWN]!r} is not {words}"
                raise InvalidInput(what, remedy="write only the digits, without blanks or signs such as + and _")


def _form_of(annotation: Any) -> tuple[Callable[[str], bool], str] | None:
    """How a parameter of this type (or None) is written; None if that is not bound to a form."""
    kinds = get_args(annotation) or (annotation,)
    return next((_FORMS[kind] for kind in kinds if kind in _FORMS), None)


def with_dependencies(dependant: Dependant) -> Iterator[Dependant]:
    """A route's call, and the calls that it depends on."""
    yield dependant
    for dependency in dependant.dependencies:
        yield from with_dependencies(dependency)
