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
from triggers.signals.objects import MAX_FIELDS, MAX_OBJECTS
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


class ManifestField(Contract):
    """A field of the objects of a list, and the address of its column; null for the key and for one not read.

    Numbers come in `unit`, bools as 0 and 1, texts as the index into `values`; NaN where the field is unknown.
    """

    name: Name
    type: Literal["id", "number", "bool", "text"]
    unit: Annotated[str, Field(max_length=100)] = ""
    values: Annotated[tuple[str, ...], Field(max_length=10_000)] = ()
    column: Address | None = None


class ManifestList(Contract):
    """A list of objects, which is an input of the type objects, and where a host writes the objects of its samples.

    The input's column has how many objects a row's sample has. The first `max_objects` of them stand in the buffers one
    after the other, from the place that the u32 at `starts + 4 * row` tells: the key (i64) at `keys + 8 * place`, and
    each field that is read (f64) at `column + 8 * place`. Samples may not overlap and not reach beyond `capacity`.
    `fields` are all that the signal catalog declares. `left_out` is the counter (i64) of objects that had no slot:
    those after the first `max_objects`, and those whose key came twice.
    """

    input: SignalName
    max_objects: Annotated[int, Field(ge=1, le=MAX_OBJECTS)]
    capacity: Annotated[int, Field(ge=1, lt=MAX_MEMORY_BYTES)]
    starts: Address
    keys: Address
    fields: Annotated[tuple[ManifestField, ...], Field(min_length=1, max_length=MAX_FIELDS)]
    left_out: Address

    @property
    def columns(self) -> dict[int, int]:
        """The addresses of the fields that are read, by their places among the fields without the key."""
        values = [item for item in self.fields if item.type != "id"]
        return {place: item.column for place, item in enumerate(values) if item.column is not None}

    def regions(self, rows: int) -> list[tuple[int, int]]:
        """Addresses and sizes of what a host writes, for so many rows."""
        columns = [(self.keys, 8 * self.capacity), *((at, 8 * self.capacity) for at in self.columns.values())]
        return [(self.starts, 4 * rows), *columns]


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
    index (u32); their number is the u32 at `fire_count`. A program that reads lists of objects is of format 4, and
    another that compares events of format 3, so that a host which would not write the one or report the other refuses
    it; any other is of format 2, and has neither.
    """

    format: Literal["longtail-program/2", "longtail-program/3", "longtail-program/4"] = "longtail-program/2"
    language: Literal[1] = 1
    max_gap_ns: Annotated[int, Field(ge=1, le=MAX_GAP_NS)]
    inputs: Annotated[tuple[ManifestInput, ...], Field(max_length=MAX_INPUTS)]
    triggers: Annotated[tuple[ManifestTrigger, ...], Field(max_length=MAX_TRIGGERS)]
    compares: Annotated[tuple[ManifestCompare, ...], Field(max_length=MAX_COMPARES)]
    events: Annotated[
        tuple[ManifestEvents, ...], Field(max_length=MAX_COMPARES * len(Sides), exclude_if=operator.not_)
    ] = ()
    lists: Annotated[tuple[ManifestList, ...], Field(max_length=MAX_INPUTS, exclude_if=operator.not_)] = ()
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
        if bool(self.lists) is not (self.format == "longtail-program/4"):
            raise ValueError(f"a program of format {self.format} has {len(self.lists)} lists of objects")
        if not self.lists and bool(self.events) is not (self.format == "longtail-program/3"):
            raise ValueError(f"a program of format {self.format} has {len(self.events)} compared events")
        if [each.input for each in self.lists] != [item.name for item in self.inputs if item.type == "objects"]:
            raise ValueError("the lists of objects are not the inputs of that type")
        for each in self.lists:
            if [item.type for item in each.fields].count("id") != 1 or each.capacity < each.max_objects:
                raise ValueError(f"the list {each.input} has no key, or buffers for less than one sample")
            if any(item.type == "id" and item.column is not None for item in each.fields):
                raise ValueError(f"the key of {each.input} has a column of numbers")
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
                *(region for each in self.lists for region in each.regions(self.row_capacity)),
            ]
        )
        if any(left + size > right for (left, size), (right, _) in pairwise(regions)):
            raise ValueError("row buffers, fires and state overlap")
        records = [(self.overflows, 8)]
        records += [(trigger.record, TRIGGER_BYTES) for trigger in self.triggers]
        records += [(compare.counters, COMPARE_BYTES) for compare in self.compares]
        records += [(events.counters, 8 * EVENTS_COUNTERS) for events in self.events]
        records += [(each.left_out, 8) for each in self.lists]
        end = self.state.address + self.state.size_bytes
        if any(at < self.state.address or at + size > end for at, size in records):
            raise ValueError("a counter lies outside the state")
        return self

    @property
    def memory_bytes(self) -> int:
        """The memory that the regions need."""
        rows = 8 * (self.row_capacity + PADDING_ROWS)
        ends = [self.times + rows, self.fires + FIRE_BYTES * self.fire_capacity, self.fire_count + 4]
        ends += [item.column + rows for item in self.inputs]
        ends += [at + size for each in self.lists for at, size in each.regions(self.row_capacity + PADDING_ROWS)]
        return max([*ends, self.state.address + self.state.size_bytes])


def read_manifest(module: bytes) -> Manifest:
    """The manifest of a module. Raises InvalidInput, naming what is wrong with it."""
    if len(module) > MAX_PROGRAM_BYTES:
        raise InvalidInput(f"program: has {len(module)} bytes, more than {MAX_PROGRAM_BYTES}")
    section = custom_section(module, SECTION)
    if section is None:
        raise InvalidInput(f"program: the module has no section `{SECTION}`", remedy="compile the campaign again")
    return Manifest.from_json(section, what="program: its manifest")
