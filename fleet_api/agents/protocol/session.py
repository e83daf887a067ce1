"""A session of the protocol: messages in, responses out. What takes time runs in threads, of which there are few."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from fleet_api.agents.protocol.calls import Call, Cancelled
from fleet_api.agents.protocol.frames import BadFrame, Output, document_of, frames
from fleet_api.agents.protocol.messages import (
    BUSY,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    Id,
    ProtocolError,
    Request,
    error_message,
    id_in,
    request_of,
    result_message,
    text_in,
    unknown,
)
from fleet_api.agents.protocol.versions import (
    DISCOVER,
    WITH_BATCHES,
    WITH_HANDSHAKE,
    WITHOUT_HANDSHAKE,
    agreed,
    dressed,
    said_in,
)

MAX_CALLS, MAX_WORKING = 32, 4
"""Calls that are not answered yet, and how many of them are worked on: each may have a process of its own."""
_LOOKS_EVERY_S = 0.2
MAX_BATCH = 100
ANSWERS_WITHIN_S = 10.0
"""For so long the last calls of a client that writes no more, as one that is a pipe, are worked on."""
ENDS_WITHIN_S = 5.0

Method = Callable[[dict[str, Any], Call], dict[str, Any]]
Send = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Server:
    """What a session serves: who it is, what it can do, and its methods; those in `slow` run in threads."""

    info: Mapping[str, str]
    capabilities: Mapping[str, Any]
    instructions: str
    methods: Mapping[str, Method]
    slow: frozenset[str]


@dataclass
class _Batch:
    """The responses to an array of messages, which are sent together once the last of them is there."""

    output: Output
    missing: int = 0
    responses: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self) -> None:
        with self.lock:
            self.missing += 1

    def take(self, response: dict[str, Any] | None) -> None:
        with self.lock:
            self.missing -= 1
            self.responses += [] if response is None else [response]
            if not self.missing and self.responses:
                self.output.write(self.responses)


class Session:
    """One client, from its first message until its stream ends."""

    def __init__(self, server: Server, output: Output) -> None:
        self._server = server
        self._output = output
        self._version: str | None = None
        """What `initialize` has agreed on."""
        self._calls: dict[Id, Call] = {}
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(MAX_WORKING)

    def serve(self, stream: BinaryIO) -> None:
        """Answer every message of a stream; calls that take longer than ANSWERS_WITHIN_S at its end are cancelled."""
        for frame in frames(stream):
            self.take(frame)
        self._join(ANSWERS_WITHIN_S)
        self.end()

    def take(self, frame: bytes | BadFrame) -> None:
        """Answer one line."""
        try:
            if isinstance(frame, BadFrame):
                raise frame
            document = document_of(frame)
        except BadFrame as error:
            self._output.write(error_message(None, ProtocolError(PARSE_ERROR, str(error))))
            return
        if isinstance(document, list) and self._version == WITH_BATCHES and 0 < len(document) <= MAX_BATCH:
            self._take_batch(document)
        else:
            self._take_message(document, self._output.write, lambda: None)

    def end(self) -> None:
        """Cancel all calls, and wait a moment for their ends."""
        with self._lock:
            calls = list(self._calls.values())
        for call in calls:
            call.cancel()
        self._join(ENDS_WITHIN_S)

    def _join(self, within_s: float) -> None:
        """Wait until all calls have ended, but for no longer than this."""
        with self._lock:
            threads = list(self._threads)
        deadline = time.monotonic() + within_s
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _take_batch(self, documents: Iterable[object]) -> None:
        batch = _Batch(self._output)
        batch.expect()  # so that it is not complete before the last message is read
        for document in documents:
            batch.expect()
            self._take_message(document, batch.take, lambda: batch.take(None))
        batch.take(None)

    def _take_message(self, document: object, send: Send, drop: Callable[[], None]) -> None:
        """Answer a message by `send`, or say by `drop` that there is nothing to answer."""
        try:
            request = request_of(document)
            if request is None or request.id is None:
                if request is not None:
                    self._notice(request)
                drop()
                return
            self._answer(request, request.id, send, drop)
        except ProtocolError as error:
            send(error_message(id_in(document), error))

    def _notice(self, request: Request) -> None:
        if request.method != "notifications/cancelled":
            return
        cancelled = request.params.get("requestId")
        with self._lock:
            call = self._calls.get(cancelled) if isinstance(cancelled, str | int) else None
        if call is not None:
            call.cancel()

    def _answer(self, request: Request, request_id: Id, send: Send, drop: Callable[[], None]) -> None:
        version = said_in(request)
        if request.method == "initialize" and version is None:
            send(result_message(request_id, self._initialized(request)))
            return
        if request.method == DISCOVER and version is not None:
            send(result_message(request_id, dressed(self._discovered(), DISCOVER, version, self._server.info)))
            return
        if request.method == "ping":
            send(result_message(request_id, dressed({}, "ping", version or WITH_HANDSHAKE[0], self._server.info)))
            return
        version = version or self._version
        method = self._server.methods.get(request.method)
        if method is None:
            raise unknown("method", request.method, METHOD_NOT_FOUND)
        if version is None:
            raise ProtocolError(INVALID_REQUEST, "the session has not begun; send `initialize` first")
        call = Call(request_id, version, self._output, request.meta.get("progressToken"))
        if request.method in self._server.slow:
            self._start(request, method, call, send, drop)
        else:
            self._run(request, method, call, send, drop)

    def _initialized(self, request: Request) -> dict[str, Any]:
        if self._version is not None:
            raise ProtocolError(INVALID_REQUEST, "the session has begun already")
        self._version = agreed(text_in(request.params, "protocolVersion"))
        return {"protocolVersion": self._version, "serverInfo": dict(self._server.info), **self._said()}

    def _discovered(self) -> dict[str, Any]:
        return {"supportedVersions": [*WITHOUT_HANDSHAKE, *WITH_HANDSHAKE], **self._said()}

    def _said(self) -> dict[str, Any]:
        return {"capabilities": dict(self._server.capabilities), "instructions": self._server.instructions}

    def _start(self, request: Request, method: Method, call: Call, send: Send, drop: Callable[[], None]) -> None:
        with self._lock:
            if call.id in self._calls:
                raise ProtocolError(INVALID_REQUEST, "a request with this `id` is still worked on")
            if len(self._calls) >= MAX_CALLS:
                raise ProtocolError(BUSY, f"{MAX_CALLS} calls wait for their answers; wait, or cancel one")
            self._calls[call.id] = call
            thread = threading.Thread(
                target=self._run, args=(request, self._in_turn(method), call, send, drop), daemon=True
            )
            self._threads = [*(each for each in self._threads if each.is_alive()), thread]
            thread.start()

    def _in_turn(self, method: Method) -> Method:
        """The method, which begins once few enough others are worked on, or never if it is cancelled before."""

        def called(params: dict[str, Any], call: Call) -> dict[str, Any]:
            while not self._turns.acquire(timeout=_LOOKS_EVERY_S):
                call.check()
            try:
                call.check()
                return method(params, call)
            finally:
                self._turns.release()

        return called

    def _run(self, request: Request, method: Method, call: Call, send: Send, drop: Callable[[], None]) -> None:
        """Call a method and answer; a client that has cancelled a call gets no answer."""
        try:
            response = self._response(request, method, call)
        finally:
            with self._lock:
                self._calls.pop(call.id, None)
        if response is None or call.is_cancelled:
            drop()
        else:
            send(response)

    def _response(self, request: Request, method: Method, call: Call) -> dict[str, Any] | None:
        try:
            result = method(request.params, call)
            return result_message(call.id, dressed(result, request.method, call.version, self._server.info))
        except Cancelled:
            return None
        except ProtocolError as error:
            return error_message(call.id, error)
        except Exception:  # noqa: BLE001 - the edge: a bug ends one call, and its traceback goes to the log
            sys.stderr.write(traceback.format_exc())
            return error_message(call.id, ProtocolError(INTERNAL_ERROR, "an unexpected error; see the server's log"))
