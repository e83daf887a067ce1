"""Files and folders that only their owner can open, whatever the umask is; keys in them need no password."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from triggers.errors import Misconfigured


def private_folder(path: Path) -> None:
    """Make a folder (and those above it) unless it is there, and close it to all but its owner.

    One of somebody else stays as it is. Raises OSError if it cannot be made; it says so where there is something else,
    such as a file or a link that leads nowhere.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:  # "File exists" would say the opposite of what is wrong
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from error
    with suppress(PermissionError):
        path.chmod(0o700)


def private_file(path: Path) -> None:
    """Make an empty file unless it is there, and close it to all but its owner, likewise."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    with suppress(PermissionError):
        path.chmod(0o600)


def read_private(path: Path, *, what: str, limit_bytes: int) -> bytes:
    """At most so many bytes of a file. Misconfigured, naming `what` is in it, when others than its owner can open it.

    Raises OSError if it cannot be read.
    """
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise Misconfigured(f"others can read {what} in {path}", remedy=f"run `chmod 600 {path}`")
        return file.read(limit_bytes)


def no_password() -> str:
    """The password of a PEM key, instead of OpenSSL's question on the terminal: ValueError, as keys have none."""
    raise ValueError("the key has a password; use one without, in a file that only its user can read")
