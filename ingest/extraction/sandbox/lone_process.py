"""A process that reads hostile bytes alone: it gives up all but computing, its pipe, and the files that it is given."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.extraction.sandbox.confinement import be_first_to_go, confine, forbid_processes
from triggers.processes.jail import landlock, privileges, seccomp
from triggers.processes.jail.isolation import Isolation

HIGHEST_DESCRIPTOR = 65_536


def shut_in(
    pipe: int,
    *,
    memory_bytes: int,
    cpu_s: int,
    file_bytes: int = 0,
    readable: Sequence[Path] = (),
    writable: Sequence[Path] = (),
    isolation: Isolation,
) -> None:
    """Leave this process its pipe (a descriptor) and these files, and so much more memory than it has by now.

    It may live twice as long as it may compute. OSError where a part of the jail cannot be had and is required.
    """
    os.environ.clear()
    os.closerange(3, pipe)
    os.closerange(pipe + 1, HIGHEST_DESCRIPTOR)
    be_first_to_go()
    confine(memory_bytes=address_space_bytes() + memory_bytes, cpu_s=cpu_s, file_bytes=file_bytes, wall_s=2 * cpu_s)
    forbid_processes()
    parts: tuple[Callable[[], None], ...] = (
        privileges.drop_capabilities,
        privileges.hide_memory,
        lambda: _restrict_files(readable, writable),
        seccomp.restrict,
    )
    for part in parts:
        try:
            part()
        except OSError:
            if isolation is Isolation.REQUIRE:
                raise


def _restrict_files(readable: Sequence[Path], writable: Sequence[Path]) -> None:
    """What is not there is left out: whoever reads it will say so."""
    with contextlib.ExitStack() as opened:

        def opened_all(paths: Sequence[Path]) -> list[int]:
            descriptors = []
            for path in paths:
                with contextlib.suppress(OSError):
                    descriptors.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_PATH", 0)))
                    opened.callback(os.close, descriptors[-1])
            return descriptors

        landlock.restrict(opened_all(readable), opened_all(writable))


def address_space_bytes() -> int:
    """How much address space this process has: the memories of modules reserve some without using it."""
    if sys.platform != "linux":
        return 0
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")
