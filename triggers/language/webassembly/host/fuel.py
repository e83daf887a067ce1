"""The fuel of a metered module: what its own stated cost allows for some rows, and no more than the host allows.

The host's part is a rate, in WebAssembly instructions per second of data, so that a program can never take more of a
processor than was meant for it, whatever cost it states and however its rows are divided into calls. What is not used
is kept, up to one second's worth. A gap in the data counts as a second, or as the heartbeats that the program is due.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from triggers.language.rows import HEARTBEAT_NS
from triggers.language.webassembly.host.manifest import Manifest
from triggers.times import NS_PER_S

OPERATIONS_PER_S = 200_000_000
"""Instructions per second of data that a program may take if nothing else is said: about a tenth of a core."""
LONGEST_STEP_NS = 10 * NS_PER_S
"""A longer time between two rows allows no more than this."""
SLACK = 2
BASE_OPERATIONS = 1_000_000
"""What any call may take, beside its stated cost."""
TICKS_PER_WORD = 64


class FuelMeter:
    """How much one program may take, in the order of its rows."""

    def __init__(self, manifest: Manifest, operations_per_s: int = OPERATIONS_PER_S) -> None:
        self.operations_per_s = operations_per_s
        self._cost = manifest.cost
        self._max_gap_ns = manifest.max_gap_ns
        self._left = operations_per_s
        self._latest_ns: int | None = None

    def allow(self, t_ns: NDArray[np.int64], object_samples: int = 0) -> tuple[int, str]:
        """What the program may take for rows at these times, with so many samples of lists, and whose limit that is."""
        steps = np.diff(t_ns, prepend=t_ns[:1] if self._latest_ns is None else self._latest_ns)
        self._latest_ns = int(t_ns[-1])
        span_ns = int(np.clip(steps, 0, LONGEST_STEP_NS).sum())
        self._left = min(self._left, self.operations_per_s) + self.operations_per_s * span_ns // NS_PER_S
        stated = self._stated(steps, object_samples)
        if stated <= self._left:
            return stated, "its stated cost allows"
        return self._left, f"this vehicle allows ({self.operations_per_s} per second of data)"

    def spend(self, operations: int) -> None:
        """Take what was used off what is left."""
        self._left = max(0, self._left - operations)

    def _stated(self, steps_ns: NDArray[np.int64], object_samples: int) -> int:
        """The stated cost of rows that are so far apart, generously: each sample of a list may have new objects."""
        segments = int(((steps_ns <= 0) | (steps_ns > self._max_gap_ns)).sum())
        heartbeats = int(np.clip(steps_ns, 0, self._max_gap_ns).sum(dtype=float)) // HEARTBEAT_NS
        ticks = len(steps_ns) + heartbeats + 1
        blocks = math.ceil(ticks / TICKS_PER_WORD) + segments + object_samples + 1
        cost = self._cost
        bursts = (1 + object_samples) * cost.burst_operations
        operations = ticks * cost.operations_per_tick + blocks * cost.operations_per_block + bursts
        return BASE_OPERATIONS + SLACK * operations
