"""Another clock for processes: libfaketime, where there is one for this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_MEMORY = Path("/dev/shm")


class SharedClock:
    """The wall clock of all processes that start with its environment, as many seconds wrong as its file says."""

    def __init__(self, library: Path, file: Path) -> None:
        self._library = library
        self._file = file
        self.step(0)

    def step(self, seconds: int) -> None:
        """Let the processes believe that it is so many seconds later."""
        self._file.write_text(f"{seconds:+d}\n")

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to see this clock."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@contextmanager
def shared_clock(file: Path) -> Iterator[SharedClock | None]:
    """A clock whose step `file` holds; None where there is no library for this machine."""
    library = _library()
    if library is None:
        yield None
        return
    try:
        yield SharedClock(library, file)
    finally:
        _forget_the_dead()


def _library() -> Path | None:
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        return None
    try:
        import libfaketime
    except ImportError:
        return None
    library = Path(libfaketime.__file__).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    return library if library.exists() else None


def _forget_the_dead() -> None:
    """Remove the memory by which libfaketime joins processes, of those that were killed before they could."""
    for path in _MEMORY.glob("*faketime_s*_*"):
        pid = path.name.rpartition("_")[2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            with suppress(OSError):  # another user's
                path.unlink()
