"""One connection of the HTTP server: uvicorn's, with deadlines for the head, the body and the reader of the answer.

uvicorn closes an idle connection after an answer, but waits for ever for the first request, for the rest of a head or a
body, and for a client that does not read. A connection that is closed is freed at once: were it left to a collection of
garbage, everybody would wait while those of a flood are collected.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from ingest.http.bounded_lines import BoundedLines
from ingest.http.server.connections import Connections
from ingest.http.server.date import http_date
from triggers.contracts.problem import MEDIA_TYPE, Problem

RETRY_AFTER_S = 5

_refusals = BoundedLines(logging.getLogger(__name__), per_second=10)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """In seconds. Bodies have stricter ones in the applications, which answer; these close what is left."""

    head_s: float = 10.0
    """From when a connection is heard first, or the first byte after an answer, to the end of a request's head."""
    body_silence_s: float = 60.0
    """Without a byte of a body that is being read."""
    reader_s: float = 60.0
    """Without room for more of an answer, because the client does not read."""


class _Timer:
    """Calls a function when its time comes, unless it is stopped before."""

    def __init__(self, loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
        self._loop = loop
        self._call = call
        self._handle: asyncio.TimerHandle | None = None

    def start(self, seconds: float) -> None:
        """Begin to run; one that runs goes on."""
        if self._handle is None:
            self._handle = self._loop.call_later(seconds, self._fire)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def end(self) -> None:
        """Never run again, and let go of what it would have called."""
        self.stop()
        self._call = _nothing

    def _fire(self) -> None:
        self._handle = None
        self._call()


def _nothing() -> None:
    """What a timer calls that has ended."""


class _Cycle(RequestResponseCycle):
    """A request and its answer. What came of a body before the connection was cut is read before the cut is told.

    uvicorn drops what the application had not read by then, up to 64 KiB that a vehicle would have to send again.
    """

    async def receive(self) -> Any:
        event = await super().receive()
        if event["type"] != "http.disconnect" or self.response_complete or not self.body:
            return event
        came, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": came, "more_body": self.more_body}


class BoundedProtocol(H11Protocol):
    """A connection that is counted, and closed at its deadlines. Subclasses give it `bounds` and `deadlines`."""

    bounds: Connections
    deadlines: Deadlines

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # under TLS, asyncio's transport of the socket is below that of the application
        tls = getattr(transport, "_ssl_protocol", None)
        self._of_socket = getattr(tls, "_transport", None) or transport
        self._head = _Timer(self.loop, self._head_late)
        self._body = _Timer(self.loop, self._check_body)
        self._reader = _Timer(self.loop, self.make_room)
        self._turn = _Timer(self.loop, self._hear)
        self._heard_s = self.loop.time()
        wait_s = self.bounds.opened(self, self.client[0] if self.client else "")
        if wait_s:
            transport.pause_reading()
            self._turn.start(wait_s)
        else:
            self._head.start(self.deadlines.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._turn, self._head, self._body, self._reader):
            timer.end()
        self.bounds.closed(self)
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # which uvicorn leaves running after an error
        vars(self._of_socket).pop("_read_ready_cb", None)  # by which asyncio's transport refers to itself
        del self._of_socket

    def data_received(self, data: bytes) -> None:
        self._heard_s = self.loop.time()
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._working:
            self.bounds.works(self)
            self._head.stop()
            self._body.start(self.deadlines.body_silence_s)
        else:
            self._head.start(self.deadlines.head_s)

    def handle_events(self) -> None:
        super().handle_events()
        if type(self.cycle) is RequestResponseCycle:  # which uvicorn has just made, and which nothing has awaited yet
            self.cycle.__class__ = _Cycle

    def on_response_complete(self) -> None:
        super().on_response_complete()  # which may have begun the next request that is here already
        if self._working or self.transport.is_closing():
            return
        self.bounds.waits(self)
        self._body.stop()
        if self.conn.their_state is h11.SEND_BODY:  # the rest of a body that nobody wants, or that never comes
            self._head.start(self.deadlines.head_s)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader.start(self.deadlines.reader_s)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._reader.stop()

    def send_400_response(self, msg: str) -> None:
        """The answer to what is not HTTP; called while the parser's error is being handled."""
        error = sys.exc_info()[1]
        hint = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        self._answer_and_close(HTTPStatus(hint), str(error or msg), "send a request as RFC 9112 has it")

    def make_room(self) -> None:
        """Close at once."""
        self.transport.abort()

    def refuse(self, why: str) -> None:
        """Say why the server has no place for the connection, and close it."""
        self._answer_and_close(HTTPStatus.SERVICE_UNAVAILABLE, why, "close those that you do not need, or try again")

    @property
    def _working(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _hear(self) -> None:
        """Read what came while the connection waited for its turn."""
        if not self.transport.is_closing():
            self._head.start(self.deadlines.head_s)
            self.transport.resume_reading()

    def _head_late(self) -> None:
        if not self._working:
            self._answer_and_close(
                HTTPStatus.REQUEST_TIMEOUT,
                f"no whole request came within {self.deadlines.head_s:g} s",
                "send head and body at once",
            )

    def _check_body(self) -> None:
        if not self._working or not self.cycle.more_body:
            return
        left_s = self._heard_s + self.deadlines.body_silence_s - self.loop.time()
        if self.flow.read_paused:  # the application is slow here, not the client
            self._body.start(self.deadlines.body_silence_s)
        elif left_s > 0:
            self._body.start(left_s)
        else:
            self.transport.abort()

    def _answer_and_close(self, status: HTTPStatus, detail: str, remedy: str) -> None:
        """A problem document past the parser, whose state may not allow an answer any more."""
        _refusals.write(logging.INFO, "a connection from %s ends with %d: %s", self.client, status, detail[:200])
        if not self.transport.is_closing() and not (self._working and self.cycle.response_started):
            problem = Problem(title=status.phrase, status=status, detail=detail, code=f"http_{status:d}", remedy=remedy)
            body = json.dumps(problem.to_json()).encode()
            head = (
                f"HTTP/1.1 {status:d} {status.phrase}\r\nDate: {http_date()}\r\n"
                f"Content-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
            )
            again = f"Retry-After: {RETRY_AFTER_S}\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else ""
            self.transport.write(f"{head}{again}Connection: close\r\n\r\n".encode() + body)
        self.transport.close()


def protocol_class(bounds: Connections, deadlines: Deadlines) -> type[BoundedProtocol]:
    """The class of the connections of one server."""
    return type("Bounded", (BoundedProtocol,), {"bounds": bounds, "deadlines": deadlines})
