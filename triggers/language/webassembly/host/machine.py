"""The machine that runs a module: loading, passing rows in, reading fires and counters, saving state."""

from __future__ import annotations

import ctypes
import hashlib
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import wasmtime
from numpy.typing import NDArray
from wasmtime import _ffi as ffi

from triggers.contracts.compared import Compared, EventCounts, EventKey
from triggers.errors import InvalidInput, LongtailError
from triggers.language.watched import TriggerWeights, WatchedTrigger
from triggers.language.webassembly.host.engine import compiled, engine, reason_of, taken_over
from triggers.language.webassembly.host.fuel import OPERATIONS_PER_S, FuelMeter
from triggers.language.webassembly.host.manifest import Manifest, read_manifest
from triggers.language.webassembly.host.objects import ObjectBuffers
from triggers.language.webassembly.host.weights import numbers_of, weights_in
from triggers.language.webassembly.layout import MAX_MEMORY_BYTES, PREVIOUS
from triggers.signals.object_columns import ObjectColumn

Times = NDArray[np.int64]
Numbers = NDArray[np.float64]
FIRE = np.dtype([("t_ns", "<i8"), ("row", "<u4"), ("trigger", "<u4")])
"""A fire: its time, the row that brought it (of one call), and the index of its trigger in the manifest."""

MAX_FIRES = 1_000_000
"""How many fires a metered module may leave for the rows that it gets at a time."""

_FUNCTIONS = {"run": (["i32"], ["i32"]), "reset": ([], []), "end": ([], [])}
OUT_OF_FUEL = "all fuel consumed"
"""What the runtime says when a module has taken all that it may."""
_STATE_FORMAT = b"LTS2"
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class LoadedModule:
    """A module compiled for this machine; any number of machines, on any threads, may run it."""

    code: wasmtime.Module
    manifest: Manifest
    digest: bytes
    """SHA-256 of the module's bytes."""
    memory_bytes: int
    """The memory of a machine that runs it; it never grows."""
    metered: bool = False


def load(module: bytes, *, metered: bool = False, native: bytes | None = None) -> LoadedModule:
    """Check and compile a module. Raises InvalidInput, naming what is wrong with it.

    A module that imports anything is refused, so it can reach nothing but its own memory. `metered` ends calls that
    take more than a `FuelMeter` allows, at the price of a tenth of the speed. `native` is the module as another process
    has compiled it (`triggers.vehicle.programs.compiler`), so that it is not compiled here.
    """
    manifest = read_manifest(module)
    code = compiled(module, metered=metered) if native is None else taken_over(native, metered=metered)
    memory_bytes = _check_types(code, manifest)
    return LoadedModule(code, manifest, hashlib.sha256(module).digest(), memory_bytes, metered)


def _check_types(code: wasmtime.Module, manifest: Manifest) -> int:
    """The module's memory in bytes. Raises InvalidInput unless it exports what a host needs."""
    exports = {item.name: item.type for item in code.exports}
    memory = exports.get("memory")
    if not isinstance(memory, wasmtime.MemoryType) or memory.is_64:
        raise InvalidInput("program: the module exports no memory")
    size = memory.limits.min * 65_536
    if memory.limits.max != memory.limits.min or size > MAX_MEMORY_BYTES:
        raise InvalidInput(f"program: its memory must have a fixed size of at most {MAX_MEMORY_BYTES} bytes")
    if manifest.memory_bytes > size:
        raise InvalidInput(f"program: its manifest needs {manifest.memory_bytes} bytes of memory, it has {size}")
    for name, (parameters, results) in _FUNCTIONS.items():
        kind = exports.get(name)
        if not isinstance(kind, wasmtime.FuncType) or (
            list(map(str, kind.params)) != parameters or list(map(str, kind.results)) != results
        ):
            raise InvalidInput(f"program: the module exports no function `{name}` of the right type")
    return size


