"""Middleware that leaves a line in the log for every request, from where it came; refused log-ins are warnings."""

from __future__ import annotations

import logging
import time
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.http.bounded_lines import BoundedLines

PROBES = ("/healthz", "/readyz")
"""Asked every few seconds by whoever watches; only their failures are worth a line."""
MAX_PATH_CHARACTERS = 200

_log = logging.getLogger(__name__)


class Trace:
    """The outermost middleware. The number of lines per second is bounded, and their length, too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._requests = BoundedLines(_log)
        self._refused = BoundedLines(_log, per_second=10)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s, status = time.monotonic(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._note(scope, status, time.monotonic() - began_s)

    def _note(self, scope: Scope, status: int, took_s: float) -> None:
        if status < HTTPStatus.BAD_REQUEST and scope["path"].endswith(PROBES):
            return
        client = scope.get("client") or ("unknown",)
        # As it was sent, still percent-encoded: a decoded path could forge lines.
        path = scope.get("raw_path", b"").decode("ascii", "replace")[:MAX_PATH_CHARACTERS]
        refused = status == HTTPStatus.UNAUTHORIZED
        (self._refused if refused else self._requests).write(
            logging.WARNING if refused else logging.INFO,
            "%s %s %s from %s in %.0f ms",
            scope["method"],
            path,
            f"answered {status}" if status else "not answered",
            client[0],
            took_s * 1000,
        )
