"""The transport of a vehicle's exchanges: one deadline, from the first connection to the last byte of the answer.

The timeouts of httpx are for one read or write each, so a server that sends a byte a minute holds its client for ever.
Here each read and write gets what is left of the whole exchange, if that is less. One exchange goes on at a time.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

WRITE_BYTES = 16 * 1024
"""Bytes written between two looks at the deadline: a peer that takes little at a time must not stretch one write."""


class Remaining:
    """The time that is left of the current exchange."""

    def __init__(self, exchange_s: float) -> None:
        self._exchange_s = exchange_s
        self._end_s = 0.0

    def begin(self) -> None:
        """An exchange begins."""
        self._end_s = time.monotonic() + self._exchange_s

    def at_most(self, timeout_s: float | None, over: type[Exception]) -> float:
        """`timeout_s`, or what is left if that is less. Raises `over` when nothing is left."""
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise over(f"the exchange is not complete after {self._exchange_s:g} s")
        return left_s if timeout_s is None else min(left_s, timeout_s)


class ExchangeTransport(httpx.HTTPTransport):
    """HTTP/1.1 whose every exchange ends within `exchange_s` seconds, answered or not (name resolution apart)."""

    def __init__(self, exchange_s: float, context: ssl.SSLContext | None = None) -> None:
        """`context` has whom to trust; without one, the authorities that httpx knows."""
        context = context or httpx.create_ssl_context()
        super().__init__(verify=context)
        self._remaining = Remaining(exchange_s)
        # httpx has no argument for the network backend of httpcore, where a deadline can be kept.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, max_connections=2, network_backend=_Backend(self._remaining)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; the deadline also holds for the reading of the answer."""
        self._remaining.begin()
        return super().handle_request(request)


class _Backend(httpcore.NetworkBackend):
    """Connections that keep the deadline."""

    def __init__(self, remaining: Remaining) -> None:
        self._remaining = remaining
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        timeout_s = self._remaining.at_most(timeout, httpcore.ConnectTimeout)
        inner = self._inner.connect_tcp(host, port, timeout_s, local_address, socket_options)
        return _Stream(inner, self._remaining)


class _Stream(httpcore.NetworkStream):
    """One connection; it may serve many exchanges, each with its own deadline."""

    def __init__(self, inner: httpcore.NetworkStream, remaining: Remaining) -> None:
        self._inner = inner
        self._remaining = remaining

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._remaining.at_most(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for at in range(0, len(buffer), WRITE_BYTES):
            timeout_s = self._remaining.at_most(timeout, httpcore.WriteTimeout)
            self._inner.write(buffer[at : at + WRITE_BYTES], timeout_s)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        timeout_s = self._remaining.at_most(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout_s), self._remaining)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
