"""The run of a plan's programs over one drive: fires, counts, time, distance and clip sizes, batch by batch.

Memory is bounded by a few batches and the fires, however long the drive is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from triggers.backtest.machines import MachinePool
from triggers.backtest.odometer import odometer_for
from triggers.backtest.overlap import shared_fires
from triggers.backtest.plan import BacktestPlan
from triggers.backtest.result import DriveResult
from triggers.backtest.volume import ClipMeter
from triggers.distance import ends_segment
from triggers.drives.batches import Batch
from triggers.drives.drive import Drive
from triggers.drives.times import Times
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

if TYPE_CHECKING:
    from triggers.language.webassembly.host.machine import Machine

ReportBytes = Callable[[int], None]
"""Called with the bytes of the drive's file that were processed since the last call; may raise to end the run."""


def run_drive(
    plan: BacktestPlan, drive: Drive, catalog: SignalCatalog, pool: MachinePool, progress: ReportBytes
) -> DriveResult:
    """Run a plan over one drive, on machines of the pool. Raises InvalidInput if the drive cannot be read."""
    result = DriveResult(drive.name, drive.path)
    with drive.open() as file, pool.machines() as machines:
        runs = _program_runs(machines)
        odometer = odometer_for(catalog, file.columns)
        signals = {name for run in runs for name in run.inputs} | set(odometer.signals if odometer else ())
        captures = {name: settings.capture for name, settings in plan.settings.items()}
        meter = ClipMeter(file, catalog, captures, signals)
        time = _RecordedTime(catalog.max_gap_ns)
        bytes_per_row = file.size_bytes / max(file.row_count, 1)
        for batch in file.batches(catalog, sorted(signals)):
            meter.take(batch, {name: t_ns for run in runs for name, t_ns in run.take(batch).items()})
            if odometer is not None:
                odometer.take(batch)
            time.take(batch)
            progress(round(len(batch) * bytes_per_row))
        result.rows, result.recorded_ns = time.rows, time.recorded_ns
        result.metres = odometer.metres if odometer is not None else None
        for run in runs:
            run.add_to(result)
        result.shared = shared_fires(result.fires_ns, captures)
        result.clip_bytes = meter.sizes(result.fires_ns, _camera_rates(drive, time), on_batch=lambda: progress(0))
    return result


def _camera_rates(drive: Drive, time: _RecordedTime) -> Mapping[str, float]:
    """Bytes per second of each video."""
    seconds = max(time.length_ns / NS_PER_S, 1.0)
    return {name: video.stat().st_size / seconds for name, video in drive.cameras.items()}


class _RecordedTime:
    """Counts the rows and the time of the batches taken; `recorded_ns` is what `TravelMeter` counts as armed time."""

    def __init__(self, max_gap_ns: int) -> None:
        self.rows = self.recorded_ns = self.length_ns = 0
        self._max_gap_ns = max_gap_ns
        self._latest_ns: int | None = None

    def take(self, batch: Batch) -> None:
        first_ns, latest_ns = int(batch.t_ns[0]), int(batch.t_ns[-1])
        step_ns = first_ns - self._latest_ns if self._latest_ns is not None else 0
        self.rows += len(batch)
        self.length_ns += step_ns + latest_ns - first_ns
        self.recorded_ns += latest_ns - first_ns
        if not ends_segment(step_ns, self._max_gap_ns):
            self.recorded_ns += step_ns
        if batch.longest_step_ns > self._max_gap_ns:
            self.recorded_ns -= int(batch.steps_ns[ends_segment(batch.steps_ns, self._max_gap_ns)].sum())
        self._latest_ns = latest_ns


class _ProgramRun:
    """One machine on a drive, with the fires and pairs of those triggers and heads that are counted on it."""

    def __init__(self, machine: Machine, triggers: list[str], heads: list[str]) -> None:
        self.machine = machine
        self.inputs = [signal.name for signal in machine.manifest.inputs]
        self._indexes = {
            index: trigger.name for index, trigger in enumerate(machine.manifest.triggers) if trigger.name in triggers
        }
        self._heads = heads
        self._fires: dict[str, list[Times]] = {name: [] for name in self._indexes.values()}

    def take(self, batch: Batch) -> dict[str, Times]:
        """Run the rows of a batch and return the times of their fires by trigger."""
        fires = self.machine.run(batch.t_ns, [batch.columns[name] for name in self.inputs])
        fires_ns: dict[str, Times] = {}
        for index in np.unique(fires["trigger"]).tolist() if len(fires) else ():
            if index in self._indexes:
                t_ns = fires["t_ns"][fires["trigger"] == index].astype(np.int64)
                fires_ns[self._indexes[index]] = t_ns
                self._fires[self._indexes[index]].append(t_ns)
        return fires_ns

    def add_to(self, result: DriveResult) -> None:
        """Add the fires and counts of this run to the drive's result."""
        result.fires_ns.update({name: np.concatenate(parts) for name, parts in self._fires.items() if parts})
        suppressed, compared = self.machine.suppressed, self.machine.compared
        result.suppressed.update({name: suppressed[name] for name in self._indexes.values() if suppressed[name]})
        result.compared.update({head: compared[head] for head in self._heads})
        result.overflows += self.machine.overflows


def _program_runs(machines: list[Machine]) -> list[_ProgramRun]:
    """One run per machine. A trigger or head of several campaigns is counted only in the first of them."""
    runs: list[_ProgramRun] = []
    triggers, heads = set[str](), set[str]()
    for machine in machines:
        new_triggers = [trigger.name for trigger in machine.manifest.triggers if trigger.name not in triggers]
        new_heads = [head for head in machine.compared if head not in heads]
        runs.append(_ProgramRun(machine, new_triggers, new_heads))
        triggers.update(new_triggers)
        heads.update(new_heads)
    return runs
