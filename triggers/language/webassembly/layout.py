"""The layout of the module's memory: the state, tables, row buffers, fires, and scratch columns.

The state is one contiguous region, so that a host can save it. First comes what survives segments, then the segment
part, which is reset to initial values when a segment begins, then the rings, whose valid entries are recorded in the
segment part.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from triggers.compared_events.matcher import MAX_WAITING
from triggers.language.ir import Ir, Kind
from triggers.language.webassembly.kernel_parts.kernel import NO_SAMPLE, SLOT_BYTES, Slot

HEADER_BYTES = 32
"""Running (i32), previous row's time, next heartbeat, lost window entries."""
TRIGGER_BYTES = 24
"""Time of the latest fire, whether there is one, rises suppressed."""
COMPARE_BYTES = 40
"""Pairs by (active, shadow): 00, 01, 10, 11, unknown."""
EVENTS_COUNTERS = 5
"""Matched, only first, only second, unresolved first, unresolved second: what a host reads of the record of events."""
EVENTS_BYTES = 8 * (EVENTS_COUNTERS + 8 + MAX_WAITING)
"""The counters; whether the latest known value of either side was false; since when either side is known, or -1; the
latest tick; whose rises wait; the earliest of them and their number; and a ring of their times."""
HELD_BYTES = 32
"""An input's latest sample, since when it holds, its sample time, and what it showed at its latest tick."""
FIRE_BYTES = 16
WEIGHT_BYTES = 32
"""Time unknown, false and true, and which of these the latest tick was."""
CLOSEST_BYTES = 16
"""The first tick at which all parts of a condition but one were true, and the number of that one."""
CONSTANT_BYTES = 512
"""A constant as 64 equal numbers, a word's worth of a column."""
PADDING_ROWS = 64
"""Kernels read whole words, so a column ends with room for one."""

MAX_MEMORY_BYTES = 256 * 1024 * 1024
"""The most memory a module may have on a vehicle; a module that asks for more is refused."""

STATE = 64
RUNNING, PREVIOUS, BEAT, OVERFLOWS = STATE, STATE + 8, STATE + 16, STATE + 24
MAX_ROWS = 32_768
MIN_ROWS = 1024
ROW_BUFFER_BYTES = 4 * 1024 * 1024
MAX_CHUNK = 4096
MIN_CHUNK = 256
SCRATCH_BYTES = 1024 * 1024
"""Scratch columns should stay in a core's cache, so a program with many of them has shorter blocks."""
EXTRA_FIRES = 4096
OBJECT_BUFFER_BYTES = 2 * 1024 * 1024
"""What the buffers of a list's objects take, beside those of rows."""


class Space:
    """Allocates addresses in sequence."""

    def __init__(self, start: int) -> None:
        self.end = start

    def take(self, size: int, align: int = 16) -> int:
        """The address of `size` new bytes."""
        address = -(-self.end // align) * align
        self.end = address + size
        return address


@dataclass(slots=True)
class StatePlan:
    """The state region, from which nodes get their parts."""

    triggers: int = 0
    compares: int = 0
    events: int = 0
    segment: int = 0
    image: bytearray = field(default_factory=bytearray)
    rings: list[int] = field(default_factory=list)
    lists: list[int] = field(default_factory=list)
    """Bytes that each list of objects takes."""

    @classmethod
    def of(cls, ir: Ir) -> StatePlan:
        """A plan with the parts of triggers, compares, events and inputs."""
        plan = cls(triggers=STATE + HEADER_BYTES)
        plan.compares = plan.triggers + TRIGGER_BYTES * len(ir.triggers)
        plan.events = plan.compares + COMPARE_BYTES * len(ir.compares)
        plan.segment = plan.events + EVENTS_BYTES * len(ir.events)
        for item in ir.inputs:
            initial = float("nan") if item.initial is None else item.initial
            plan.image += struct.pack("<dqqd", initial, 0, NO_SAMPLE, float("nan"))
        plan.image += bytes(0 if ir.inputs else HELD_BYTES)
        return plan

    def slots(self, slots: tuple[Slot, ...]) -> int:
        """The address of a kernel's slots."""
        address = self.segment + len(self.image)
        for slot in slots:
            self.image += struct.pack({"f64": "<d", "i64": "<q", "i32": "<i"}[slot.type], slot.initial)
            self.image += bytes(-len(self.image) % SLOT_BYTES)
        return address

    def ring(self, size: int) -> int:
        """A ring's place among the rings."""
        offset = sum(self.rings)
        self.rings.append(-(-size // SLOT_BYTES) * SLOT_BYTES)
        return offset

    @property
    def ring_start(self) -> int:
        """The address of the first ring, once all slots are allocated."""
        return self.segment + len(self.image)

    def list_start(self, number: int) -> int:
        """The address of what is kept of a list, once everything else is allocated."""
        return self.ring_start + sum(self.rings) + sum(self.lists[:number])

    @property
    def size(self) -> int:
        """Bytes of the whole region."""
        return self.list_start(len(self.lists)) - STATE


@dataclass(slots=True)
class Columns:
    """Places for nodes' results, which are reused after their last use."""

    keep_results: bool
    count: dict[Kind, int] = field(default_factory=lambda: {Kind.NUMBER: 0, Kind.BOOL: 0})
    free: dict[Kind, list[int]] = field(default_factory=lambda: {Kind.NUMBER: [], Kind.BOOL: []})

    def take(self, kind: Kind) -> int:
        """The index of a column (numbers) or of a pair of masks (conditions)."""
        if self.free[kind]:
            return self.free[kind].pop()
        self.count[kind] += 1
        return self.count[kind] - 1

    def give_back(self, kind: Kind, index: int) -> None:
        """Release a place that has been read for the last time."""
        if not self.keep_results:
            self.free[kind].append(index)


def chunk_for(bytes_per_tick: float, max_chunk: int) -> int:
    """The ticks of a block: `max_chunk`, halved until the block's columns fit into a core's cache."""
    chunk = max_chunk
    while chunk > MIN_CHUNK and chunk * bytes_per_tick > SCRATCH_BYTES:
        chunk //= 2
    return chunk


def objects_for(most: int, fields: int) -> int:
    """Objects of a list that the buffers hold: at least those of one sample, whose fields (and key) are so many."""
    return max(most, OBJECT_BUFFER_BYTES // (8 * fields))


def rows_for(inputs: int) -> int:
    """Rows of the row buffers, a power of two."""
    rows = MAX_ROWS
    while rows > MIN_ROWS and rows * 8 * (inputs + 1) > ROW_BUFFER_BYTES:
        rows //= 2
    return rows
