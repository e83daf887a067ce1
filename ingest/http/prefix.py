"""The path prefix under which a reverse proxy publishes an application: the path of its public URL."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send


def prefix_of(public_url: str) -> str:
    """`/fleet` for `https://example.com/fleet/`; empty for a URL without a path."""
    return urlsplit(public_url).path.rstrip("/")


def without_prefix(path: str, prefix: str) -> str:
    """The path as the application's routes have it, whether its proxy passed the prefix on or removed it.

    >>> [without_prefix(path, "/fleet") for path in ("/fleet/healthz", "/healthz", "/fleets", "/fleet")]
    ['/healthz', '/healthz', '/fleets', '/']
    """
    return path.removeprefix(prefix) or "/" if f"{path}/".startswith(f"{prefix}/") else path


class PathPrefix:
    """Middleware that accepts paths with and without the prefix, so a proxy may pass it on or remove it."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": without_prefix(scope["path"], self._prefix)}
        await self._app(scope, receive, send)
