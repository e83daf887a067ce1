"""The objects of a list: each in a slot, with fields and operators of its own, and what is told of those present.

Which slot an object has, and for how long, is the rule of docs/decisions/0057-lists-of-objects.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from triggers.language.graph import stages
from triggers.language.ir import AGGREGATES, Input, InputField, Ir, Node
from triggers.language.reference.inputs import HeldInput
from triggers.language.reference.objects.told import TOLD
from triggers.language.reference.operators import Tick
from triggers.language.reference.steps import Step, make_steps
from triggers.language.reference.values import Value
from triggers.language.reference.windows import Ring
from triggers.signals.objects import ObjectSample

MAX_KEY = 2**53
"""A key beyond this is unknown as a number, since a float64 cannot tell it from its neighbours."""


@dataclass(slots=True)
class Slot:
    """An object in its slot: when it was seen last, its fields as signals, and the operators of conditions on it."""

    key: int
    seen_ns: int
    fields: Mapping[int, HeldInput]
    """By their places among the list's fields."""
    steps: Sequence[Step]
    is_present: bool = True
    values: dict[int, Value] = field(default_factory=dict)
    """The latest value of each node that depends on its fields."""

    def take(self, t_ns: int, values: Mapping[int, float] | None) -> None:
        """Take the fields of a sample; None for one in which the object is absent, which makes them unknown."""
        self.is_present = values is not None
        if values is not None:
            self.seen_ns = t_ns
        for place, held in self.fields.items():
            held.take(t_ns, values[place] if values is not None else float("nan"))

    def step(self, tick: Tick, due: int | None, values: Sequence[Value]) -> None:
        """Evaluate the nodes that tick; `values` are those of nodes that depend on no field."""
        for step in self.steps:
            if due is None or step.operator.mask & due:
                arguments = [self.value(argument, values) for argument in step.arguments]
                self.values[step.index] = step.value(tick, arguments)

    def value(self, node: int, values: Sequence[Value]) -> Value:
        """A node's value for this object."""
        return self.values[node] if node in self.values else values[node]

    @property
    def overflows(self) -> int:
        """How many entries its windows have lost."""
        return sum(step.operator.overflows for step in self.steps if isinstance(step.operator, Ring))


class ObjectList:
    """One list of a program: its objects in slots, and the operations over those that are present."""

    def __init__(self, ir: Ir, place: int, masks: tuple[int, ...], held: HeldInput) -> None:
        self.item: Input = ir.inputs[place]
        self.mask = 0
        """The inputs that its operations read."""
        self.is_known = False
        """Whether its latest sample was valid when it ticked last."""
        self.left_out = 0
        """How many objects of samples had no slot: those after the first `max`, and those with a key twice."""
        self._ir, self._place, self._masks, self._held = ir, place, masks, held
        self._slots: list[Slot | None] = [None] * self.item.max_objects
        self._lost_entries = 0
        of_list = [node for node, stage in stages(ir.nodes, range(len(ir.nodes))).items() if stage == place]
        self._aggregates = [node for node in of_list if ir.nodes[node].op in AGGREGATES]
        self._of_objects = [node for node in of_list if ir.nodes[node].op not in AGGREGATES]
        for node in self._aggregates:
            self.mask |= masks[node]
        self._fields = {ir.nodes[node].integer("field") for node in of_list if ir.nodes[node].op == "object_field"}

    @property
    def overflows(self) -> int:
        """How many entries the windows of all its objects have lost."""
        return self._lost_entries + sum(slot.overflows for slot in self._slots if slot is not None)

    def begin_segment(self) -> None:
        """Empty the slots."""
        for place in range(len(self._slots)):
            self._empty(place)
        self.is_known = False

    def take(self, t_ns: int, sample: ObjectSample) -> None:
        """Take a sample: objects keep their slots, new ones get one, and the fields of absent ones become unknown."""
        objects: dict[int, Mapping[int, float]] = {}
        for key, values in list(zip(sample.keys, sample.values, strict=True))[: self.item.max_objects]:
            objects.setdefault(key, self._field_values(key, values))
        self.left_out += len(sample.keys) - len(objects)
        kept = {slot.key for slot in self._slots if slot is not None and not self._is_over(slot, t_ns)}
        for slot in self._slots:
            if slot is not None and not self._is_over(slot, t_ns):
                slot.take(t_ns, objects.get(slot.key))
        for key, fields in objects.items():
            if key not in kept:
                place = self._free_slot(t_ns)
                self._empty(place)
                slot = self._slots[place] = self._new(key, t_ns)
                slot.take(t_ns, fields)

    def evaluate(self, tick: Tick, due: int | None, values: list[Value]) -> None:
        """Step the objects in their slots, then the operations over them, as far as they read a signal in `due`.

        An object that is over is dropped when the list ticks, as a signal becomes unknown when it ticks.
        """
        if due is None or due >> self._place & 1:
            self.is_known = self._held.value(tick.t_ns) is not None
            for place, slot in enumerate(self._slots):
                if slot is not None and self._is_over(slot, tick.t_ns):
                    self._empty(place)
        for slot in self._slots:
            if slot is not None:
                slot.step(tick, due, values)
        for index in self._aggregates:
            if due is None or self._masks[index] & due:
                node = self._ir.nodes[index]
                values[index] = TOLD[node.op](list(self._present(node, values))) if self.is_known else None

    def _present(self, node: Node, values: Sequence[Value]) -> Iterator[tuple[int, tuple[Value, ...]]]:
        """The key of each object that is present, and the arguments of an operation for it, in the order of slots."""
        for slot in self._slots:
            if slot is not None and slot.is_present:
                yield slot.key, tuple(slot.value(argument, values) for argument in node.arguments)

    def _field_values(self, key: int, values: Sequence[float]) -> dict[int, float]:
        """The numbers of an object by the places of the list's fields, of which one is the key."""
        numbers = iter(values)
        number_of_key = float(key) if abs(key) <= MAX_KEY else float("nan")
        return {
            place: number_of_key if item.type == "id" else next(numbers) for place, item in enumerate(self.item.fields)
        }

    def _free_slot(self, t_ns: int) -> int:
        """The lowest slot that is empty or whose object is over, else that of the absent one seen least recently."""
        for place, slot in enumerate(self._slots):
            if slot is None or self._is_over(slot, t_ns):
                return place
        absent = [(slot.seen_ns, place) for place, slot in enumerate(self._slots) if slot and not slot.is_present]
        return min(absent)[1]

    def _is_over(self, slot: Slot, t_ns: int) -> bool:
        return self.item.max_age_ns is not None and t_ns - slot.seen_ns > self.item.max_age_ns

    def _empty(self, place: int) -> None:
        slot = self._slots[place]
        self._lost_entries += slot.overflows if slot is not None else 0
        self._slots[place] = None

    def _new(self, key: int, t_ns: int) -> Slot:
        fields = {place: HeldInput(self._signal(self.item.fields[place])) for place in sorted(self._fields)}
        steps = make_steps(self._ir, self._masks, [], self._of_objects, fields)
        return Slot(key, t_ns, fields, steps)

    def _signal(self, item: InputField) -> Input:
        """A field as the signal of an object, sampled whenever the list is."""
        return Input(
            name=f"{self.item.name}.{item.name}",
            type="number" if item.type == "id" else item.type,
            unit=item.unit,
            max_age_ns=self.item.max_age_ns,
            initial=None,
            values=item.values,
        )
