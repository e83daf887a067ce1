"""The manifest: what a host needs to know of a module, as JSON in its custom section `longtail`."""

from __future__ import annotations

import operator
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from triggers.contracts.base import Contract, Name, SignalName
from triggers.contracts.bundle import MAX_PROGRAM_BYTES
from triggers.contracts.campaign import MAX_COMPARES, MAX_EVENT_WINDOW_NS, MAX_TRIGGERS, CaptureWindow
from triggers.contracts.compared import EventKey, Sides
from triggers.errors import InvalidInput
from triggers.language.ir import MAX_INPUTS
from triggers.language.webassembly.host.sections import custom_section
from triggers.language.webassembly.layout import (
    COMPARE_BYTES,
    EVENTS_COUNTERS,
    FIRE_BYTES,
    MAX_MEMORY_BYTES,
    PADDING_ROWS,
    TRIGGER_BYTES,
)
from triggers.times import NS_PER_S

SECTION = "longtail"
MAX_GAP_NS = 3600 * NS_PER_S
"""The longest `max_gap` of a signal catalog, which bounds the heartbeats between two rows."""
MIN_ROW_CAPACITY = 64
"""A host limits the time of each call, so a call must be able to take more than a few rows."""

Address = Annotated[int, Field(ge=0, lt=MAX_MEMORY_BYTES)]
Count = Annotated[int, Field(ge=0, lt=MAX_MEMORY_BYTES)]
PositiveNs = Annotated[int, Field(ge=1)]


class ManifestInput(Contract):
    """A signal that the program reads, and the address of its column in the row buffers.

    `max_age_ns` None: never expires within a segment. `initial` is the value at a segment's start. Bools come as 0
    and 1, texts as the index into `values`, numbers in `unit`.
    """

    name: SignalName
    type: Literal["number", "bool", "text", "objects"]
    unit: Annotated[str, Field(max_length=100)]
    max_age_ns: PositiveNs | None
    initial: float | None
    values: Annotated[tuple[str, ...], Field(max_length=10_000)] = ()
    column: Address


class ManifestTrigger(Contract):
    """A trigger: what it captures, and the address of its record in the state.

    The record: time of the latest fire (i64, ns), whether there was one (i64), rises suppressed (i64).
    """

    name: Name
    cooldown_ns: Annotated[int, Field(ge=0)]
    capture: CaptureWindow | None
    record: Address


class ManifestCompare(Contract):
    """A compared head, and the address of its counters: pairs (active, shadow) 00, 01, 10, 11 and unknown (i64)."""

    head: SignalName
    counters: Address


class ManifestEvents(Contract):
    """Two sides of a head whose rises are matched up to `within_ns` apart, and the address of their counters.

    The counters (i64): matched, only first, only second, unresolved first, unresolved second. `driver` is the signal of
    the driver, null for the active and the shadow signal.
    """

    head: SignalName
    sides: Sides
    within_ns: Annotated[int, Field(ge=1, le=MAX_EVENT_WINDOW_NS)]
    driver: SignalName | None = None
    counters: Address

    @property
    def key(self) -> EventKey:
        """What tells it from the others of its program."""
        return EventKey(self.head, self.sides, self.within_ns, self.driver)


class Region(Contract):
    """A part of the module's memory."""

    address: Address
    size_bytes: Count


class Cost(Contract):
    """What the program costs a vehicle, in WebAssembly instructions (see `cost`)."""

    operations_per_tick: Annotated[int, Field(ge=0)]
    burst_operations: Annotated[int, Field(ge=0)]
    operations_per_block: Annotated[int, Field(ge=0)]