class Machine:
    """One instance of a module, with the state of one recording or vehicle in its memory. Not thread-safe."""

    def __init__(self, module: LoadedModule, *, operations_per_s: int = OPERATIONS_PER_S) -> None:
        """`operations_per_s` is the most that a metered module may take per second of data (see `FuelMeter`)."""
        self.module = module
        self.manifest = manifest = module.manifest
        self._meter = FuelMeter(manifest, operations_per_s)
        self._store = wasmtime.Store(engine(module.metered))
        self._store.set_limits(memory_size=MAX_MEMORY_BYTES, table_elements=0, instances=1, tables=0, memories=1)
        exports = self._instantiate().exports(self._store)
        self._functions: dict[str, Any] = {name: exports[name] for name in _FUNCTIONS}
        self._memory: Any = _memory_of(exports["memory"], self._store)
        rows = manifest.row_capacity
        self._times: Times = self._array(manifest.times, rows, np.dtype("<i8"))
        self._columns: list[Numbers] = [self._array(item.column, rows, np.dtype("<f8")) for item in manifest.inputs]
        self._blank = [False] * len(self._columns)
        by_name = {item.name: column for item, column in zip(manifest.inputs, self._columns, strict=True)}
        self._lists = [ObjectBuffers(item, by_name[item.input], self._array) for item in manifest.lists]
        self._of_lists = [item.type == "objects" for item in manifest.inputs]
        self._fires = self._array(manifest.fires, manifest.fire_capacity, FIRE)
        self._fire_count = self._array(manifest.fire_count, 1, np.dtype("<u4"))
        self._call_run = _unchecked(self._store, self._functions["run"])
        self._call_reset = _unchecked(self._store, self._functions["reset"])
        self._exports: Any = exports
        self._weighing: list[Any] = [exports.get(name) for name in ("weighing", "weights", "weighed_until")]
        self._watched: tuple[WatchedTrigger, ...] = ()
        self._weights = np.empty(0, np.int64)

    def run(
        self, t_ns: Times, columns: Sequence[Numbers | None], objects: Sequence[ObjectColumn | None] = ()
    ) -> NDArray[Any]:
        """Evaluate rows; their fires (FIRE) in the order of rows, then of time, then of triggers.

        `columns` are in the order of the manifest's inputs, NaN where there is no new sample, None for one without
        any sample; what stands there for a list of objects is not looked at. `objects` are in the order of the
        manifest's lists, or empty if no list has a sample. Times are in ns, 0 <= t < 2^63, equal ones merged.
        InvalidInput for a negative time; the rows before it are evaluated then, and their fires are lost.
        """
        self._take_objects(t_ns, columns, objects)
        if not len(t_ns):
            return self._in_order([])
        with self._metered(t_ns):
            return self._in_order(self._all_calls(t_ns, columns))

    def _take_objects(
        self, t_ns: Times, columns: Sequence[Numbers | None], objects: Sequence[ObjectColumn | None]
    ) -> None:
        if len(columns) != len(self._columns):
            raise InvalidInput(f"{len(columns)} columns for {len(self._columns)} inputs")
        if objects and len(objects) != len(self._lists):
            raise InvalidInput(f"objects of {len(objects)} lists for {len(self._lists)}")
        for buffers, samples in zip(self._lists, objects or [None] * len(self._lists), strict=True):
            buffers.take(samples, len(t_ns))

    def _all_calls(self, t_ns: Times, columns: Sequence[Numbers | None]) -> list[NDArray[Any]]:
        """The fires of all rows, as many calls as they take."""
        parts = []
        at, fires_left = 0, MAX_FIRES
        while at < len(t_ns):
            n = self._fill(t_ns, columns, at)
            consumed, count = self._one_call(n, int(t_ns[at]))
            fires_left -= count
            if fires_left < 0 and self.module.metered:
                raise LongtailError(f"program: run left more than {MAX_FIRES} fires of {len(t_ns)} rows")
            if count:
                fires = self._fires[:count].copy()
                fires["row"] += at
                parts.append(fires)
            at += consumed
        return parts

    @contextmanager
    def _metered(self, t_ns: Times) -> Iterator[None]:
        """Give a metered module what it may take for these rows as a whole, however many calls it makes of them."""
        if not self.module.metered:
            yield
            return
        fuel, whose = self._meter.allow(t_ns, sum(buffers.samples for buffers in self._lists))
        self._store.set_fuel(fuel)
        try:
            yield
        except LongtailError as error:
            if OUT_OF_FUEL not in error.message:
                raise
            raise LongtailError(f"{error.message}: {len(t_ns)} rows took more than the {fuel} that {whose}") from error
        finally:
            self._meter.spend(fuel - self._store.get_fuel())

    def _one_call(self, rows: int, first_ns: int) -> tuple[int, int]:
        """Call `run` once; returns the rows that it consumed and the fires that it left, which are not both none."""
        consumed, count = self._call_run(rows), int(self._fire_count[0])
        is_stuck = not consumed and not count
        if is_stuck and first_ns < 0:
            raise InvalidInput(f"row at {first_ns} ns: a timestamp is an int64 of nanoseconds from 0 on")
        if is_stuck or not 0 <= consumed <= rows or count > len(self._fires):
            raise LongtailError(f"program: run took {consumed} of {rows} rows and left {count} fires")
        return consumed, count

    def _in_order(self, parts: list[NDArray[Any]]) -> NDArray[Any]:
        """The fires of all calls in order; the module returns them trigger by trigger, one block at a time."""
        fires = np.concatenate(parts) if parts else np.empty(0, FIRE)
        triggers = len(self.manifest.triggers)
        if len(fires) and fires["trigger"].max() >= triggers:
            raise LongtailError(f"program: trigger {fires['trigger'].max()} of {triggers} fired")
        if triggers > 1:
            fires = fires[np.lexsort((fires["trigger"], fires["t_ns"], fires["row"]))]
        return fires

    def reset(self) -> None:
        """Return to the initial state."""
        self._refuel()
        self._call_reset(0)
        self._weights[:] = 0

    def weigh(self, watched: Sequence[WatchedTrigger]) -> None:
        """From now on weigh how long the conditions of the triggers are true, false and unknown; see `weights`.

        `watched` is what `watched` finds in the module's program. Raises InvalidInput for a module of a compiler that
        could not weigh.
        """
        weighing, weights, until = self._weighing
        if weighing is None or weights is None or until is None:
            raise InvalidInput("program: the module cannot weigh its conditions", remedy="compile the campaign again")
        weighing.set_value(self._store, 1)
        self._watched = tuple(watched)
        address = weights.value(self._store)
        self._weights = self._array(address, numbers_of(self._watched), np.dtype("<i8"))
        self._weights[:] = 0

    @property
    def weights(self) -> dict[str, TriggerWeights]:
        """By trigger, what was weighed since `weigh` or the latest reset; no part of the saved state."""
        return self.weights_if_longer(0)

    def weights_if_longer(self, longer_ns: int) -> dict[str, TriggerWeights]:
        """The same if what holds at the latest row lasts so much longer, which tells what holds there."""
        if not self._watched:
            return {}
        # the latest tick's values have lasted until the latest row
        rest_ns = self._integers(PREVIOUS, 1)[0] - int(self._weighing[2].value(self._store))
        return weights_in(self._weights, self._watched, rest_ns + longer_ns)

    def end_drive(self) -> None:
        """End the recording with the latest row: no heartbeat follows it, and the next row begins a segment."""
        self._call("end")

    @property
    def suppressed(self) -> dict[str, int]:
        """How many rises of each trigger fell into its cooldown."""
        return {trigger.name: self._integers(trigger.record, 3)[2] for trigger in self.manifest.triggers}

    @property
    def overflows(self) -> int:
        """How many window entries were lost because samples came faster than the catalog declares."""
        return self._integers(self.manifest.overflows, 1)[0]

    @property
    def left_out(self) -> dict[str, int]:
        """How many objects of each list had no slot: beyond the most that a sample may have, or with a key twice."""
        return {item.input: self._integers(item.left_out, 1)[0] for item in self.manifest.lists}

    @property
    def compared(self) -> dict[str, Compared]:
        """Pairs of each compared head by their values."""
        return {item.head: Compared(*self._integers(item.counters, 5)) for item in self.manifest.compares}

    @property
    def events(self) -> dict[EventKey, EventCounts]:
        """Matched rises of each compared head, by sides."""
        return {item.key: EventCounts(*self._integers(item.counters, 5)) for item in self.manifest.events}

    def save(self) -> bytes:
        """The whole state, bound to the module's digest, for `restore`."""
        region = self.manifest.state
        state = bytes(self._memory[region.address : region.address + region.size_bytes])
        return _STATE_FORMAT + self.module.digest + hashlib.sha256(state).digest() + state

    def restore(self, data: bytes) -> None:
        """Continue where `save` was called. Raises InvalidInput, changing nothing, for a damaged or foreign state."""
        region = self.manifest.state
        head = len(_STATE_FORMAT)
        form, program = data[:head], data[head : head + _DIGEST_BYTES]
        checksum, state = data[head + _DIGEST_BYTES : head + 2 * _DIGEST_BYTES], data[head + 2 * _DIGEST_BYTES :]
        if form != _STATE_FORMAT or program != self.module.digest:
            raise InvalidInput("saved state belongs to another program", remedy="start with an empty state")
        if len(state) != region.size_bytes or hashlib.sha256(state).digest() != checksum:
            raise InvalidInput("saved state is damaged", remedy="start with an empty state")
        ctypes.memmove(ctypes.addressof(self._memory) + region.address, state, len(state))

    def _instantiate(self) -> wasmtime.Instance:
        self._refuel()
        try:
            return wasmtime.Instance(self._store, self.module.code, [])
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            raise InvalidInput(f"program: the module does not start ({reason_of(error)})") from error

    def _call(self, name: str) -> None:
        self._refuel()
        try:
            self._functions[name](self._store)
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            raise LongtailError(f"program: {reason_of(error)}") from error

    def _refuel(self) -> None:
        """Give a metered module the fuel for one call without rows: as much as a second of data may take."""
        if self.module.metered:
            self._store.set_fuel(self._meter.operations_per_s)

    def _fill(self, t_ns: Times, columns: Sequence[Numbers | None], at: int) -> int:
        """Copy as many rows from `at` on into the row buffers as fit; returns how many."""
        n = min(len(self._times), len(t_ns) - at)
        for buffers in self._lists:
            n = buffers.rows_that_fit(at, n)
        for buffers in self._lists:
            buffers.fill(at, n)
        self._times[:n] = t_ns[at : at + n]
        for position, (buffer, column) in enumerate(zip(self._columns, columns, strict=True)):
            if self._of_lists[position]:
                continue
            if column is not None:
                buffer[:n] = column[at : at + n]
                self._blank[position] = False
            elif not self._blank[position]:
                buffer[:] = np.nan
                self._blank[position] = True
        return n

    def _array(self, address: int, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        return np.frombuffer(self._memory, dtype, count, address)

    def _integers(self, address: int, count: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{count}q", self._memory, address)


def _memory_of(memory: Any, store: wasmtime.Store) -> Any:
    """The instance's memory as a ctypes array; it never grows, so the address stays."""
    size = memory.data_len(store)
    address = ctypes.addressof(memory.data_ptr(store).contents)
    return (ctypes.c_uint8 * size).from_address(address)


def _unchecked(store: wasmtime.Store, function: Any) -> Any:
    """A function with at most one argument, an i32, and at most one result, as a callable of an int.

    `Func.__call__` looks up the function's type at each call, which takes 18 microseconds, as long as evaluating
    thousands of rows. The type was checked when the module was loaded, so the C interface is called directly.
    """
    value = (ffi.wasmtime_val_raw_t * 1)()
    trap = ctypes.POINTER(ffi.wasm_trap_t)()
    context, address, trap_address = store._context(), ctypes.byref(function._func), ctypes.byref(trap)

    def call(rows: int) -> int:
        value[0].i32 = rows
        error = ffi.wasmtime_func_call_unchecked(context, address, value, 1, trap_address)
        if error:
            raise LongtailError(f"program: {reason_of(wasmtime.WasmtimeError._from_ptr(error))}")
        if trap:
            owned = type(trap).from_buffer_copy(trap)
            ctypes.memset(trap_address, 0, ctypes.sizeof(trap))
            raise LongtailError(f"program: {reason_of(wasmtime.Trap._from_ptr(owned))}")
        return int(value[0].i32)

    return call
