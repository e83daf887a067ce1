"""The `Date` of answers: the second in which an answer begins (RFC 9110, 6.6.1).

uvicorn's own is of the request's arrival, and older where the event loop is late: its second passes by ten ticks. The
vehicles take the cloud's time from it.
"""

from __future__ import annotations

import time
from email.utils import formatdate

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def http_date() -> str:
    """Now, as a header has it."""
    return formatdate(time.time(), usegmt=True)


class Dated:
    """An application whose answers say when they began."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [(b"date", http_date().encode()), *message.get("headers", ())]
            await send(message)

        await self._app(scope, receive, dated)
