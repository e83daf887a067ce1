"""The emitter: from the typed form to a module's bytes.

Each node becomes a call of its operation's kernel, in the program's order; equal nodes are already shared. The same
program gives the same bytes. The text form is assembled by wasmtime, and the manifest is added.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import groupby

import wasmtime

from triggers.contracts.campaign import TriggerSettings
from triggers.errors import InvalidInput
from triggers.language.graph import AFTER, BEFORE
from triggers.language.ir import CLOCK, OPERATIONS, CompareCode, EventCode, Ir, Node, Scalar, TriggerCode
from triggers.language.webassembly import layout
from triggers.language.webassembly.description import describe
from triggers.language.webassembly.host.manifest import SECTION
from triggers.language.webassembly.host.sections import with_custom_section
from triggers.language.webassembly.kernel_parts.kernel import Kernel, parameter_type
from triggers.language.webassembly.kernels.current import places
from triggers.language.webassembly.kernels.objects.told import BEGINNINGS
from triggers.language.webassembly.kernels.table import FUNCTIONS_OF, KERNELS, SHARED_FUNCTIONS
from triggers.language.webassembly.objects.telling import Telling
from triggers.language.webassembly.objects.text import SHARED, joint_text, text_of_list
from triggers.language.webassembly.placement import PAGE_BYTES, Placement, Result
from triggers.language.webassembly.plan import COLUMN, FIELD, KernelCall, ModulePlan
from triggers.language.webassembly.symbols import symbols_of

_TIMELINE, _WEIGHING = (
    files("triggers.language.webassembly").joinpath(name).read_text(encoding="utf-8")
    for name in ("timeline.wat", "weighing.wat")
)
_NEXT_BLOCK = "(br $blocks)"
"""How `run` goes on with the next block."""


def emit(
    ir: Ir,
    settings: Sequence[TriggerSettings] = (),
    *,
    keep_results: bool = False,
    one_block: bool = False,
    row_capacity: int | None = None,
    fire_capacity: int | None = None,
    max_chunk: int = layout.MAX_CHUNK,
    object_capacity: int | None = None,
) -> bytes:
    """The module of a program; `settings` say what each trigger captures, for the manifest.

    `keep_results` keeps every node's result until the end of a block and exports the globals `count`, `tt`, `x` and
    `x_stride`, so that a host can read them (`results_of` says where). With `one_block`, `run` returns after each
    block, whose results can be read then; no vehicle gets such a module. A row capacity is a multiple of 64; a fire
    capacity is at least what one block may need, and one of objects what one sample may have. A block has at most
    `max_chunk` ticks, a power of two from 64 on.
    """
    plan = ModulePlan(ir, keep_results=keep_results)
    placement = Placement(plan, row_capacity, fire_capacity, max_chunk, object_capacity)
    return _Emitter(placement, keep_results, one_block).module(settings)


def results_of(ir: Ir, *, max_chunk: int = layout.MAX_CHUNK) -> list[Result]:
    """The place of every node's result in a module that was emitted with `keep_results`."""
    placement = Placement(ModulePlan(ir, keep_results=True), max_chunk=max_chunk)
    return [placement.result(index) for index in range(len(ir.nodes))]


