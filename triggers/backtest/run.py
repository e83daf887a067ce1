"""The run of plans over many drives, in threads that each take one drive at a time.

Reading, arithmetic and programs all run outside Python's global lock, so threads scale with cores. A drive is never
split, because a program carries its state through it from end to end. A drive that cannot be read is reported and left
out; the others still count. Results are in the order of the drives, whatever the number of threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace

from triggers.backtest.drive_run import ReportBytes, run_drive
from triggers.backtest.evidence.known_events import KnownEvents
from triggers.backtest.machines import MachinePool
from triggers.backtest.plan import BacktestPlan
from triggers.backtest.result import BacktestResult, DriveResult
from triggers.drives.drive import Drive
from triggers.drives.find import distinct_names
from triggers.errors import InvalidInput
from triggers.signals.catalog import SignalCatalog

_OfDrive = list[DriveResult | InvalidInput]
"""What came of a drive, for each plan."""


class _Stopped(Exception):
    """Ends a worker thread when the run was interrupted; never leaves this module."""


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    plan: BacktestPlan,
    drives: Sequence[Drive],
    catalog: SignalCatalog,
    progress: ReportBytes,
    *,
    workers: int = 1,
    pool: MachinePool | None = None,
    events: KnownEvents | None = None,
    breakdown: bool = False,
) -> BacktestResult:
    """Run a plan over drives; see `run_together`. `pool` has machines of its programs from an earlier run."""
    return run_together(
        [plan], drives, catalog, progress, workers=workers, pool=pool, events=events, breakdown=breakdown
    )[0]


def run_together(
    plans: Sequence[BacktestPlan],
    drives: Sequence[Drive],
    catalog: SignalCatalog,
    progress: ReportBytes,
    *,
    workers: int = 1,
    pool: MachinePool | None = None,
    events: KnownEvents | None = None,
    breakdown: bool = False,
) -> list[BacktestResult]:
    """Run plans over drives, each of which is read once, in `workers` threads; with one, in the calling thread.

    The results are those of each plan alone. `progress` is called from any of the threads. `pool` has machines of the
    programs of all plans from an earlier run; without it the programs are compiled. `events` are known ones, around
    which conditions are weighed. With `breakdown` time and fires are added up by speed, place and hour. An exception in
    the calling thread, such as KeyboardInterrupt, ends all threads within a batch.
    """
    pool = pool or MachinePool([program for plan in plans for program in plan.programs])
    stop = threading.Event()

    def advance(rows: int) -> None:
        if stop.is_set():
            raise _Stopped
        progress(rows)

    names = {drive.path: name for drive, name in zip(drives, distinct_names(drives), strict=True)}

    def run_one(drive: Drive) -> _OfDrive:
        if stop.is_set():
            raise _Stopped
        name = names[drive.path]
        spans = [] if events is None else [events.spans(name, drive.path, tuple(plan.settings)) for plan in plans]
        try:
            results = run_drive(plans, drive, catalog, pool, advance, events=spans, breakdown=breakdown)
        except InvalidInput as error:
            return [error] * len(plans)
        return [replace(each, name=name) if isinstance(each, DriveResult) else each for each in results]

    if min(workers, len(drives)) <= 1:
        return _collected(
            [run_one(drive) for drive in drives], len(plans)
        )  # a new thread would get its memory page by page again
    with ThreadPoolExecutor(min(workers, len(drives)), "backtest") as threads:
        started: dict[int, Future[_OfDrive]] = {}
        try:
            for index in _longest_first(drives):
                started[index] = threads.submit(run_one, drives[index])
            for future in as_completed(started.values()):
                future.result()
        except BaseException:
            stop.set()
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    return _collected([started[index].result() for index in range(len(drives))], len(plans))


def _longest_first(drives: Sequence[Drive]) -> list[int]:
    """Indexes of the drives, largest first, so that no long drive is left for the end."""

    def size(index: int) -> int:
        try:
            return drives[index].path.stat().st_size
        except OSError:
            return 0  # `run_drive` reports what is wrong with it

    return sorted(range(len(drives)), key=size, reverse=True)


def _collected(of_drives: Sequence[_OfDrive], plans: int) -> list[BacktestResult]:
    """The result of each plan, from those of each drive."""
    of_plans = [[results[plan] for results in of_drives] for plan in range(plans)]
    return [
        BacktestResult(
            drives=[result for result in results if isinstance(result, DriveResult)],
            failures=[result for result in results if not isinstance(result, DriveResult)],
        )
        for results in of_plans
    ]
