"""The plan of a list of objects: which fields are read, what a slot keeps, and what is told of all objects."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from triggers.language.ir import AGGREGATES, Input, Ir, Kind
from triggers.language.webassembly.kernels.objects.told import TOLD, Told
from triggers.language.webassembly.layout import StatePlan

FIRST_FIELD = 8
"""In a slot's state: whether its object is in the latest sample (i32, padded), and from here on its fields."""


@dataclass(slots=True)
class ToldCall:
    """An operation over the objects of a list: its node, its operands, and the columns that it needs beside `out`."""

    node: int
    operands: tuple[int, ...]
    kernels: Told
    extra: list[int] = field(default_factory=list)


@dataclass(slots=True)
class ListPlan:
    """What is planned of one list; sizes in bytes."""

    place: int
    """Its input."""
    number: int
    """Its number among the program's lists."""
    item: Input
    nodes: tuple[int, ...]
    """The nodes that belong to it, in the program's order."""
    fields: tuple[int, ...]
    """The fields that are read, without the key, by their places among all."""
    has_bools: bool
    told: list[ToldCall]
    state: StatePlan
    """The state of one slot, whose addresses are offsets."""
    bool_column: int = 0
    """The column in which a bool field is before it becomes masks."""

    @classmethod
    def of(cls, ir: Ir, place: int, number: int, stages: Mapping[int, int]) -> ListPlan:
        """The plan of the list that is the input at `place`; what its objects need of a slot is added to `state`."""
        item = ir.inputs[place]
        nodes = [(index, ir.nodes[index]) for index, stage in stages.items() if stage == place]
        read = {node.integer("field"): node.kind for _, node in nodes if node.op == "object_field"}
        fields = tuple(sorted(each for each in read if item.fields[each].type != "id"))
        told = []
        for index, node in nodes:
            if node.op in AGGREGATES:
                name = f"{node.op}_{node.kind}" if node.op == "nearest_object" else node.op
                told.append(ToldCall(index, node.arguments, TOLD[name]))
        state = StatePlan(image=bytearray(struct.pack(f"<q{len(fields)}d", 0, *(float("nan") for _ in fields))))
        own = tuple(index for index, _ in nodes)
        return cls(place, number, item, own, fields, Kind.BOOL in read.values(), told, state)

    @property
    def most(self) -> int:
        """How many slots it has."""
        return self.item.max_objects

    @property
    def levels(self) -> int:
        """How many halvings find a key among those in order."""
        return self.most.bit_length()

    @property
    def sorted_keys(self) -> int:
        """Places for keys in order, of which the last is never in use."""
        return 1 << self.levels

    @property
    def slot_bytes(self) -> int:
        """The state of one slot with its rings."""
        return self.state.ring_start + sum(self.state.rings)

    @property
    def state_bytes(self) -> int:
        """All that is kept of the list: what was left out, times, keys by slot and in order, and the slots' states."""
        in_order = -(-12 * self.sorted_keys // 8) * 8
        return 8 + 16 * self.most + in_order + self.most * self.slot_bytes

    def held_field(self, place: int) -> int:
        """The offset of a field in a slot's state."""
        return FIRST_FIELD + 8 * self.fields.index(place)
