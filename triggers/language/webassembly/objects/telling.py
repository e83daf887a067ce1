"""The function of a module that evaluates the conditions on a list's objects, slot by slot, and what is told of all."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING

from triggers.language.ir import Kind
from triggers.language.webassembly.kernels.objects.told import name_of
from triggers.language.webassembly.objects.plan import ListPlan, ToldCall
from triggers.language.webassembly.plan import KernelCall

if TYPE_CHECKING:
    from triggers.language.webassembly.placement import Placement


class Telling:
    """Writes that function: `operand` gives the address of a node's result, `call` a kernel's call."""

    def __init__(
        self,
        place: Placement,
        objects: ListPlan,
        operand: Callable[[int], str],
        call: Callable[[KernelCall], str],
    ) -> None:
        self._place = place
        self._plan = place.plan
        self._objects = objects
        self._operand = operand
        self._call = call
        self._words = place.list_words(objects)

    def text(self) -> str:
        """The function."""
        told = self._objects.told
        lines = [f"(call $know_list{self._suffix})", *map(self._begin, told)]
        body = "\n      ".join(self._of_object())
        owner = f"(i64.load offset={self._words['LIST_OWNERS']} (i32.shl (local.get $slot) (i32.const 3)))"
        begin = f"(call $begin_object{self._suffix} (local.get $slot) (local.get $base))"
        ends = [line for each in told if (line := self._end(each))]
        return f"""(func $tell{self._suffix}
  (local $slot i32) (local $base i32) (local $key i64)
  {" ".join(lines)}
  (local.set $base (i32.const {self._words["LIST_SLOTS"]}))
  (loop $slots
    (if {begin} (then
      {f"(local.set $key {owner})" if any(each.kernels.takes_key for each in told) else ""}
      {body}
      (call $end_object{self._suffix} (local.get $slot) (local.get $base))))
    (local.set $base (i32.add (local.get $base) (i32.const {self._objects.slot_bytes})))
    (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
    (br_if $slots (i32.lt_u (local.get $slot) (i32.const {self._objects.most}))))
  {" ".join(ends)})"""

    @property
    def _suffix(self) -> str:
        return f"_{self._objects.number}"

    def _of_object(self) -> list[str]:
        """What is evaluated for the object in a slot, in the program's order, so that columns can be used again."""
        calls = {
            node: list(group)
            for node, group in groupby(self._plan.calls, key=lambda call: call.node)
            if self._plan.stages[node] == self._objects.place
        }
        told = {each.node: each for each in self._objects.told}
        lines = []
        for index in self._objects.nodes:
            if self._plan.ir.nodes[index].op == "object_field":
                lines.append(self._field(index))
            lines += map(self._call, calls.get(index, ()))
            lines += [self._add(told[index])] if index in told else []
        return lines

    def _field(self, index: int) -> str:
        """Fill the column of a field; that of a bool becomes masks afterwards."""
        node, field = self._plan.ir.nodes[index], self._plan.ir.nodes[index].integer("field")
        out = self._operand(index)
        if node.kind is Kind.BOOL:
            out = f"(i32.const {self._place.column(self._objects.bool_column)})"
        if self._objects.item.fields[field].type == "id":
            return f"(call $fill_key{self._suffix} (local.get $slot) {out})"
        column = self._place.list_buffers[self._objects.number].fields[field]
        held = f"(i32.add (local.get $base) (i32.const {self._objects.held_field(field)}))"
        return f"(call $fill_field (i32.const {column}) {held} {out})"

    def _begin(self, told: ToldCall) -> str:
        half = f" (i32.const {self._place.half})" if told.kernels.begin == "no_object" else ""
        best = f" (call $no_number (i32.const {self._place.column(told.extra[0])}))" if told.extra else ""
        return f"(call ${told.kernels.begin} {self._operand(told.node)}{half}){best}"

    def _add(self, told: ToldCall) -> str:
        arguments = [f"(i32.const {self._place.present})", *map(self._operand, told.operands)]
        arguments += [self._operand(told.node), *(f"(i32.const {self._place.column(each)})" for each in told.extra)]
        key = " (local.get $key)" if told.kernels.takes_key else ""
        return f"(call ${name_of(told.kernels.add)} {' '.join(arguments)}{key})"

    def _end(self, told: ToldCall) -> str:
        if not told.kernels.end:
            return ""
        return f"(call ${name_of(told.kernels.end)} (i32.const {self._words['LIST_KNOWN']}) {self._operand(told.node)})"
