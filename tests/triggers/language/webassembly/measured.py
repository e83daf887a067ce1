"""Runs kernels and whole modules in an engine that counts the instructions it executes (wasmtime's fuel)."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import wasmtime
from numpy.typing import NDArray

from tests.triggers.language.webassembly.harness import Block, KernelMachine
from triggers.language.ir import Kind, Node
from triggers.language.webassembly.host.manifest import read_manifest
from triggers.language.webassembly.host.objects import ObjectBuffers
from triggers.language.webassembly.kernel_parts.kernel import Kernel
from triggers.language.webassembly.kernels.current.places import extra_parameters
from triggers.signals.object_columns import ObjectColumn

_FUEL = 1 << 40


@cache
def counting_engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    config.consume_fuel = True
    config.parallel_compilation = False
    return wasmtime.Engine(config)


class MeasuredKernel(KernelMachine):
    """A kernel that tells how many instructions a block takes; also of those with parameters that the emitter makes."""

    def __init__(self, kernel: Kernel, node: Node, kinds: Sequence[Kind]) -> None:
        super().__init__(kernel, node, kinds)
        self._store.set_fuel(_FUEL)

    def engine(self) -> wasmtime.Engine:
        return counting_engine()

    def fuel_of(self, block: Block) -> int:
        """Instructions that this block takes."""
        if block.begins:
            self.reset()
        before = self._store.get_fuel()
        self.run(block)
        return before - self._store.get_fuel()

    def _given(self, parameter: str) -> Any:
        extra = extra_parameters(self.node) if self.node.op == "near" else {}
        if parameter == "constant":
            return 1.0
        return extra[parameter] if parameter in extra else super()._given(parameter)


def fuel_of_module(
    module: bytes,
    t_ns: NDArray[np.int64],
    columns: Sequence[NDArray[np.float64]],
    rows_a_call: int,
    objects: Sequence[ObjectColumn] = (),
) -> tuple[int, int]:
    """Instructions that a recording takes, and calls of `run`; the columns of lists are not looked at."""
    manifest = read_manifest(module)
    store = wasmtime.Store(counting_engine())
    store.set_fuel(_FUEL)
    exports = wasmtime.Instance(store, wasmtime.Module(counting_engine(), module), []).exports(store)
    memory, run = exports["memory"], exports["run"]
    assert isinstance(memory, wasmtime.Memory)
    assert isinstance(run, wasmtime.Func)
    address = ctypes.addressof(memory.data_ptr(store).contents)
    data = (ctypes.c_uint8 * memory.data_len(store)).from_address(address)
    times = np.frombuffer(data, "<i8", manifest.row_capacity, manifest.times)
    buffers = [np.frombuffer(data, "<f8", manifest.row_capacity, item.column) for item in manifest.inputs]
    by_name = {item.name: buffer for item, buffer in zip(manifest.inputs, buffers, strict=True)}

    def view(address: int, entries: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        return np.frombuffer(data, dtype, entries, address)

    lists = [ObjectBuffers(item, by_name[item.input], view) for item in manifest.lists]
    for list_, samples in zip(lists, objects, strict=True):
        list_.take(samples, len(t_ns))
    start, calls, at = store.get_fuel(), 0, 0
    while at < len(t_ns):
        count = min([rows_a_call, len(t_ns) - at, *(list_.rows_that_fit(at, rows_a_call) for list_ in lists)])
        times[:count] = t_ns[at : at + count]
        for buffer, column in zip(buffers, columns, strict=True):
            buffer[:count] = column[at : at + count]
        for list_ in lists:
            list_.fill(at, count)
        at += run(store, count)
        calls += 1
    return start - store.get_fuel(), calls


def beats_of(t_ns: NDArray[np.int64], max_gap_ns: int, beat_ns: int) -> tuple[int, int]:
    """At most so many heartbeats lie between these rows, and so many segments begin among them."""
    gaps_ns = [int(gap) for gap in np.diff(t_ns)]
    beats = sum(math.floor(min(gap, max_gap_ns) / beat_ns) + 1 for gap in gaps_ns if gap > 0)
    return beats, 1 + sum(gap <= 0 or gap > max_gap_ns for gap in gaps_ns)