class _Emitter:
    """Writes a planned and placed module down as text."""

    def __init__(self, placement: Placement, keep_results: bool, one_block: bool) -> None:
        self.place = placement
        self.plan = placement.plan
        self.keep_results = keep_results
        self.one_block = one_block

    def module(self, settings: Sequence[TriggerSettings]) -> bytes:
        """The module's bytes. Raises InvalidInput for a program that is too large for a vehicle."""
        if self.place.memory_bytes > layout.MAX_MEMORY_BYTES:
            raise InvalidInput(
                f"program: needs {self.place.memory_bytes} bytes of memory, more than {layout.MAX_MEMORY_BYTES}",
                remedy="shorten its windows or split the campaign",
            )
        manifest = describe(self.place, settings)
        binary = bytes(wasmtime.wat2wasm(self._text()))
        return with_custom_section(binary, SECTION, manifest.canonical_json())

    def _text(self) -> str:
        used = {call.kernel.name: call.kernel.text for call in self.plan.calls}
        if self.plan.ir.compares:
            used["compare"] = KERNELS["compare"].text
        if self.plan.ir.events:
            used["match_events"] = "\n".join([KERNELS["match_events"].text, self._end_events()])
        called = {text: None for name in used for text in FUNCTIONS_OF.get(name, ())}
        made = [self._join_masks(), *self._lists(), self._evaluate()]
        text = "\n".join([_TIMELINE, _WEIGHING, *SHARED_FUNCTIONS, *called, *used.values(), *made])
        symbols = symbols_of(self.place)
        if self.one_block:
            text = text.replace(_NEXT_BLOCK, "")
            symbols["FIRST_PATIENCE"] = self.place.chunk  # each call begins anew, so none may stay small
        text = re.sub(r"\b[A-Z][A-Z_]+\b", lambda match: str(symbols.get(match[0], match[0])), text)
        pages = self.place.memory_bytes // PAGE_BYTES
        memory = f'(memory (export "memory") {pages} {pages})'
        return f"(module\n{memory}\n{self._exports()}\n{self._data()}\n{self._start()}\n{text})"

    def _exports(self) -> str:
        names = ("count", "tt", "x", "x_stride") if self.keep_results else ()
        weights = f'(global (export "weights") i32 (i32.const {self.place.weights}))'
        return " ".join([weights, *(f'(export "{name}" (global ${name}))' for name in names)])

    def _data(self) -> str:
        """The initial state of a segment, ages, and tables."""
        ages = [-1 if item.max_age_ns is None else item.max_age_ns for item in self.plan.ir.inputs] or [-1]
        sampled = [self.place.sampled.get(i, 0) for i in range(self.plan.inputs)]
        parts = {
            self.place.image: bytes(self.plan.state.image),
            self.place.max_ages: struct.pack(f"<{len(ages)}q", *ages),
            self.place.sampled_columns: struct.pack(f"<{len(sampled)}i", *sampled),
        }
        for objects in self.plan.lists.values():
            parts[self.place.slot_images[objects.number]] = bytes(objects.state.image)
        for index, table in self.place.tables_of().items():
            parts[self.place.tables[index]] = struct.pack(f"<{len(table)}d", *table)
        if observed := self.place.observations():
            parts[self.place.observed[0]] = struct.pack(f"<{len(observed)}i", *observed)
        return "\n".join(f'(data (i32.const {at}) "{_escaped(data)}")' for at, data in parts.items())

    def _start(self) -> str:
        """Fill the columns of constants and reset the state when the module is instantiated."""
        fills = [
            f"(call $fill (i32.const {self.place.constants[index]}) (f64.const {value.hex()})"
            f" (i32.const {8 * self.place.chunk if index in self.plan.whole_constants else layout.CONSTANT_BYTES}))"
            for index, value in self.place.constant_values().items()
        ]
        return f"""(start $start)
(func $start
  {" ".join(fills)}
  (call $reset))
(func $fill (param $at i32) (param $value f64) (param $size i32)
  (local.set $size (i32.add (local.get $at) (local.get $size)))
  (loop $numbers
    (f64.store (local.get $at) (local.get $value))
    (local.set $at (i32.add (local.get $at) (i32.const 8)))
    (br_if $numbers (i32.lt_u (local.get $at) (local.get $size)))))"""

    def _join_masks(self) -> str:
        """Compute the masks of expressions that read several signals as the unions of the signals' masks.

        A clock is due at heartbeats and where a segment begins, and never has a sample.
        """
        calls = []
        for masks, start in ((self.plan.fresh_masks, self.place.fresh), (self.plan.due_masks, self.place.due)):
            for signals, position in masks.items():
                if position < self.plan.inputs:
                    continue
                into = start + self.place.half * position
                calls.append(f"(memory.fill (i32.const {into}) (i32.const 0) (global.get $words))")
                calls += [
                    f"(call $join (i32.const {into}) (i32.const {start + self.place.half * item}))"
                    for item in range(self.plan.inputs)
                    if signals >> item & 1
                ]
                if signals & CLOCK and masks is self.plan.due_masks:
                    calls.append(f"(call $join (i32.const {into}) (i32.const {self.place.beats}))")
                    first = f"(i64.or (i64.load (i32.const {into})) (i64.extend_i32_u (global.get $new)))"
                    calls.append(f"(i64.store (i32.const {into}) {first})")
        return "(func $join_masks\n" + "\n".join(calls) + ")"

    def _evaluate(self) -> str:
        """Call all kernels for the block's ticks; triggers and compares follow the last node that they read."""
        lines = [self._mark_new()]
        readers: dict[int, list[str]] = {}
        for position, trigger in enumerate(self.plan.ir.triggers):
            readers.setdefault(trigger.root, []).append(self._fire_call(position, trigger))
        for position, compare in enumerate(self.plan.ir.compares):
            readers.setdefault(max(compare.active, compare.shadow), []).append(self._compare_call(position, compare))
        for position, code in enumerate(self.plan.ir.events):
            readers.setdefault(max(code.first, code.second), []).append(self._events_call(position, code))
        lines += self._stage(BEFORE, readers)
        for objects in self.plan.lists.values():
            lines.append(f"(call $tell_{objects.number})")
            lines += [reader for told in objects.told for reader in readers.get(told.node, [])]
        lines += self._stage(AFTER, readers)
        return "(func $evaluate\n" + "\n".join(lines) + ")"

    def _stage(self, stage: int, readers: Mapping[int, list[str]]) -> list[str]:
        """The calls for the nodes before or after the lists of objects, each followed by those of what reads it."""
        lines = []
        calls = [call for call in self.plan.calls if self.plan.stages[call.node] == stage]
        for node, of_node in groupby(calls, key=lambda call: call.node):
            lines += [*map(self._call, of_node), *readers.get(node, [])]
        return lines

    def _lists(self) -> list[str]:
        """The functions of lists of objects."""
        lists = list(self.plan.lists.values())
        if not lists:
            return []
        told = [each.kernels for objects in lists for each in objects.told]
        texts = [BEGINNINGS[name] for each in told for name in each.beginnings]
        texts += [text for each in told for text in (each.add, each.end)]
        tracking = [text_of_list(objects.number, self.place.list_words(objects)) for objects in lists]
        evaluating = [Telling(self.place, objects, self._operand, self._call).text() for objects in lists]
        return [*dict.fromkeys(texts), SHARED, joint_text([each.number for each in lists]), *tracking, *evaluating]

    def _fire_call(self, position: int, trigger: TriggerCode) -> str:
        record = self.plan.state.triggers + layout.TRIGGER_BYTES * position
        integers = " ".join(map(_address, (position, self.plan.trigger_slots[position], record)))
        observed = _address(self.place.observed[position])
        return f"(call $fire {self._operand(trigger.root)} {integers} (i64.const {trigger.cooldown_ns}) {observed})"

    def _mark_new(self) -> str:
        """An expression that reads no signal is only due at the beginning of a segment."""
        if 0 not in self.plan.due_masks:
            return ""
        into = [
            self.place.due + self.place.half * self.plan.due_masks[0],
            self.place.fresh + self.place.half * self.plan.fresh_masks[0],
        ]
        clear = [f"(memory.fill (i32.const {at}) (i32.const 0) (global.get $words))" for at in into]
        return " ".join(clear) + f" (i64.store (i32.const {into[0]}) (i64.extend_i32_u (global.get $new)))"

    def _call(self, call: KernelCall) -> str:
        node = self.plan.ir.nodes[call.node]
        given = {"out": self._result(call.node), **self._state_of(call)}
        given |= self._mask_addresses(self.plan.signals[call.node])
        if call.node in self.place.tables:
            table = self.place.tables_of()[call.node]
            given |= {"table": _address(self.place.tables[call.node]), "length": _address(len(table))}
        given |= {name: _number(name, value) for name, value in _parameters(node).items()}
        if "constant" in call.kernel.signature:
            given["constant"] = _number("constant", self.plan.constant(node.arguments[1]))
        return self._written(call.kernel, call.operands, given)

    def _state_of(self, call: KernelCall) -> dict[str, str]:
        """Where the call's slots and its ring are: for a condition on objects in the state of the object's slot."""
        objects = self.plan.lists.get(self.plan.stages[call.node])
        if objects is None:
            return {"state": _address(call.state), "ring": _address(self.plan.state.ring_start + call.ring)}
        offsets = {"state": call.state, "ring": objects.state.ring_start + call.ring}
        return {name: f"(i32.add (local.get $base) {_address(offset)})" for name, offset in offsets.items()}

    def _compare_call(self, position: int, compare: CompareCode) -> str:
        at = self.plan.state.compares + layout.COMPARE_BYTES * position
        signals = self.plan.signals[compare.active] | self.plan.signals[compare.shadow]
        given = {"state": _address(at), "skew_ns": _number("skew_ns", compare.skew_ns)}
        given |= self._mask_addresses(signals)
        return self._written(KERNELS["compare"], (compare.active, compare.shadow), given)

    def _events_call(self, position: int, code: EventCode) -> str:
        given = {"state": _address(self._events_record(position)), "within_ns": _number("within_ns", code.within_ns)}
        given |= self._mask_addresses(self.plan.signals[code.first] | self.plan.signals[code.second])
        return self._written(KERNELS["match_events"], (code.first, code.second), given)

    def _events_record(self, position: int) -> int:
        return self.plan.state.events + layout.EVENTS_BYTES * position

    def _end_events(self) -> str:
        """The function that settles all rises when a drive ends."""
        calls = [
            f"(call $finish_events {_address(self._events_record(position))} (i64.const {code.within_ns}))"
            for position, code in enumerate(self.plan.ir.events)
        ]
        return "(func $end_events\n" + "\n".join(calls) + ")"

    def _written(self, kernel: Kernel, operands: Sequence[int], given: Mapping[str, str]) -> str:
        """A call with the arguments of its signature, in order."""
        words = dict(given)
        for position, operand in enumerate(operands):
            words[f"arg{position}"] = self._operand(operand)
            words[f"step{position}"] = _address(0 if self._is_block(operand) else 1)
            words[f"known{position}"] = self._known(operand)
            if f"fresh{position}" in kernel.signature:
                words[f"fresh{position}"] = self._mask_addresses(self.plan.signals[operand])["fresh"]
            if f"sampled{position}" in kernel.signature:
                words[f"sampled{position}"] = self._sampled(operand)
        return f"(call ${kernel.name} " + " ".join(words[name] for name in kernel.signature) + ")"

    def _mask_addresses(self, signals: int) -> dict[str, str]:
        return {
            "due": _address(self.place.due + self.place.half * self.plan.due_masks.get(signals, 0)),
            "fresh": _address(self.place.fresh + self.place.half * self.plan.fresh_masks.get(signals, 0)),
        }

    def _is_constant(self, operand: int) -> bool:
        return operand in self.place.constants

    def _is_block(self, operand: int) -> bool:
        """Whether the operand is a constant that is stored as one block instead of a whole column."""
        return self._is_constant(operand) and operand not in self.plan.whole_constants

    def _known(self, operand: int) -> str:
        """1 if the operand is never unknown in this block."""
        if self._is_constant(operand):
            return _address(1)
        is_made = operand in self.plan.outs or operand <= FIELD
        return _address(0) if is_made else "(global.get $in_place)"

    def _operand(self, operand: int) -> str:
        """The address of an operand's numbers or masks."""
        if self._is_constant(operand):
            return _address(self.place.constants[operand])
        if operand in self.plan.outs:
            return self._result(operand)
        if operand <= FIELD:
            objects = next(each for each in self.plan.lists.values() if each.number == FIELD - operand)
            return _address(self.place.column(objects.bool_column))
        position = COLUMN - operand if operand < 0 else self.plan.ir.nodes[operand].integer("input")
        return f"(i32.add (global.get $x) (i32.mul (global.get $x_stride) (i32.const {position})))"

    def _result(self, index: int) -> str:
        return _address(self.place.result(index).at)

    def _sampled(self, operand: int) -> str:
        column = self.place.sampled[self.plan.ir.input_under(operand)]
        return f"(select (global.get $tt) (i32.const {column}) (global.get $in_place))"


def _parameters(node: Node) -> dict[str, Scalar]:
    """An operation's parameters by name, and those that a kernel wants computed from them."""
    named = zip(OPERATIONS[node.op].parameters, node.parameters, strict=True)
    given: dict[str, Scalar] = {name: value for name, value in named if not isinstance(value, tuple)}
    return {**given, **(places.extra_parameters(node) if node.op == "near" else {})}


def _number(name: str, value: Scalar) -> str:
    kind = parameter_type(name)
    if kind == "f64":
        return f"(f64.const {float(value).hex()})"
    return f"({kind}.const {int(value)})"


def _address(value: int) -> str:
    return f"(i32.const {value})"


def _escaped(data: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in data)
