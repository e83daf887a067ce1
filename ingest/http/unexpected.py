"""The answer to an error that no handler knows, a defect: it is logged in full, but the client sees no details."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.http.problems import problem_response
from triggers.errors import LongtailError

_log = logging.getLogger(__name__)


class UnexpectedErrors:
    """The innermost middleware, so that this answer too has what the others add (CORS, the tus version).

    Starlette would answer outside of all middleware, and a page could not read its answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if started:  # too late for an answer: the server can only close the connection
                raise
            _log.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
            answer = problem_response(LongtailError("an unexpected error happened; it was logged"))
            await answer(scope, receive, send)
