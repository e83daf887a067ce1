"""Small file systems that a test may fill: one in memory for each folder, where the machine lets us mount it."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILLER = ".filler"
_PIECE_BYTES = 256 * 1024


class Disk:
    """A folder with a file system of its own; `mounted` is False where it shares the machine's disk."""

    def __init__(self, folder: Path, mounted: bool) -> None:
        self.folder = folder
        self.mounted = mounted

    def fill(self) -> None:
        """Leave no byte free."""
        assert self.mounted, "the machine's own disk must not be filled"
        with (self.folder / FILLER).open("ab", buffering=0) as filler:
            for piece_bytes in (_PIECE_BYTES, 4096, 1):
                while _written(filler.fileno(), piece_bytes):
                    pass

    def free(self) -> None:
        """Give the space back."""
        (self.folder / FILLER).unlink(missing_ok=True)


@contextmanager
def disk(folder: Path, *, size_bytes: int) -> Iterator[Disk]:
    """A file system of `size_bytes` at `folder`; only root may mount one, for others it is a plain folder."""
    folder.mkdir(parents=True)
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None and _mount(folder, size_bytes)
    folder.chmod(0o711)  # the user whom root hands the database to passes through
    try:
        yield Disk(folder, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(folder: Path, size_bytes: int) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=0711", "longtail-chaos", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _written(descriptor: int, count_bytes: int) -> bool:
    try:
        return os.write(descriptor, bytes(count_bytes)) > 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
