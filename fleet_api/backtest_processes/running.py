"""A program's run over drives or clips, in its process: compiled, run and reported as `longtail backtest` does it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fleet_api.backtest_processes.jailed import Process
from fleet_api.backtest_processes.sweeping import PreparedSweep, prepare_sweep
from fleet_api.backtest_processes.tasks import (
    MAX_FIRES,
    Advanced,
    Capture,
    Compiled,
    Failed,
    FireRow,
    Program,
    Ran,
    RunAnswer,
    RunTask,
)
from triggers.backtest.forecast import ForecastFleet
from triggers.backtest.limits.outcomes import fire_outcomes
from triggers.backtest.machines import MachinePool
from triggers.backtest.plan import BacktestPlan, fields_needed, make_plan, signals_needed
from triggers.backtest.report import BacktestReport, make_report
from triggers.backtest.result import BacktestResult, DriveResult
from triggers.backtest.run import run_together
from triggers.contracts.api.authoring.checks import DiagnosticView
from triggers.contracts.api.backtests.reports import ReportView
from triggers.contracts.api.backtests.stated import RanCampaign
from triggers.contracts.api.backtests.versions import SweepView
from triggers.drives.drive import Drive
from triggers.errors import InvalidInput
from triggers.language.compile import Compilation, compile_source
from triggers.signals.catalog import SignalCatalog

SAID_EVERY_S = 0.3


@dataclass(frozen=True)
class Prepared:
    """A program that is compiled; the compilation, its plan, the catalog, and a sweep of one of its params."""

    compilation: Compilation
    plan: BacktestPlan
    catalog: SignalCatalog
    sweep: PreparedSweep | None

    @property
    def plans(self) -> list[BacktestPlan]:
        """All that runs, the program's own plan first."""
        return [self.plan, *(self.sweep.others if self.sweep is not None else [])]


def ran(task: RunTask, process: Process) -> RunAnswer:
    """Run a task. DiagnosticsError for a text with mistakes, InvalidInput for a catalog with some."""
    prepared = prepare(task.program, process, sweep=task.sweep)
    process.compiled()
    pool = MachinePool([program for plan in prepared.plans for program in plan.programs])
    with pool.machines():
        pass  # they are there from now on
    if task.clips is None:
        process.shut_in([each for drive in task.drives for each in files_of(drive.path)])
        return _answer(task, prepared, pool, process, Read.of_drives(task, prepared.catalog))
    from fleet_api.backtest_processes.clips import clips_as_drives  # noqa: PLC0415 - see there

    process.shut_in([task.clips.fetched], [task.clips.folder])
    needed = frozenset[str]().union(*(signals_needed(plan, prepared.catalog) for plan in prepared.plans))
    fields = fields_needed(prepared.plans)
    drives, failed, catalog = clips_as_drives(task.clips, needed, prepared.catalog, fields)
    names = {drive.path: drive.path.stem for drive in drives}
    return _answer(task, prepared, pool, process, Read(drives, failed, names, catalog, {}))


def prepare(program: Program, process: Process, *, sweep: str | None = None) -> Prepared:
    """Compile a program, and with each value of a sweep, and say so."""
    catalog = SignalCatalog.parse(program.signals, name="the signal catalog")
    compilation = compile_source(program.source, filename=program.filename, catalog=catalog)
    compilation.require_ok(program.filename)
    plan = make_plan(compilation)
    prepared = Prepared(
        compilation,
        plan,
        catalog,
        None if sweep is None else prepare_sweep(program, sweep, (compilation, plan), catalog),
    )
    kinds = [each for of_one in prepared.plans for each in (of_one.signals, of_one.head_signals)]
    read = frozenset[str]().union(*(signals for kind in kinds for signals in kind.values()))
    columns = {name: tuple(each for each in catalog.columns(name) if each != name) for name in catalog.sampled}
    position = () if catalog.position is None else (catalog.position.latitude, catalog.position.longitude)
    process.say(Compiled(signals=tuple(sorted(read)), columns=columns, position=position))
    return prepared


def files_of(path: Path) -> list[Path]:
    """What reading a drive takes: its file, or the folder that it shares with its videos."""
    return [path.resolve(), path.parent.resolve()] if path.name == "signals.parquet" else [path.resolve()]


@dataclass(frozen=True)
class Read:
    """What a run reads: drives with their names, those that cannot be read, the catalog for it, and when they began."""

    drives: list[Drive]
    failed: list[Failed]
    names: dict[Path, str]
    catalog: SignalCatalog
    starts_ns: dict[str, int | None]

    @classmethod
    def of_drives(cls, task: RunTask, catalog: SignalCatalog) -> Read:
        """Recorded drives, by the names that the deployment offers them by."""
        names = {drive.path: drive.name for drive in task.drives}
        drives = [Drive(drive.path) for drive in task.drives]
        return cls(drives, [], names, catalog, {names[drive.path]: _start_ns(drive) for drive in drives})


