"""The evaluator, which runs a module over rows on a vehicle, with the interface of the reference interpreter.

With `checked`, a sample that its signal cannot have is treated as measured but invalid (infinite), and counted, as in
recorded drives: a bool that is neither 0 nor 1, a text that is no index of its values, and an integer that a float64
cannot hold. Without it the module takes samples as they are, but for numbers of objects that a float64 cannot hold,
which are infinite then, too.
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
from triggers.language.webassembly.host.manifest import ManifestField, ManifestInput, ManifestList
from triggers.signals.object_columns import ObjectColumn
from triggers.signals.objects import held_sample
from triggers.signals.raw import held_or_refused


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
        """How many samples of a signal, or of a list's field (as `tracked.kind`), were values that it cannot have."""

    @property
    def suppressed(self) -> Mapping[str, int]:
        """How many rises of each trigger fell into its cooldown."""
        return self.machine.suppressed

    @property
    def overflows(self) -> int:
        """How many window entries were lost because samples came faster than the catalog declares."""
        return self.machine.overflows

    @property
    def left_out(self) -> Mapping[str, int]:
        """How many objects of each list had no slot: beyond the most that a sample may have, or with a key twice."""
        return self.machine.left_out

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
            self._refuse_strange(item, column, item.name)
        fires = self.machine.run(
            _times(rows), list(columns), [self._objects(item, rows) for item in self.manifest.lists]
        )
        return [Firing(self.manifest.triggers[fire["trigger"]].name, int(fire["t_ns"])) for fire in fires]

    def _held(self, name: str, value: float) -> float:
        """A number as a float64 holds it: an integer that it would round is infinite."""
        if isinstance(value, float):
            return value
        held, is_refused = held_or_refused(value)
        if is_refused:
            self.strange[name] = self.strange.get(name, 0) + 1
        return held

    def _objects(self, item: ManifestList, rows: list[Row]) -> ObjectColumn:
        """The samples of a list, none of whose numbers is taken for another one.

        Raises InvalidInput for a key that is not an integer of 64 bits, and for an object without its numbers.
        """
        fields = [field for field in item.fields if field.type != "id"]
        names = [f"{item.input}.{field.name}" for field in fields]
        strange = self.strange if self._checked else {}
        given = [row.objects.get(item.input) for row in rows]
        try:
            samples = [None if sample is None else held_sample(sample, names, strange) for sample in given]
            objects = ObjectColumn.of(samples, len(fields))
        except (OverflowError, TypeError, ValueError) as error:
            raise InvalidInput(
                f"objects of {item.input}: a key is an int64, and each object has {len(fields)} numbers"
            ) from error
        if self._checked:
            for field, column, name in zip(fields, objects.fields, names, strict=True):
                self._refuse_strange(field, column, name)
        return objects

    def _refuse_strange(self, item: ManifestInput | ManifestField, column: NDArray[np.float64], name: str) -> None:
        if item.type not in ("bool", "text"):
            return
        count = len(item.values) if item.type == "text" else 2
        with np.errstate(invalid="ignore"):
            is_one = (column >= 0) & (column < count) & (np.floor(column) == column)
        wrong = np.isfinite(column) & ~is_one
        if wrong.any():
            column[wrong] = np.inf
            self.strange[name] = self.strange.get(name, 0) + int(wrong.sum())

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
