"""The results of a backtest, drive by drive."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triggers.backtest.evidence.circumstances import Circumstances
from triggers.contracts.compared import Compared, EventCounts, EventKey
from triggers.drives.findings import Finding
from triggers.drives.times import Times
from triggers.errors import InvalidInput
from triggers.language.rows import Firing
from triggers.language.watched import Closest, Weight


@dataclass(frozen=True, slots=True)
class DriveWeights:
    """How long a trigger's condition, and each of its parts, was true, false and unknown on a drive.

    `unknown_with_ns` has, by signal, how long the condition was unknown while the signal was. `closest` is the first
    moment at which all parts but one were true, in ns of the drive's clock, and the index of that one.
    """

    condition: Weight
    parts: tuple[Weight, ...]
    unknown_with_ns: dict[str, int]
    closest: Closest | None


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """For how long a condition was true, false and unknown around a known event, and a signal that was unknown then."""

    condition: Weight = field(default_factory=Weight)
    unknown_signal: str | None = None


@dataclass(slots=True)
class DriveResult:
    """What happened on one drive, by trigger; triggers without a fire or a suppressed rise are not listed.

    Times are in ns of the drive's clock, ascending; `first_ns` and `last_ns` are those of its rows. `metres` is None if
    nothing measures the distance. `shared` is the result of `shared_fires`. `left_out` has the reason for each trigger
    (and compared head or events) that could not run because the drive cannot give one of its signals; nothing else of
    the result is about it.
    """

    name: str
    path: Path
    rows: int = 0
    first_ns: int = 0
    last_ns: int = 0
    recorded_ns: int = 0
    metres: float | None = None
    fires_ns: dict[str, Times] = field(default_factory=dict)
    clip_bytes: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    recording_bytes: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """The size of each recording: fires whose windows touch are one (see `OwnRecordings`)."""
    suppressed: dict[str, int] = field(default_factory=dict)
    compared: dict[str, Compared] = field(default_factory=dict)
    events: dict[EventKey, EventCounts] = field(default_factory=dict)
    shared: dict[tuple[str, str], int] = field(default_factory=dict)
    overflows: int = 0
    left_out: dict[str, InvalidInput] = field(default_factory=dict)
    weights: dict[str, DriveWeights] = field(default_factory=dict)
    """By trigger that ran: how long its condition was true, false and unknown."""
    judged: dict[str, tuple[JudgedWindow, ...]] = field(default_factory=dict)
    """By trigger that ran, its known events on the drive, in their order."""
    circumstances: Circumstances | None = None
    """Its time and fires by speed, place and hour, if they were asked for."""
    findings: tuple[Finding, ...] = ()
    """What the reader could not take as it is."""
    camera_bytes_per_s: dict[str, float] = field(default_factory=dict)
    uncounted: frozenset[str] = frozenset()
    """Signals and cameras (`camera front`) of captures about which the drive says nothing, so clip sizes lack them."""

    @property
    def fires(self) -> list[Firing]:
        """All fires, in order of time, then of the trigger's name."""
        fires = [Firing(name, t_ns) for name, times in self.fires_ns.items() for t_ns in times.tolist()]
        return sorted(fires, key=lambda fire: (fire.t_ns, fire.trigger))


@dataclass(slots=True)
class BacktestResult:
    """The drives that ran, and the reasons why the others did not; both in the order in which the drives were given."""

    drives: list[DriveResult] = field(default_factory=list)
    failures: list[InvalidInput] = field(default_factory=list)
