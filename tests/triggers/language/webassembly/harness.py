"""Runs one kernel in a module of its own, and compares it tick by tick with the interpreter's operator.

    node = make_node("once", (Kind.BOOL,), window_ns=500)
    assert_agrees(KERNELS["once"], node, (Kind.BOOL,), blocks)     # blocks: from `recordings(...)` or by hand

`recordings(kinds, span_ns)` is a Hypothesis strategy of blocks: random due and fresh masks, unknown values, ticks
of several words, several blocks in a row (state carries over) and segments that begin in between. Arguments at
ticks that are not due are noise on purpose: a kernel with state must not look at them.

`KernelMachine` alone runs a kernel over blocks, `interpret` an operator; memory around every buffer is checked.
"""

from __future__ import annotations

import ctypes
import math
import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import wasmtime
from hypothesis import strategies as st
from numpy.typing import NDArray

from triggers.language.ir import OPERATIONS, Kind, Node, Parameter
from triggers.language.reference.operators import Operator, Tick
from triggers.language.reference.steps import STATEFUL
from triggers.language.reference.values import Value
from triggers.language.webassembly.kernel_parts.kernel import SLOT_BYTES, Kernel, parameter_type
from triggers.language.webassembly.kernels.table import FUNCTIONS_OF, SHARED_FUNCTIONS

CHUNK = 4096
"""Most ticks of a block here."""

HALF_BYTES = CHUNK // 8
MAX_NS = (1 << 63) - 1
_GUARD_BYTES = 64
_GUARD = 0xA5
_OVERFLOWS = 8  # address of the counter


@dataclass(frozen=True, slots=True)
class Block:
    """Ticks of one segment; `begins`: the state is cleared before them.

    `arguments` has a list of values for each argument; `fresh` is only set where `due` is. `sampled` has a list of
    times (ns) for each argument, for the kernels that take it.
    """

    times_ns: Sequence[int]
    due: Sequence[bool]
    fresh: Sequence[bool]
    arguments: tuple[Sequence[Value], ...]
    begins: bool = False
    sampled_ns: tuple[Sequence[int], ...] = ()


def make_node(op: str, kinds: Sequence[Kind], **parameters: Parameter) -> Node:
    """A node of that operation with arguments of these kinds."""
    operation = OPERATIONS[op]
    values = tuple(parameters[name] for name in operation.parameters)
    return Node(op, tuple(range(len(kinds))), values, operation.result or kinds[0])


@cache
def _engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    config.parallel_compilation = False
    config.cranelift_opt_level = "speed"
    return wasmtime.Engine(config)


@cache
def _module(engine: wasmtime.Engine, text: str) -> wasmtime.Module:
    return wasmtime.Module(engine, bytes(wasmtime.wat2wasm(text)))


def module_text(kernel: Kernel) -> str:
    """A module with the globals that a kernel sees, its memory, and the kernel as export `kernel`."""
    names = ("tt", "count", "words", "overflows")
    numbers = " ".join(f'(global ${name} (export "{name}") (mut i32) (i32.const 0))' for name in names)
    text = kernel.text.replace("HALF", str(HALF_BYTES))
    shared = "".join((*SHARED_FUNCTIONS, *FUNCTIONS_OF.get(kernel.name, ())))
    return f"""(module (memory (export "memory") 1) {numbers}
      (global $tail (export "tail") (mut i64) (i64.const 0))
      {shared} {text} (export "kernel" (func ${kernel.name})))"""


