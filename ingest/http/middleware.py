"""Middleware in front of both applications' routes: a line in the log, safe headers, a proxy's path prefix, CORS."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.http.cross_origin import CrossOrigin
from ingest.http.prefix import PathPrefix, prefix_of
from ingest.http.problems import problem_response
from ingest.http.trace import Trace
from triggers.errors import BadHeader

HSTS = "max-age=31536000"


class SafeHeaders:
    """Adds what browsers and caches need to be told, and refuses a body that is framed in two ways (RFC 9112, 6.1)."""

    def __init__(self, app: ASGIApp, *, over_tls: bool) -> None:
        self._app = app
        self._over_tls = over_tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = Headers(scope=scope)

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                if "authorization" in sent or "cookie" in sent:
                    headers.setdefault("Cache-Control", "no-store")
                if self._over_tls:
                    headers.setdefault("Strict-Transport-Security", HSTS)
            await send(message)

        if "content-length" in sent and "transfer-encoding" in sent:
            error = BadHeader(
                "the request has both Content-Length and Transfer-Encoding", remedy="send one of them (RFC 9112, 6.1)"
            )
            await problem_response(error, headers={"Connection": "close"})(scope, receive, completed)
            return
        await self._app(scope, receive, completed)


def public_middleware(public_url: str, *, origins: Collection[str], headers: Collection[str] = ()) -> list[Middleware]:
    """The middleware that the settings need, outermost first; CORS also allows `headers`."""
    prefix = prefix_of(public_url)
    return [
        Middleware(Trace, prefix=prefix),
        Middleware(SafeHeaders, over_tls=public_url.startswith("https:")),
        *([Middleware(PathPrefix, prefix=prefix)] if prefix else []),
        *([Middleware(CrossOrigin, origins=origins, headers=headers)] if origins else []),
    ]
