"""The plan of a module: which kernels compute a program's nodes, in which order, and what state they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from triggers.language.graph import AFTER, BEFORE, stages
from triggers.language.ir import AGGREGATES, CLOCK, MAX_INPUTS, Ir, Kind, Node
from triggers.language.watched import watched
from triggers.language.webassembly.kernel_parts.kernel import SLOT_BYTES, Kernel, Slot
from triggers.language.webassembly.kernels.table import KERNELS
from triggers.language.webassembly.layout import Columns, StatePlan
from triggers.language.webassembly.objects.plan import ListPlan

_LAST_KNOWN = Slot("last", "i64", 0)
"""A trigger remembers whether its condition was last known as false (1) or true (2)."""


@dataclass(frozen=True, slots=True)
class KernelCall:
    """A call of a kernel for a node: its operands (nodes), its result's place, and its part of the state."""

    kernel: Kernel
    node: int
    operands: tuple[int, ...]
    out: int = 0
    state: int = 0
    ring: int = 0
    ring_entries: int = 0

    @property
    def state_bytes(self) -> int:
        """Bytes of its slots and its ring."""
        return len(self.kernel.slots) * SLOT_BYTES + self.kernel.ring_entry_bytes * self.ring_entries


ZERO = -1
"""An operand that means the constant 0, which a bool input is compared with."""
COLUMN = -2
"""`COLUMN - i` is an operand that means the column of input i, whose node has masks itself."""
FIELD = COLUMN - MAX_INPUTS
"""`FIELD - i` is an operand that means the column in which a bool field of an object of list i is."""


