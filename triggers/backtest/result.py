"""The results of a backtest, drive by drive."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triggers.contracts.compared import Compared
from triggers.drives.times import Times
from triggers.errors import InvalidInput
from triggers.language.rows import Firing


@dataclass(slots=True)
class DriveResult:
    """What happened on one drive, by trigger; triggers without a fire or a suppressed rise are left out.

    Times are in ns of the drive's clock, ascending. `metres` is None if nothing measures the distance. `shared` is the
    result of `shared_fires`.
    """

    name: str
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


@dataclass(slots=True)
class BacktestResult:
    """The drives that ran, and the reasons why the others did not; both in the order in which the drives were given."""

    drives: list[DriveResult] = field(default_factory=list)
    failures: list[InvalidInput] = field(default_factory=list)
