"""The cost of a program on a vehicle, known at compile time: bytes of state, and instructions per tick.

Instructions are counted in the kernels' own text (`counting`), so the count cannot drift from the code. A block of n
ticks takes at most `call + word * ceil(n / 64) + n * tick` instructions, amortised, as each entry of a ring is added
and evicted once. The burst is what a single tick may take in addition, when a whole ring is evicted. A
row without a sample counts as a tick. A list of objects counts with the most that it keeps apart. An object that is new
begins a block, so a tick with one takes a block's fixed work and the burst in addition. A test compares these numbers
with what wasmtime measures (`Config.consume_fuel`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from triggers.compared_events.matcher import MAX_WAITING
from triggers.language.ir import CLOCK, Ir, Node
from triggers.language.webassembly import layout
from triggers.language.webassembly.counting import WorkRange, work_of
from triggers.language.webassembly.objects.cost import for_objects, tracking, work_of_list
from triggers.language.webassembly.plan import KernelCall, ModulePlan


@dataclass(frozen=True, slots=True)
class ProgramCost:
    """The cost of a program, and of each of its nodes."""

    state_bytes: int
    total: WorkRange
    frame: WorkRange
    """The work outside the kernels: collecting ticks, holding samples, joining masks."""
    fire: WorkRange
    """The work of a trigger: finding rises, and its cooldown."""
    nodes: Mapping[int, WorkRange]
    state_of: Mapping[int, int]
    """Bytes of state by node."""

    @property
    def operations_per_tick(self) -> tuple[int, int]:
        """Instructions per tick, least and most, in blocks of 64 ticks."""
        return operations_of(self.total)

    @property
    def operations_per_block(self) -> int:
        """The maximum fixed cost of a block in instructions; a call of `run` is one or more blocks."""
        return math.ceil(self.total.most.call + self.total.most.word)

    @property
    def burst_operations(self) -> int:
        """The maximum number of instructions that one tick may take in addition."""
        return math.ceil(self.total.most.burst)

    def part(self, nodes: Iterable[int]) -> tuple[WorkRange, int]:
        """The work and the bytes of state of some nodes together."""
        work, state = WorkRange(), 0
        for node in nodes:
            work += self.nodes.get(node, WorkRange())
            state += self.state_of.get(node, 0)
        return work, state


def operations_of(work: WorkRange) -> tuple[int, int]:
    """Instructions per tick, least and most, in blocks of 64 ticks."""
    return math.floor(work.least.per_tick), math.ceil(work.most.per_tick)


def cost_of(ir: Ir) -> ProgramCost:
    """The cost of a program."""
    return cost_of_plan(ModulePlan(ir))


def cost_of_plan(plan: ModulePlan) -> ProgramCost:
    """The cost of a program that is already planned."""
    nodes: dict[int, WorkRange] = {}
    state_of: dict[int, int] = {}
    for call in plan.calls:
        work, slots = _work_of_call(call, plan.ir.nodes[call.node]), 1
        if (objects := plan.lists.get(plan.stages[call.node])) is not None:
            work, slots = for_objects(work, objects), objects.most
        nodes[call.node] = nodes.get(call.node, WorkRange()) + work
        state_of[call.node] = state_of.get(call.node, 0) + slots * call.state_bytes
    for objects in plan.lists.values():
        for index, work in work_of_list(plan.ir, objects).items():
            nodes[index] = nodes.get(index, WorkRange()) + work
    for index, node in enumerate(plan.ir.nodes):
        if node.op == "input":
            state_of[index] = state_of.get(index, 0) + layout.HELD_BYTES
    frame, fire = _frame(plan), work_of("fire")
    for objects in plan.lists.values():
        frame += tracking(objects, masks=len(plan.due_masks) + len(plan.fresh_masks))
    total = frame + fire.times(len(plan.ir.triggers)) + work_of("compare").times(len(plan.ir.compares))
    total += work_of("match_events", ring=MAX_WAITING).times(len(plan.ir.events))
    for work in nodes.values():
        total += work
    return ProgramCost(plan.state.size, total, frame, fire, nodes, state_of)


def _work_of_call(call: KernelCall, node: Node) -> WorkRange:
    table = next((p for p in node.parameters if isinstance(p, tuple)), ())
    return work_of(call.kernel.name, edges=len(table) // 4, ring=call.ring_entries)


def _frame(plan: ModulePlan) -> WorkRange:
    joined = [signals for masks in (plan.due_masks, plan.fresh_masks) for signals in masks if not _is_an_input(signals)]
    calls = sum(signals.bit_count() + 1 for signals in joined)
    rows = work_of(
        "run",
        inputs=plan.inputs,
        masks=len(plan.due_masks) + len(plan.fresh_masks),
        triggers=len(plan.ir.triggers),
    )
    return WorkRange(rows.least, rows.most + work_of("join").most.times(calls))


def _is_an_input(signals: int) -> bool:
    """Whether a mask is that of one input, which the timeline makes."""
    return signals.bit_count() == 1 and signals != CLOCK
