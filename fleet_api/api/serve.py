"""Serving an ASGI application on a listening socket, until SIGTERM or SIGINT."""

from __future__ import annotations

import socket
from typing import Any

import uvicorn

from triggers.errors import Misconfigured

GRACEFUL_SHUTDOWN_S = 5
_BACKLOG = 512


def listen(host: str, port: int, *, setting: str) -> socket.socket:
    """A listening socket; port 0 takes a free one. Misconfigured, naming `setting`, when the address cannot be used."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        raise Misconfigured(
            f"cannot listen on {host}:{port}: {error.strerror or error}",
            remedy=f"choose another port ({setting}; 0 takes a free one), or stop the process that uses it",
        ) from error
    return listener


def serve(app: Any, listener: socket.socket) -> None:
    """Run uvicorn on `listener`; after the signal, requests in progress have GRACEFUL_SHUTDOWN_S to finish."""
    config = uvicorn.Config(
        app,
        log_level="info",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
    uvicorn.Server(config).run(sockets=[listener])
