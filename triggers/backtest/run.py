"""Runs a plan over many drives, in threads, one drive a thread at a time.

Reading, arithmetic and programs all run outside Python's lock, so threads scale with cores. One drive is never
split, since a program's state runs through it from end to end. A drive that cannot be read is named and left out;
the others still count. Results stand in the order of the drives, whatever the number of threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from triggers.backtest.drive_run import DriveResult, Progress, run_drive
from triggers.backtest.plan import Plan, make_plan
from triggers.drives.drive import Drive
from triggers.errors import InvalidInput
from triggers.signals.catalog import SignalCatalog

__all__ = ["DriveResult", "Outcome", "Plan", "Progress", "available_cores", "make_plan", "run", "run_drive"]


@dataclass(slots=True)
class Outcome:
    """All drives that ran, and for the others the reason; both in the order in which the drives were given."""

    results: list[DriveResult] = field(default_factory=list)
    failures: list[InvalidInput] = field(default_factory=list)


class _Stopped(Exception):
    """A thread's way out when the run was interrupted; never seen outside."""


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    plan: Plan, drives: Sequence[Drive], catalog: SignalCatalog, progress: Progress, *, workers: int = 1
) -> Outcome:
    """Run a plan over drives in `workers` threads, a single one's work in the calling thread.

    `progress` is called from any of them. An exception in the calling thread, such as KeyboardInterrupt, ends all
    threads within a batch.
    """
    plan.factories  # noqa: B018 - loaded once, before threads ask for it
    stop = threading.Event()

    def advance(rows: int) -> None:
        if stop.is_set():
            raise _Stopped
        progress(rows)

    def run_one(drive: Drive) -> DriveResult | InvalidInput:
        if stop.is_set():
            raise _Stopped
        try:
            return run_drive(plan, drive, catalog, advance)
        except InvalidInput as error:
            return error

    if min(workers, len(drives)) <= 1:
        return _outcome([run_one(drive) for drive in drives])  # a thread's memory would come anew, page by page
    with ThreadPoolExecutor(min(workers, len(drives)), "backtest") as pool:
        started: dict[int, Future[DriveResult | InvalidInput]] = {}
        try:
            for index in _longest_first(drives):
                started[index] = pool.submit(run_one, drives[index])
            for future in as_completed(started.values()):
                future.result()
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return _outcome([started[index].result() for index in range(len(drives))])


def _longest_first(drives: Sequence[Drive]) -> list[int]:
    """Indexes of the drives by falling size, so that no long one is left over for the end."""

    def size(index: int) -> int:
        try:
            return drives[index].path.stat().st_size
        except OSError:
            return 0  # it is named when it is run

    return sorted(range(len(drives)), key=size, reverse=True)


def _outcome(results: Sequence[DriveResult | InvalidInput]) -> Outcome:
    outcome = Outcome()
    for result in results:
        if isinstance(result, DriveResult):
            outcome.results.append(result)
        else:
            outcome.failures.append(result)
    return outcome
