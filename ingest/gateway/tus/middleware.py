"""Middleware of the tus routes: the version on every answer, methods that a client can only name in a header."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from triggers.contracts.problem import TUS_VERSION

METHOD_OVERRIDE = "X-HTTP-Method-Override"


class TusRoutes:
    """Below a path: sets `Tus-Resumable` on every answer, including errors, and obeys X-HTTP-Method-Override.

    An address with a slash at its end is the one without: many clients are configured that way.
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not f"{scope['path']}/".startswith(f"{self._path}/"):
            await self._app(scope, receive, send)
            return

        async def send_with_version(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                message["headers"] = [*message["headers"], (b"tus-resumable", TUS_VERSION.encode())]
            await send(message)

        method = Headers(scope=scope).get(METHOD_OVERRIDE.lower(), scope["method"]).strip().upper()
        await self._app({**scope, "method": method, "path": _without_slash(scope["path"])}, receive, send_with_version)


def _without_slash(path: str) -> str:
    return path[:-1] if path.endswith("/") else path
