"""Unix sockets at paths of any length: an address has 107 bytes, but Linux can name a folder by its descriptor."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from triggers.errors import Misconfigured

_MAX_BYTES = 100
_BACKLOG = 128


def listen_at(path: Path) -> socket.socket:
    """A listening socket that only its owner can connect to; what is left of an earlier one is replaced.

    Misconfigured where that cannot be, also because the path is of something else than a socket.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.is_symlink() or (path.exists() and not path.is_socket()):
            raise FileExistsError(errno.EEXIST, "there is something else at this path")
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with address_of(path) as address:
            listener.bind(address)
        path.chmod(0o600)
        listener.listen(_BACKLOG)
    except OSError as error:
        raise Misconfigured(
            f"cannot listen on the socket {path}: {error.strerror or error}",
            remedy="choose another one (LONGTAIL_SIGNER_SOCKET)",
        ) from error
    return listener


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """An address by which the socket at `path` can be bound or reached while the block runs."""
    if len(os.fsencode(path)) <= _MAX_BYTES or sys.platform != "linux":
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
