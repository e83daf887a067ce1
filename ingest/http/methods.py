"""The methods of a path: the `Allow` header, and the answer to OPTIONS (RFC 9110, sections 9.3.7 and 10.2.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


def allowed_methods(scope: Scope, routes: Sequence[BaseRoute]) -> tuple[str, ...]:
    """The methods of all routes of the scope's path, and OPTIONS; empty when no route has this path.

    A router answers 405 for the first route whose path matches, and knows only the methods of that route. This asks
    every route.
    """
    routed = [method for method in METHODS if _routed({**scope, "method": method}, routes)]
    return tuple(sorted((*routed, "OPTIONS"))) if routed else ()


def allow_header(request: Request) -> dict[str, str]:
    """`Allow` for the request's path."""
    return {"Allow": ", ".join(allowed_methods(request.scope, request.app.routes))}


def options_response(request: Request, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to OPTIONS: 204 with `Allow` and these headers."""
    return Response(status_code=204, headers={**allow_header(request), **(headers or {})})


def _routed(scope: Scope, routes: Sequence[BaseRoute]) -> bool:
    return any(route.matches(dict(scope))[0] is Match.FULL for route in routes)
