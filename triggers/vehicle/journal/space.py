"""Space on a vehicle's disk: how much is free, and the reserve that keeps the journal writable when the disk is full.

The reserve is a file that only takes up space. When the journal finds the disk full it deletes the reserve and writes
into the space that this frees, so that whatever makes room (a clip dropped, handed over, or expired) can be recorded.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from triggers.private_files import private_file

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
RESERVE_BYTES = 4 * 1024**2
RESERVE_PART = 8
"""On a small disk the reserve takes at most this part (an eighth) of it."""
PIECE_BYTES = 64 * 1024


def is_no_space(error: OSError) -> bool:
    """Whether a write failed because the disk, or the user's share of it, is full."""
    return error.errno in NO_SPACE


def free_bytes(directory: Path) -> int:
    """The bytes that this process may still write to the directory's disk."""
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize


class Reserve:
    """The file that keeps space free for the journal."""

    def __init__(self, path: Path, size_bytes: int = RESERVE_BYTES) -> None:
        """The reserve at `path`, on a disk that exists; `fill` creates the file."""
        disk = os.statvfs(path.parent)
        self._path = path
        self.size_bytes = min(size_bytes, disk.f_blocks * disk.f_frsize // RESERVE_PART)

    @property
    def whole(self) -> bool:
        """Whether the reserve takes up all of its space."""
        try:
            return self._path.stat().st_size >= self.size_bytes
        except FileNotFoundError:
            return False

    def fill(self) -> bool:
        """Take up the space; False, and nothing is taken, if the disk does not have it. Raises other OSErrors."""
        if self.whole:
            return True
        try:
            private_file(self._path)
            with self._path.open("wb") as file:
                # Zeros are written instead of a hole being made: a hole would take up no space.
                for start in range(0, self.size_bytes, PIECE_BYTES):
                    file.write(bytes(min(PIECE_BYTES, self.size_bytes - start)))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self.release()
            if not is_no_space(error):
                raise
            return False
        return True

    def release(self) -> bool:
        """Give the space to the journal; False if there was none to give."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True