class KernelMachine:
    """One kernel for one node, with its state and its ring.

    `run` gives the value at each tick; `reset` begins a segment; `overflows` counts the entries that were lost.
    """

    def __init__(self, kernel: Kernel, node: Node, kinds: Sequence[Kind]) -> None:
        self.kernel, self.node, self.kinds = kernel, node, kinds
        engine = self.engine()
        module = _module(engine, module_text(kernel))
        self._store = wasmtime.Store(engine)
        self._exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._call: Any = self._exports["kernel"]
        self._regions: dict[str, tuple[int, int]] = {}
        self._end = 64
        self._lists = [value for value in node.parameters if isinstance(value, tuple)]
        self._lay_out()
        self.memory = self._memory()
        self._guards = self._guard()
        for address, value in self._table():
            self.memory[address : address + 8].view("<f8")[0] = value
        self._set("overflows", _OVERFLOWS)
        self._set("tt", self.address("times"))
        self.reset()

    def engine(self) -> wasmtime.Engine:
        """What compiles and runs it."""
        return _engine()

    @property
    def overflows(self) -> int:
        """Entries that the kernel reported as lost."""
        return int(self.memory[_OVERFLOWS : _OVERFLOWS + 8].view("<i8")[0])

    def address(self, region: str) -> int:
        """Where a buffer lies in memory."""
        return self._regions[region][0]

    def reset(self) -> None:
        """A segment begins: every slot gets its initial value; the ring is left as it is."""
        image = b"".join(
            struct.pack({"i32": "<q", "i64": "<q", "f64": "<d"}[slot.type], slot.initial) for slot in self.kernel.slots
        )
        self._bytes("state")[:] = np.frombuffer(image, np.uint8)

    def run(self, block: Block) -> list[Value]:
        """The values at the block's ticks."""
        count = len(block.times_ns)
        self._write(block, count)
        inputs = [name for name in self._regions if name not in ("out", "state", "ring")]
        before = {name: self._bytes(name).copy() for name in inputs}
        self.call(count, [all(value is not None for value in values) for values in block.arguments])
        for name in inputs:
            assert np.array_equal(before[name], self._bytes(name)), f"the kernel wrote into {name}"
        assert (self.memory[self._guards] == _GUARD).all(), "the kernel wrote outside of its buffers"
        return self._read(count)

    def call(self, count: int, known: Sequence[bool]) -> None:
        """Run the kernel over what lies in the buffers; `known` tells which arguments have no unknown."""
        self._set("count", count)
        self._set("words", (count + 63) // 64 * 8)
        self._set("tail", (1 << count % 64) - 1 if count % 64 else -1)
        self._call(self._store, *(self._parameter(name, known) for name in self.kernel.signature))

    def column(self, region: str, dtype: str = "<f8") -> NDArray[Any]:
        """A buffer as CHUNK entries of 8 bytes."""
        return self._bytes(region).view(dtype)

    def _lay_out(self) -> None:
        self._place("state", len(self.kernel.slots) * SLOT_BYTES)
        self._place("table", 8 * sum(map(len, self._lists)))
        for name in ("times", "arg0", "arg1", "arg2", "sampled0", "sampled1", "sampled2", "out"):
            self._place(name, CHUNK * 8)
        for name in ("due", "fresh"):
            self._place(name, HALF_BYTES)
        entries = next((int(self._given(name)) for name in ("capacity", "limit") if self._has(name)), 0)
        self._place("ring", self.kernel.ring_entry_bytes * entries)

    def _place(self, name: str, size: int) -> None:
        self._regions[name] = (self._end, size)
        self._end += (size + 15) // 16 * 16 + _GUARD_BYTES

    def _memory(self) -> NDArray[np.uint8]:
        memory: Any = self._exports["memory"]
        memory.grow(self._store, self._end // 65536 + 1)
        size = memory.data_len(self._store)
        address = ctypes.addressof(memory.data_ptr(self._store).contents)
        return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))

    def _guard(self) -> NDArray[np.intp]:
        outside = np.ones(len(self.memory), bool)
        outside[_OVERFLOWS : _OVERFLOWS + 8] = False
        for start, size in self._regions.values():
            outside[start : start + size] = False
        guards = np.flatnonzero(outside[: self._end])
        self.memory[guards] = _GUARD
        return guards

    def _bytes(self, region: str) -> NDArray[np.uint8]:
        start, size = self._regions[region]
        return self.memory[start : start + size]

    def _has(self, parameter: str) -> bool:
        return parameter in OPERATIONS[self.node.op].parameters

    def _given(self, parameter: str) -> Any:
        return self.node.parameter(parameter)

    def _table(self) -> Iterator[tuple[int, float]]:
        values = [value for entries in self._lists for value in entries]
        return ((self.address("table") + 8 * index, value) for index, value in enumerate(values))

    def _parameter(self, name: str, known: Sequence[bool]) -> int | float:
        if name in self._regions:
            return self.address(name)
        if name.startswith("known"):
            return int(known[int(name[5:])])
        if name.startswith("step"):
            return 1
        if name in ("fresh0", "fresh1"):  # the mask of an operator's argument is here that of the operator
            return self.address("fresh")
        if name == "length":
            return len(self._lists[0])
        value = self._given(name)
        return float(value) if parameter_type(name) == "f64" else int(value)

    def _set(self, name: str, value: int) -> None:
        variable: Any = self._exports[name]
        variable.set_value(self._store, value)

    def _write(self, block: Block, count: int) -> None:
        self.column("times", "<i8")[:count] = block.times_ns
        for name, bits in (("due", block.due), ("fresh", block.fresh)):
            self._bytes(name)[:] = packed(bits)
        for index, (kind, values) in enumerate(zip(self.kinds, block.arguments, strict=True)):
            if kind is Kind.NUMBER:
                numbers = [math.nan if value is None else value for value in values]
                self.column(f"arg{index}")[:count] = numbers
            else:
                self._bytes(f"arg{index}")[:HALF_BYTES] = packed([value is True for value in values])
                self._bytes(f"arg{index}")[HALF_BYTES : 2 * HALF_BYTES] = packed([value is False for value in values])
        for index, times_ns in enumerate(block.sampled_ns):
            self.column(f"sampled{index}", "<i8")[:count] = times_ns

    def _read(self, count: int) -> list[Value]:
        if self.node.kind is Kind.NUMBER:
            return [None if math.isnan(value) else value for value in self.column("out")[:count].tolist()]
        out = self._bytes("out")
        halves = [np.unpackbits(out[half : half + HALF_BYTES], bitorder="little") for half in (0, HALF_BYTES)]
        words_end = (count + 63) // 64 * 64
        for half in halves:
            assert not half[count:words_end].any(), "bits after the last tick are set"
        true, false = (half[:count].tolist() for half in halves)
        assert not any(t and f for t, f in zip(true, false, strict=True)), "a tick is both true and false"
        return [True if t else False if f else None for t, f in zip(true, false, strict=True)]


