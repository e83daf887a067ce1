"""The run of plans' programs over one drive: fires, counts, time, distance and clip sizes, batch by batch.

Memory is bounded by a few batches and the fires, however long the drive is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from triggers.backtest.evidence.known_events import EventSpans
from triggers.backtest.machines import MachinePool
from triggers.backtest.meters.circumstances import CircumstanceMeter
from triggers.backtest.meters.judged import WindowJudge
from triggers.backtest.meters.odometer import odometer_for
from triggers.backtest.meters.overlap import shared_fires
from triggers.backtest.meters.volume import ClipMeter, sizes_of_all
from triggers.backtest.plan import BacktestPlan, compared
from triggers.backtest.result import DriveResult, DriveWeights
from triggers.contracts.compared import EventKey
from triggers.distance import ends_segment
from triggers.drives.batches import Batch
from triggers.drives.drive import Drive
from triggers.drives.file import DriveFile
from triggers.drives.findings import NO_SLOT, NO_UNIX_TIME, Findings
from triggers.drives.times import Times
from triggers.errors import InvalidInput
from triggers.language.sun import FIRST_NS
from triggers.language.watched import TriggerWeights, WatchedTrigger
from triggers.signals.catalog import SignalCatalog
from triggers.signals.object_columns import first_left_out
from triggers.times import NS_PER_S

if TYPE_CHECKING:
    from triggers.language.webassembly.host.machine import Machine

ReportBytes = Callable[[int], None]
"""Called with the bytes of the drive's file that were processed since the last call; may raise to end the run."""


def run_drive(
    plans: Sequence[BacktestPlan],
    drive: Drive,
    catalog: SignalCatalog,
    pool: MachinePool,
    progress: ReportBytes,
    *,
    events: Sequence[Mapping[str, EventSpans]] = (),
    breakdown: bool = False,
) -> list[DriveResult | InvalidInput]:
    """Run plans over one drive, which is read once, on machines of a pool that has the programs of all plans in order.

    `events` are known ones, for each plan by the trigger that should find them: around each it is weighed whether the
    condition was known. `breakdown`: time and fires are added up by their circumstances, too.

    A trigger, compared head or events are left out if the drive cannot give one of their signals; instead of a result
    there is the reason why, if none of a plan's can run. Raises InvalidInput if the drive cannot be read.
    """
    with drive.open() as file, pool.machines() as machines:
        file.check_columns(catalog, ())
        measures = _Measures(file, catalog)
        results: list[DriveResult | InvalidInput] = []
        runs: dict[int, _PlanRun] = {}
        unused = iter(machines)
        for number, plan in enumerate(plans):
            of_plan = list(islice(unused, len(plan.programs)))
            try:
                result = DriveResult(drive.name, drive.path, left_out=_left_out(plan, file, catalog))
            except InvalidInput as error:
                results.append(error)
                continue
            results.append(result)
            runs[number] = _PlanRun(plan, file, of_plan, result, measures)
            if events:
                runs[number].judge(events[number])
            if breakdown:
                runs[number].measure_circumstances(file, catalog)
        if runs:
            _take_all(file, list(runs.values()), measures, progress)
            _finish(drive, list(runs.values()), measures, progress)
        return results


def _left_out(plan: BacktestPlan, file: DriveFile, catalog: SignalCatalog) -> dict[str, InvalidInput]:
    """Why each trigger and head that cannot run is left out. Raises InvalidInput if none of all can run."""
    wanted = plan.signals | plan.head_signals
    problems = {name: file.problem(name, catalog) for name in sorted(set[str]().union(*wanted.values()))}
    left_out: dict[str, InvalidInput] = {}
    for name, signals in wanted.items():
        of_its_own = [problem for signal in sorted(signals) if (problem := problems[signal]) is not None]
        if of_its_own:
            left_out[name] = of_its_own[0]
    if wanted and len(left_out) == len(wanted):
        raise next(iter(left_out.values()))
    return left_out


