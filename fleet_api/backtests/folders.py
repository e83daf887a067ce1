"""Folders for the files of a backtest while it runs, in the data directory; those of killed processes are deleted."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.settings import Settings
from triggers.errors import Unreachable
from triggers.private_files import private_folder

PREFIX = "longtail-backtest-"


@contextmanager
def work_folder(settings: Settings) -> Iterator[Path]:
    """A folder that is deleted at the end. Unreachable when it, or a file in it, cannot be written now."""
    parent = _parent(settings)
    try:
        if settings.data_dir:
            private_folder(parent)
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=parent, ignore_cleanup_errors=True) as name:
            held = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(held, fcntl.LOCK_EX)
                yield Path(name)
            finally:
                os.close(held)
    except OSError as error:
        raise Unreachable(
            f"the files of a backtest cannot be written in {parent} ({error})", remedy="make room there"
        ) from error


def empty_folders(settings: Settings) -> None:
    """Delete the folders of processes that were killed; those in use are locked, and stay."""
    for path in _parent(settings).glob(f"{PREFIX}*"):
        with suppress(OSError):
            _delete_unless_held(path)


def _delete_unless_held(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(folder)
        if found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) == stat.S_IRWXU:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
    finally:
        os.close(folder)


def _parent(settings: Settings) -> Path:
    return settings.data_dir / "backtests" if settings.data_dir else Path(tempfile.gettempdir())
