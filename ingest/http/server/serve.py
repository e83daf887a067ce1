"""Serving an ASGI application on a listening socket, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from ingest.http.server.connections import ACCEPTED_AT_ONCE, ConnectionLimits, Connections
from ingest.http.server.date import Dated
from ingest.http.server.protocol import Deadlines, protocol_class
from ingest.http.server.tls import Tls
from triggers.errors import Misconfigured

GRACEFUL_SHUTDOWN_S = 5
MAX_HEAD_BYTES = 32 * 1024
_BACKLOG = 512
_TICKS_OF_RELOAD = 20  # of 0.1 s
_ACCEPT_ERRORS_EVERY_S = 60.0
_SWITCH_S = 0.001
"""How long a thread may compute before the event loop, which everybody waits for, gets its turn again."""

_log = logging.getLogger(__name__)


def listen(host: str, port: int, *, setting: str) -> socket.socket:
    """A listening socket; port 0 takes a free one. Misconfigured, naming `setting`, when the address cannot be used.

    `setting` is the port's; that of the host is named alike.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        remedy = f"choose another port ({setting}; 0 takes a free one), or stop the process that uses it"
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            variable = setting.split(maxsplit=1)[0].replace("_PORT", "_HOST")
            remedy = f"give an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all ({variable})"
        raise Misconfigured(
            f"cannot listen on {host!r}, port {port}: {error.strerror or error}", remedy=remedy
        ) from error
    return listener


def serve(app: Any, listener: socket.socket, limits: ConnectionLimits, tls: Tls | None = None) -> None:
    """Serve on `listener`; after the signal, requests in progress have GRACEFUL_SHUTDOWN_S to finish.

    What is there by now stays for good, so collections of garbage leave it out: going through all of it would let
    everybody wait for 0.2 s again and again.
    """
    _log.info("at most %d connections, %d from one address", limits.total, limits.per_address)
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()
    server(app, limits, tls=tls).run(sockets=[listener])


@contextmanager
def serve_aside(app: Any, listener: socket.socket, limits: ConnectionLimits, tls: Tls | None = None) -> Iterator[None]:
    """Serve in a thread while the block runs, for a process whose work is something else."""
    aside = server(app, limits, tls=tls)
    thread = threading.Thread(target=aside.run, kwargs={"sockets": [listener]}, name="http", daemon=True)
    thread.start()
    yield  # after an error the process ends at once, and the thread with it
    aside.should_exit = True
    thread.join(2 * GRACEFUL_SHUTDOWN_S)


def server(
    app: Any, limits: ConnectionLimits, deadlines: Deadlines | None = None, *, tls: Tls | None = None
) -> uvicorn.Server:
    """A server for `app` that bounds what its clients can hold; without `tls`, of plain HTTP."""
    logging.getLogger("uvicorn.error").addFilter(_not_about_clients)
    config = uvicorn.Config(
        Dated(app),
        http=protocol_class(Connections(limits), deadlines or Deadlines()),
        loop="asyncio",
        ws="none",
        backlog=ACCEPTED_AT_ONCE,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        log_config=None,  # the process's own format, by its root logger
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=bool(limits.proxies),  # from anybody else, they are what a client made up
        forwarded_allow_ips=list(limits.proxies),
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls.context,
    )
    return _Server(config, tls)


def _not_about_clients(record: logging.LogRecord) -> bool:
    """Not uvicorn's lines about what a client sent, of which there is no bound: our protocol writes its own."""
    return not record.getMessage().startswith(("Invalid HTTP request", "Unsupported upgrade", "No supported WebSocket"))


class _Server(uvicorn.Server):
    """uvicorn's server; asyncio would log a traceback each second in which no connection can be accepted."""

    def __init__(self, config: uvicorn.Config, tls: Tls | None) -> None:
        super().__init__(config)
        self._tls = tls

    async def on_tick(self, counter: int) -> bool:
        if self._tls is not None and counter % _TICKS_OF_RELOAD == 0:
            self._tls.reload()
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(AcceptErrors())
        await super().startup(sockets=sockets)
        for listener in sockets or ():
            listener.listen(_BACKLOG)  # asyncio has set it to how many it accepts at once


class AcceptErrors:
    """The event loop's handler of errors: those of accepting a connection get one line, at most once a minute."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "accept" not in context.get("message", ""):
            loop.default_exception_handler(context)
        elif time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + _ACCEPT_ERRORS_EVERY_S
            _log.error("cannot accept connections: %s; raise the limit of open files", context.get("exception"))