class _Measures:
    """What is measured of a drive itself, whatever runs on it: rows, time and distance, and what its reader found."""

    def __init__(self, file: DriveFile, catalog: SignalCatalog) -> None:
        self.catalog = catalog
        self.odometer = odometer_for(catalog, lambda name: file.problem(name, catalog) is None)
        self.signals = frozenset(self.odometer.signals if self.odometer else ())
        self.time = _RecordedTime(catalog.max_gap_ns)
        self.findings = Findings()

    def take(self, batch: Batch) -> None:
        """Measure the next batch."""
        if self.odometer is not None:
            self.odometer.take(batch)
        self.time.take(batch)


class _PlanRun:
    """The programs and the meter of clips of one plan on a drive, which take its batches in order."""

    def __init__(
        self,
        plan: BacktestPlan,
        file: DriveFile,
        machines: list[Machine],
        result: DriveResult,
        measures: _Measures,
    ) -> None:
        catalog = measures.catalog
        self.result = result
        self._runs = _program_runs(machines, plan.watched, result.left_out)
        reads = {name for run in self._runs for name in run.inputs}
        self.signals = measures.signals | {name for name in reads if file.problem(name, catalog) is None}
        self.captures = {
            name: settings.capture for name, settings in plan.settings.items() if name not in result.left_out
        }
        self.meter = ClipMeter(file, catalog, self.captures, self.signals)
        self.findings = Findings()
        """What its programs could not take."""
        self._measures = measures
        self._time_column = file.time_column(catalog) if plan.of_the_sun - result.left_out.keys() else None
        """That of the times in which a condition looks for the sun."""
        self._left_out: dict[str, int] = {}
        """How many objects of each list had no slot so far."""
        self._judge: WindowJudge | None = None
        self._circumstances: CircumstanceMeter | None = None

    def judge(self, events: Mapping[str, EventSpans]) -> None:
        """Weigh conditions around known events, too."""
        ran = {name: spans for name, spans in events.items() if name not in self.result.left_out}
        if ran:
            self._judge = WindowJudge(ran, self._weights)

    def _weights(self, longer_ns: int) -> dict[str, DriveWeights]:
        """What all programs have weighed so far, if what holds now lasts so much longer."""
        return {name: found for run in self._runs for name, found in run.weights(longer_ns).items()}

    def measure_circumstances(self, file: DriveFile, catalog: SignalCatalog) -> None:
        """Add up time and fires by speed, place and hour, too."""
        meter = CircumstanceMeter(
            catalog, lambda name: file.problem(name, catalog) is None, self.captures, file.start_ns
        )
        self._circumstances = meter
        self.signals |= set(meter.signals)

    def take(self, batch: Batch) -> None:
        """Run the rows of a batch."""
        for part in (batch,) if self._judge is None else self._judge.parts(batch):
            fires_ns = {name: t_ns for run in self._runs for name, t_ns in run.take(part).items()}
            self.meter.take(part, fires_ns)
            if self._circumstances is not None:
                self._circumstances.take(part, fires_ns)
        self._note_left_out(batch)
        if self._time_column is not None:
            early = int(np.searchsorted(batch.t_ns, FIRST_NS))
            self.findings.note(self._time_column, NO_UNIX_TIME, early, self._measures.time.rows)

    def _note_left_out(self, batch: Batch) -> None:
        """Note the objects that had no slot in a program; programs of one list leave out the same ones."""
        totals = {name: count for run in self._runs for name, count in run.machine.left_out.items()}
        for name, total in totals.items():
            objects, most = batch.objects.get(name), self._measures.catalog.objects[name].max
            if objects is not None and total > self._left_out.get(name, 0):
                row = self._measures.time.rows + first_left_out(objects, most)
                self.findings.note(name, NO_SLOT, total - self._left_out.get(name, 0), row)
                self._left_out[name] = total

    def end(self) -> None:
        """End the drive: all fires and counts are in the result from now on."""
        self.result.circumstances = None if self._circumstances is None else self._circumstances.finish()
        self.result.judged = {} if self._judge is None else self._judge.finish()
        for run in self._runs:
            run.add_to(self.result)
        self.result.shared = shared_fires(self.result.fires_ns, self.captures)