class ModulePlan:
    """Calls of kernels with their parts of the state, and the masks and sample times that they read."""

    def __init__(self, ir: Ir, *, keep_results: bool = False) -> None:
        self.ir = ir
        self.inputs = max(1, len(ir.inputs))
        self.signals = ir.signal_masks()
        self.has_clock = any(mask & CLOCK for mask in self.signals)
        self.state = StatePlan.of(ir)
        self.columns = Columns(keep_results)
        self.calls: list[KernelCall] = []
        self.outs: dict[int, int] = {}
        """The place of each node's result among the columns or masks; not for constants and numeric inputs."""
        self.due_masks: dict[int, int] = {1 << i: i for i in range(self.inputs)}
        self.fresh_masks: dict[int, int] = {1 << i: i for i in range(self.inputs)}
        self.whole_constants: set[int] = set()
        """Constants that a kernel reads as a whole column."""
        self.sampled_inputs: set[int] = set()
        """Inputs whose sample times a kernel reads."""
        self.trigger_slots: list[int] = []
        self.watched = watched(ir)
        self.stages = stages(ir.nodes, range(len(ir.nodes)))
        self.lists = {
            place: ListPlan.of(ir, place, number, self.stages)
            for number, place in enumerate(_lists_in_order(ir, self.stages))
        }
        """What is planned of each list of objects, by its input, in the order in which they are evaluated."""
        self._plan()

    def _plan(self) -> None:
        last_use = self._last_uses()
        parts = {each.root: each.parts for each in self.watched}
        stage, kept = BEFORE, list[int]()
        for index in range(len(self.ir.nodes)):
            if self.stages[index] != stage:
                self._give_back(kept)
                stage = self.stages[index]
                self._begin_list(self.lists.get(stage))
            for call in self._calls_of(index):
                self.calls.append(self._with_state(call))
            done = [
                operand
                for operand in {index, *self.ir.nodes[index].arguments, *parts.get(index, ())}
                if last_use.get(operand, index) == index and operand in self.outs
            ]
            # the calls for objects run once for each: what they read, and what is told, stays until the last one
            if stage in self.lists:
                stays = [operand for operand in done if not self._is_of_object(operand, stage)]
                kept += stays
                done = [operand for operand in done if operand not in stays]
            self._give_back(done)
        self._give_back(kept)
        self.state.lists = [each.state_bytes for each in self.lists.values()]
        self.trigger_slots = [self.state.slots((_LAST_KNOWN,)) for _ in self.ir.triggers]
        for compare in self.ir.compares:
            self._note_masks(self.signals[compare.active] | self.signals[compare.shadow])
            self.sampled_inputs |= {self.ir.input_under(compare.active), self.ir.input_under(compare.shadow)}
        for events in self.ir.events:
            self._note_masks(self.signals[events.first] | self.signals[events.second])

    def _give_back(self, nodes: list[int]) -> None:
        """Release the places of results that have been read for the last time."""
        for node in nodes:
            self.columns.give_back(self.ir.nodes[node].kind, self.outs[node])
        nodes.clear()

    def _is_of_object(self, node: int, stage: int) -> bool:
        return self.stages[node] == stage and self.ir.nodes[node].op not in AGGREGATES

    def _begin_list(self, objects: ListPlan | None) -> None:
        """Take the places that live through the loop over a list's objects."""
        for told in objects.told if objects is not None else ():
            self.outs[told.node] = self.columns.take(self.ir.nodes[told.node].kind)
            told.extra = [self.columns.take(Kind.NUMBER) for _ in range(told.kernels.extra)]
            constants = [each for each in told.operands if self.ir.nodes[each].op == "number"]
            self.whole_constants.update(constants)
        if objects is not None and objects.has_bools:
            objects.bool_column = self.columns.take(Kind.NUMBER)

    def _last_uses(self) -> dict[int, int]:
        """For each node, the last one that reads it; a trigger reads its root and what is watched with it at once, what
        is compared is kept.
        """
        last: dict[int, int] = {}
        for index, node in enumerate(self.ir.nodes):
            last.update(dict.fromkeys(node.arguments, index))
        for each in self.watched:
            last.update({part: max(last.get(part, 0), each.root) for part in each.parts})
        for compare in self.ir.compares:
            last[compare.active] = last[compare.shadow] = len(self.ir.nodes)
        for events in self.ir.events:
            last[events.first] = last[events.second] = len(self.ir.nodes)
        return last

    def _calls_of(self, index: int) -> list[KernelCall]:
        """The calls that compute a node; none for constants and for numbers that are read where they are."""
        node = self.ir.nodes[index]
        if node.op == "number" or (node.op == "input" and node.kind is Kind.NUMBER) or node.op in AGGREGATES:
            return []
        out = self.outs[index] = self.columns.take(node.kind)
        if node.op == "object_field":
            field = (self._field_column(index), ZERO)
            return [KernelCall(KERNELS["ne_number"], index, field, out)] if node.kind is Kind.BOOL else []
        if node.op == "truth":
            return [KernelCall(KERNELS["always" if node.integer("value") else "never"], index, (), out)]
        if node.op == "input":
            return [KernelCall(KERNELS["ne_number"], index, (COLUMN - node.integer("input"), ZERO), out)]
        kernel = self._kernel(node)
        if "constant" in kernel.signature:
            return [KernelCall(kernel, index, node.arguments[:1], out)]
        if node.op not in ("and", "or"):
            return [KernelCall(kernel, index, node.arguments, out)]
        first, *others = node.arguments
        pairs_of = [(first, others[0]), *((index, other) for other in others[1:])]
        return [KernelCall(kernel, index, operands, out) for operands in pairs_of]

    def _field_column(self, index: int) -> int:
        return FIELD - self.lists[self.stages[index]].number

    def _kernel(self, node: Node) -> Kernel:
        """The operation's kernel, which may depend on the kind of its argument."""
        if node.op == "for" and node.parameter("tolerate_ns"):
            return KERNELS["for_tolerating"]
        if f"{node.op}_constant" in KERNELS and self.ir.nodes[node.arguments[1]].op == "number":
            return KERNELS[f"{node.op}_constant"]
        if node.op in KERNELS:
            return KERNELS[node.op]
        kind = node.kind if node.op == "if" else self.ir.nodes[node.arguments[0]].kind
        return KERNELS[f"{node.op}_{kind}"]

    def _with_state(self, call: KernelCall) -> KernelCall:
        """The call with its slots and its ring; what its signature needs is noted."""
        node, signature = self.ir.nodes[call.node], call.kernel.signature
        self._note_masks(self.signals[call.node] if {"due", "fresh"} & set(signature) else None)
        for position, operand in enumerate(call.operands):
            constant = operand >= 0 and self.ir.nodes[operand].op == "number"
            if constant and f"step{position}" not in signature:
                self.whole_constants.add(operand)
            if f"fresh{position}" in signature:
                self._note_masks(self.signals[operand])
            if f"sampled{position}" in signature:
                self.sampled_inputs.add(self.ir.input_under(operand))
        plan = self.lists[self.stages[call.node]].state if self.stages[call.node] in self.lists else self.state
        state = plan.slots(call.kernel.slots) if call.kernel.slots else 0
        entries = _ring_entries(call.kernel, node)
        ring = plan.ring(call.kernel.ring_entry_bytes * entries)
        return KernelCall(call.kernel, call.node, call.operands, call.out, state, ring, entries)

    def constant(self, index: int) -> float:
        """The value of a constant node."""
        return self.ir.nodes[index].number("value")

    def _note_masks(self, signals: int | None) -> None:
        if signals is not None:
            self.due_masks.setdefault(signals, len(self.due_masks))
            self.fresh_masks.setdefault(signals, len(self.fresh_masks))


def _lists_in_order(ir: Ir, stage_of: Mapping[int, int]) -> list[int]:
    """The lists of objects in the order of their nodes, which stand together; then those without any."""
    lists = [place for place, item in enumerate(ir.inputs) if item.type == "objects"]
    if not lists:
        return []
    order = [stage for stage, _ in groupby(stage_of.values())]
    if len(order) != len(set(order)) or BEFORE in order[1:] or AFTER in order[:-1]:
        raise ValueError("the nodes of a program are not in stages")
    return list(dict.fromkeys([stage for stage in order if stage in lists] + lists))


def _ring_entries(kernel: Kernel, node: Node) -> int:
    """Entries of the node's ring; 0 for a kernel without one."""
    if not kernel.ring_entry_bytes:
        return 0
    return node.integer("capacity" if node.capacity else "limit")
