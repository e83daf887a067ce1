"""The run of one campaign version: its program, and its fires and counts that are not yet in the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from triggers.assignment.sampling import keep_fire
from triggers.contracts.bundle import Bundle
from triggers.contracts.campaign import TriggerSettings
from triggers.contracts.compared import Compared, EventCounts, HeadSides
from triggers.distance import TravelMeter
from triggers.language.rows import Firing, Row
from triggers.language.webassembly.host.evaluator import Evaluator
from triggers.vehicle.journal.fires import NewFire, RunIncrement
from triggers.vehicle.recording.fires import VehicleFire

RunKey = tuple[str, int, str]
"""Campaign, version and program digest."""


@dataclass
class CampaignRun:
    """A campaign version that runs, and what the journal does not have of it yet."""

    bundle: Bundle
    evaluator: Evaluator
    fired: int
    """The latest ordinal in the journal."""
    triggers: dict[str, TriggerSettings] = field(init=False)
    suppressed: int = field(init=False)
    """Suppressed rises that are in the journal."""
    compared: dict[str, Compared] = field(init=False)
    """Pairs of compared heads that are in the journal."""
    events: dict[HeadSides, EventCounts] = field(init=False)
    """Matched events that are in the journal."""
    counted: tuple[int, dict[str, Compared], dict[HeadSides, EventCounts]] = field(init=False)
    """These counts as of the latest successful evaluation; after a failed one the program's memory is unreliable."""
    pending: list[NewFire] = field(default_factory=list)
    """Fires not yet written. They have the ordinals after `fired`, and keep them if a write fails and is repeated."""
    overflows: int = field(init=False)
    """Lost window entries that have been reported."""
    left_out: Mapping[str, int] = field(init=False)
    """Objects without a slot that have been reported, by list."""
    travel: TravelMeter = field(init=False)
    """Armed time and distance since the run began."""
    travelled: tuple[int, int] = (0, 0)
    """Armed time and distance (ns, mm) that are in the journal."""

    def __post_init__(self) -> None:
        self.triggers = {trigger.name: trigger for trigger in self.bundle.settings.triggers}
        self.suppressed, self.compared, self.events = self.counted = self._count()
        self.overflows, self.left_out = self.evaluator.overflows, self.evaluator.left_out
        self.travel = TravelMeter(self.evaluator.manifest.max_gap_ns)

    @property
    def key(self) -> RunKey:
        """The identity of the run; a changed program or version is a different run."""
        return self.bundle.settings.name, self.bundle.version, self.bundle.program_digest

    def evaluate(self, vehicle_id: str, rows: Sequence[Row], speeds_m_s: Sequence[float]) -> None:
        """Evaluate rows, each with its speed sample or NaN; new fires become pending.

        Raises the evaluator's errors; nothing is counted then.
        """
        firings = self.evaluator.run(rows)
        self.counted = self._count()
        for row, speed_m_s in zip(rows, speeds_m_s, strict=True):
            self.travel.take(row.t_ns, speed_m_s)
        for firing in firings:
            self.pending.append(self._new_fire(vehicle_id, firing))

    def end_drive(self) -> None:
        """End the drive, which settles the events that wait for a partner. Raises the evaluator's errors."""
        self.travel.end_drive()
        self.evaluator.end_drive()
        self.counted = self._count()

    @property
    def unwritten_ns(self) -> int:
        """Armed time that is not written yet."""
        return self.travel.armed_ns - self.travelled[0]

    def _new_fire(self, vehicle_id: str, firing: Firing) -> NewFire:
        """Number a fire and decide whether sampling keeps it."""
        settings, version = self.bundle.settings, self.bundle.version
        trigger = self.triggers[firing.trigger]
        one_in = settings.one_in(trigger)
        fire = VehicleFire(
            campaign=settings.name,
            version=version,
            program_digest=self.bundle.program_digest,
            trigger=firing.trigger,
            ordinal=self.fired + len(self.pending) + 1,
            t_ns=firing.t_ns,
            inclusion_probability=1 / one_in,
            capture=trigger.capture,
            priority=settings.priority_of(trigger),
            upload=settings.upload,
            when_day_is_spent=settings.budget.when_day_is_spent,
            when_day_of_trigger_is_spent="keep" if trigger.budget is None else trigger.budget.when_day_is_spent,
        )
        kept = keep_fire(vehicle_id, settings.name, version, firing.trigger, firing.t_ns, one_in)
        return NewFire(fire, sampled_in=kept)

    def increment(self) -> RunIncrement:
        """What has to be written now."""
        return RunIncrement(
            campaign=self.bundle.settings.name,
            version=self.bundle.version,
            suppressed=self.counted[0] - self.suppressed,
            armed_ns=self.unwritten_ns,
            distance_mm=int(self.travel.metres * 1000) - self.travelled[1],
            fires=tuple(self.pending),
            compared={head: pairs - self.compared[head] for head, pairs in self.counted[1].items()},
            events={name: counts - self.events[name] for name, counts in self.counted[2].items()},
        )

    def written(self, increment: RunIncrement) -> None:
        """Note that the journal has the increment: its ordinals are used, and the next increment starts from 0."""
        self.fired += len(increment.fires)
        self.suppressed += increment.suppressed
        self.compared = {head: self.compared[head] + pairs for head, pairs in increment.compared.items()}
        self.events = {name: self.events[name] + counts for name, counts in increment.events.items()}
        self.travelled = self.travelled[0] + increment.armed_ns, self.travelled[1] + increment.distance_mm
        self.pending = []

    def _count(self) -> tuple[int, dict[str, Compared], dict[HeadSides, EventCounts]]:
        events = {key.name: counts for key, counts in self.evaluator.events.items()}
        return sum(self.evaluator.suppressed.values()), dict(self.evaluator.compared), events
