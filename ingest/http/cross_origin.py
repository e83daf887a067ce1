"""CORS: which pages of other origins may call (https://fetch.spec.whatwg.org/#http-cors-protocol).

A page of another origin has to hold a bearer token itself: CORS credentials are never allowed, so the session cookie of
the API's own pages is of no use to it.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.http.methods import METHODS

REQUEST_HEADERS = ("Authorization", "Content-Type", "If-Match", "If-None-Match", "If-Range", "Range")
EXPOSED_HEADERS = (
    "Accept-Ranges",
    "Allow",
    "Content-Length",
    "Content-Range",
    "ETag",
    "Location",
    "Range",
    "Retry-After",
    "WWW-Authenticate",
)
MAX_AGE_S = 600


class CrossOrigin(CORSMiddleware):
    """CORS for configured origins (`*`: all); a request from any other origin is answered without CORS headers.

    Such an answer names no allowed origin, so the browser keeps it from the page.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str], headers: Collection[str] = ()) -> None:
        """`headers` are allowed and exposed in addition to the common ones."""
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=(*REQUEST_HEADERS, *headers),
            expose_headers=(*EXPOSED_HEADERS, *headers),
            max_age=MAX_AGE_S,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin = headers.get("origin")
        if origin is None or self.is_allowed_origin(origin):
            await super().__call__(scope, receive, send)
        else:
            await self.simple_response(scope, receive, send, request_headers=headers)

    def preflight_response(self, request_headers: Headers) -> Response:
        """What is allowed, without a body; whether the request fits that is for the browser to decide."""
        stated = super().preflight_response(request_headers).headers
        kept = {name: value for name, value in stated.items() if not name.startswith("content-")}
        return Response(status_code=204, headers=kept)
