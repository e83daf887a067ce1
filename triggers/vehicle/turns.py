"""Turns of an agent's threads: recording goes on in one while another waits for a server.

Everything of an agent is used by one thread at a time, which has the turn. A thread that waits for the network, or for
the time of its next attempt, gives the turn away meanwhile. Talking to the servers is for one thread at a time, too.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from triggers.vehicle.clock import Clock


class Turns:
    """Who may use the agent, and who may talk to its servers."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._line = threading.RLock()
        self._holder: int | None = None

    @contextmanager
    def using(self) -> Iterator[None]:
        """Have the turn; a thread that has it keeps it."""
        if self._holder == threading.get_ident():
            yield
            return
        with self._turn:
            self._holder = threading.get_ident()
            try:
                yield
            finally:
                self._holder = None

    @contextmanager
    def talking(self) -> Iterator[None]:
        """Have the turn and the line to the servers."""
        with self._line, self.using():
            yield

    @contextmanager
    def away(self) -> Iterator[None]:
        """Give the turn to others for so long; nothing happens in a thread that does not have it."""
        if self._holder != threading.get_ident():
            yield
            return
        self._holder = None
        self._turn.release()
        try:
            yield
        finally:
            self._turn.acquire()
            self._holder = threading.get_ident()


class PatientClock:
    """A clock whose waits give the turn away."""

    def __init__(self, clock: Clock, turns: Turns) -> None:
        self._clock = clock
        self._turns = turns

    def now_ns(self) -> int:
        return self._clock.now_ns()

    def monotonic_ns(self) -> int:
        return self._clock.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        with self._turns.away():
            self._clock.sleep(seconds)


class PatientTransport(httpx.BaseTransport):
    """A transport whose waits for a server give the turn away."""

    def __init__(self, inner: httpx.BaseTransport, turns: Turns) -> None:
        self._inner = inner
        self._turns = turns

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, up to the headers of its answer; the body is read piece by piece later."""
        with self._turns.away():
            response = self._inner.handle_request(request)
        if isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _PatientBody(response.stream, self._turns)
        return response

    def close(self) -> None:
        self._inner.close()


class _PatientBody(httpx.SyncByteStream):
    """The body of an answer."""

    def __init__(self, inner: httpx.SyncByteStream, turns: Turns) -> None:
        self._inner = inner
        self._turns = turns

    def __iter__(self) -> Iterator[bytes]:
        pieces = iter(self._inner)
        while True:
            with self._turns.away():
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece

    def close(self) -> None:
        self._inner.close()
