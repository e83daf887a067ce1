"""A second, plain host for modules: it reads every node's value at every tick of the block evaluated last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import wasmtime
from numpy.typing import NDArray

from tests.triggers.language.randomised.recordings import Recording
from triggers.language.ir import Ir
from triggers.language.webassembly.emitter import emit, results_of
from triggers.language.webassembly.host.manifest import ManifestList, read_manifest
from triggers.language.webassembly.placement import Result

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """Times of a block's ticks in ns, and what each node of the program was at them.

    Unknown is NaN, of one bit pattern; true and false are 1 and 0.
    """

    t_ns: NDArray[np.int64]
    nodes: list[Numbers]


class BlockHost:
    """Runs a program with its results kept to the end of each block, which has at most `max_chunk` ticks."""

    def __init__(self, ir: Ir, max_chunk: int) -> None:
        module = emit(ir, keep_results=True, max_chunk=max_chunk)
        self.manifest = read_manifest(module)
        self._results = results_of(ir, max_chunk=max_chunk)
        self._store = wasmtime.Store()
        instance = wasmtime.Instance(self._store, wasmtime.Module(self._store.engine, module), [])
        self._exports: Any = instance.exports(self._store)
        memory: Any = self._exports["memory"]
        self._memory = np.ctypeslib.as_array(memory.data_ptr(self._store), (memory.data_len(self._store),))

    def run(self, recording: Recording) -> Block:
        """Run rows, at most as many as the row buffers take; the last block."""
        rows = len(recording)
        self._at("<i8", self.manifest.times, rows)[:] = recording.t_ns
        for item in self.manifest.inputs:
            if item.type != "objects":
                self._at("<f8", item.column, rows)[:] = recording.columns[item.name]
        for objects in self.manifest.lists:
            self._write_objects(objects, recording)
        consumed = self._exports["run"](self._store, rows)
        if consumed != rows:
            raise ValueError(f"{rows} rows do not fit into one call, {consumed} do")
        count = self._global("count")
        return Block(
            self._at("<i8", self._global("tt"), count).copy(),
            [self._values(result, count) for result in self._results],
        )

    @property
    def most_rows(self) -> int:
        """How many rows fit into the buffers whatever objects they have."""
        most = [each.capacity // each.max_objects for each in self.manifest.lists]
        return min([self.manifest.row_capacity, *most])

    def _write_objects(self, item: ManifestList, recording: Recording) -> None:
        """Write the samples of a list row by row."""
        column = next(each.column for each in self.manifest.inputs if each.name == item.input)
        place = 0
        for row, sample in enumerate(recording.objects[item.input]):
            self._at("<f8", column + 8 * row, 1)[:] = np.nan if sample is None else len(sample.keys)
            self._at("<u4", item.starts + 4 * row, 1)[:] = place
            if sample is not None:
                for key, values in list(zip(sample.keys, sample.values, strict=True))[: item.max_objects]:
                    self._at("<i8", item.keys + 8 * place, 1)[:] = key
                    for field, address in item.columns.items():
                        self._at("<f8", address + 8 * place, 1)[:] = values[field]
                    place += 1

    def _values(self, result: Result, count: int) -> Numbers:
        """One node's values."""
        if result.kind == "masks":
            is_true, is_false = (self._bits(result.at + half, count) for half in (0, result.half))
            return np.where(is_true, 1.0, np.where(is_false, 0.0, np.nan))
        if result.kind == "constant":
            return np.full(count, self._at("<f8", result.at, 1)[0])
        address = result.at
        if result.kind == "input":
            address = self._global("x") + result.at * self._global("x_stride")
        numbers = self._at("<f8", address, count)
        return np.where(np.isfinite(numbers), numbers, np.nan)

    def _bits(self, address: int, count: int) -> NDArray[np.uint8]:
        return np.unpackbits(self._at("u1", address, -(-count // 8)), count=count, bitorder="little")

    def _global(self, name: str) -> int:
        return int(self._exports[name].value(self._store))

    def _at(self, dtype: str, address: int, count: int) -> NDArray[Any]:
        return np.frombuffer(self._memory, dtype, count, address)
