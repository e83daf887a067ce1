"""Middleware that gives every request an id and a line in the log, from where it came; refused log-ins are warnings."""

from __future__ import annotations

import logging
import re
import time
import uuid
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.http.bounded_lines import BoundedLines
from ingest.http.prefix import without_prefix
from ingest.log_ids import about, note
from ingest.metrics.counted import count_request

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by whoever watches; only their failures are worth a line."""
MAX_PATH_CHARACTERS = 200
REQUEST_ID = "longtail.request_id"
"""Where the scope of a request has its id, which is also in the log, the answer and the audit log."""
_VEHICLE = "vehicle "
"""How the API begins the name of a caller that is a vehicle."""
_HEADER = b"x-request-id"
_GIVEN_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

_log = logging.getLogger(__name__)


class Trace:
    """The outermost middleware. The number of lines per second is bounded, and their length, too.

    `prefix` is that of the public address, which a proxy may have left on paths.
    """

    def __init__(self, app: ASGIApp, *, prefix: str = "") -> None:
        self._app = app
        self._prefix = prefix
        self._requests = BoundedLines(_log)
        self._refused = BoundedLines(_log, per_second=10)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s, status = time.monotonic(), 0
        request_id = scope[REQUEST_ID] = _id_of(scope)

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", [])
                message["headers"] = [*message["headers"], (_HEADER, request_id.encode())]
            await send(message)

        with about(request=request_id):
            try:
                await self._app(scope, receive, watched)
            finally:
                took_s = time.monotonic() - began_s
                route = without_prefix(scope["path"], self._prefix)
                count_request(scope["method"], route, status, took_s)
                if status >= HTTPStatus.BAD_REQUEST or route not in PROBES:
                    self._note(scope, status, took_s)

    def _note(self, scope: Scope, status: int, took_s: float) -> None:
        caller = str(scope.get("state", {}).get("caller", ""))
        if caller.startswith(_VEHICLE):
            note(vehicle=caller.removeprefix(_VEHICLE))
        client = scope.get("client") or ("unknown",)
        # As it was sent, still percent-encoded: a decoded path could forge lines.
        path = scope.get("raw_path", b"").decode("ascii", "replace")[:MAX_PATH_CHARACTERS]
        refused = status == HTTPStatus.UNAUTHORIZED
        (self._refused if refused else self._requests).write(
            logging.WARNING if refused else logging.INFO,
            "%s %s %s from %s in %.0f ms, request %s",
            scope["method"],
            path,
            f"answered {status}" if status else "not answered",
            client[0],
            took_s * 1000,
            scope[REQUEST_ID],
        )


def _id_of(scope: Scope) -> str:
    """The id that the client gave its request, if it is short and plain; else a new one."""
    given = [value for name, value in scope["headers"] if name == _HEADER]
    if len(given) == 1 and _GIVEN_ID.fullmatch(given[0]):
        return str(given[0].decode("ascii"))
    return uuid.uuid4().hex