class Manifest(Contract):
    """Inputs, triggers, compared heads and events of a program, and where a host finds them in the module's memory.

    A row is a time (i64, ns) at `times + 8 * row`, and for each input a number (f64) at `column + 8 * row`, NaN where
    there is no new sample. A fire is 16 bytes at `fires + 16 * i`: time (i64, ns), row of this call (u32), trigger's
    index (u32); their number is the u32 at `fire_count`. A program that compares events is of format 3, so that a host
    which would not report them refuses it; any other is of format 2 and has no `events`.
    """

    format: Literal["longtail-program/2", "longtail-program/3"] = "longtail-program/2"
    language: Literal[1] = 1
    max_gap_ns: Annotated[int, Field(ge=1, le=MAX_GAP_NS)]
    inputs: Annotated[tuple[ManifestInput, ...], Field(max_length=MAX_INPUTS)]
    triggers: Annotated[tuple[ManifestTrigger, ...], Field(max_length=MAX_TRIGGERS)]
    compares: Annotated[tuple[ManifestCompare, ...], Field(max_length=MAX_COMPARES)]
    events: Annotated[
        tuple[ManifestEvents, ...], Field(max_length=MAX_COMPARES * len(Sides), exclude_if=operator.not_)
    ] = ()
    times: Address
    row_capacity: Annotated[int, Field(ge=MIN_ROW_CAPACITY, lt=MAX_MEMORY_BYTES)]
    fires: Address
    fire_capacity: Annotated[int, Field(ge=1, lt=MAX_MEMORY_BYTES)]
    fire_count: Address
    state: Region
    overflows: Address
    cost: Cost

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for names in (
            [item.name for item in self.inputs],
            [trigger.name for trigger in self.triggers],
            [compare.head for compare in self.compares],
            [events.key for events in self.events],
        ):
            if len(names) != len(set(names)):
                raise ValueError("two inputs, triggers, compared heads or compared events have the same name")
        return self

    @model_validator(mode="after")
    def _format_fits(self) -> Self:
        if bool(self.events) is not (self.format == "longtail-program/3"):
            raise ValueError(f"a program of format {self.format} has {len(self.events)} compared events")
        for events in self.events:
            if (events.driver is None) is not (events.sides is Sides.ACTIVE_SHADOW):
                raise ValueError(f"{events.sides} of {events.head} with the driver {events.driver}")
        return self

    @model_validator(mode="after")
    def _regions_are_apart(self) -> Self:
        """Nothing that a host reads or writes overlaps, and every counter is in the state region."""
        rows = 8 * self.row_capacity
        regions = sorted(
            [
                (self.state.address, self.state.size_bytes),
                (self.times, rows),
                (self.fires, FIRE_BYTES * self.fire_capacity),
                (self.fire_count, 4),
                *((item.column, rows) for item in self.inputs),
            ]
        )
        if any(left + size > right for (left, size), (right, _) in pairwise(regions)):
            raise ValueError("row buffers, fires and state overlap")
        records = [(self.overflows, 8)]
        records += [(trigger.record, TRIGGER_BYTES) for trigger in self.triggers]
        records += [(compare.counters, COMPARE_BYTES) for compare in self.compares]
        records += [(events.counters, 8 * EVENTS_COUNTERS) for events in self.events]
        end = self.state.address + self.state.size_bytes
        if any(at < self.state.address or at + size > end for at, size in records):
            raise ValueError("a counter lies outside the state")
        return self

    @property
    def memory_bytes(self) -> int:
        """The memory that the regions need."""
        rows = 8 * (self.row_capacity + PADDING_ROWS)
        ends = [self.times + rows, self.fires + FIRE_BYTES * self.fire_capacity, self.fire_count + 4]
        return max([*ends, self.state.address + self.state.size_bytes, *(item.column + rows for item in self.inputs)])


def read_manifest(module: bytes) -> Manifest:
    """The manifest of a module. Raises InvalidInput, naming what is wrong with it."""
    if len(module) > MAX_PROGRAM_BYTES:
        raise InvalidInput(f"program: has {len(module)} bytes, more than {MAX_PROGRAM_BYTES}")
    section = custom_section(module, SECTION)
    if section is None:
        raise InvalidInput(f"program: the module has no section `{SECTION}`", remedy="compile the campaign again")
    return Manifest.from_json(section, what="program: its manifest")
