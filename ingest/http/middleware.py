"""The middleware in front of the routes of both applications: a line in the log, a proxy's path prefix, CORS."""

from __future__ import annotations

from collections.abc import Collection

from starlette.middleware import Middleware

from ingest.http.cross_origin import CrossOrigin
from ingest.http.prefix import PathPrefix, prefix_of
from ingest.http.trace import Trace


def public_middleware(public_url: str, *, origins: Collection[str], headers: Collection[str] = ()) -> list[Middleware]:
    """The middleware that the settings need, outermost first; CORS also allows `headers`."""
    prefix = prefix_of(public_url)
    return [
        Middleware(Trace),
        *([Middleware(PathPrefix, prefix=prefix)] if prefix else []),
        *([Middleware(CrossOrigin, origins=origins, headers=headers)] if origins else []),
    ]
