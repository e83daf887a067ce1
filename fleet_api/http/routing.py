"""Routes of the API: HEAD is answered wherever GET is, and unknown query parameters are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from ingest.http.query import check_query
from ingest.http.raising import raises
from triggers.errors import InvalidInput


class ApiRoute(APIRoute):
    """A route that answers HEAD where it answers GET (RFC 9110, section 9.3.2); Starlette's own routes do so too."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        methods = self.methods or set()
        self.methods = {*methods, "HEAD"} if "GET" in methods else methods
        every = with_dependencies(self.dependant)
        self.known_query = frozenset(field.alias for dependant in every for field in dependant.query_params)


@raises(InvalidInput)
async def refuse_unknown_query(request: Request) -> None:
    """A dependency of every route: InvalidInput for a query parameter that is unknown, or sent twice."""
    route = request.scope["route"]
    if isinstance(route, ApiRoute):
        check_query(request.query_params, route.known_query)


def with_dependencies(dependant: Dependant) -> Iterator[Dependant]:
    """A route's call, and the calls that it depends on."""
    yield dependant
    for dependency in dependant.dependencies:
        yield from with_dependencies(dependency)
