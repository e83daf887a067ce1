"""The spool: verified cells of open clips on local disk, up to a limit.

It is a cache. After a crash its cells are read again from the log, so nothing is synced, and what an earlier process
left is removed at the start. Only one process at a time uses a spool directory.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from triggers.contracts.clip import CELL_BYTES
from triggers.errors import LongtailError, Misconfigured, Unreachable
from triggers.private_files import private_folder


class SpoolDamaged(LongtailError):
    """Spooled cells are gone, or are not the bytes that were spooled; the log still has them."""

    code = "spool_damaged"


class SpoolFile:
    """Cells of one open clip, each at its place in a sparse file, which is opened for every read and write."""

    def __init__(self, spool: Spool, path: Path) -> None:
        self._spool = spool
        self._path = path
        self.sizes: dict[int, int] = {}
        """Size in bytes of each cell in the file, by its index."""

    @property
    def used_bytes(self) -> int:
        """Bytes of all cells in it."""
        return sum(self.sizes.values())

    def write(self, index: int, data: bytes) -> None:
        """Keep a cell; Unreachable when the disk does not take it, SpoolDamaged when earlier cells are gone."""
        with _disk(self._path), self._open("r+b" if self.sizes else "wb") as file:
            file.seek(index * CELL_BYTES)
            file.write(data)
        self._spool.used_bytes += len(data) - self.sizes.get(index, 0)
        self.sizes[index] = len(data)

    def open(self) -> IO[bytes]:
        """Open the file for reading; it stays readable when the clip is dropped. SpoolDamaged when it is gone."""
        with _disk(self._path):
            return self._open("rb")

    def _open(self, mode: str) -> IO[bytes]:
        try:
            return cast("IO[bytes]", self._path.open(mode))
        except FileNotFoundError as error:
            if "w" in mode:  # it is the directory that is gone
                raise
            raise SpoolDamaged(f"the spool lost its file {self._path}") from error

    def drop(self) -> None:
        """Remove the cells."""
        with _disk(self._path):
            self._path.unlink(missing_ok=True)
        self._spool.used_bytes -= self.used_bytes
        self.sizes = {}


class Spool:
    """The spool directory of one worker, at most `limit_bytes` of cells."""

    def __init__(self, directory: Path, *, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self._directory = directory
        self._numbers = itertools.count()
        _make_folder(directory.parent)
        with _disk(directory):
            lock = os.open(directory.with_name(directory.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        self._lock: int | None = lock
        try:
            self._own(lock)
        except BaseException:
            self.close()
            raise

    def _own(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Misconfigured(
                f"another ingest worker uses the spool {self._directory}",
                remedy="give each worker its own LONGTAIL_WORKER_ID",
            ) from error
        with _disk(self._directory):
            if self._directory.exists():
                shutil.rmtree(self._directory)
            self._directory.mkdir(mode=0o700)

    def fits(self, size_bytes: int) -> bool:
        """Whether that many bytes more stay within the bound."""
        return self.used_bytes + size_bytes <= self.limit_bytes

    def new_file(self, upload_id: str) -> SpoolFile:
        """An empty file, under a name that no earlier one of the same upload had."""
        return SpoolFile(self, self._directory / f"{upload_id}.{next(self._numbers)}")

    def close(self) -> None:
        """Release the directory for other processes; idempotent."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _make_folder(folder: Path) -> None:
    """Create the folder; Misconfigured where it can never be: unlike with a full disk, waiting would not help."""
    try:
        with _disk(folder):
            private_folder(folder)
    except Unreachable as error:
        if isinstance(error.__cause__, (FileExistsError, NotADirectoryError, PermissionError)):
            raise Misconfigured(
                f"the spool cannot be in {folder}: {error.__cause__.strerror}",
                remedy="set LONGTAIL_DATA_DIR to a directory that this user may write to",
            ) from error
        raise


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unreachable(
            f"the spool {path.parent} cannot be used ({error.strerror})",
            remedy="check the disk below LONGTAIL_DATA_DIR",
        ) from error
