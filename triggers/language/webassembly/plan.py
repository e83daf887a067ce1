"""The plan of a module: which kernels compute a program's nodes, in which order, and what state they need."""

from __future__ import annotations

from dataclasses import dataclass, replace

from triggers.language.ir import CLOCK, Ir, Kind, Node
from triggers.language.watched import watched
from triggers.language.webassembly.kernel_parts.kernel import SLOT_BYTES, Kernel, Slot
from triggers.language.webassembly.kernels.table import KERNELS
from triggers.language.webassembly.layout import Columns, StatePlan

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
        self._plan()

    def _plan(self) -> None:
        last_use = self._last_uses()
        parts = {each.root: each.parts for each in self.watched}
        for index in range(len(self.ir.nodes)):
            for call in self._calls_of(index):
                self.calls.append(self._with_state(call))
            for operand in {index, *self.ir.nodes[index].arguments, *parts.get(index, ())}:
                if last_use.get(operand, index) == index and operand in self.outs:
                    self.columns.give_back(self.ir.nodes[operand].kind, self.outs[operand])
        self.trigger_slots = [self.state.slots((_LAST_KNOWN,)) for _ in self.ir.triggers]
        for compare in self.ir.compares:
            self._note_masks(self.signals[compare.active] | self.signals[compare.shadow])
            self.sampled_inputs |= {self.ir.input_under(compare.active), self.ir.input_under(compare.shadow)}
        for events in self.ir.events:
            self._note_masks(self.signals[events.first] | self.signals[events.second])

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
        if node.op == "number" or (node.op == "input" and node.kind is Kind.NUMBER):
            return []
        out = self.outs[index] = self.columns.take(node.kind)
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
        state = self.state.slots(call.kernel.slots) if call.kernel.slots else 0
        entries = _ring_entries(call.kernel, node)
        ring = self.state.ring(call.kernel.ring_entry_bytes * entries)
        return replace(call, state=state, ring=ring, ring_entries=entries)

    def constant(self, index: int) -> float:
        """The value of a constant node."""
        return self.ir.nodes[index].number("value")

    def _note_masks(self, signals: int | None) -> None:
        if signals is not None:
            self.due_masks.setdefault(signals, len(self.due_masks))
            self.fresh_masks.setdefault(signals, len(self.fresh_masks))


def _ring_entries(kernel: Kernel, node: Node) -> int:
    """Entries of the node's ring; 0 for a kernel without one."""
    if not kernel.ring_entry_bytes:
        return 0
    return node.integer("capacity" if node.capacity else "limit")
