"""The evaluator, which runs a module over rows on a vehicle, with the interface of the reference interpreter.

With `checked`, a sample that its signal cannot have is treated as measured but invalid (infinite), and counted, as in
recorded drives: a bool that is neither 0 nor 1, a text that is no index of its values, and an integer that a float64
cannot hold. Without it the module takes samples as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from triggers.contracts.compared import Compared, EventCounts, EventKey
from triggers.errors import InvalidInput
from triggers.language.rows import Firing, Row
from triggers.language.webassembly.host.fuel import OPERATIONS_PER_S
from triggers.language.webassembly.host.machine import LoadedModule, Machine, Times, load
from triggers.language.webassembly.host.manifest import ManifestInput
from triggers.signals.raw import held_exactly


class Evaluator:
    """Runs one module over the rows of one vehicle; `run` may be called again with the rows that follow."""

    def __init__(
        self, module: bytes | LoadedModule, *, checked: bool = False, operations_per_s: int = OPERATIONS_PER_S
    ) -> None:
        """`operations_per_s` is the most that a metered module may take per second of data."""
        loaded = module if isinstance(module, LoadedModule) else load(module)
        self.machine = Machine(loaded, operations_per_s=operations_per_s)
        self.manifest = self.machine.manifest
        self.inputs = tuple(item.name for item in self.manifest.inputs)
        self._positions = {name: position for position, name in enumerate(self.inputs)}
        self._checked = checked
        self.strange: dict[str, int] = {}
        """How many samples of a signal were values that it cannot have, since this evaluator was made."""

    @property
    def suppressed(self) -> Mapping[str, int]:
        """How many rises of each trigger fell into its cooldown."""
        return self.machine.suppressed

    @property
    def overflows(self) -> int:
        """How many window entries were lost because samples came faster than the catalog declares."""
        return self.machine.overflows

    @property
    def compared(self) -> Mapping[str, Compared]:
        """Pairs of each compared head by their values."""
        return self.machine.compared

    @property
    def events(self) -> Mapping[EventKey, EventCounts]:
        """Matched rises of each compared head, by sides."""
        return self.machine.events

    def run(self, rows: Iterable[Row]) -> list[Firing]:
        """The fires of these rows, in order; a row that is not later than the one before begins a segment.

        Raises InvalidInput for a timestamp that is not an int64 >= 0.
        """
        rows = list(rows)
        columns = np.full((len(self.inputs), len(rows)), np.nan)
        for index, row in enumerate(rows):
            for name, value in row.samples.items():
                position = self._positions.get(name)
                if position is not None:
                    columns[position, index] = self._held(name, value) if self._checked else value
        for item, column in zip(self.manifest.inputs if self._checked else (), columns, strict=False):
            self._refuse_strange(item, column)
        fires = self.machine.run(_times(rows), list(columns))
        return [Firing(self.manifest.triggers[fire["trigger"]].name, int(fire["t_ns"])) for fire in fires]

    def _held(self, name: str, value: float) -> float:
        """A number as a float64 holds it: an integer that it would round is infinite."""
        if isinstance(value, float):
            return value
        held = held_exactly(value)
        if held != value:
            self.strange[name] = self.strange.get(name, 0) + 1
        return held

    def _refuse_strange(self, item: ManifestInput, column: NDArray[np.float64]) -> None:
        if item.type == "number":
            return
        count = len(item.values) if item.type == "text" else 2
        with np.errstate(invalid="ignore"):
            is_one = (column >= 0) & (column < count) & (np.floor(column) == column)
        wrong = np.isfinite(column) & ~is_one
        if wrong.any():
            column[wrong] = np.inf
            self.strange[item.name] = self.strange.get(item.name, 0) + int(wrong.sum())

    def end_drive(self) -> None:
        """End the recording with the latest row: no heartbeat follows it, and the next row begins a segment."""
        self.machine.end_drive()

    def save(self) -> bytes:
        """The whole state, for `restore` in an evaluator of the same module."""
        return self.machine.save()

    def restore(self, data: bytes) -> None:
        """Continue where `save` was called. Raises InvalidInput if the state is damaged or from another program."""
        self.machine.restore(data)


def _times(rows: list[Row]) -> Times:
    try:
        return np.fromiter((row.t_ns for row in rows), np.int64, len(rows))
    except OverflowError as error:
        raise InvalidInput("a row's timestamp is an int64 of nanoseconds from 0 on") from error
