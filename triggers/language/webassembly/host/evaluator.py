"""The evaluator, which runs a module over rows on a vehicle, with the interface of the reference interpreter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from triggers.contracts.compared import Compared
from triggers.errors import InvalidInput
from triggers.language.rows import Firing, Row
from triggers.language.webassembly.host.machine import LoadedModule, Machine, Times, load


class Evaluator:
    """Runs one module over the rows of one vehicle; `run` may be called again with the rows that follow."""

    def __init__(self, module: bytes | LoadedModule) -> None:
        self.machine = Machine(module if isinstance(module, LoadedModule) else load(module))
        self.manifest = self.machine.manifest
        self.inputs = tuple(item.name for item in self.manifest.inputs)
        self._positions = {name: position for position, name in enumerate(self.inputs)}

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
                    columns[position, index] = value
        fires = self.machine.run(_times(rows), list(columns))
        return [Firing(self.manifest.triggers[fire["trigger"]].name, int(fire["t_ns"])) for fire in fires]

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
