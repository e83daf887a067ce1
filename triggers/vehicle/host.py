"""The host: runs the programs of all assigned campaigns, numbers and samples their fires, and journals them.

Each campaign version has an evaluator of its own, so taking one in, out, or replacing it by a new version leaves the
windows, holds and cooldowns of all others as they are; and one whose evaluation fails is suspended alone.

What a run has evaluated is pending until the journal has it: after a write that failed, the same fires are written
again under the same ordinals with the next one, and only then given to the recorder.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from triggers.contracts.base import NS_PER_S
from triggers.contracts.bundle import Bundle
from triggers.contracts.campaign import TriggerSettings
from triggers.errors import InvalidInput
from triggers.language.interpreter import Evaluator, Firing, Row
from triggers.language.program import decode
from triggers.sampling import keep_fire
from triggers.vehicle.fires import CapturedFire, FireKey
from triggers.vehicle.journal import Journal, NewFire, Progress
from triggers.vehicle.odometer import Odometer
from triggers.vehicle.recorder import MAX_CAMERAS, MAX_SIGNALS

LOGGER = logging.getLogger(__name__)
FLUSH_NS = 60 * NS_PER_S
"""Armed time is written together with fires, and at least this often."""

MAX_PENDING = 10_000
"""Fires not yet written: with more of them nothing is evaluated until the journal can be written again."""
KEPT_STATES = 64
"""States of versions that do not run any more (paused, replaced) that are kept for their return, the newest ones."""

RunKey = tuple[str, int, str]
"""Campaign, version and program digest."""


@dataclass
class CampaignRun:
    """One campaign version that runs, and what is not yet written of it."""

    bundle: Bundle
    evaluator: Evaluator
    fired: int
    """The latest ordinal that is written."""
    triggers: dict[str, TriggerSettings] = field(init=False)
    suppressed: int = field(init=False)
    """Rises suppressed, as far as they are written."""
    pending: list[NewFire] = field(default_factory=list)
    """Fires not yet written; they hold the ordinals behind `fired`, until they are written or again."""
    armed_ns: int = 0
    distance_mm: int = 0
    last_row_ns: int | None = None

    def __post_init__(self) -> None:
        self.triggers = {trigger.name: trigger for trigger in self.bundle.settings.triggers}
        self.suppressed = self._risen()

    @property
    def key(self) -> RunKey:
        """What makes it the same run: a changed program or version is another."""
        return self.bundle.settings.name, self.bundle.version, self.bundle.program_digest

    def evaluate(self, vehicle_id: str, rows: Sequence[Row], distance_mm: int) -> None:
        """Evaluate rows; what comes of it is pending. Raises what the evaluator raises; nothing has changed then."""
        firings = self.evaluator.run(rows)
        self._count_armed(rows)
        self.distance_mm += distance_mm
        for firing in firings:
            self.pending.append(self._new_fire(vehicle_id, firing))

    def _count_armed(self, rows: Sequence[Row]) -> None:
        """Count the time between rows, as far as it lies within a segment."""
        for row in rows:
            if self.last_row_ns is not None:
                gap_ns = row.t_ns - self.last_row_ns
                if 0 < gap_ns <= self.evaluator.program.max_gap_ns:
                    self.armed_ns += gap_ns
            self.last_row_ns = row.t_ns

    def _new_fire(self, vehicle_id: str, firing: Firing) -> NewFire:
        """Number a fire and decide whether it is sampled in."""
        settings = self.bundle.settings
        key = FireKey(settings.name, self.bundle.version, self.fired + len(self.pending) + 1)
        kept = keep_fire(
            vehicle_id, settings.name, self.bundle.version, firing.trigger, firing.t_ns, settings.sample_one_in
        )
        captured = CapturedFire(
            campaign=key.campaign,
            version=key.version,
            program_digest=self.bundle.program_digest,
            trigger=firing.trigger,
            ordinal=key.ordinal,
            t_ns=firing.t_ns,
            inclusion_probability=1 / settings.sample_one_in,
            capture=self.triggers[firing.trigger].capture,
            priority=settings.priority,
            upload=settings.upload,
        )
        return NewFire(key, firing.trigger, firing.t_ns, captured if kept else None)

    def progress(self) -> Progress:
        """What is to be written now."""
        return Progress(
            campaign=self.bundle.settings.name,
            version=self.bundle.version,
            suppressed=self._risen() - self.suppressed,
            armed_ns=self.armed_ns,
            distance_mm=self.distance_mm,
            fires=tuple(self.pending),
        )

    def written(self, progress: Progress) -> None:
        """The journal has it: the ordinals are taken, and the increments start again from 0."""
        self.fired += len(progress.fires)
        self.suppressed += progress.suppressed
        self.pending, self.armed_ns, self.distance_mm = [], 0, 0

    def _risen(self) -> int:
        return sum(self.evaluator.suppressed.values())


class Host:
    """All campaigns that run on this vehicle."""

    def __init__(self, vehicle_id: str, journal: Journal, *, speed_signal: str | None = None) -> None:
        self._vehicle_id = vehicle_id
        self._journal = journal
        self._odometer = Odometer(speed_signal)
        self._speed_signal = speed_signal
        self._runs: dict[RunKey, CampaignRun] = {}
        self._suspended: set[RunKey] = set()
        """Assigned, but its evaluation failed: its state is not to be trusted, so it starts anew or not at all."""
        self._problems: list[str] = []
        self._unrecorded: list[CapturedFire] = []
        """Fires that are journaled and not yet given out."""

    @property
    def campaigns(self) -> tuple[tuple[str, int], ...]:
        """Campaigns and versions that run."""
        return tuple((name, version) for name, version, _ in self._runs)

    def take_problems(self) -> list[str]:
        """What failed since the last call, for people; each is given out once."""
        problems, self._problems = self._problems, []
        return problems

    @property
    def inputs(self) -> frozenset[str]:
        """Signals that rows must carry for the programs to see them."""
        speed = {self._speed_signal} if self._speed_signal else set[str]()
        return frozenset(speed.union(*(run.evaluator.inputs for run in self._runs.values())))

    def captures(self) -> tuple[set[str], set[str], int]:
        """Signals and cameras that a fire may ask for, and the longest pre-roll (ns)."""
        windows = [trigger.capture for run in self._runs.values() for trigger in run.triggers.values()]
        signals = {name for window in windows for name in window.signals}
        cameras = {name for window in windows for name in window.cameras}
        return signals, cameras, max((window.before_ns for window in windows), default=0)

    def assign(self, bundles: Sequence[Bundle]) -> list[str]:
        """Run exactly these; what runs already goes on undisturbed. Gives what cannot run, and why.

        What is taken away leaves its state: the same version continues its cooldowns when it comes back, while its
        windows begin anew, since they would span rows it has not seen. Unreachable when the journal cannot be
        written; what ran before still runs then, and the call is to be made again.
        """
        problems: list[str] = []
        runs: dict[RunKey, CampaignRun] = {}
        assigned = {(bundle.settings.name, bundle.version, bundle.program_digest): bundle for bundle in bundles}
        self._retire([run for key, run in self._runs.items() if key not in assigned])
        self._suspended &= assigned.keys()
        for key, bundle in assigned.items():
            if key in self._suspended:
                continue
            try:
                runs[key] = self._runs.get(key) or self._start(bundle, problems)
            except InvalidInput as error:
                problems.append(f"{_name(key)} does not run: {error}")
        self._runs = runs
        self._journal.keep_states(KEPT_STATES)
        return problems

    def run(self, rows: Sequence[Row]) -> list[CapturedFire]:
        """Evaluate rows (times rising); the fires that are to be recorded, in order of time, already journaled.

        Unreachable when the journal cannot be written: the rows are evaluated, and their fires are given out, under
        the ordinals they have, by the next call that can write (it may have no rows). A campaign whose evaluation
        raises is suspended, and the others go on.
        """
        if sum(len(run.pending) for run in self._runs.values()) > MAX_PENDING:
            self.flush()
        distance_mm = sum(self._odometer.advance_mm(row) for row in rows)
        failed = [run for run in self._runs.values() if not self._evaluates(run, rows, distance_mm)]
        if failed or any(run.pending or run.armed_ns >= FLUSH_NS for run in self._runs.values()):
            self.flush()
        fires, self._unrecorded = self._unrecorded, []
        return sorted(fires, key=lambda fire: (fire.t_ns, fire.key))

    def end_drive(self) -> None:
        """The drive is over: as in a backtest, nothing is evaluated behind its last row."""
        for run in self._runs.values():
            run.evaluator.end_drive()
        self.flush()

    def flush(self) -> None:
        """Write what is not yet written."""
        if not self._runs:
            return
        progress = {key: run.progress() for key, run in self._runs.items()}
        self._journal.record(list(progress.values()))
        for key, written in progress.items():
            self._runs[key].written(written)
            self._unrecorded += [fire.captured for fire in written.fires if fire.captured is not None]
        # A suspended run stays until what it counted before is written.
        self._runs = {key: run for key, run in self._runs.items() if key not in self._suspended}

    def save(self) -> None:
        """Clean shutdown: write everything, and the evaluators' states."""
        self.flush()
        self._journal.save_states({key: run.evaluator.save() for key, run in self._runs.items()})

    def _evaluates(self, run: CampaignRun, rows: Sequence[Row], distance_mm: int) -> bool:
        """Evaluate one campaign; False when that failed, now or before."""
        if run.key in self._suspended:
            return False
        try:
            run.evaluate(self._vehicle_id, rows, distance_mm)
        except Exception as error:  # whatever is wrong with one program must not stop the others
            LOGGER.exception("%s is suspended", _name(run.key))
            self._suspended.add(run.key)
            self._problems.append(
                f"{_name(run.key)} is suspended, its evaluation failed: {type(error).__name__}: {error}"
            )
            return False
        return True

    def _retire(self, runs: Sequence[CampaignRun]) -> None:
        """Write everything, and the states of what is taken away."""
        self.flush()
        healthy = [run for run in runs if run.key not in self._suspended]
        for run in healthy:
            run.evaluator.end_drive()
        if healthy:
            self._journal.save_states({run.key: run.evaluator.save() for run in healthy})

    def _start(self, bundle: Bundle, problems: list[str]) -> CampaignRun:
        evaluator = Evaluator(decode(bundle.program))
        _check(bundle, evaluator)
        name, version = bundle.settings.name, bundle.version
        state = self._journal.take_state(name, version, bundle.program_digest)
        if state is not None:
            try:
                evaluator.restore(state)
            except InvalidInput as error:
                problems.append(f"{name} version {version} starts anew: {error}")
        return CampaignRun(bundle, evaluator, self._journal.fired(name, version))


def _name(key: RunKey) -> str:
    return f"{key[0]} version {key[1]}"


def _check(bundle: Bundle, evaluator: Evaluator) -> None:
    """The settings must say what each trigger of the program captures, within a recording's limits."""
    settings = {trigger.name: trigger for trigger in bundle.settings.triggers}
    unknown = [trigger.name for trigger in evaluator.program.triggers if trigger.name not in settings]
    if unknown:
        raise InvalidInput(f"its program has a trigger {unknown[0]} without settings", remedy="compile it again")
    for trigger in settings.values():
        if len(trigger.capture.signals) > MAX_SIGNALS or len(trigger.capture.cameras) > MAX_CAMERAS:
            raise InvalidInput(
                f"trigger {trigger.name} captures {len(trigger.capture.signals)} signals and"
                f" {len(trigger.capture.cameras)} cameras, more than {MAX_SIGNALS} and {MAX_CAMERAS}"
            )
