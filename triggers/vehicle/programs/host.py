"""The host, which runs the programs of all assigned campaigns and numbers, samples and journals their fires.

Each campaign version has its own evaluator, so adding, removing or replacing one leaves the windows, holds and
cooldowns of all others unchanged, and a version whose evaluation fails is suspended alone.

The results of a run are pending until the journal has them: after a failed write, the next write repeats the same fires
under the same ordinals, and only then are they given to the recorder.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from triggers.contracts.bundle import Bundle
from triggers.contracts.clip import MAX_CAMERAS, MAX_SIGNALS
from triggers.contracts.compared import EventKey, Sides
from triggers.distance import SpeedSignal
from triggers.errors import InvalidInput
from triggers.language.rows import Row
from triggers.language.webassembly.host.evaluator import Evaluator
from triggers.language.webassembly.host.manifest import read_manifest
from triggers.times import NS_PER_S
from triggers.vehicle.journal.journal import Journal, JournalFull
from triggers.vehicle.programs.campaign_run import CampaignRun, RunKey
from triggers.vehicle.programs.caps import DEFAULT_CAPS, ProgramCaps
from triggers.vehicle.programs.compiler import Compiler
from triggers.vehicle.programs.lists import captured_by, check_lists, lists_of
from triggers.vehicle.recording.fires import VehicleFire

LOGGER = logging.getLogger(__name__)
FLUSH_NS = 60 * NS_PER_S
"""Armed time is written with fires, and at least this often."""

MAX_PENDING = 10_000
"""With more unwritten fires than this, nothing is evaluated until the journal can be written again."""
KEPT_STATES = 64
"""How many states of versions that no longer run (paused, replaced) are kept for their return."""


class Host:
    """All campaigns that run on this vehicle."""

    def __init__(
        self,
        vehicle_id: str,
        journal: Journal,
        *,
        speed: SpeedSignal | None = None,
        caps: ProgramCaps = DEFAULT_CAPS,
        lists: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    ) -> None:
        """`lists` are the lists of objects that rows are known to have, each with its key and its value fields."""
        self._vehicle_id = vehicle_id
        self._caps = caps
        self._declared_lists = lists
        self._journal = journal
        self._speed = speed
        self._runs: dict[RunKey, CampaignRun] = {}
        self._leaving: dict[RunKey, CampaignRun] = {}
        """Versions that no longer run, and whose counts the full disk could not take yet."""
        self._suspended: set[RunKey] = set()
        """Versions whose evaluation failed. They do not run while they stay assigned, and start afresh afterwards."""
        self._problems: list[str] = []
        self._unrecorded: list[VehicleFire] = []
        """Fires that are journaled but not yet returned to the caller."""

    @property
    def campaigns(self) -> tuple[tuple[str, int], ...]:
        """Campaigns and versions that run."""
        return tuple((name, version) for name, version, _ in self._runs)

    def take_problems(self) -> list[str]:
        """What failed since the last call, for people; each problem is returned once."""
        problems, self._problems = self._problems, []
        return problems

    @property
    def inputs(self) -> frozenset[str]:
        """The signals that rows need for the programs."""
        speed = {self._speed.name} if self._speed else set[str]()
        return frozenset(speed.union(*(run.evaluator.inputs for run in self._runs.values())))

    @property
    def captured_lists(self) -> dict[str, tuple[str, ...]]:
        """The lists of objects that a fire may ask for, each with its key and its value fields."""
        return {name: fields for run in self._runs.values() for name, fields in captured_by(run.bundle).items()}

    @property
    def lists(self) -> dict[str, tuple[str, ...]]:
        """The lists of objects that rows need for programs and clips, each with its key and its value fields."""
        return _lists_of(self._runs.values())

    def captures(self) -> tuple[set[str], set[str], int]:
        """The signals and cameras that a fire may ask for, and the longest pre-roll (ns)."""
        windows = [trigger.capture for run in self._runs.values() for trigger in run.triggers.values()]
        signals = {name for window in windows for name in window.signals}
        cameras = {name for window in windows for name in window.cameras}
        return signals, cameras, max((window.before_ns for window in windows), default=0)

    def assign(self, bundles: Sequence[Bundle]) -> list[str]:
        """Run exactly these bundles; what already runs continues undisturbed. Returns what cannot run, and why.

        The state of a version that is taken away is kept: if it comes back, its cooldowns continue, but its windows
        begin empty, since they would span rows that it has not seen. On a full disk it ends all the same, and what it
        counted waits for the journal. Raises Unreachable if the journal cannot be written for another reason; then the
        previous versions still run, and the call must be repeated.
        """
        problems: list[str] = []
        runs: dict[RunKey, CampaignRun] = {}
        assigned = {(bundle.settings.name, bundle.version, bundle.program_digest): bundle for bundle in bundles}
        self._retire([run for key, run in self._runs.items() if key not in assigned])
        self._suspended &= assigned.keys()
        kept = [run for key, run in self._runs.items() if key in assigned and key not in self._suspended]
        lists = {**self._declared_lists, **_lists_of(kept)}  # without those of the versions that leave
        with Compiler(self._journal, self._caps.compiler) as compiler:
            for key, bundle in assigned.items():
                if key in self._suspended:
                    continue
                known = self._runs.get(key) or self._leaving.get(key)
                try:
                    if known is not None:
                        check_lists(known.bundle, known.evaluator.manifest, lists)
                    run = runs[key] = known or self._start(bundle, compiler, problems, lists)
                    lists |= lists_of(run.bundle, run.evaluator.manifest)
                except InvalidInput as error:
                    problems.append(f"{_name(key)} does not run: {error}")
        self._runs = runs
        self._leaving = {key: run for key, run in self._leaving.items() if key not in runs}
        self._journal.keep_states(KEPT_STATES)
        return problems

    def run(self, rows: Sequence[Row]) -> list[VehicleFire]:
        """Evaluate rows in ascending order; returns the fires to be recorded, in order of time, already journaled.

        If the journal cannot be written, because the disk is full or (which raises Unreachable) for another reason, the
        rows are evaluated all the same, and the next call that can write, which may have no rows, returns their fires
        under the same ordinals. Raises JournalFull, and evaluates nothing, once too many fires wait for the journal. A
        campaign whose evaluation raises is suspended, and the others continue.
        """
        if sum(len(run.pending) for run in self._runs.values()) > MAX_PENDING:
            self.flush()
        speeds_m_s = self._speed.speeds_m_s(rows) if self._speed else [math.nan] * len(rows)
        failed = [
            run
            for run in self._runs.values()
            if not self._succeeds(run, partial(run.evaluate, self._vehicle_id, rows, speeds_m_s))
        ]
        if failed or any(run.pending or run.unwritten_ns >= FLUSH_NS for run in self._runs.values()):
            self.flush_or_wait()
        fires, self._unrecorded = self._unrecorded, []
        return sorted(fires, key=lambda fire: (fire.t_ns, fire.key))

    def end_drive(self) -> None:
        """End the drive: as in a backtest, nothing is evaluated after its last row."""
        for run in self._runs.values():
            if self._succeeds(run, run.end_drive):
                self._report_samples(run)
        self.flush_or_wait()

    def flush_or_wait(self) -> None:
        """Write what is pending, if the disk has room for it; otherwise it stays pending, and becomes a problem."""
        try:
            self.flush()
        except JournalFull as error:
            self._problems.append(str(error))

    def flush(self) -> None:
        """Write what is pending to the journal."""
        runs = [*self._runs.values(), *self._leaving.values()]
        if not runs:
            return
        increments = [run.increment() for run in runs]
        self._journal.record(increments)
        self._leaving = {}
        for run, increment in zip(runs, increments, strict=True):
            run.written(increment)
            self._unrecorded += [new.fire for new in increment.fires if new.sampled_in]
        # A suspended run stays until what it counted before is written.
        self._runs = {key: run for key, run in self._runs.items() if key not in self._suspended}

    def save(self) -> None:
        """Clean shutdown: write everything that is pending, and the evaluators' states."""
        self.flush()
        self._journal.save_states({key: run.evaluator.save() for key, run in self._runs.items()})

    def _succeeds(self, run: CampaignRun, step: Callable[[], None]) -> bool:
        """Run a step of one campaign's program. False, and the campaign suspended, if it fails now or failed before."""
        if run.key in self._suspended:
            return False
        try:
            step()
        except Exception as error:  # whatever is wrong with one program must not stop the others
            LOGGER.exception("%s is suspended", _name(run.key))
            self._suspended.add(run.key)
            self._problems.append(
                f"{_name(run.key)} is suspended; its evaluation failed with {type(error).__name__}: {error}"
            )
            return False
        return True

    def _report_samples(self, run: CampaignRun) -> None:
        """Report, once per drive, samples that windows lost, and samples that their signals cannot have."""
        lost = run.evaluator.overflows - run.overflows
        if lost:
            run.overflows += lost
            self._problems.append(
                f"{_name(run.key)}: {lost} samples of this drive came faster than the signal catalog declares and were"
                " lost to windows"
            )
        for name, total in sorted(run.evaluator.left_out.items()):
            if more := total - run.left_out[name]:
                self._problems.append(
                    f"{_name(run.key)}: {more} objects of {name} in this drive were left out, as they were beyond the"
                    " list's `max` or had a key that came before in the sample"
                )
        run.left_out = run.evaluator.left_out
        for signal, count in sorted(run.evaluator.strange.items()):
            self._problems.append(
                f"{_name(run.key)}: {count} samples of {signal} in this drive were values that it cannot have, and"
                " counted as invalid"
            )
        run.evaluator.strange.clear()

    def _retire(self, runs: Sequence[CampaignRun]) -> None:
        """Write everything that is pending, and the states of the versions that are taken away."""
        healthy = [run for run in runs if self._succeeds(run, run.end_drive)]
        for run in healthy:
            self._report_samples(run)
        try:
            self.flush()
            if healthy:
                self._journal.save_states({run.key: run.evaluator.save() for run in healthy})
        except JournalFull as error:
            self._problems.append(str(error))
            self._leaving |= {run.key: run for run in runs}

    def _start(
        self, bundle: Bundle, compiler: Compiler, problems: list[str], lists: Mapping[str, tuple[str, ...]]
    ) -> CampaignRun:
        self._caps.check_stated(read_manifest(bundle.program))
        module = compiler.module(bundle.program)
        self._caps.check_memory(module)
        evaluator = Evaluator(module, checked=True, operations_per_s=self._caps.operations_per_s)
        _check(bundle, evaluator)
        check_lists(bundle, evaluator.manifest, lists)
        name, version = bundle.settings.name, bundle.version
        state = self._journal.take_state(name, version, bundle.program_digest)
        if state is not None:
            try:
                evaluator.restore(state)
            except InvalidInput as error:
                problems.append(f"{name} version {version} starts afresh: {error}")
        return CampaignRun(bundle, evaluator, self._journal.fired(name, version))