def packed(bits: Sequence[bool]) -> NDArray[np.uint8]:
    """A mask as bytes."""
    padded = np.zeros(CHUNK, bool)
    padded[: len(bits)] = bits
    return np.packbits(padded, bitorder="little")


def interpret(operator: Operator, blocks: Sequence[Block]) -> list[list[Value]]:
    """What the interpreter's operator yields; it keeps its value where it is not due. Its mask must be 1."""
    results = []
    value: Value = None
    for block in blocks:
        if block.begins:
            operator.clear()
            value = None
        values = []
        for index, t_ns in enumerate(block.times_ns):
            if block.due[index]:
                arguments = [argument[index] for argument in block.arguments]
                value = operator.step(Tick(t_ns, int(block.fresh[index])), *arguments)
            values.append(value)
        results.append(values)
    return results


def assert_agrees(kernel: Kernel, node: Node, kinds: Sequence[Kind], blocks: Sequence[Block]) -> None:
    """The kernel's value at every tick is the operator's, bit for bit, and so are its overflows."""
    operator = STATEFUL[node.op](node, 1)
    expected = interpret(operator, blocks)
    machine = KernelMachine(kernel, node, kinds)
    for number, (block, wanted) in enumerate(zip(blocks, expected, strict=True)):
        if block.begins:
            machine.reset()
        got = machine.run(block)
        for index, (a, b) in enumerate(zip(got, wanted, strict=True)):
            assert bits_of(a) == bits_of(b), f"block {number}, tick {index}, {block.times_ns[index]} ns: {a}, not {b}"
    assert machine.overflows == getattr(operator, "overflows", 0)