def _answer(task: RunTask, prepared: Prepared, pool: MachinePool, process: Process, read: Read) -> RunAnswer:
    plan, catalog = prepared.plan, prepared.catalog
    results = run_together(
        prepared.plans, read.drives, read.catalog, _progress(process), pool=pool, breakdown=task.breakdown
    )
    result, failed = _named(results[0], read)
    fleet = (
        None if task.fleet is None else ForecastFleet(task.fleet.vehicles, task.fleet.hours_per_day, task.fleet.sample)
    )
    report = make_report(plan, result, fleet, catalog)
    fires = _fires(plan, result.drives, catalog)
    sweep = None
    if prepared.sweep is not None:
        sweep = prepared.sweep.document(task.program.filename, results[0], results[1:], fleet, catalog)
    return RunAnswer(
        ran=Ran(
            report=ReportView.model_validate(_finite(_document(report, failed, read))),
            warnings=[DiagnosticView(**each.to_json()) for each in prepared.compilation.diagnostics],
            campaigns=[
                RanCampaign(settings=each.settings, digest=each.digest)
                for each in prepared.compilation.campaigns.values()
            ],
            captures={
                name: Capture(before_ns=each.capture.before_ns, after_ns=each.capture.after_ns)
                for name, each in plan.settings.items()
            },
            left_out_on={
                name: on
                for name in plan.settings
                if (on := [drive.name for drive in result.drives if name in drive.left_out])
            },
            fires_left_out=len(report.fires) - len(fires),
            sweep=None if sweep is None else SweepView.model_validate(_finite(sweep)),
        ),
        fires=fires,
    )


def _document(report: BacktestReport, failed: Iterable[Failed], read: Read) -> dict[str, Any]:
    """The report without its fires, with the drives that failed by name, and when drives began."""
    document = report.to_json()
    del document["fires"]
    document["failed_drives"] = [
        {"drive": each.name, "problem": each.error.message, "remedy": each.error.remedy or ""} for each in failed
    ]
    for counts in document["by_drive"]:
        counts["start_ns"] = read.starts_ns.get(counts["drive"])
    return document


def _progress(process: Process) -> Callable[[int], None]:
    """What is called with the bytes that were processed; it passes them on from time to time."""
    done, said_s = 0, -math.inf

    def advance(size_bytes: int) -> None:
        nonlocal done, said_s
        done += size_bytes
        if (now_s := time.monotonic()) - said_s >= SAID_EVERY_S:
            said_s = now_s
            process.say(Advanced(done=done))

    return advance


def _named(result: BacktestResult, read: Read) -> tuple[BacktestResult, list[Failed]]:
    """The result by the names that drives were asked for by, without their paths, and all drives that failed."""
    done = {drive.path for drive in result.drives}
    unread = [(drive.path, read.names[drive.path]) for drive in read.drives if drive.path not in done]
    errors = zip(unread, result.failures, strict=True)
    failed = [*read.failed, *(Failed(name, _without(error, path, name)) for (path, name), error in errors)]
    named = []
    for drive in result.drives:
        name = read.names[drive.path]
        left_out = {key: _without(error, drive.path, name) for key, error in drive.left_out.items()}
        named.append(replace(drive, name=name, path=Path(name), left_out=left_out))
    return BacktestResult(named, [each.error for each in failed]), failed


def _without(error: InvalidInput, path: Path, name: str) -> InvalidInput:
    """The error about a drive's file, with the drive's name in place of its path."""
    return type(error)(error.message.replace(str(path), name), remedy=error.remedy)


def _start_ns(drive: Drive) -> int | None:
    try:
        return drive.start_ns
    except InvalidInput:
        return None


def _fires(plan: BacktestPlan, drives: Iterable[DriveResult], catalog: SignalCatalog) -> list[FireRow]:
    rows: list[FireRow] = []
    for drive in drives:
        for each in fire_outcomes(plan, drive, catalog, at_most=MAX_FIRES - len(rows)):
            rows.append(
                FireRow(
                    trigger=each.trigger,
                    drive=drive.name,
                    t_ns=each.t_ns,
                    clip_bytes=each.clip_bytes,
                    recording=each.recording,
                    outcome=each.fate.value,
                    reason=each.reason,
                )
            )
    return rows


def _finite(value: Any) -> Any:
    """A document without infinite numbers, which JSON has not: an interval without an end has no `high`."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