def _take_all(file: DriveFile, runs: Sequence[_PlanRun], measures: _Measures, progress: ReportBytes) -> None:
    """Run everything over the whole file, and note in the results what is found and measured."""
    bytes_per_row = file.size_bytes / max(file.row_count, 1)
    signals = frozenset[str]().union(*(run.signals for run in runs))
    for batch in file.batches(measures.catalog, sorted(signals), findings=measures.findings):
        for run in runs:
            run.take(batch)
        measures.take(batch)
        progress(round(len(batch) * bytes_per_row))
    time, found = measures.time, measures.findings.all()
    for run in runs:
        run.end()
        result = run.result
        result.rows, result.recorded_ns = time.rows, time.recorded_ns
        result.first_ns, result.last_ns = time.first_ns, time.last_ns
        result.metres = measures.odometer.metres if measures.odometer is not None else None
        others, own = (_columns(file, measures, names) for names in (signals - run.signals, run.signals))
        read = tuple(each for each in found if each.column not in others - own)
        result.findings = (*read, *run.findings.all())


def _columns(file: DriveFile, measures: _Measures, signals: Collection[str]) -> set[str]:
    return {file.column_of(name, measures.catalog) for name in signals}


def _finish(drive: Drive, runs: Sequence[_PlanRun], measures: _Measures, progress: ReportBytes) -> None:
    """Note the sizes of clips in the results."""
    cameras_bytes_per_s = camera_rates(drive, measures.catalog, measures.time.length_ns)
    meters = [(run.meter, run.result.fires_ns) for run in runs]
    all_sizes = sizes_of_all(meters, cameras_bytes_per_s, on_batch=lambda: progress(0))
    for run, sizes in zip(runs, all_sizes, strict=True):
        result = run.result
        result.camera_bytes_per_s = cameras_bytes_per_s
        result.clip_bytes = {name: size.by_fire for name, size in sizes.items()}
        result.recording_bytes = {name: size.by_recording for name, size in sizes.items()}
        cameras = {camera for capture in run.captures.values() for camera in capture.cameras}
        silent = {f"camera {camera}" for camera in cameras - cameras_bytes_per_s.keys()}
        result.uncounted = frozenset(silent | run.meter.uncounted(run.captures))


def camera_rates(drive: Drive, catalog: SignalCatalog, length_ns: int) -> dict[str, float]:
    """Bytes per second of each camera: of the video beside the drive, or else as the catalog says."""
    seconds = max(length_ns / NS_PER_S, 1.0)
    declared = {name: float(camera.bit_rate) for name, camera in catalog.cameras.items() if camera.bit_rate}
    return declared | {name: video.stat().st_size / seconds for name, video in drive.cameras.items()}


class _RecordedTime:
    """Counts the rows and the time of the batches taken; `recorded_ns` is what `TravelMeter` counts as armed time."""

    def __init__(self, max_gap_ns: int) -> None:
        self.rows = self.recorded_ns = self.length_ns = self.first_ns = self.last_ns = 0
        self._max_gap_ns = max_gap_ns

    def take(self, batch: Batch) -> None:
        first_ns, latest_ns = int(batch.t_ns[0]), int(batch.t_ns[-1])
        self.first_ns = self.first_ns if self.rows else first_ns
        step_ns = first_ns - self.last_ns if self.rows else 0
        self.rows += len(batch)
        self.length_ns += step_ns + latest_ns - first_ns
        self.recorded_ns += latest_ns - first_ns
        if not ends_segment(step_ns, self._max_gap_ns):
            self.recorded_ns += step_ns
        if batch.longest_step_ns > self._max_gap_ns:
            self.recorded_ns -= int(batch.steps_ns[ends_segment(batch.steps_ns, self._max_gap_ns)].sum())
        self.last_ns = latest_ns


