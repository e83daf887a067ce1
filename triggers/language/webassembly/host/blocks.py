"""A machine whose nodes can be read: it runs a program block by block, and gives every node's value at every tick."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triggers.errors import LongtailError
from triggers.language.ir import Ir
from triggers.language.webassembly.emitter import emit, results_of
from triggers.language.webassembly.host.machine import Machine, Numbers, Times, load
from triggers.language.webassembly.layout import MAX_CHUNK
from triggers.language.webassembly.placement import Result
from triggers.signals.object_columns import ObjectColumn


@dataclass(frozen=True, slots=True)
class ReadBlock:
    """Ticks in ns, ascending, and what the asked nodes were at them: numbers, true and false as 1 and 0, unknown NaN.

    `fires_ns` are the times of fires, of whichever trigger.
    """

    t_ns: Times
    values: list[Numbers]
    fires_ns: Times


class ReadableMachine(Machine):
    """A machine of a program of its own, whose blocks are read one by one."""

    def __init__(self, ir: Ir, *, max_chunk: int = MAX_CHUNK) -> None:
        super().__init__(load(emit(ir, keep_results=True, one_block=True, max_chunk=max_chunk)))
        self._results = results_of(ir, max_chunk=max_chunk)

    def blocks(
        self,
        t_ns: Times,
        columns: Sequence[Numbers | None],
        nodes: Sequence[int],
        objects: Sequence[ObjectColumn | None] = (),
    ) -> Iterator[ReadBlock]:
        """Evaluate rows as `run` does, and give the values of these nodes, one block after the other.

        A node that depends on the fields of objects has no value of its own, and must not be among them.
        """
        self._take_objects(t_ns, columns, objects)
        at = 0
        while at < len(t_ns):
            n = self._fill(t_ns, columns, at)
            consumed, fires = self._call_run(n), int(self._fire_count[0])
            count = self._global("count")
            if not consumed and not count:
                raise LongtailError(f"program: run took none of {n} rows")
            if count:
                ticks = self._array(self._global("tt"), count, np.dtype("<i8")).copy()
                values = [self._values(self._results[node], count) for node in nodes]
                yield ReadBlock(ticks, values, self._fires["t_ns"][:fires].astype(np.int64))
            at += consumed

    def _values(self, result: Result, count: int) -> Numbers:
        """One node's values, unknown as NaN of one bit pattern."""
        if result.kind == "masks":
            is_true, is_false = (self._bits(result.at + half, count) for half in (0, result.half))
            return np.where(is_true, 1.0, np.where(is_false, 0.0, np.nan))
        if result.kind == "constant":
            return np.full(count, self._array(result.at, 1, np.dtype("<f8"))[0])
        address = result.at
        if result.kind == "input":
            address = self._global("x") + result.at * self._global("x_stride")
        numbers = self._array(address, count, np.dtype("<f8"))
        return np.where(np.isfinite(numbers), numbers, np.nan)

    def _bits(self, address: int, count: int) -> NDArray[np.uint8]:
        bytes_of_mask = self._array(address, -(-count // 8), np.dtype("u1"))
        return np.unpackbits(bytes_of_mask, count=count, bitorder="little")

    def _global(self, name: str) -> int:
        return int(self._exports[name].value(self._store))
