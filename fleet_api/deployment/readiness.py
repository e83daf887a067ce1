"""Readiness of a process that answers no requests: it tells its supervisor that it works."""

from __future__ import annotations

import os
from contextlib import suppress

READY = b"r"


def tell_ready(fd: int) -> None:
    """Write READY to the supervisor's socket, without ever waiting.

    The supervisor reads only the first of these bytes, so the socket's buffer may be full.
    """
    os.set_blocking(fd, False)
    with suppress(BlockingIOError):
        os.write(fd, READY)
