"""Locks on files that the kernel frees when their holders are gone: nothing is left to clean up after a kill."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

_NOTE_LIMIT_BYTES = 4096


class FileLock:
    """An exclusive `flock` on `path`, with a note in the file for the process that finds it taken.

    The lock belongs to the open file, so a child process that inherits the descriptor holds it too, and two
    locks on one path exclude each other within one process as well.
    """

    def __init__(self, path: Path) -> None:
        """Open (or create) the file; OSError when that is not allowed."""
        self.path = path
        # Never through a symbolic link: root opens this in a folder that may belong to another user.
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def fileno(self) -> int:
        return self._fd

    def acquire(self) -> None:
        """Wait for the lock."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def try_acquire(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write_note(self, note: bytes) -> None:
        """Replace the note; only for the holder."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, note, 0)

    def read_note(self) -> bytes:
        return os.pread(self._fd, _NOTE_LIMIT_BYTES, 0)

    def close(self) -> None:
        """Give up this process's hold; the lock is free once no other process holds the same open file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
