"""Small file systems that a test may fill: one in memory for each folder, where the machine lets us mount it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import wait_for

_WITHIN_S = 10.0


class Disk:
    """A folder with a file system of its own; `mounted` is False where it shares the machine's disk."""

    def __init__(self, folder: Path, size_bytes: int, *, mounted: bool) -> None:
        self.folder = folder
        self.mounted = mounted
        self._size_bytes = size_bytes

    def fill(self) -> None:
        """Leave no byte free: the file system shrinks to what is in it, which takes neither time nor memory."""
        assert self.mounted, "the machine's own disk must not be filled"
        wait_for(self._shrunk, within_s=_WITHIN_S, what=f"a full disk at {self.folder}")  # others write meanwhile

    def free(self) -> None:
        """Give the space back."""
        assert _mount(self.folder, f"remount,size={self._size_bytes}"), f"{self.folder} cannot grow again"

    def _shrunk(self) -> bool:
        blocks = os.statvfs(self.folder)
        used_bytes = (blocks.f_blocks - blocks.f_bfree) * blocks.f_frsize
        return _mount(self.folder, f"remount,size={max(used_bytes, blocks.f_frsize)}")


@contextmanager
def disk(folder: Path, *, size_bytes: int) -> Iterator[Disk]:
    """A file system of `size_bytes` at `folder`; only root may mount one, for others it is a plain folder."""
    folder.mkdir(parents=True)
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None and _mount(folder, f"size={size_bytes}")
    folder.chmod(0o711)  # the user whom root hands the database to passes through
    try:
        yield Disk(folder, size_bytes, mounted=mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(folder: Path, options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"{options},mode=0711", "longtail-chaos", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
