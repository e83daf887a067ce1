"""Connections to PostgreSQL that do not wait for ever: while a server is silent, another connection asks for it."""

from __future__ import annotations

import math
import select
import time
from collections.abc import Generator
from typing import Any, Self, TypeVar

import psycopg
import psycopg.conninfo
from psycopg.waiting import Ready

R = TypeVar("R")

SILENCE_S = 10.0
"""How long a statement may run without a word of the server before the server is asked."""
FRESH_S = 1.0
"""How long a connection that has answered is taken to live, if its socket does not say otherwise."""
CONNECT_S = 5
"""How long a connection may take, the one that asks included."""
TCP_ARGUMENTS = {
    "connect_timeout": CONNECT_S,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""libpq's arguments. Keepalives find a peer that is gone, or a firewall that has forgotten the connection; they find no
server that is frozen and no proxy that stands still, since the kernel of that machine answers them."""


class WatchedConnection(psycopg.Connection[Any]):
    """A connection whose server is asked, over another one, whenever it was silent for `silence_s`.

    A slow statement so has as long as it needs, and a server that answers nobody is told from one that works. Then
    the connection is closed and OperationalError raised.
    """

    silence_s = SILENCE_S
    _spoke_s = -math.inf
    """When the server last spoke, by the monotonic clock."""

    @classmethod
    def opened(cls, silence_s: float, *args: Any, **arguments: Any) -> Self:
        """`psycopg.connect` with these arguments."""
        connection = cls.connect(*args, **arguments)
        connection.silence_s = silence_s
        connection._spoke_s = time.monotonic()
        return connection

    @property
    def has_just_answered(self) -> bool:
        """Whether the server spoke less than FRESH_S ago, and neither speaks nor has hung up since.

        A server that ends, or a machine that forgets the connection, says so on the socket.
        """
        if self.closed or time.monotonic() - self._spoke_s > FRESH_S:
            return False
        socket = select.poll()
        socket.register(self.fileno(), select.POLLIN)
        return not socket.poll(0)

    def wait(self, gen: Generator[Any, Any, R], interval: float = 0.1, timeout: float | None = None) -> R:
        """As psycopg waits, every `interval` seconds of which comes back here; see the class."""
        return super().wait(self._watching(gen), interval=interval, timeout=timeout)

    def _watching(self, gen: Generator[Any, Any, R]) -> Generator[Any, Any, R]:
        spoke_s = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready & Ready.R:
                    self._spoke_s = spoke_s = time.monotonic()
                elif time.monotonic() - spoke_s > self.silence_s:
                    self._require_answer()
                    spoke_s = time.monotonic()
                wanted = gen.send(ready)
        except StopIteration as end:
            result: R = end.value
            return result

    def _require_answer(self) -> None:
        """Close this connection and raise OperationalError when the server lets nobody in within CONNECT_S."""
        arguments: dict[str, str | int] = {**self.info.get_parameters(), "connect_timeout": CONNECT_S}
        if self.info.password:
            arguments["password"] = self.info.password
        try:
            psycopg.connect(psycopg.conninfo.make_conninfo("", **arguments)).close()
        except psycopg.errors.ConnectionTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer for {self.silence_s + CONNECT_S:.0f} s") from None
        except psycopg.OperationalError:
            return  # it refuses another connection, so it lives; a machine that is gone is found by keepalives
