"""A log file of bounded size: it is rotated when it is full, and a disk without room costs lines, never the process."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

LIMIT_BYTES = 8 * 1024 * 1024
KEPT = 3
"""Older files `.1` to `.3`, so that each log takes at most 32 MiB."""


class BoundedLog:
    """Appends to `path`, readable by its owner alone. `write` never raises and never waits for room. Thread-safe."""

    def __init__(self, path: Path, *, limit_bytes: int = LIMIT_BYTES, kept: int = KEPT) -> None:
        self.path = path
        self._limit_bytes = limit_bytes
        self._kept = kept
        self._lock = threading.Lock()
        self._fd = -1
        self._size_bytes = 0
        self._lost_bytes = 0

    def write(self, data: bytes) -> None:
        """Append; what cannot be written is counted, and the count is written once there is room again."""
        with self._lock:
            try:
                self._make_room(len(data))
                if self._lost_bytes:
                    self._append(b"(%d bytes of this log are missing: they could not be written)\n" % self._lost_bytes)
                    self._lost_bytes = 0
                self._append(data)
            except OSError:
                self._lost_bytes += len(data)

    def close(self) -> None:
        """Close the file; a later `write` opens it again."""
        with self._lock:
            self._close()

    def _make_room(self, size_bytes: int) -> None:
        if self._fd < 0:
            self._open()
        if self._size_bytes and self._size_bytes + size_bytes > self._limit_bytes:
            self._close()
            for number in range(self._kept, 1, -1):
                with suppress(FileNotFoundError):
                    self._older(number - 1).replace(self._older(number))
            with suppress(FileNotFoundError):
                self.path.replace(self._older(1))
            self._open()

    def _append(self, data: bytes) -> None:
        written = os.write(self._fd, data)
        self._size_bytes += written
        if written < len(data):
            self._lost_bytes += len(data) - written

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(self.path, flags, 0o600)
        os.fchmod(self._fd, 0o600)  # one of an older version may have been readable by all
        self._size_bytes = os.fstat(self._fd).st_size

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _older(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")
