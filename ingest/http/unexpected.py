"""The answer to an error that no handler knows, a defect: it is logged in full, but the client sees no details."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.http.problems import problem_response
from storage.database import SqlError
from triggers.errors import LongtailError, Unreachable

_log = logging.getLogger(__name__)


def _told(error: Exception) -> LongtailError:
    if isinstance(error, SqlError):  # whatever it is, the client's request is not at fault and may be repeated
        return Unreachable("the database could not do its part")
    return LongtailError("an unexpected error happened; it was logged")


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
            answer = problem_response(_told(error))
            await answer(scope, receive, send)