class _ProgramRun:
    """One machine on a drive, with the fires, pairs and events of those triggers and heads that are counted on it."""

    def __init__(
        self,
        machine: Machine,
        watched: Sequence[WatchedTrigger],
        triggers: list[str],
        heads: list[str],
        events: list[EventKey],
        *,
        counts_overflows: bool,
    ) -> None:
        self.machine = machine
        self._counts_overflows = counts_overflows
        self._signals = {each.trigger: each.signals for each in watched}
        self.inputs = [signal.name for signal in machine.manifest.inputs]
        self._lists = [each.input for each in machine.manifest.lists]
        self._indexes = {
            index: trigger.name for index, trigger in enumerate(machine.manifest.triggers) if trigger.name in triggers
        }
        self._heads = heads
        self._events = events
        self._fires: dict[str, list[Times]] = {name: [] for name in self._indexes.values()}

    def take(self, batch: Batch) -> dict[str, Times]:
        """Run the rows of a batch and return the times of their fires by trigger."""
        objects = [batch.objects.get(name) for name in self._lists]
        fires = self.machine.run(batch.t_ns, [batch.columns.get(name) for name in self.inputs], objects)
        fires_ns: dict[str, Times] = {}
        for index in np.unique(fires["trigger"]).tolist() if len(fires) else ():
            if index in self._indexes:
                t_ns = fires["t_ns"][fires["trigger"] == index].astype(np.int64)
                fires_ns[self._indexes[index]] = t_ns
                self._fires[self._indexes[index]].append(t_ns)
        return fires_ns

    def add_to(self, result: DriveResult) -> None:
        """End the drive, and add the fires, weights and counts of this run to its result."""
        self.machine.end_drive()
        result.weights.update(self.weights())
        result.fires_ns.update({name: np.concatenate(parts) for name, parts in self._fires.items() if parts})
        suppressed, pairs = self.machine.suppressed, self.machine.compared
        result.suppressed.update({name: suppressed[name] for name in self._indexes.values() if suppressed[name]})
        result.compared.update({head: pairs[head] for head in self._heads})
        events = self.machine.events
        result.events.update({key: events[key] for key in self._events})
        result.overflows += self.machine.overflows if self._counts_overflows else 0

    def weights(self, longer_ns: int = 0) -> dict[str, DriveWeights]:
        """What was weighed so far, by trigger, if what holds now lasts so much longer."""
        weights = self.machine.weights_if_longer(longer_ns)
        return {name: self._named(name, weights[name]) for name in self._indexes.values()}

    def _named(self, trigger: str, found: TriggerWeights) -> DriveWeights:
        """The weights of a trigger with the names of its signals."""
        names = [self.inputs[signal] for signal in self._signals[trigger]]
        unknown_with_ns = dict(zip(names, found.unknown_with_ns, strict=True))
        return DriveWeights(found.condition, found.parts, unknown_with_ns, found.closest)


def _program_runs(
    machines: list[Machine], watched: Sequence[Sequence[WatchedTrigger]], left_out: Collection[str]
) -> list[_ProgramRun]:
    """One run per machine. A trigger, head or events of several campaigns are counted only in the first of them.

    What windows lose is counted by programs: not by one all of whose triggers another has, which loses the same.
    """
    runs: list[_ProgramRun] = []
    known = [{trigger.name for trigger in machine.manifest.triggers} for machine in machines]
    triggers = set(left_out)
    heads = {head for machine in machines for head in machine.compared if compared(head) in left_out}
    events = {key for machine in machines for key in machine.events if str(key) in left_out}
    for machine, weighed in zip(machines, watched, strict=True):
        machine.weigh(weighed)
        new_triggers = [trigger.name for trigger in machine.manifest.triggers if trigger.name not in triggers]
        new_heads = [head for head in machine.compared if head not in heads]
        new_events = [key for key in machine.events if key not in events]
        own = {trigger.name for trigger in machine.manifest.triggers}
        is_alone = own not in known[: len(runs)] and not any(own < others for others in known)
        runs.append(_ProgramRun(machine, weighed, new_triggers, new_heads, new_events, counts_overflows=is_alone))
        triggers.update(new_triggers)
        heads.update(new_heads)
        events.update(new_events)
    return runs
