"""The placement of a planned module: an address for everything in its memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from triggers.language.ir import Kind
from triggers.language.webassembly import layout
from triggers.language.webassembly.layout import Space
from triggers.language.webassembly.objects.memory import (
    ListBuffers,
    ListScratch,
    ListState,
    scratch_bytes_per_tick,
    words_of,
)
from triggers.language.webassembly.objects.plan import ListPlan
from triggers.language.webassembly.plan import ZERO, ModulePlan

PAGE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Result:
    """Where a node's result is: an input's column, a constant, a column of numbers, or masks of a condition.

    `at` is the input's index or an address; `half` the bytes from a mask of true to its mask of false.
    """

    kind: Literal["input", "constant", "column", "masks"]
    at: int
    half: int


class Placement:
    """The addresses of a module. Capacities: rows of the row buffers (a multiple of 64), fires that fit at once, and
    objects of a list that do.

    A block has at most `max_chunk` ticks, a power of two.
    """

    def __init__(
        self,
        plan: ModulePlan,
        row_capacity: int | None = None,
        fire_capacity: int | None = None,
        max_chunk: int = layout.MAX_CHUNK,
        object_capacity: int | None = None,
    ) -> None:
        self.plan = plan
        lists = list(plan.lists.values())
        triggers = max(1, len(self.plan.ir.triggers))
        masks = len(self.plan.due_masks) + len(self.plan.fresh_masks) + 2 * self.plan.columns.count[Kind.BOOL] + 2
        numbers = self.plan.inputs + self.plan.columns.count[Kind.NUMBER] + len(self.plan.sampled_inputs) + 2
        of_lists = sum(map(scratch_bytes_per_tick, lists))
        self.chunk = layout.chunk_for(8 * numbers + masks / 8 + of_lists, max_chunk)
        self.half = self.chunk // 8
        self.row_capacity = row_capacity or layout.rows_for(self.plan.inputs)
        self.fire_room = triggers * self.chunk // 2
        self.fire_capacity = max(fire_capacity or self.fire_room + layout.EXTRA_FIRES, self.fire_room)
        space = Space(layout.STATE + self.plan.state.size)
        self.image = space.take(len(self.plan.state.image))
        self.slot_images = [space.take(len(each.state.image)) for each in lists]
        self.max_ages = space.take(8 * self.plan.inputs)
        self.sampled_columns = space.take(4 * self.plan.inputs)
        self.tables = {i: space.take(8 * len(table)) for i, table in self.tables_of().items()}
        # beside the other data, as a module with data here and there takes long to load
        self.observed = [space.take(4 * (3 + each.entries), align=4) for each in self.plan.watched]
        self.times = space.take(8 * (self.row_capacity + layout.PADDING_ROWS))
        self.column_stride = 8 * (self.row_capacity + layout.PADDING_ROWS)
        self.inputs_at = space.take(self.column_stride * self.plan.inputs)
        rows = self.row_capacity + layout.PADDING_ROWS
        self.list_buffers = [ListBuffers.take(space, each, rows, object_capacity) for each in lists]
        self.fires = space.take(layout.FIRE_BYTES * self.fire_capacity)
        self.fire_count = space.take(8)
        self._place_weights(space)
        self._place_scratch(space)

    def _place_lists(self, space: Space) -> None:
        """What lists of objects need within a block: the tables of each, and what they share."""
        lists = list(self.plan.lists.values())
        self.list_scratch = [ListScratch.take(space, each, self.chunk) for each in lists]
        if lists:
            self.object_at, self.present = space.take(4 * self.chunk + 256), space.take(self.half)
            self.masks_bytes = self.half * len(self.plan.due_masks) + self.due - self.fresh
            self.kept_masks = space.take(self.masks_bytes)

    def list_state(self, plan: ListPlan) -> ListState:
        """The addresses of what is kept of a list."""
        return ListState.at(self.plan.state.list_start(plan.number), plan)

    def list_words(self, plan: ListPlan) -> dict[str, int | str]:
        """What stands for each word of `objects.wat` for a list."""
        numbers = {
            "column": self.inputs_at + self.column_stride * plan.place,
            "due": self.due + self.half * plan.place,
            "image": self.slot_images[plan.number],
            "chunk": self.chunk,
        }
        buffers, scratch = self.list_buffers[plan.number], self.list_scratch[plan.number]
        return words_of(plan, self.list_state(plan), buffers, scratch, numbers)

    def column(self, index: int) -> int:
        """The address of a scratch column of numbers."""
        return self.numbers + 8 * self.chunk * index

    def _place_weights(self, space: Space) -> None:
        """What a host may ask for while the module runs; no part of the state, which a vehicle saves."""
        self.weights = space.take(
            sum(layout.CLOSEST_BYTES + layout.WEIGHT_BYTES * each.entries for each in self.plan.watched)
        )
        self.unknown_with, self.known_with = space.take(self.half), space.take(self.half)

    def observations(self) -> list[int]:
        """What `$weigh` reads of all triggers, from `observed[0]` on: counts, records, masks, and inputs of each."""
        found, record = [], self.weights
        for each in self.plan.watched:
            masks = [self.result(node).at for node in (each.root, *each.parts)]
            found += [len(each.parts), len(each.signals), record, *masks, *each.signals]
            record += layout.CLOSEST_BYTES + layout.WEIGHT_BYTES * each.entries
        return found

    def _place_scratch(self, space: Space) -> None:
        """Everything that is only valid within a block, and constants."""
        column = 8 * self.chunk
        self.tick_times, self.tick_rows = space.take(column), space.take(column // 2)
        self.any, self.beats = space.take(self.half), space.take(self.half)
        self.fresh = space.take(self.half * len(self.plan.fresh_masks))
        self.due = space.take(self.half * len(self.plan.due_masks))
        self._place_lists(space)
        self.shown = space.take(column * self.plan.inputs)
        self.sampled = {item: space.take(column) for item in sorted(self.plan.sampled_inputs)}
        self.numbers = space.take(column * self.plan.columns.count[Kind.NUMBER])
        self.masks = space.take(2 * self.half * self.plan.columns.count[Kind.BOOL])
        space.take(8 * layout.PADDING_ROWS)
        self.constants = {index: self._place_constant(space, index) for index in self.constant_values()}
        self.memory_bytes = -(-space.end // PAGE_BYTES) * PAGE_BYTES

    def _place_constant(self, space: Space, index: int) -> int:
        return space.take(8 * self.chunk if index in self.plan.whole_constants else layout.CONSTANT_BYTES)

    def constant_values(self) -> dict[int, float]:
        """Constants by node, and the zero."""
        nodes = enumerate(self.plan.ir.nodes)
        return {ZERO: 0.0, **{i: node.number("value") for i, node in nodes if node.op == "number"}}

    def tables_of(self) -> dict[int, tuple[float, ...]]:
        """List parameters by node."""
        nodes = enumerate(self.plan.ir.nodes)
        return {i: p for i, node in nodes for p in node.parameters if isinstance(p, tuple)}

    def result(self, index: int) -> Result:
        """Where a node's result is."""
        node = self.plan.ir.nodes[index]
        if node.op == "number":
            return Result("constant", self.constants[index], 0)
        if index not in self.plan.outs:
            return Result("input", node.integer("input"), 0)
        if node.kind is Kind.NUMBER:
            return Result("column", self.column(self.plan.outs[index]), 0)
        return Result("masks", self.masks + 2 * self.half * self.plan.outs[index], self.half)
