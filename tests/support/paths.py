"""Where things are: the repository, and the folders that tests write to."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.embedded import scratch_dir

REPOSITORY = Path(__file__).resolve().parents[2]
RECORDED_DRIVES = Path(os.environ.get("LONGTAIL_TEST_DRIVES", REPOSITORY.parent / "shared" / "data"))
"""Drives that real cars recorded; tests that need them are skipped where they are absent."""
_PREFIX = "longtail-test-"
_MEMORY = Path("/dev/shm")
_ENOUGH_MEMORY_BYTES = 2 * 1024**3


@contextmanager
def server_folder() -> Iterator[Path]:
    """An empty folder for a server's data, removed at the end; in memory where there is room.

    The user whom root hands a server to can pass through it, which pytest's own folders do not allow. Making and
    dropping a database waits for a disk about 1.5 s, for memory 0.1 s, and hundreds of tests do it. No test needs
    the disk: those that kill processes find in memory what was written, too.
    """
    folder = _folder_in_memory() or scratch_dir(_PREFIX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _folder_in_memory() -> Path | None:
    """None where there is no file system in memory, or a small one (as in most containers), or no program may run."""
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ENOUGH_MEMORY_BYTES:
        return None
    if os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
        return None
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_MEMORY))
    folder.chmod(0o711)
    return folder