def _lists_of(runs: Iterable[CampaignRun]) -> dict[str, tuple[str, ...]]:
    each = (lists_of(run.bundle, run.evaluator.manifest) for run in runs)
    return {name: fields for lists in each for name, fields in lists.items()}


def _name(key: RunKey) -> str:
    return f"{key[0]} version {key[1]}"


def _check(bundle: Bundle, evaluator: Evaluator) -> None:
    """The settings must have what the program compares and what each trigger captures, within limits."""
    settings = {trigger.name: trigger for trigger in bundle.settings.triggers}
    unknown = [trigger.name for trigger in evaluator.manifest.triggers if trigger.name not in settings]
    if unknown:
        raise InvalidInput(f"its settings lack the trigger {unknown[0]} of its program", remedy="compile it again")
    uncounted = sorted(set(evaluator.compared) - set(bundle.settings.compare))
    if uncounted:
        raise InvalidInput(f"its program compares {uncounted[0]}, but its settings do not", remedy="compile it again")
    _check_events(bundle, evaluator)
    for trigger in settings.values():
        if len(trigger.capture.signals) > MAX_SIGNALS or len(trigger.capture.cameras) > MAX_CAMERAS:
            raise InvalidInput(
                f"trigger {trigger.name} captures {len(trigger.capture.signals)} signals and"
                f" {len(trigger.capture.cameras)} cameras, more than {MAX_SIGNALS} and {MAX_CAMERAS}"
            )


def _check_events(bundle: Bundle, evaluator: Evaluator) -> None:
    """The settings must compare the events that the program compares, with the same window and driver."""
    told = {
        EventKey(each.head, sides, each.within_ns, None if sides is Sides.ACTIVE_SHADOW else each.driver)
        for each in bundle.settings.events
        for sides in each.sides
    }
    for key in evaluator.events:
        if key not in told:
            raise InvalidInput(
                f"its program compares events of {key.head} ({key.sides}), but its settings do not, or otherwise",
                remedy="compile it again",
            )
