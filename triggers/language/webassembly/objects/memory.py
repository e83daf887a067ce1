"""The part of a module's memory that its lists of objects have, and the words of `objects.wat` that stand for it."""

from __future__ import annotations

from dataclasses import dataclass

from triggers.language.webassembly import layout
from triggers.language.webassembly.layout import Space
from triggers.language.webassembly.objects.plan import ListPlan
from triggers.language.webassembly.objects.text import hold_field, search_step

HELD_PLACE, ABSENT = -2, -1
"""In the column of an object's places: what is held from before the block, and no object."""
_NEXT_COLUMN_BYTES = 64
"""Between the places of two slots, so that those of all slots do not share a few lines of the cache."""


@dataclass(slots=True)
class ListBuffers:
    """Where a host writes the objects of a list: where those of each row begin, their keys, and the fields read."""

    capacity: int
    starts: int
    keys: int
    fields: dict[int, int]

    @classmethod
    def take(cls, space: Space, plan: ListPlan, rows: int, capacity: int | None) -> ListBuffers:
        """Buffers for so many rows, and for so many objects or as many as are useful."""
        objects = max(plan.most, capacity or layout.objects_for(plan.most, 1 + len(plan.fields)))
        starts, keys = space.take(4 * rows), space.take(8 * objects)
        return cls(objects, starts, keys, {field: space.take(8 * objects) for field in plan.fields})


@dataclass(slots=True)
class ListScratch:
    """What is only valid within a block: see `objects.wat`."""

    found: int
    next: int
    places_of: int
    sample_ticks: int
    sample_ends: int
    places: int
    known: int

    @classmethod
    def take(cls, space: Space, plan: ListPlan, chunk: int) -> ListScratch:
        """Scratch for blocks of so many ticks."""
        return cls(
            found=space.take(4 * plan.most),
            next=space.take(4 * (plan.most + 1)),
            places_of=space.take(8 * plan.most),
            sample_ticks=space.take(4 * chunk),
            sample_ends=space.take(4 * chunk),
            places=space.take(plan.most * places_bytes(chunk)),
            known=space.take(chunk // 8),
        )


def places_bytes(chunk: int) -> int:
    """From the places of one slot to those of the next."""
    return 4 * chunk + _NEXT_COLUMN_BYTES


def scratch_bytes_per_tick(plan: ListPlan) -> int:
    """What a list adds to the scratch of a block for each tick."""
    return 4 * plan.most + 16


@dataclass(frozen=True, slots=True)
class ListState:
    """The addresses of what is kept of a list."""

    left_out: int
    seen: int
    owners: int
    sorted: int
    slots: int

    @classmethod
    def at(cls, address: int, plan: ListPlan) -> ListState:
        """The parts of the region that begins at this address."""
        seen = address + 8
        in_order = seen + 16 * plan.most
        return cls(address, seen, seen + 8 * plan.most, in_order, address + plan.state_bytes - _slots_bytes(plan))


def _slots_bytes(plan: ListPlan) -> int:
    return plan.most * plan.slot_bytes


def words_of(
    plan: ListPlan, state: ListState, buffers: ListBuffers, scratch: ListScratch, numbers: dict[str, int]
) -> dict[str, int | str]:
    """What stands for each word of `objects.wat`; `numbers` are those of the module: column, due, image, chunk."""
    if plan.item.max_age_ns is None:
        raise ValueError(f"the list {plan.item.name} has no max_age")
    return {
        "LIST_INPUT": plan.place,
        "LIST_MAX": plan.most,
        "LIST_MAX_AGE": plan.item.max_age_ns,
        "LIST_COLUMN": numbers["column"],
        "LIST_DUE": numbers["due"],
        "LIST_STARTS": buffers.starts,
        "LIST_KEYS": buffers.keys,
        "LIST_LEFT_OUT": state.left_out,
        "LIST_SEEN": state.seen,
        "LIST_SEEN_BYTES": 8 * plan.most,
        "LIST_OWNERS": state.owners,
        "LIST_SORTED": state.sorted,
        "LIST_SORTED_SLOTS": state.sorted + 8 * plan.sorted_keys,
        "LIST_SORTED_BYTES": 12 * plan.sorted_keys,
        "LIST_KEYS_BYTES": 8 * plan.sorted_keys,
        "LIST_SLOTS": state.slots,
        "LIST_SLOT_BYTES": plan.slot_bytes,
        "LIST_IMAGE": numbers["image"],
        "LIST_IMAGE_BYTES": len(plan.state.image),
        "LIST_FOUND": scratch.found,
        "LIST_NEXT": scratch.next,
        "LIST_PLACES_OF": scratch.places_of,
        "LIST_LATEST_OF": scratch.places_of + 4,
        "LIST_SAMPLE_TICKS": scratch.sample_ticks,
        "LIST_SAMPLE_ENDS": scratch.sample_ends,
        "LIST_PLACES": scratch.places,
        "LIST_PLACES_BYTES": places_bytes(numbers["chunk"]),
        "LIST_KNOWN": scratch.known,
        "LIST_SEARCH": " ".join(search_step(level, state.sorted) for level in reversed(range(plan.levels))),
        "LIST_HOLD_FIELDS": " ".join(
            hold_field(plan.held_field(field), buffers.fields[field]) for field in plan.fields
        ),
    }
