"""CPU time of server processes, with their children, living and gone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import psutil


def cpu_s(pid: int) -> float:
    """CPU seconds (user and system) of a process and everything that it started."""
    total_s = 0.0
    with suppress(psutil.NoSuchProcess):  # it just ended; its time counts for its parent then
        process = psutil.Process(pid)
        for each in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                total_s += sum(each.cpu_times()[:4])  # user, system, and both of children that were waited for
    return total_s


class CpuMeter:
    """CPU seconds by name of a process, since the meter was made."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._before_s = {name: cpu_s(pid) for name, pid in self._pids.items()}

    def spent_s(self) -> dict[str, float]:
        """CPU seconds since then, by name."""
        return {name: cpu_s(pid) - self._before_s[name] for name, pid in self._pids.items()}
