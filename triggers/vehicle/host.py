"""The host: runs the programs of all assigned campaigns, numbers and samples their fires, and journals them.

Each campaign version has an evaluator of its own, so taking one in, out, or replacing it by a new version leaves the
windows, holds and cooldowns of all others as they are.
"""

from __future__ import annotations

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

FLUSH_NS = 60 * NS_PER_S
"""Armed time is written together with fires, and at least this often."""

RunKey = tuple[str, int, str]
"""Campaign, version and program digest."""


@dataclass
class CampaignRun:
    """One campaign version that runs, and what is not yet written of it."""

    bundle: Bundle
    evaluator: Evaluator
    fired: int
    triggers: dict[str, TriggerSettings] = field(init=False)
    suppressed: int = field(init=False)
    """Rises suppressed, as far as they are written."""
    armed_ns: int = 0
    distance_mm: int = 0
    last_row_ns: int | None = None

    def __post_init__(self) -> None:
        self.triggers = {trigger.name: trigger for trigger in self.bundle.settings.triggers}
        self.suppressed = sum(self.evaluator.suppressed.values())

    @property
    def key(self) -> RunKey:
        """What makes it the same run: a changed program or version is another."""
        return self.bundle.settings.name, self.bundle.version, self.bundle.program_digest

    def count_armed(self, rows: Sequence[Row]) -> None:
        """Count the time between rows, as far as it lies within a segment."""
        for row in rows:
            if self.last_row_ns is not None:
                gap_ns = row.t_ns - self.last_row_ns
                if 0 < gap_ns <= self.evaluator.program.max_gap_ns:
                    self.armed_ns += gap_ns
            self.last_row_ns = row.t_ns

    def new_fire(self, vehicle_id: str, firing: Firing) -> NewFire:
        """Number a fire and decide whether it is sampled in."""
        settings = self.bundle.settings
        self.fired += 1
        key = FireKey(settings.name, self.bundle.version, self.fired)
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

    def take_progress(self, fires: tuple[NewFire, ...]) -> Progress:
        """What is to be written now; the increments start again from 0."""
        suppressed = sum(self.evaluator.suppressed.values())
        progress = Progress(
            campaign=self.bundle.settings.name,
            version=self.bundle.version,
            suppressed=suppressed - self.suppressed,
            armed_ns=self.armed_ns,
            distance_mm=self.distance_mm,
            fires=fires,
        )
        self.suppressed, self.armed_ns, self.distance_mm = suppressed, 0, 0
        return progress


class Host:
    """All campaigns that run on this vehicle."""

    def __init__(self, vehicle_id: str, journal: Journal, *, speed_signal: str | None = None) -> None:
        self._vehicle_id = vehicle_id
        self._journal = journal
        self._odometer = Odometer(speed_signal)
        self._speed_signal = speed_signal
        self._runs: dict[RunKey, CampaignRun] = {}

    @property
    def campaigns(self) -> tuple[tuple[str, int], ...]:
        """Campaigns and versions that run."""
        return tuple((name, version) for name, version, _ in self._runs)

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
        """Run exactly these; what runs already goes on undisturbed. Gives what cannot run, and why."""
        problems: list[str] = []
        runs: dict[RunKey, CampaignRun] = {}
        self.flush()
        for bundle in bundles:
            key = (bundle.settings.name, bundle.version, bundle.program_digest)
            try:
                runs[key] = self._runs.get(key) or self._start(bundle, problems)
            except InvalidInput as error:
                problems.append(f"{bundle.settings.name} version {bundle.version} does not run: {error}")
        self._runs = runs
        return problems

    def run(self, rows: Sequence[Row]) -> list[CapturedFire]:
        """Evaluate rows (times rising); the fires that are to be recorded, in order of time, already journaled."""
        distance_mm = sum(self._odometer.advance_mm(row) for row in rows)
        fires: dict[RunKey, tuple[NewFire, ...]] = {}
        for key, run in self._runs.items():
            run.count_armed(rows)
            run.distance_mm += distance_mm
            fires[key] = tuple(run.new_fire(self._vehicle_id, firing) for firing in run.evaluator.run(rows))
        if any(fires.values()) or any(run.armed_ns >= FLUSH_NS for run in self._runs.values()):
            self._journal.record([run.take_progress(fires[key]) for key, run in self._runs.items()])
        kept = [fire.captured for new in fires.values() for fire in new if fire.captured is not None]
        return sorted(kept, key=lambda fire: (fire.t_ns, fire.key))

    def end_drive(self) -> None:
        """The drive is over: as in a backtest, nothing is evaluated behind its last row."""
        for run in self._runs.values():
            run.evaluator.end_drive()
        self.flush()

    def flush(self) -> None:
        """Write what is not yet written."""
        if self._runs:
            self._journal.record([run.take_progress(()) for run in self._runs.values()])

    def save(self) -> None:
        """Clean shutdown: write everything, and the evaluators' states."""
        self.flush()
        self._journal.save_states({key: run.evaluator.save() for key, run in self._runs.items()})

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
