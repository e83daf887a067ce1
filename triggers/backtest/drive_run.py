"""Runs the programs of a plan over one drive, batch by batch: fires, counts, time, distance, bytes of clips.

Memory is bounded by a few batches and by the fires, whatever the drive's length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triggers.backtest.odometer import odometer_for
from triggers.backtest.overlap import shared_fires
from triggers.backtest.plan import Machine, Plan
from triggers.backtest.volume import ClipMeter
from triggers.contracts.base import NS_PER_S
from triggers.contracts.compared import Compared
from triggers.distance import ends_segment
from triggers.drives.batches import Batch
from triggers.drives.drive import Drive
from triggers.drives.times import Times
from triggers.language.rows import Firing
from triggers.signals.catalog import SignalCatalog

Progress = Callable[[int], None]
"""Called with the bytes of a drive's file that were run since the last call; it may raise to end the run."""


@dataclass(slots=True)
class DriveResult:
    """What happened on one drive, by trigger; triggers without a fire or a suppression are left out.

    Times in ns of the drive's clock, ascending; `metres` None where nothing measures it. `shared`: see `shared_fires`.
    """

    drive: str
    path: Path
    rows: int = 0
    recorded_ns: int = 0
    metres: float | None = None
    fires_ns: dict[str, Times] = field(default_factory=dict)
    clip_bytes: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    suppressed: dict[str, int] = field(default_factory=dict)
    compared: dict[str, Compared] = field(default_factory=dict)
    shared: dict[tuple[str, str], int] = field(default_factory=dict)
    overflows: int = 0

    @property
    def fires(self) -> list[Firing]:
        """All fires, in order of time, then of the trigger's name."""
        fires = [Firing(name, t_ns) for name, times in self.fires_ns.items() for t_ns in times.tolist()]
        return sorted(fires, key=lambda fire: (fire.t_ns, fire.trigger))


def run_drive(plan: Plan, drive: Drive, catalog: SignalCatalog, progress: Progress) -> DriveResult:
    """Run a plan over one drive; InvalidInput where it cannot be read to its end."""
    result = DriveResult(drive.name, drive.path)
    with drive.open() as file, plan.machines() as machines:
        watches = _watches(machines)
        odometer = odometer_for(catalog, file.columns)
        wanted = {name for watch in watches for name in watch.inputs} | set(odometer.signals if odometer else ())
        captures = {name: settings.capture for name, settings in plan.settings.items()}
        meter = ClipMeter(file, catalog, captures, wanted)
        span = _Span(catalog.max_gap_ns)
        bytes_per_row = file.size_bytes / max(file.row_count, 1)
        for batch in file.batches(catalog, sorted(wanted)):
            meter.take(batch, {name: t_ns for watch in watches for name, t_ns in watch.run(batch).items()})
            if odometer is not None:
                odometer.take(batch)
            span.take(batch)
            progress(round(len(batch) * bytes_per_row))
        result.rows, result.recorded_ns = span.rows, span.recorded_ns
        result.metres = odometer.metres if odometer is not None else None
        for watch in watches:
            watch.report(result)
        result.shared = shared_fires(result.fires_ns, captures)
        result.clip_bytes = meter.sizes(result.fires_ns, _camera_rates(drive, span), on_batch=lambda: progress(0))
    return result


def _camera_rates(drive: Drive, span: _Span) -> Mapping[str, float]:
    """Bytes a second of each video."""
    seconds = max(span.length_ns / NS_PER_S, 1.0)
    return {name: video.stat().st_size / seconds for name, video in drive.cameras.items()}


class _Span:
    """Rows and time of the batches taken; `recorded_ns` is what `TravelMeter` counts as armed."""

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


class _Watch:
    """One machine on its drive, and the fires of those triggers and heads that it counts."""

    def __init__(self, machine: Machine, triggers: list[str], heads: list[str]) -> None:
        self.machine = machine
        self.inputs = [each.name for each in machine.manifest.inputs]
        self._indexes = {
            index: each.name for index, each in enumerate(machine.manifest.triggers) if each.name in triggers
        }
        self._heads = heads
        self._fires: dict[str, list[Times]] = {name: [] for name in self._indexes.values()}

    def run(self, batch: Batch) -> dict[str, Times]:
        """Run the rows of a batch; the times of its fires by trigger."""
        fires = self.machine.run(batch.t_ns, [batch.columns[name] for name in self.inputs])
        found: dict[str, Times] = {}
        for index in np.unique(fires["trigger"]).tolist() if len(fires) else ():
            if index in self._indexes:
                t_ns = fires["t_ns"][fires["trigger"] == index].astype(np.int64)
                found[self._indexes[index]] = t_ns
                self._fires[self._indexes[index]].append(t_ns)
        return found

    def report(self, result: DriveResult) -> None:
        """Add what happened to the drive's result."""
        result.fires_ns.update({name: np.concatenate(parts) for name, parts in self._fires.items() if parts})
        suppressed, compared = self.machine.suppressed, self.machine.compared
        result.suppressed.update({name: suppressed[name] for name in self._indexes.values() if suppressed[name]})
        result.compared.update({head: compared[head] for head in self._heads})
        result.overflows += self.machine.overflows


def _watches(machines: list[Machine]) -> list[_Watch]:
    """Each trigger and head that several campaigns have counts in the first one alone."""
    watches: list[_Watch] = []
    triggers, heads = set[str](), set[str]()
    for machine in machines:
        new_triggers = [each.name for each in machine.manifest.triggers if each.name not in triggers]
        new_heads = [head for head in machine.compared if head not in heads]
        watches.append(_Watch(machine, new_triggers, new_heads))
        triggers.update(new_triggers)
        heads.update(new_heads)
    return watches