def bits_of(value: Value) -> bytes | bool | None:
    return struct.pack("<d", value) if isinstance(value, float) else value


def word_changes() -> Iterator[list[Value]]:
    """Conditions over four words of ticks that change where a word begins, at the tick before, or at the one after."""
    for first, second, third in product((True, False, None), repeat=3):
        for offset in (-1, 0, 1):
            yield [first] * (64 + offset) + [second] * 64 + [third] * (120 - offset)


_SHARES = (
    *((1.0, 1.0, 0.0),) * 3,
    *((1.0, 0.9, 0.0),) * 2,
    (1.0, 0.4, 0.0),
    (1.0, 1.0, 0.02),
    (1.0, 0.9, 0.3),
    (0.9, 0.9, 0.0),
    (0.3, 1.0, 0.02),
    (0.3, 0.4, 0.3),
    (0.05, 1.0, 0.0),
)
"""Shares of the ticks that are due, of those that have a new sample, of the values that are unknown."""


@st.composite
def recordings(draw: st.DrawFn, kinds: Sequence[Kind], span_ns: int) -> list[Block]:
    """Blocks whose ticks lie a small part of `span_ns` apart, about it, or rarely beyond it."""
    rng = random.Random(draw(st.integers(0, 1 << 32)))
    steps_ns = draw(st.sampled_from(_steps(span_ns)))
    share_due, share_fresh, share_unknown = draw(st.sampled_from(_SHARES))
    stay = draw(st.sampled_from((0.0, 0.5, 0.95, 0.995, 0.999)))
    counts = draw(st.lists(st.sampled_from((1, 2, 63, 64, 65, 128, 150, 200)), min_size=1, max_size=5))
    latest = draw(st.booleans())
    t_ns = MAX_NS - sum(counts) * max(steps_ns) if latest else rng.choice((0, 0, 7, span_ns))
    wander = [_wander(kind, rng, stay, share_unknown) for kind in kinds]
    blocks = []
    for number, count in enumerate(counts):
        begins = number > 0 and rng.random() < 0.2
        times_ns = []
        for _ in range(count):
            times_ns.append(t_ns)
            t_ns += rng.choice(steps_ns)
        due = [rng.random() < share_due for _ in range(count)]
        due[0] = due[0] or begins or number == 0
        fresh = [each and rng.random() < share_fresh for each in due]
        arguments = tuple([next(values) for _ in range(count)] for values in wander)
        blocks.append(Block(times_ns, due, fresh, arguments, begins))
    return blocks


def _steps(span_ns: int) -> list[tuple[int, ...]]:
    few = max(1, span_ns // 10)
    return [
        (few,),
        (few, few, 2 * few, 3 * few),
        (few, few, few, span_ns - 1, span_ns, span_ns + 1, 3 * span_ns),
        (max(1, span_ns // 100),),
        (max(1, span_ns // 150), max(1, span_ns // 70), few),
        (max(1, span_ns // 3), max(1, span_ns // 2), span_ns),
    ]


def _wander(kind: Kind, rng: random.Random, stay: float, share_unknown: float) -> Iterator[Value]:
    """Values that stay for a while, now and then unknown; numbers from a palette of few, of hard, or of many."""
    palette: Sequence[Value] = (True, False)
    if kind is Kind.NUMBER:
        hard = (0.0, -0.0, 1.0, -1.5, 0.1, 1e16, 1e-300, -1e308, 1e308, 1.7e308)
        many = [rng.gauss(0.0, 10.0) for _ in range(50)]
        palette = rng.choice(((0.0, 1.0, 2.0, 3.0), hard, many))
    value: Value = rng.choice(palette)
    while True:
        if rng.random() >= stay:
            value = rng.choice(palette)
        yield None if rng.random() < share_unknown else value
