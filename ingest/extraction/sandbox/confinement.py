"""Limits that the extracting child sets on itself before it reads a byte of a clip."""

from __future__ import annotations

import os
import resource
import signal
import sys

from triggers.processes.death_signal import signal_on_parents_death


def confine(*, memory_bytes: int, cpu_s: int, file_bytes: int, wall_s: int) -> None:
    """Limit memory, processor time, file sizes and lifetime of this process; no limit can be raised again.

    The kernel ends it when it runs too long, even when its parent is gone.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))  # the soft limit's signal says why, the hard one kills
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(wall_s)
    signal_on_parents_death(signal.SIGKILL)


def forbid_processes() -> None:
    """Start no process and no thread from now on, on systems without a filter of system calls too (root still may)."""
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def be_first_to_go() -> None:
    """Ask the kernel to kill this process, or one that it forks, rather than any other when memory runs out (Linux)."""
    if sys.platform == "linux":
        handle = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(handle, b"1000")
        finally:
            os.close(handle)
