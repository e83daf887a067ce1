"""The transport of a vehicle's exchanges: one deadline, from the name of the server to the last byte of the answer.

The timeouts of httpx are for one read or write each, so a server that sends a byte a minute holds its client for ever.
Here each read and write gets what is left of the whole exchange, if that is less. One exchange goes on at a time.
The system's resolver has no deadline that a caller could set, so names are resolved in threads that can be left behind.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore
import httpx

WRITE_BYTES = 16 * 1024
"""Bytes written between two looks at the deadline: a peer that takes little at a time must not stretch one write."""
MAX_LOOKUPS = 4
"""Names that are resolved at once: a vehicle has two servers, and a resolver that never answers takes a thread each."""
MAX_ADDRESSES = 8
"""Addresses of one name that are tried."""


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
    """HTTP/1.1 whose every exchange ends within `exchange_s` seconds, answered or not."""

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


class _Lookup:
    """One resolution of a name, in a thread of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._asked = host, port
        self.done = threading.Event()
        self.addresses: list[str] = []
        self.error: Exception | None = None

    def run(self) -> None:
        """Ask the system's resolver, for as long as that takes."""
        try:
            found = socket.getaddrinfo(*self._asked, type=socket.SOCK_STREAM)
            self.addresses = list(dict.fromkeys(str(each[4][0]) for each in found))[:MAX_ADDRESSES]
        except (OSError, UnicodeError) as error:
            self.error = error
        self.done.set()


class Names:
    """Addresses of servers. A lookup that hangs is waited for again by the next exchange, not asked a second time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lookups: dict[tuple[str, int], _Lookup] = {}

    def addresses(self, host: str, port: int, within_s: float) -> list[str]:
        """The addresses of a name, at least one; httpcore's ConnectError or ConnectTimeout if there is none by then."""
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            lookup = self._begun(host, port)
        if not lookup.done.wait(within_s):
            raise httpcore.ConnectTimeout(f"the name {host} was not resolved in {within_s:.0f} s")
        if not lookup.addresses:
            raise httpcore.ConnectError(f"the name {host} was not resolved: {lookup.error or 'it has no address'}")
        return lookup.addresses

    def _begun(self, host: str, port: int) -> _Lookup:
        with self._lock:
            self._lookups = {asked: each for asked, each in self._lookups.items() if not each.done.is_set()}
            if (running := self._lookups.get((host, port))) is not None:
                return running
            if len(self._lookups) >= MAX_LOOKUPS:
                raise httpcore.ConnectError(f"{MAX_LOOKUPS} names are being resolved, without an answer")
            lookup = self._lookups[host, port] = _Lookup(host, port)
        threading.Thread(target=lookup.run, name="resolve", daemon=True).start()  # nobody can end it, not even the exit
        return lookup


class _Backend(httpcore.NetworkBackend):
    """Connections that keep the deadline."""

    def __init__(self, remaining: Remaining) -> None:
        self._remaining = remaining
        self._names = Names()
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
        end_s = time.monotonic() + timeout_s

        def connected(address: str, among: int) -> httpcore.NetworkStream:
            share_s = max(0.001, end_s - time.monotonic()) / among  # one that is silent leaves time to the others
            inner = self._inner.connect_tcp(address, port, share_s, local_address, socket_options)
            return _Stream(inner, self._remaining)

        *earlier, last = self._names.addresses(host, port, timeout_s)
        for at, address in enumerate(earlier):
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return connected(address, len(earlier) + 1 - at)
        return connected(last, 1)


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
