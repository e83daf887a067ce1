"""The path prefix under which a reverse proxy publishes an application: the path of its public URL."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send


def prefix_of(public_url: str) -> str:
    """`/fleet` for `https://example.com/fleet/`; empty for a URL without a path."""
    return urlsplit(public_url).path.rstrip("/")


class PathPrefix:
    """Middleware that accepts paths with and without the prefix, so a proxy may pass it on or remove it."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and f"{scope['path']}/".startswith(f"{self._prefix}/"):
            scope = {**scope, "path": scope["path"].removeprefix(self._prefix) or "/"}
        await self._app(scope, receive, send)
